//! Refused requests that are kept, because their sender may be right and a secret of ours wrong; and what it takes
//! to have one judged again.
//!
//! What is kept has proved nothing, and may hold a live credential: so only of sources that ask for it, little,
//! encrypted and for a short time (`edge/quarantine.mjs` has the bounds). Judged again it is at the time of its
//! refusal, or its signed time would be stale. Whoever may write the database could choose that time and so bring
//! back any old message; so it is the time that the tenant's log has, and the one that was sealed with the request.

use serde_json::Value;

use crate::audit::leaf_hash;
use crate::hex;
use crate::time;
use crate::tlog::entry::{Entry, What};
use crate::verdict::{Reject, Trouble, Verdict};

/// Larger bodies are not kept. Events are some kilobytes long; a larger one costs more to keep than to ask for again.
pub const BODY_BYTES_MAX: usize = 65_536;
/// How long what is kept may be judged again, and then it goes: whoever mends a secret does it within a weekend.
pub const KEPT_MS: i64 = 72 * 3_600_000;

/// A shorter secret could be guessed.
const KEY_CHARACTERS_MIN: usize = 32;

/// Whether refused requests can be kept under it.
pub fn is_quarantine_key(secret: &str) -> bool {
    secret.len() >= KEY_CHARACTERS_MIN
}

/// Whether another secret, or another pin, could make this an accepted event. Never what is wrong with the form of a
/// request: no secret of ours mends that.
pub fn is_curable(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Refused(reject) => {
            matches!(reject, Reject::SignatureMismatch | Reject::PinMismatch)
        }
        // A mismatch, while a configured secret is not there. Without any secret the body is not read.
        Verdict::Unavailable(trouble) => {
            matches!(trouble, Trouble::SecretMissing | Trouble::SecretUnusable)
        }
        Verdict::Accepted
        | Verdict::Revived
        | Verdict::Duplicate
        | Verdict::Challenged
        | Verdict::Permitted { .. }
        | Verdict::Observed => false,
    }
}

/// A record as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub tenant: String,
    pub source: String,
    pub at_ms: i64,
    leaf_hash: String,
    /// Salt and text, while they are there.
    text: Option<(String, String)>,
}

/// A record (`?1`), as [`Stored::parse`] reads it.
pub const RECORD: &str = "\
SELECT json_object('tenant', tenant, 'source', source, 'at_ms', at_ms, 'leaf_hash', leaf_hash, 'salt', salt, 'text', text) AS found
FROM records WHERE id = ?1";

/// Why a record's request is not judged again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Its text is gone, or 72 hours are over.
    TooOld,
    /// It has no place in the log yet.
    Unlogged,
    /// What the database has is not what was logged.
    Altered,
}

impl Stored {
    /// `None`: it is no such record.
    pub fn parse(found: &str) -> Option<Self> {
        let found: Value = serde_json::from_str(found).ok()?;
        let text = |name: &str| found.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Stored {
            tenant: text("tenant")?,
            source: text("source")?,
            at_ms: found.get("at_ms")?.as_i64()?,
            leaf_hash: text("leaf_hash")?,
            text: text("salt").zip(text("text")),
        })
    }

    /// The time at which its request is judged again: the log's, once everything that the database says of it is
    /// what was logged.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn logged_ms(&self, id: &str, entry: Option<&Entry>, now_ms: i64) -> Result<i64, Unfit> {
        let (salt, text) = self.text.as_ref().ok_or(Unfit::TooOld)?;
        let entry = entry.ok_or(Unfit::Unlogged)?;
        let salt = hex::decode(salt.as_bytes()).and_then(|salt| salt.try_into().ok());
        let hash = salt.map(|salt| leaf_hash(&salt, text));
        let stated: Value = serde_json::from_str(text).unwrap_or_default();
        let says =
            |name: &str, value: &str| stated.get(name).and_then(Value::as_str) == Some(value);
        let is_whole = hash == Some(entry.commitment)
            && hex::decode(self.leaf_hash.as_bytes()).is_some_and(|hash| hash == entry.commitment)
            && entry.id == id
            && entry.what == What::Record
            && entry.time_ms == self.at_ms
            && says("time", &time::rfc3339(self.at_ms))
            && says("request_id", id)
            && says("tenant", &self.tenant)
            && says("source", &self.source);
        if !is_whole {
            return Err(Unfit::Altered);
        }
        if now_ms.saturating_sub(entry.time_ms) > KEPT_MS {
            return Err(Unfit::TooOld);
        }
        Ok(entry.time_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Shape;

    const AT: i64 = 1_800_000_000_000;

    fn logged() -> (Stored, Entry) {
        let text = format!(
            r#"{{"v":1,"time":"{}","request_id":"req_1","tenant":"acme","source":"shop"}}"#,
            time::rfc3339(AT)
        );
        let salt = [7; 16];
        let hash = leaf_hash(&salt, &text);
        let stored = Stored {
            tenant: "acme".into(),
            source: "shop".into(),
            at_ms: AT,
            leaf_hash: hex::encode(&hash),
            text: Some((hex::encode(&salt), text)),
        };
        let entry = Entry {
            id: "req_1".into(),
            time_ms: AT,
            commitment: hash,
            what: What::Record,
        };
        (stored, entry)
    }

    #[test]
    fn what_the_log_has_is_judged_at_its_time_and_nothing_else_is() {
        let (stored, entry) = logged();
        let told = |stored: &Stored, now_ms| stored.logged_ms("req_1", Some(&entry), now_ms);
        assert_eq!(told(&stored, AT + 5), Ok(AT));
        assert_eq!(told(&stored, AT + KEPT_MS), Ok(AT));
        assert_eq!(told(&stored, AT + KEPT_MS + 1), Err(Unfit::TooOld));
        assert_eq!(stored.logged_ms("req_1", None, AT), Err(Unfit::Unlogged));
        let gone = Stored {
            text: None,
            ..stored.clone()
        };
        assert_eq!(told(&gone, AT), Err(Unfit::TooOld));

        let (salt, text) = stored.text.clone().unwrap();
        let altered = [
            Stored {
                at_ms: AT + 1,
                ..stored.clone()
            },
            Stored {
                tenant: "other".into(),
                ..stored.clone()
            },
            Stored {
                source: "other".into(),
                ..stored.clone()
            },
            Stored {
                leaf_hash: "00".repeat(32),
                ..stored.clone()
            },
            Stored {
                text: Some((salt.clone(), text.replace("2027", "2028"))),
                ..stored.clone()
            },
            Stored {
                text: Some(("00".repeat(16), text.clone())),
                ..stored.clone()
            },
            Stored {
                text: Some(("x".into(), text)),
                ..stored.clone()
            },
        ];
        for stored in altered {
            assert_eq!(told(&stored, AT), Err(Unfit::Altered), "{stored:?}");
        }
        assert_eq!(
            stored.logged_ms("req_2", Some(&entry), AT),
            Err(Unfit::Altered)
        );
    }

    /// Whoever may write the database writes a record of his own choice: without its entry it is nothing.
    #[test]
    fn another_record_with_its_own_hash_is_altered_too() {
        let (mut stored, entry) = logged();
        let (_, text) = stored.text.take().unwrap();
        let later = text.replace(&time::rfc3339(AT), &time::rfc3339(AT + 1_000));
        stored.at_ms = AT + 1_000;
        stored.leaf_hash = hex::encode(&leaf_hash(&[7; 16], &later));
        stored.text = Some((hex::encode(&[7; 16]), later));
        let told = stored.logged_ms("req_1", Some(&entry), AT + 2_000);
        assert_eq!(told, Err(Unfit::Altered));
    }

    #[test]
    fn a_shape_is_never_cured() {
        for verdict in [
            Verdict::Refused(Reject::SignatureMismatch),
            Verdict::Refused(Reject::PinMismatch),
            Verdict::Unavailable(Trouble::SecretMissing),
            Verdict::Unavailable(Trouble::SecretUnusable),
        ] {
            assert!(is_curable(verdict), "{verdict:?}");
        }
        for verdict in [
            Verdict::Accepted,
            Verdict::Refused(Reject::MissingSignature),
            Verdict::Refused(Reject::MalformedSignature(Shape::NotHex)),
            Verdict::Refused(Reject::MalformedSignedPart(Shape::Empty)),
            Verdict::Refused(Reject::BodyDigestMismatch),
            Verdict::Refused(Reject::Stale { age_ms: 1 }),
            Verdict::Refused(Reject::HandshakeRefused),
            Verdict::Unavailable(Trouble::HoldFailed),
            Verdict::Unavailable(Trouble::SecretShared),
        ] {
            assert!(!is_curable(verdict), "{verdict:?}");
        }
    }
}
