//! The order of effects after admission, as a step function.
//!
//! [`Road`] says what to do next and is told what came of it; it does nothing itself. So every
//! order of outcomes, and a crash after each, can be walked through in a native test.
//!
//! ```text
//! KV road       ask KV -> hold on the queue  -> answer   detours: the ledger, then the spool
//! ledger road   hold in the ledger           -> answer   detours: ask KV, the queue, the spool
//! ```
//!
//! A crash before the hold loses nothing, because nothing was answered; a crash between hold and
//! memory costs a copy, which the ledger removes before the backend. What was written to one memory
//! by a detour is written to the other after the answer; until then the event is *unsure*.

use crate::config::Dedup;
use crate::verdict::{Trouble, Verdict};

/// Something for the edge to do, and how long to wait for it, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Is the key in KV's memory of events?
    Ask { slice_ms: u32 },
    /// Put the event where it outlives this request.
    Hold { at: Place, slice_ms: u32 },
}

/// Where an event can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    Queue,
    Ledger,
    Spool,
}

/// KV's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asked {
    Seen,
    Unseen,
    Failed,
    /// The slice ended first.
    Unknown,
}

/// What came of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hold {
    Done,
    /// The ledger had it among the dead letters, and opened it for another run.
    Revived,
    /// The ledger has it already.
    Conflict,
    Failed,
    /// The slice ended first: it may be held, or be held later.
    Unknown,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Do(Effect),
    Answer(Ending),
}

/// How a way ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ending {
    pub verdict: Verdict,
    /// Where the event is held, where it is.
    pub held_at: Option<Place>,
    /// Start writing the key into KV before the answer leaves.
    pub remember: bool,
    /// Tell the ledger of an event that it did not hold itself.
    pub note: bool,
}

/// The way of one event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Road {
    dedup: Dedup,
    answer_by_ms: u32,
    position: Position,
    /// A hold whose outcome is not known: the event may be there as well.
    maybe_held: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Position {
    Asking,
    Holding(Place),
}

/// A cold read takes up to 300 ms; a third of the time is the most a cache may cost.
const ASK_MS_MAX: u32 = 400;
/// Shares of what is left after asking, in percent: the first hold, its detour; the spool has the rest.
const FIRST_HOLD_PERCENT: u32 = 45;
const SECOND_HOLD_PERCENT: u32 = 30;

impl Road {
    /// `answer_by_ms` is the scheme's.
    pub fn new(dedup: Dedup, answer_by_ms: u32) -> Self {
        Road {
            dedup,
            answer_by_ms,
            position: match dedup {
                Dedup::Kv => Position::Asking,
                Dedup::Ledger => Position::Holding(Place::Ledger),
            },
            maybe_held: false,
        }
    }

    /// The first thing to do.
    pub fn start(&self) -> Step {
        Step::Do(self.effect())
    }

    /// What to do after KV's answer.
    pub fn asked(&mut self, answer: Asked) -> Step {
        match answer {
            Asked::Seen => self.end(Verdict::Duplicate, None),
            // KV is a cache, never an authority: without it the event goes on.
            Asked::Unseen | Asked::Failed | Asked::Unknown => self.go_on(Place::Queue),
        }
    }

    /// What to do after a hold.
    pub fn held(&mut self, outcome: Hold) -> Step {
        let Position::Holding(place) = self.position else {
            // Nobody asked for a hold here; without knowing what was held, nothing is promised.
            return self.end(Verdict::Unavailable(Trouble::HoldFailed), None);
        };
        match outcome {
            Hold::Done => self.end(Verdict::Accepted, Some(place)),
            Hold::Revived => self.end(Verdict::Revived, Some(place)),
            Hold::Conflict => self.end(Verdict::Duplicate, None),
            Hold::Failed | Hold::Unknown => {
                self.maybe_held |= outcome == Hold::Unknown;
                match (self.dedup, place) {
                    (Dedup::Kv, Place::Queue) => self.go_on(Place::Ledger),
                    (Dedup::Ledger, Place::Ledger) => {
                        self.position = Position::Asking;
                        Step::Do(self.effect())
                    }
                    (Dedup::Kv, Place::Ledger) | (Dedup::Ledger, Place::Queue) => {
                        self.go_on(Place::Spool)
                    }
                    (_, Place::Spool) if self.maybe_held => {
                        self.end(Verdict::Unavailable(Trouble::HoldUnknown), None)
                    }
                    (_, Place::Spool) => self.end(Verdict::Unavailable(Trouble::HoldFailed), None),
                }
            }
        }
    }

    fn go_on(&mut self, place: Place) -> Step {
        self.position = Position::Holding(place);
        Step::Do(self.effect())
    }

    fn end(&self, verdict: Verdict, held_at: Option<Place>) -> Step {
        Step::Answer(Ending {
            verdict,
            held_at,
            remember: match (self.dedup, held_at) {
                (_, None) | (Dedup::Ledger, Some(Place::Ledger)) => false,
                (Dedup::Kv, Some(_)) | (Dedup::Ledger, Some(_)) => true,
            },
            note: match (self.dedup, held_at) {
                (Dedup::Ledger, Some(Place::Queue)) | (_, Some(Place::Spool)) => true,
                (Dedup::Kv, Some(Place::Queue)) | (_, None | Some(Place::Ledger)) => false,
            },
        })
    }

    fn effect(&self) -> Effect {
        let ask_ms = ASK_MS_MAX.min(self.answer_by_ms / 3);
        let rest_ms = self.answer_by_ms - ask_ms;
        let first_ms = rest_ms * FIRST_HOLD_PERCENT / 100;
        let second_ms = rest_ms * SECOND_HOLD_PERCENT / 100;
        match self.position {
            Position::Asking => Effect::Ask { slice_ms: ask_ms },
            Position::Holding(at) => Effect::Hold {
                at,
                slice_ms: match (self.dedup, at) {
                    (Dedup::Kv, Place::Queue) | (Dedup::Ledger, Place::Ledger) => first_ms,
                    (Dedup::Kv, Place::Ledger) | (Dedup::Ledger, Place::Queue) => second_ms,
                    (_, Place::Spool) => rest_ms - first_ms - second_ms,
                },
            },
        }
    }
}

impl Place {
    /// For the record.
    pub fn name(self) -> &'static str {
        match self {
            Place::Queue => "queue",
            Place::Ledger => "ledger",
            Place::Spool => "spool",
        }
    }
}

impl Asked {
    /// For the record.
    pub fn name(self) -> &'static str {
        match self {
            Asked::Seen => "seen",
            Asked::Unseen => "unseen",
            Asked::Failed => "failed",
            Asked::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: [Asked; 4] = [Asked::Seen, Asked::Unseen, Asked::Failed, Asked::Unknown];
    const HOLDS: [Hold; 5] = [
        Hold::Done,
        Hold::Revived,
        Hold::Conflict,
        Hold::Failed,
        Hold::Unknown,
    ];

    /// A way: its effects with what came of them, and its end.
    #[derive(Debug)]
    struct Way {
        effects: Vec<Effect>,
        holds: Vec<(Place, Hold)>,
        seen: bool,
        end: Ending,
    }

    fn walk(
        road: &Road,
        step: Step,
        effects: &[Effect],
        holds: &[(Place, Hold)],
        seen: bool,
        ways: &mut Vec<Way>,
    ) {
        let effect = match step {
            Step::Answer(end) => {
                ways.push(Way {
                    effects: effects.to_vec(),
                    holds: holds.to_vec(),
                    seen,
                    end,
                });
                return;
            }
            Step::Do(effect) => effect,
        };
        let effects = [effects, &[effect]].concat();
        match effect {
            Effect::Ask { .. } => {
                for answer in ASKED {
                    let mut road = road.clone();
                    let step = road.asked(answer);
                    walk(
                        &road,
                        step,
                        &effects,
                        holds,
                        seen || answer == Asked::Seen,
                        ways,
                    );
                }
            }
            Effect::Hold { at, .. } => {
                for outcome in HOLDS {
                    let mut road = road.clone();
                    let step = road.held(outcome);
                    let holds = [holds, &[(at, outcome)]].concat();
                    walk(&road, step, &effects, &holds, seen, ways);
                }
            }
        }
    }

    /// Every way either road can go.
    fn ways() -> Vec<Way> {
        let mut ways = Vec::new();
        for dedup in [Dedup::Kv, Dedup::Ledger] {
            for answer_by_ms in [200, 1_800, 5_000] {
                let road = Road::new(dedup, answer_by_ms);
                walk(&road, road.start(), &[], &[], false, &mut ways);
            }
        }
        ways
    }

    #[test]
    fn taken_is_said_only_after_a_hold() {
        for way in ways() {
            let held = way
                .holds
                .iter()
                .any(|(_, hold)| matches!(hold, Hold::Done | Hold::Revived));
            let taken = matches!(way.end.verdict, Verdict::Accepted | Verdict::Revived);
            assert_eq!((taken, way.end.held_at.is_some()), (held, held), "{way:?}");
            let known = way.seen || way.holds.iter().any(|(_, hold)| *hold == Hold::Conflict);
            assert_eq!(way.end.verdict == Verdict::Duplicate, known, "{way:?}");
            assert!(!matches!(way.end.verdict, Verdict::Refused(_)), "{way:?}");
        }
    }

    #[test]
    fn every_hold_is_tried_before_an_event_is_turned_away() {
        for way in ways() {
            if matches!(way.end.verdict, Verdict::Unavailable(_)) {
                let places: Vec<Place> = way.holds.iter().map(|(place, _)| *place).collect();
                assert_eq!(places.len(), 3, "{way:?}");
                assert_eq!(places.last(), Some(&Place::Spool), "{way:?}");
            }
        }
    }

    #[test]
    fn a_detour_is_written_to_the_other_memory() {
        for way in ways().iter().filter(|way| way.end.held_at.is_some()) {
            let first = way.effects[0];
            let ledger_road = matches!(
                first,
                Effect::Hold {
                    at: Place::Ledger,
                    ..
                }
            );
            let (remember, note) = match (ledger_road, way.end.held_at) {
                (false, Some(Place::Queue)) => (true, false),
                (false, Some(Place::Ledger)) => (true, false),
                (true, Some(Place::Ledger)) => (false, false),
                (true, Some(Place::Queue)) | (_, Some(Place::Spool)) => (true, true),
                (_, None) => (false, false),
            };
            assert_eq!(
                (way.end.remember, way.end.note),
                (remember, note),
                "{way:?}"
            );
        }
    }

    #[test]
    fn the_slices_end_before_the_sender_gives_up() {
        for dedup in [Dedup::Kv, Dedup::Ledger] {
            for answer_by_ms in [200, 600, 1_800, 5_000] {
                let mut ways = Vec::new();
                let road = Road::new(dedup, answer_by_ms);
                walk(&road, road.start(), &[], &[], false, &mut ways);
                for way in ways {
                    let slices = way.effects.iter().map(|effect| match effect {
                        Effect::Ask { slice_ms } | Effect::Hold { slice_ms, .. } => *slice_ms,
                    });
                    assert!(slices.sum::<u32>() <= answer_by_ms, "{way:?}");
                }
            }
        }
    }
}
