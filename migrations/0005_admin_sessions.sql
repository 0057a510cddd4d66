-- Browsers that an operator has signed in (docs/operators.md). Nobody can make a cookie of what stands here, and what is
-- written here by somebody else opens nothing.

CREATE TABLE admin_sessions (
  -- SHA-256 of the cookie; in hexadecimal, like all bytes here.
  id TEXT NOT NULL PRIMARY KEY,
  operator TEXT NOT NULL,
  expires_ms INTEGER NOT NULL,
  -- HMAC-SHA-256 of id and end under the line of ADMINS that it was made from.
  mac TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX admin_sessions_of_operator ON admin_sessions (operator, expires_ms);
CREATE INDEX admin_sessions_by_end ON admin_sessions (expires_ms);
