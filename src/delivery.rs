//! From the queue to the backend: what is sent, and what follows from the answer.
//!
//! A delivery is signed by us as Standard Webhooks has it. `webhook-id` is the same for every
//! attempt at an event and for every copy of it: a backend that must not act twice keys on it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::config::{Destination, SignAs};
use crate::event::Held;
use crate::keys::{LiveKey, NotAKey};
use crate::scheme::{Algorithm, KeyEncoding, KeyForm};
use crate::time;

/// The key that signs deliveries to one destination.
#[derive(Debug)]
pub struct DeliveryKey(LiveKey);

impl DeliveryKey {
    /// # Errors
    /// The secret is empty or not `whsec_` and base64.
    pub fn new(name: &str, secret: &str) -> Result<Self, NotAKey> {
        let form = KeyForm {
            encoding: KeyEncoding::Base64,
            strip: vec!["whsec_".to_owned()],
            append: None,
        };
        LiveKey::new(name, secret, &form, Algorithm::HmacSha256).map(DeliveryKey)
    }
}

/// The public form of an event's key: the idempotency key of every delivery of it.
pub fn webhook_id(held: &Held) -> String {
    format!(
        "hg_{}",
        &held
            .message
            .dedupkey
            .get(..40)
            .unwrap_or(&held.message.dedupkey)
    )
}

/// The headers of a delivery. `attempt` counts from 1.
pub fn headers(
    held: &Held,
    destination: &Destination,
    key: &DeliveryKey,
    attempt: u32,
    now_ms: i64,
) -> Vec<(String, String)> {
    let id = webhook_id(held);
    let timestamp = time::format(now_ms, crate::scheme::TimeUnit::Seconds);
    let mut mac = key.0.mac(Algorithm::HmacSha256, None);
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", &held.body] {
        mac.update(part);
    }
    let signature = format!("v1,{}", STANDARD.encode(mac.tag()));
    let prefix = match destination.sign {
        SignAs::Gate => "webhook",
        SignAs::Original => "hookgate",
    };
    let message = &held.message;
    let mut ours = vec![
        (format!("{prefix}-id"), id.clone()),
        (format!("{prefix}-timestamp"), timestamp),
        (format!("{prefix}-signature"), signature),
        ("hookgate-event-id".to_owned(), header_text(&message.id)),
        ("hookgate-event-type".to_owned(), header_text(&message.kind)),
        ("hookgate-source".to_owned(), message.source.clone()),
        ("hookgate-tenant".to_owned(), message.tenant.clone()),
        ("hookgate-scheme".to_owned(), message.scheme.clone()),
        ("hookgate-received".to_owned(), message.receivedtime.clone()),
        ("hookgate-request-id".to_owned(), message.requestid.clone()),
        ("hookgate-attempt".to_owned(), attempt.to_string()),
        ("hookgate-run".to_owned(), message.run.to_string()),
        ("traceparent".to_owned(), message.traceparent.clone()),
    ];
    let mut all: Vec<(String, String)> = held
        .headers
        .iter()
        .map(|(name, value)| {
            let taken = ours.iter().any(|(known, _)| known == name);
            let name = if taken {
                format!("hookgate-original-{name}")
            } else {
                name.clone()
            };
            (name, header_text(value))
        })
        .collect();
    if let Some(kind) = &message.datacontenttype {
        all.retain(|(name, _)| name != "content-type");
        all.push(("content-type".to_owned(), header_text(kind)));
    }
    all.append(&mut ours);
    all
}

/// A field value in visible ASCII (RFC 9110, section 5.5); anything else is percent-encoded.
fn header_text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' => safe.push(byte as char),
            other => safe.push_str(&format!("%{other:02X}")),
        }
    }
    safe
}

/// How an attempt went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    Answered {
        status: u16,
        retry_after_seconds: Option<u32>,
    },
    TimedOut,
    /// No connection, or it broke.
    Unreachable,
}

/// What becomes of the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Done,
    RetryIn { seconds: u32 },
    Dead(DeathCause),
}

/// Why an event was given up. Never thrown away: it goes to the dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeathCause {
    /// The backend answered with a status that no retry will change.
    RejectedByBackend,
    AttemptsExhausted,
    /// Neither its source nor its destination is configured any more.
    UnknownSource,
    /// A message that this Worker cannot read.
    Unreadable,
    /// A message of a newer version.
    UnknownVersion,
    /// The platform gave up: the handler itself never got to decide.
    GivenUpByPlatform,
}

impl DeathCause {
    pub fn name(self) -> &'static str {
        match self {
            DeathCause::RejectedByBackend => "rejected_by_backend",
            DeathCause::AttemptsExhausted => "attempts_exhausted",
            DeathCause::UnknownSource => "unknown_source",
            DeathCause::Unreadable => "unreadable",
            DeathCause::UnknownVersion => "unknown_version",
            DeathCause::GivenUpByPlatform => "given_up_by_platform",
        }
    }
}

impl Attempt {
    pub fn name(self) -> &'static str {
        match self {
            Attempt::Answered { .. } => "answered",
            Attempt::TimedOut => "timed_out",
            Attempt::Unreachable => "unreachable",
        }
    }

    fn is_worth_retrying(self) -> bool {
        match self {
            Attempt::Answered { status, .. } => status == 429 || (500..600).contains(&status),
            Attempt::TimedOut | Attempt::Unreachable => true,
        }
    }
}

/// Decides after attempt number `attempt` (from 1). `random` spreads the retries of many events.
pub fn next(destination: &Destination, attempt: u32, outcome: Attempt, random: u32) -> Next {
    if let Attempt::Answered {
        status: 200..=299, ..
    } = outcome
    {
        return Next::Done;
    }
    if !outcome.is_worth_retrying() {
        return Next::Dead(DeathCause::RejectedByBackend);
    }
    if attempt >= destination.attempts_max {
        return Next::Dead(DeathCause::AttemptsExhausted);
    }
    let asked = match outcome {
        Attempt::Answered {
            retry_after_seconds,
            ..
        } => retry_after_seconds.unwrap_or(0),
        Attempt::TimedOut | Attempt::Unreachable => 0,
    };
    let seconds = backoff_seconds(destination, attempt, random).max(asked);
    Next::RetryIn {
        seconds: seconds.min(destination.backoff_max_seconds),
    }
}

/// Half of the doubled delay is fixed, half is chance: retries neither bunch nor come at once.
fn backoff_seconds(destination: &Destination, attempt: u32, random: u32) -> u32 {
    let doublings = attempt.saturating_sub(1).min(30);
    let full = u64::from(destination.backoff_first_seconds) << doublings;
    let full = full.min(u64::from(destination.backoff_max_seconds));
    let half = full.div_ceil(2);
    let seconds = half + u64::from(random) % (full - half + 1);
    u32::try_from(seconds).unwrap_or(destination.backoff_max_seconds)
}

/// `Retry-After` (RFC 9110, section 10.2.3) in its seconds form. The date form is left to our own
/// back-off.
pub fn retry_after_seconds(header: &str) -> Option<u32> {
    let header = header.trim();
    (!header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| header.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destination() -> Destination {
        toml::from_str("url = \"https://backend.example/\"\nsecret = \"DELIVERY_SECRET\"\nattempts_max = 5\nbackoff_first_seconds = 4\nbackoff_max_seconds = 20\n").unwrap()
    }

    fn answered(status: u16) -> Attempt {
        Attempt::Answered {
            status,
            retry_after_seconds: None,
        }
    }

    #[test]
    fn only_what_a_retry_can_mend_is_retried() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(next(&destination(), 1, answered(status), 0), Next::Done);
        }
        for status in [301, 307, 400, 401, 403, 404, 408, 409, 410, 422] {
            assert_eq!(
                next(&destination(), 1, answered(status), 0),
                Next::Dead(DeathCause::RejectedByBackend),
                "{status}"
            );
        }
        for outcome in [
            answered(429),
            answered(500),
            answered(503),
            Attempt::TimedOut,
            Attempt::Unreachable,
        ] {
            assert!(
                matches!(next(&destination(), 4, outcome, 0), Next::RetryIn { .. }),
                "{outcome:?}"
            );
            assert_eq!(
                next(&destination(), 5, outcome, 0),
                Next::Dead(DeathCause::AttemptsExhausted),
                "{outcome:?}"
            );
        }
    }

    #[test]
    fn delays_double_with_jitter_up_to_the_limit() {
        for (attempt, low, high) in [(1, 2, 4), (2, 4, 8), (3, 8, 16), (4, 10, 20)] {
            let delays: Vec<u32> = (0..100)
                .map(
                    |random| match next(&destination(), attempt, Attempt::TimedOut, random) {
                        Next::RetryIn { seconds } => seconds,
                        other => panic!("{other:?}"),
                    },
                )
                .collect();
            assert_eq!(
                (delays.iter().min(), delays.iter().max()),
                (Some(&low), Some(&high)),
                "attempt {attempt}"
            );
        }
    }

    #[test]
    fn retry_after_is_honoured_up_to_the_limit() {
        let asked = |seconds| Attempt::Answered {
            status: 503,
            retry_after_seconds: Some(seconds),
        };
        assert_eq!(
            next(&destination(), 1, asked(15), 0),
            Next::RetryIn { seconds: 15 }
        );
        assert_eq!(
            next(&destination(), 1, asked(9_999), 0),
            Next::RetryIn { seconds: 20 }
        );
        assert_eq!(retry_after_seconds(" 120 "), Some(120));
        assert_eq!(retry_after_seconds("99999999999"), Some(u32::MAX));
        for header in ["", "-1", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert_eq!(retry_after_seconds(header), None, "{header:?}");
        }
    }
}
