//! KV's memory of events: a cache of "seen", in front of the ledger and never an authority.

/// What KV keeps under [`seen_key`]. Version 1: the request that brought the event, and the
/// digest of the content that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub request_id: String,
    pub content_digest: String,
}

/// Where KV keeps an event, by the event's key. The version is part of it, so that a later
/// format can live beside this one.
pub fn seen_key(dedup_key: &str) -> String {
    format!("seen/1/{dedup_key}")
}

impl Seen {
    pub fn to_text(&self) -> String {
        format!("{} {}", self.request_id, self.content_digest)
    }

    /// Whatever stands there, the event was seen: a damaged record only says less.
    pub fn from_text(text: &str) -> Self {
        let (request_id, content_digest) = text.split_once(' ').unwrap_or((text, ""));
        Seen {
            request_id: request_id.to_owned(),
            content_digest: content_digest.to_owned(),
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
            content_digest: "ab".into(),
        };
        assert_eq!(Seen::from_text(&seen.to_text()), seen);
        assert_eq!(Seen::from_text("req_1").content_digest, "");
    }
}
