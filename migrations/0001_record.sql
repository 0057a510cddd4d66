-- The record of refusals (src/audit/store.rs). Applied by `wrangler d1 migrations apply`; never changed once it
-- was: what comes later is a file of its own.

-- One row a stored refusal, and one for each time that records were removed. When a record's time is over, its text
-- and salt go; the row with the leaf hash stays, so that the tenant's log can be checked for ever.
CREATE TABLE records (
  id TEXT NOT NULL PRIMARY KEY,
  -- '_': the path named no source.
  tenant TEXT NOT NULL,
  source TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  reason TEXT NOT NULL,
  -- SHA-256 over a zero byte, the salt and the text; in hexadecimal, like all bytes here.
  leaf_hash TEXT NOT NULL,
  salt TEXT,
  text TEXT,
  address TEXT,
  address_salt TEXT
) WITHOUT ROWID;

-- Only of what is there to be read, or to be removed.
CREATE INDEX records_with_text ON records (tenant, at_ms) WHERE text IS NOT NULL;
-- How many a source has in a minute is counted for every message.
CREATE INDEX records_of_source ON records (tenant, source, at_ms) WHERE text IS NOT NULL;
CREATE INDEX records_with_address ON records (tenant, at_ms) WHERE address IS NOT NULL;

-- Ends of requests that have no record of their own, as numbers. `message` is the id of the message that brought
-- them, so that one that comes twice is known; '' for what the consumer counted itself.
CREATE TABLE counts (
  tenant TEXT NOT NULL,
  minute INTEGER NOT NULL,
  source TEXT NOT NULL,
  verdict TEXT NOT NULL,
  reason TEXT NOT NULL,
  message TEXT NOT NULL,
  number INTEGER NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  PRIMARY KEY (tenant, minute, source, verdict, reason, message)
) WITHOUT ROWID;
