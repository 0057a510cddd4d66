//! JSON Web Keys (RFC 7517) and sets of them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::value::RawValue;

use super::PublicKey;
use crate::canonical::{Members, object_members};

/// A set of more keys is no provider's.
const KEYS_MAX: usize = 64;

/// The keys of a set that can be used, each with its id. Keys without an id, of other kinds or for
/// encryption are left out (RFC 7517, section 5). `None`: not a set.
pub fn read_set(text: &str) -> Option<Vec<(String, PublicKey)>> {
    let members = object_members(text).ok()?;
    let keys: Vec<&RawValue> = serde_json::from_str(member(&members, "keys")?).ok()?;
    if keys.len() > KEYS_MAX {
        return None;
    }
    let read = |key: &&RawValue| {
        let (id, key) = read_key(key.get())?;
        Some((id?, key))
    };
    Some(keys.iter().filter_map(read).collect())
}

/// The key of an answer whose member `key` it is. `None`: it is no such answer; `Some(None)`: a key that cannot be
/// used, or not any more: its provider writes down when it expired (Plaid's `expired_at`).
pub fn read_given(text: &str) -> Option<Option<(String, PublicKey)>> {
    let members = object_members(text).ok()?;
    let given = member(&members, "key")?;
    let is_over = member(&object_members(given).ok()?, "expired_at").is_some_and(|at| at != "null");
    let key = read_key(given).filter(|_| !is_over);
    Some(key.and_then(|(id, key)| Some((id?, key))))
}

/// One key and its id.
pub fn read_key(text: &str) -> Option<(Option<String>, PublicKey)> {
    let members = object_members(text).ok()?;
    let value = |name| serde_json::from_str::<String>(member(&members, name)?).ok();
    let bytes = |name| URL_SAFE_NO_PAD.decode(value(name)?).ok();
    if value("use").is_some_and(|usage| usage != "sig") {
        return None;
    }
    let key = match (value("kty")?.as_str(), value("crv").as_deref()) {
        ("RSA", _) => PublicKey::from_rsa(&bytes("n")?, &bytes("e")?)?,
        ("EC", Some("P-256")) => PublicKey::from_p256(&bytes("x")?, &bytes("y")?)?,
        ("OKP", Some("Ed25519")) => PublicKey::from_ed25519(&bytes("x")?)?,
        _ => return None,
    };
    Some((value("kid"), key))
}

pub(super) fn member<'m>(members: &'m Members<'_>, name: &str) -> Option<&'m str> {
    let found = members.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.get())
}
