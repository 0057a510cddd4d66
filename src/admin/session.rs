//! A browser's session: made of a token, kept as a hash, and over when its time is, when the operator says so, or when
//! the line of `ADMINS` that it was made from says something else.

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::hex;
use crate::request::Head;

/// The prefix `__Host-` keeps it to this host, to `/` and to TLS (RFC 6265bis, section 4.1.3.2).
const COOKIE: &str = "__Host-hookgate";
/// A working day; `Max-Age` and the row in the database end together.
pub const SESSION_SECONDS: u32 = 28_800;

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

/// The cookie that a browser brings.
pub fn cookie(head: &Head) -> Option<&str> {
    let cookies = head.header("cookie")?.split([';', ',']);
    let mut pairs = cookies.filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(name, value)| (name == COOKIE).then_some(value))
}

/// What is kept of a cookie. It has 256 random bits, as a token: see [`super::operators`].
pub fn digest(cookie: &str) -> String {
    hex::encode(&Sha256::digest(cookie))
}

/// What gives a browser this cookie. An empty one takes it away.
pub fn set_cookie(cookie: &str) -> String {
    let seconds = if cookie.is_empty() {
        0
    } else {
        SESSION_SECONDS
    };
    format!("{COOKIE}={cookie}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={seconds}")
}

/// The token of who signs in: `{"token":"…"}`.
pub fn token_in(body: &str) -> Option<String> {
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    Some(body.get("token")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_for_this_host_and_no_script() {
        assert_eq!(
            set_cookie("abc"),
            "__Host-hookgate=abc; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=28800"
        );
        assert!(
            set_cookie("").ends_with("=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0")
        );
        assert_eq!(token_in(r#"{"token":"x"}"#).as_deref(), Some("x"));
        for body in ["", "x", "{}", r#"{"token":1}"#, r#"["token"]"#] {
            assert_eq!(token_in(body), None, "{body}");
        }
    }
}
