//! What waits, where, and for how long: a line for each place, each time the cron comes by.

use serde::{Deserialize, Serialize};

use crate::audit::Notice;

/// Two crons have come by in vain, or a backend has not taken an event for that long.
pub const OLD_SECONDS: i64 = 10 * 60;

/// What one object of the ledger says when the cron wakes it. JSON, because callers and objects of
/// different versions meet during a deploy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Woken {
    /// Messages that the queue has not taken yet.
    pub messages: u64,
    /// Those of them that the queue refused while it took others.
    pub refused: u64,
    /// When the oldest of them came, in milliseconds since 1970.
    pub oldest_ms: Option<i64>,
    /// The object belongs to a former epoch, and has nothing left.
    pub is_over: bool,
}

/// One place, and what waits there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Backlog<'a> {
    pub event: &'static str,
    /// `ledger`, `spool`, `queue`, `slow_queue` or `dead_letter_queue`.
    pub at: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<&'a str>,
    /// The ledger's object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<&'a str>,
    pub messages: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_seconds: Option<i64>,
}

impl<'a> Backlog<'a> {
    pub fn new(at: &'static str, messages: u64, oldest_ms: Option<i64>, now_ms: i64) -> Self {
        let age_ms = |oldest_ms: i64| now_ms.saturating_sub(oldest_ms).max(0);
        Backlog {
            event: "backlog",
            at,
            messages,
            oldest_seconds: oldest_ms.map(|oldest_ms| age_ms(oldest_ms) / 1_000),
            ..Backlog::default()
        }
    }

    /// What an operator has to know of it, besides the line itself.
    pub fn alarm(&self) -> Option<Notice<'a>> {
        let age_seconds = self.oldest_seconds.filter(|age| *age >= OLD_SECONDS)?;
        Some(Notice::BacklogOld {
            at: self.at,
            source: self.source,
            age_seconds,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit;

    #[test]
    fn an_alarm_tells_of_what_is_old_and_of_nothing_else() {
        let aged = |seconds: i64| Backlog::new("queue", 1, Some(5_000), 5_000 + seconds * 1_000);
        for seconds in [-1, 0, OLD_SECONDS - 1] {
            assert!(aged(seconds).alarm().is_none(), "{seconds}");
        }
        let alarm = aged(OLD_SECONDS).alarm().unwrap().line();
        assert_eq!(
            alarm,
            r#"{"event":"alarm","what":"backlog_old","detail":"queue","age_seconds":600}"#
        );
        assert!(Backlog::new("queue", 7, None, 5_000).alarm().is_none());
    }

    #[test]
    fn a_line_has_what_its_place_can_tell() {
        assert_eq!(
            audit::line(&Backlog::new("spool", 2, Some(1_000), 4_999)),
            r#"{"event":"backlog","at":"spool","messages":2,"oldest_seconds":3}"#
        );
        assert_eq!(
            audit::line(&Backlog::new("queue", 0, None, 0)),
            r#"{"event":"backlog","at":"queue","messages":0}"#
        );
    }

    /// Objects of the version before, or of the next one, answer as well.
    #[test]
    fn what_an_object_says_may_be_added_to() {
        let text = r#"{"messages":3,"refused":1,"oldest_ms":9,"is_over":false,"more":1}"#;
        let woken: Woken = serde_json::from_str(text).unwrap();
        assert_eq!((woken.messages, woken.oldest_ms), (3, Some(9)));
        assert_eq!(
            serde_json::from_str::<Woken>("{}").unwrap(),
            Woken::default()
        );
        assert_eq!(
            audit::line(&Woken::default()),
            r#"{"messages":0,"refused":0,"oldest_ms":null,"is_over":false}"#
        );
    }
}
