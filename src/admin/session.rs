//! A browser's session: made of a token, kept as a hash, and over when its time is, when the operator says so, or when
//! the line of `ADMINS` that it was made from says something else.

use serde::Deserialize;

/// Browsers that one operator has signed in at once; of more, those that end first are signed out. It bounds the table.
pub const SESSIONS_MAX: u32 = 20;

/// Keeps one (`?1`) of an operator of this name (`?2`), with its end (`?3`) and its MAC (`?4`).
pub const BEGIN: &str =
    "INSERT INTO admin_sessions (id, operator, expires_ms, mac) VALUES (?1, ?2, ?3, ?4)";
/// Of an operator's (`?1`) all but so many (`?2`).
pub const CROWD_OUT: &str = "\
DELETE FROM admin_sessions WHERE operator = ?1 AND id NOT IN (
  SELECT id FROM admin_sessions WHERE operator = ?1 ORDER BY expires_ms DESC LIMIT ?2)";
/// One (`?1`) that is not over by now (`?2`).
pub const FIND: &str = "\
SELECT json_object('id', id, 'expires_ms', expires_ms, 'mac', mac) AS found FROM admin_sessions
WHERE id = ?1 AND expires_ms > ?2";
pub const END: &str = "DELETE FROM admin_sessions WHERE id = ?1";
/// Removes what is over by now (`?1`).
pub const REMOVE: &str = "DELETE FROM admin_sessions WHERE expires_ms <= ?1";

/// A session as the database has it: believed only by its MAC ([`super::operators::Line::session`]).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Session {
    /// SHA-256 of the cookie, in hex.
    pub id: String,
    pub expires_ms: i64,
    pub mac: String,
}

impl Session {
    /// Reads what [`FIND`] found.
    pub fn read(found: &str) -> Option<Session> {
        serde_json::from_str(found).ok()
    }
}
