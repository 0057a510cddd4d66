//! Vectors of handshakes: what the receiver has set up, and signatures that an entry leaves out.

use ed25519_dalek::{Signer as _, SigningKey};
use hookgate::hex;
use hookgate::keys::LiveKey;
use hookgate::public_key::rules::Pins;
use hookgate::scheme::{Algorithm, Place, Scheme};
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
/// answer brings no signature: here is one, by a key that is made up where the entry has none.
pub fn signed(entry: &Entry, scheme: &Scheme) -> Option<Entry> {
    let now_ms = entry.now_ms.filter(|_| entry.scheme.starts_with(PREFIX))?;
    let head = entry.head();
    let mut places = scheme.credential_places();
    let is_bare = places.all(|place| head.value_at(place).is_err());
    let is_signed = scheme.handshakes.iter().any(|shake| shake.is_verified());
    let has_greeting = scheme.handshakes.iter().any(|shake| !shake.is_verified());
    if !is_bare || !is_signed || has_greeting {
        return None;
    }
    let mut entry = entry.clone();
    if scheme.algorithm == Algorithm::Ed25519 {
        let key = SigningKey::from_bytes(&[7; 32]);
        let time = (now_ms / 1_000).to_string();
        let message = [time.as_bytes(), &entry.body].concat();
        let signature = hex::encode(&key.sign(&message).to_bytes());
        let form = scheme.time.as_ref()?;
        for (place, value) in [(&form.at, time), (&scheme.signature.at, signature)] {
            let Place::Header(name) = place else {
                return None;
            };
            entry.headers.push((name.clone(), value));
        }
        entry.secrets = vec![hex::encode(key.verifying_key().as_bytes())];
        return Some(entry);
    }
    let secret = entry.secrets.first().filter(|secret| !secret.is_empty());
    let secret = secret.map_or(ANY_SECRET, String::as_str);
    let key = LiveKey::new("KEY", secret, &scheme.key, scheme.algorithm).ok()?;
    let draft = Draft {
        source: "vector",
        scheme,
        body: &entry.body,
        event_id: "1",
        event_type: "1",
        nonce: "1",
        time_ms: now_ms,
        pins: &Pins::default(),
    };
    let signed = sign(&draft, &key).ok()?;
    entry.headers.extend(signed.headers);
    Some(entry)
}
