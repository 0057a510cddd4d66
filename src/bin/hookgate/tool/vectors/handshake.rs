//! Vectors of handshakes: what the receiver has set up, and signatures that an entry leaves out.

use hookgate::gate::LiveSource;
use hookgate::sign::{Draft, sign};
use hookgate::time::rfc3339;

use super::entry::Entry;

/// The name of the secret that a handshake must show.
pub const TOKEN: &str = "HANDSHAKE_TOKEN";
/// The secret of a source whose handshake is about none.
pub const ANY_SECRET: &str = "0123456789abcdef0123456789abcdef";

/// What files of vectors put in front of the names of handshakes.
const PREFIX: &str = "challenge:";

/// When the window opens: now, unless the entry says that there is none.
pub fn opens(entry: &Entry) -> Option<String> {
    let is_closed = config_value(entry, "window") == Some("closed");
    let now_ms = entry.now_ms.filter(|_| entry.scheme.starts_with(PREFIX))?;
    (!is_closed).then(|| rfc3339(now_ms))
}

/// What the handshake must show.
pub fn token(entry: &Entry) -> Option<String> {
    config_value(entry, "verify_token").map(str::to_owned)
}

fn config_value<'a>(entry: &'a Entry, name: &str) -> Option<&'a str> {
    entry.members.get("config_values")?.get(name)?.as_str()
}

/// A handshake is verified like an event where the provider signs it. An entry that shows only the
/// answer brings no signature: here is one.
pub fn signed(entry: &Entry, live: &LiveSource, now_ms: i64) -> Option<Entry> {
    let scheme = &live.scheme;
    let is_signed = scheme.handshakes.iter().any(|shake| shake.is_verified());
    let head = entry.head();
    let mut places = scheme.credential_places();
    let is_bare = places.all(|place| head.value_at(place).is_err());
    if !entry.scheme.starts_with(PREFIX) || !is_signed || !is_bare {
        return None;
    }
    let draft = Draft {
        source: &live.name,
        scheme,
        body: &entry.body,
        event_id: "1",
        event_type: "1",
        nonce: "1",
        time_ms: now_ms,
    };
    let signed = sign(&draft, live.keys.first()?).ok()?;
    let mut entry = entry.clone();
    entry.headers.extend(signed.headers);
    Some(entry)
}
