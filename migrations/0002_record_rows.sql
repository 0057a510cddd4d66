-- The rows of records lie by the order of their coming, no longer by their id: a table WITHOUT ROWID keeps no more than a
-- quarter of a page of a row together, so that each text took a page of its own. docs/record.md has the figures.
-- Rows whose text is gone come first, and so lie close together.
CREATE TABLE records_in_order (
  id TEXT NOT NULL PRIMARY KEY,
  tenant TEXT NOT NULL,
  source TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  reason TEXT NOT NULL,
  leaf_hash TEXT NOT NULL,
  salt TEXT,
  text TEXT,
  address TEXT,
  address_salt TEXT
);
INSERT INTO records_in_order (id, tenant, source, at_ms, verdict, reason, leaf_hash, salt, text, address, address_salt)
SELECT id, tenant, source, at_ms, verdict, reason, leaf_hash, salt, text, address, address_salt
FROM records ORDER BY text IS NOT NULL, at_ms;
DROP TABLE records;
ALTER TABLE records_in_order RENAME TO records;

-- As they were.
CREATE INDEX records_with_text ON records (tenant, at_ms) WHERE text IS NOT NULL;
CREATE INDEX records_of_source ON records (tenant, source, at_ms) WHERE text IS NOT NULL;
CREATE INDEX records_with_address ON records (tenant, at_ms) WHERE address IS NOT NULL;

-- Messages of counts that were added: what comes twice is known by them. So counts of a minute and kind are one row, from
-- however many isolates they come, and the column message of counts is '' from now on. A row goes after 15 days.
CREATE TABLE counted (
  day INTEGER NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (day, id)
) WITHOUT ROWID;
