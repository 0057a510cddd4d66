//! The order of effects after admission, as a step function.
//!
//! [`Road`] says what to do next and is told what came of it; it does nothing itself. So every
//! order of outcomes, and a crash after each, can be walked through in a native test.
//!
//! The KV road: ask the memory → hold the event on the queue → start writing the memory → answer.
//! A crash before the hold loses nothing, because nothing was answered; a crash between hold and
//! memory costs a duplicate, never an event. The write is started before the answer leaves, or a
//! provider's immediate retry would find nothing, but it is not waited for.

use crate::verdict::{Trouble, Verdict};

/// Something for the edge to do, and how long to wait for it, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Is the key in the memory of events?
    AskSeen { slice_ms: u32 },
    /// Put the event on the queue.
    Hold { slice_ms: u32 },
}

/// What came of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Seen,
    Unseen,
    Held,
    Failed,
    /// The slice ended first: it may have happened, or happen later.
    Unknown,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Do(Effect),
    /// Answer. `remember`: start writing the key into the memory first.
    Answer {
        verdict: Verdict,
        remember: bool,
    },
}

/// The way of one event.
#[derive(Debug)]
pub struct Road {
    answer_by_ms: u32,
    asked: Option<Outcome>,
}

/// A cold read takes up to 300 ms; a third of the time is the most a cache may cost.
const ASK_MS_MAX: u32 = 400;

impl Road {
    /// `answer_by_ms` is the scheme's.
    pub fn new(answer_by_ms: u32) -> Self {
        Road {
            answer_by_ms,
            asked: None,
        }
    }

    /// The first thing to do.
    pub fn start(&self) -> Step {
        Step::Do(Effect::AskSeen {
            slice_ms: self.ask_ms(),
        })
    }

    /// What to do after `outcome` of the last effect.
    pub fn next(&mut self, outcome: Outcome) -> Step {
        match (self.asked, outcome) {
            (None, Outcome::Seen) => Step::Answer {
                verdict: Verdict::Duplicate,
                remember: false,
            },
            // The memory is a cache, never an authority: without it the event goes on.
            (None, Outcome::Unseen | Outcome::Held | Outcome::Failed | Outcome::Unknown) => {
                self.asked = Some(outcome);
                Step::Do(Effect::Hold {
                    slice_ms: self.answer_by_ms.saturating_sub(self.ask_ms()),
                })
            }
            (Some(_), Outcome::Held) => Step::Answer {
                verdict: Verdict::Accepted,
                remember: true,
            },
            (Some(_), Outcome::Unknown) => Step::Answer {
                verdict: Verdict::Unavailable(Trouble::HoldUnknown),
                remember: false,
            },
            (Some(_), Outcome::Failed | Outcome::Seen | Outcome::Unseen) => Step::Answer {
                verdict: Verdict::Unavailable(Trouble::HoldFailed),
                remember: false,
            },
        }
    }

    /// How the memory answered, for the record.
    pub fn memory(&self) -> Option<Outcome> {
        self.asked
    }

    fn ask_ms(&self) -> u32 {
        ASK_MS_MAX.min(self.answer_by_ms / 3)
    }
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Seen => "seen",
            Outcome::Unseen => "unseen",
            Outcome::Held => "held",
            Outcome::Failed => "failed",
            Outcome::Unknown => "unknown",
        }
    }
}

/// What the memory keeps under [`seen_key`]. Version 1: the request that brought the event, and the
/// digest of the content that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub request_id: String,
    pub content_digest: String,
}

/// Where the memory keeps an event, by the event's key. The version is part of it, so that a later
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

    const OUTCOMES: [Outcome; 5] = [
        Outcome::Seen,
        Outcome::Unseen,
        Outcome::Held,
        Outcome::Failed,
        Outcome::Unknown,
    ];

    /// Every way a road can go, with what was held on it.
    fn ways() -> Vec<(Vec<Outcome>, Verdict, bool)> {
        let mut ways = Vec::new();
        for first in OUTCOMES {
            let mut road = Road::new(5_000);
            assert!(matches!(road.start(), Step::Do(Effect::AskSeen { .. })));
            match road.next(first) {
                Step::Answer { verdict, remember } => ways.push((vec![first], verdict, remember)),
                Step::Do(_) => {
                    for second in OUTCOMES {
                        let mut road = Road::new(5_000);
                        road.next(first);
                        let Step::Answer { verdict, remember } = road.next(second) else {
                            panic!("a road has at most two effects");
                        };
                        ways.push((vec![first, second], verdict, remember));
                    }
                }
            }
        }
        ways
    }

    #[test]
    fn accepted_is_said_only_after_the_hold_and_duplicate_only_when_seen() {
        for (way, verdict, remember) in ways() {
            assert_eq!(
                verdict == Verdict::Accepted,
                way.get(1) == Some(&Outcome::Held),
                "{way:?}"
            );
            assert_eq!(
                verdict == Verdict::Duplicate,
                way == [Outcome::Seen],
                "{way:?}"
            );
            assert_eq!(
                remember,
                verdict == Verdict::Accepted,
                "{way:?}: remembered without a hold"
            );
        }
    }

    #[test]
    fn our_failure_is_never_the_senders() {
        for (way, verdict, _) in ways() {
            assert!(
                !matches!(verdict, Verdict::Refused(_)),
                "{way:?} refused a verified event"
            );
        }
    }

    #[test]
    fn a_broken_memory_stops_nothing() {
        for outcome in [Outcome::Failed, Outcome::Unknown] {
            let mut road = Road::new(1_800);
            assert!(matches!(road.next(outcome), Step::Do(Effect::Hold { .. })));
        }
    }

    #[test]
    fn the_slices_end_before_the_sender_gives_up() {
        for answer_by_ms in [200, 600, 1_800, 5_000] {
            let mut road = Road::new(answer_by_ms);
            let Step::Do(Effect::AskSeen { slice_ms: ask }) = road.start() else {
                panic!()
            };
            let Step::Do(Effect::Hold { slice_ms: hold }) = road.next(Outcome::Unseen) else {
                panic!()
            };
            assert!(ask + hold <= answer_by_ms && ask <= answer_by_ms / 3 && ask <= 400);
        }
    }
}
