//! KV's memory of events: a cache of "seen", in front of the ledger and never an authority.

use crate::hex;

/// What KV keeps under [`seen_key`]. Version 1: the request that brought the event, and the
/// fingerprint of the content that was signed (XXH64, sixteen hex digits).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub request_id: String,
    pub fingerprint: u64,
}

/// Where KV keeps an event, by the event's key. The version is part of it, so that a later
/// format can live beside this one.
pub fn seen_key(dedup_key: &str) -> String {
    ["seen/1/", dedup_key].concat()
}

impl Seen {
    pub fn to_text(&self) -> String {
        let fingerprint = hex::encode(&self.fingerprint.to_be_bytes());
        [&self.request_id, " ", &fingerprint].concat()
    }

    /// Whatever stands there, the event was seen: a damaged record only says less.
    pub fn from_text(text: &str) -> Self {
        let (request_id, fingerprint) = text.split_once(' ').unwrap_or((text, ""));
        Seen {
            request_id: request_id.to_owned(),
            fingerprint: u64::from_str_radix(fingerprint, 16).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_read_back() {
        let seen = Seen {
            request_id: "req_1".into(),
            fingerprint: 0xab,
        };
        assert_eq!(Seen::from_text(&seen.to_text()), seen);
        assert_eq!(Seen::from_text("req_1").fingerprint, 0);
    }
}
