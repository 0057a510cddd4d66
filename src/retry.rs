//! What follows from an attempt at the backend: done, again later, or never again.

use crate::config::Destination;
use crate::time;

/// How an attempt went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attempt {
    Answered {
        status: u16,
        retry_after_seconds: Option<u32>,
    },
    TimedOut,
    /// No connection, or it broke.
    Unreachable,
    /// The archive did not give the event's content: the backend was not asked.
    ContentUnread,
    /// The content is not in the archive.
    ContentMissing,
    /// It is not the content that was put there.
    ContentAltered,
}

/// What becomes of the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Next {
    Done,
    RetryIn { seconds: u32 },
    Dead(DeathCause),
}

/// Why an event was given up. Never thrown away: it goes to the dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeathCause {
    /// The backend answered with a status that no retry will change.
    RejectedByBackend,
    AttemptsExhausted,
    /// Its source is not configured any more, or belongs to another tenant.
    UnknownSource,
    /// It came over a queue whose name says nothing to this Worker.
    UnknownQueue,
    /// A message that this Worker cannot read.
    Unreadable,
    /// A message of a newer version.
    UnknownVersion,
    /// Its content is not in the archive any more.
    ContentMissing,
    /// Its content in the archive is not what the gate put there.
    ContentAltered,
    /// The queue refused its message again and again, and took others.
    RefusedByQueue,
    /// The platform gave up: the handler itself never got to decide.
    GivenUpByPlatform,
}

impl DeathCause {
    pub fn name(self) -> &'static str {
        match self {
            DeathCause::RejectedByBackend => "rejected_by_backend",
            DeathCause::AttemptsExhausted => "attempts_exhausted",
            DeathCause::UnknownSource => "unknown_source",
            DeathCause::UnknownQueue => "unknown_queue",
            DeathCause::Unreadable => "unreadable",
            DeathCause::UnknownVersion => "unknown_version",
            DeathCause::ContentMissing => "content_missing",
            DeathCause::ContentAltered => "content_altered",
            DeathCause::RefusedByQueue => "refused_by_queue",
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
            Attempt::ContentUnread => "content_unread",
            Attempt::ContentMissing => "content_missing",
            Attempt::ContentAltered => "content_altered",
        }
    }

    /// The backend's status, where it answered.
    pub fn status(self) -> Option<u16> {
        match self {
            Attempt::Answered { status, .. } => Some(status),
            Attempt::TimedOut
            | Attempt::Unreachable
            | Attempt::ContentUnread
            | Attempt::ContentMissing
            | Attempt::ContentAltered => None,
        }
    }

    /// The backend hangs, or asks for less: what is sent beside this has no better prospects. A 5xx
    /// may be about this event alone.
    pub fn is_no_answer(self) -> bool {
        match self {
            Attempt::TimedOut => true,
            Attempt::Answered { status, .. } => status == 429,
            Attempt::Unreachable
            | Attempt::ContentUnread
            | Attempt::ContentMissing
            | Attempt::ContentAltered => false,
        }
    }

    /// Why no further attempt would go otherwise. `None`: one may.
    fn is_final(self) -> Option<DeathCause> {
        match self {
            Attempt::Answered { status, .. } => {
                let passes = status == 429 || (500..600).contains(&status);
                (!passes).then_some(DeathCause::RejectedByBackend)
            }
            Attempt::TimedOut | Attempt::Unreachable | Attempt::ContentUnread => None,
            Attempt::ContentMissing => Some(DeathCause::ContentMissing),
            Attempt::ContentAltered => Some(DeathCause::ContentAltered),
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
    if let Some(cause) = outcome.is_final() {
        return Next::Dead(cause);
    }
    if attempt >= destination.attempts_max {
        return Next::Dead(DeathCause::AttemptsExhausted);
    }
    let asked = match outcome {
        Attempt::Answered {
            retry_after_seconds,
            ..
        } => retry_after_seconds.unwrap_or(0),
        _ => 0,
    };
    let seconds = backoff_seconds(destination, attempt, random).max(asked);
    Next::RetryIn {
        seconds: seconds.min(destination.backoff_max_seconds),
    }
}

/// For how long the backend is to be left alone after such an attempt.
pub fn slow_seconds(outcome: Attempt, next: Next) -> Option<u32> {
    match next {
        Next::RetryIn { seconds } if outcome.is_no_answer() => Some(seconds),
        Next::Done | Next::RetryIn { .. } | Next::Dead(_) => None,
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

/// Seconds to wait, from a `Retry-After` (RFC 9110, section 10.2.3): a number, or a date in the
/// form that senders must use (section 5.6.7).
pub fn retry_after_seconds(header: &str, now_ms: i64) -> Option<u32> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(header.parse().unwrap_or(u32::MAX));
    }
    let seconds = (time::parse_http_date(header)? - now_ms).max(0) / 1_000;
    Some(u32::try_from(seconds).unwrap_or(u32::MAX))
}

/// Seconds until a message comes again after something of ours failed: 30 s, doubling to 1 h. The
/// platform gives a message up after `PLATFORM_RETRIES` of them: over four days.
pub fn wait_seconds(attempts: u32) -> u32 {
    WAIT_SECONDS_MAX.min(WAIT_SECONDS_MIN << attempts.saturating_sub(1).min(7))
}

const WAIT_SECONDS_MIN: u32 = 30;
const WAIT_SECONDS_MAX: u32 = 3_600;
/// `max_retries` of the consumers in wrangler.toml, the platform's largest.
const PLATFORM_RETRIES: u32 = 100;
const _: () = assert!((PLATFORM_RETRIES - 7) * WAIT_SECONDS_MAX > 3 * 86_400);

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
    fn a_backend_that_hangs_or_asks_for_less_is_left_alone() {
        let slow =
            |outcome, attempt| slow_seconds(outcome, next(&destination(), attempt, outcome, 0));
        assert_eq!(slow(Attempt::TimedOut, 1), Some(2));
        assert_eq!(slow(answered(429), 1), Some(2));
        assert_eq!(slow(answered(429), 5), None, "given up");
        for outcome in [
            answered(200),
            answered(400),
            answered(500),
            Attempt::Unreachable,
        ] {
            assert_eq!(slow(outcome, 1), None, "{outcome:?}");
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
    fn our_own_trouble_is_waited_out() {
        let waits: Vec<u32> = (1..=9).map(wait_seconds).collect();
        assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
        assert_eq!(wait_seconds(u32::MAX), 3_600);
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
        let now_ms = time::parse_http_date("Wed, 21 Oct 2026 07:28:00 GMT").unwrap();
        let after = |header| retry_after_seconds(header, now_ms);
        assert_eq!(after(" 120 "), Some(120));
        assert_eq!(after("99999999999"), Some(u32::MAX));
        assert_eq!(after("Wed, 21 Oct 2026 07:29:30 GMT"), Some(90));
        assert_eq!(after("Wed, 21 Oct 2020 07:28:00 GMT"), Some(0));
        for header in ["", "-1", "1.5", "tomorrow", "Wed, 31 Feb 2026 07:28:00 GMT"] {
            assert_eq!(after(header), None, "{header:?}");
        }
    }
}
