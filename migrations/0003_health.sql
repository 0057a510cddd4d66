-- How sources are (src/audit/health.rs), and what the cron makes of it (src/alerts).

-- When each key of a source matched last, to the minute.
CREATE TABLE key_uses (
  tenant TEXT NOT NULL,
  source TEXT NOT NULL,
  key_id TEXT NOT NULL,
  last_ms INTEGER NOT NULL,
  PRIMARY KEY (tenant, source, key_id)
) WITHOUT ROWID;

-- How far senders' clocks were from ours: how many events in which place of SKEW_ENDS_SECONDS, as JSON. `message` as
-- in counts.
CREATE TABLE skews (
  tenant TEXT NOT NULL,
  minute INTEGER NOT NULL,
  source TEXT NOT NULL,
  message TEXT NOT NULL,
  histogram TEXT NOT NULL,
  PRIMARY KEY (tenant, minute, source, message)
) WITHOUT ROWID;

-- What happened once and is to be alerted: dead letters that were kept, witnesses that contradicted a log. For a week.
CREATE TABLE incidents (
  id TEXT NOT NULL PRIMARY KEY,
  rule TEXT NOT NULL,
  tenant TEXT NOT NULL,
  source TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX incidents_by_time ON incidents (at_ms);

-- What the cron knows of a source from before: a JSON list of numbers (src/alerts/rhythm.rs).
CREATE TABLE rhythms (
  tenant TEXT NOT NULL,
  source TEXT NOT NULL,
  numbers TEXT NOT NULL,
  PRIMARY KEY (tenant, source)
) WITHOUT ROWID;

-- One row an alert that fires, is about to, or did lately (src/alerts/hysteresis.rs).
CREATE TABLE alerts (
  rule TEXT NOT NULL,
  tenant TEXT NOT NULL,
  source TEXT NOT NULL,
  firing INTEGER NOT NULL,
  streak INTEGER NOT NULL,
  -- Of the state; 0: it has never fired.
  since_ms INTEGER NOT NULL,
  told_ms INTEGER NOT NULL,
  patience INTEGER NOT NULL,
  value INTEGER NOT NULL,
  threshold INTEGER NOT NULL,
  PRIMARY KEY (rule, tenant, source)
) WITHOUT ROWID;

-- Messages that the alerts' webhook has not taken yet, as they are sent.
CREATE TABLE alert_messages (
  id TEXT NOT NULL PRIMARY KEY,
  body TEXT NOT NULL,
  made_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- When alerts were evaluated last, and by whom: of two crons that come at once one writes.
CREATE TABLE evaluation (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  at_ms INTEGER NOT NULL,
  token TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO evaluation (one, at_ms, token) VALUES (1, 0, '');
