-- What is kept of refused requests (src/edge/quarantine.mjs): one row an object of the archive, so that there are never
-- more than there may be, and what is over is found. The requests themselves are not here.
CREATE TABLE quarantine (
  -- The record's.
  id TEXT NOT NULL PRIMARY KEY,
  tenant TEXT NOT NULL,
  source TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  -- Of the body.
  bytes INTEGER NOT NULL
) WITHOUT ROWID;
