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
//! An event whose content goes apart asks first on both roads, the ledger of its own; then the content
//! is put into the archive, and only then its message is held:
//!
//! ```text
//! KV road       ask KV         -> put -> hold on the queue   -> answer
//! ledger road   ask the ledger -> put -> hold in the ledger  -> answer
//! ```
//!
//! So a message never names a content that is not there, and a copy of a known event writes nothing.
//! A crash after the put, or a hold that fails, leaves an object that nothing names: its life ends by
//! itself.
//!
//! What KV has seen may be dead, or an operator may have had it forgotten. The ledger knows, and nobody else: so on
//! the KV road a copy goes there before it is told to be one, and is held there if it is not.
//!
//! ```text
//! KV road       ask KV: seen -> bring it back to the ledger -> answer
//! apart         ask KV: seen -> ask the ledger -> put -> bring it back to the ledger -> answer
//! ```
//!
//! A ledger that does not answer changes nothing: the event goes on as if KV had not seen it, and its consumer asks
//! again.
//!
//! A crash before the hold loses nothing, because nothing was answered; a crash between hold and
//! memory costs a copy, which the ledger removes before the backend. What was written to one memory
//! by a detour is written to the other after the answer; until then the event is *unsure*.

use crate::config::Dedup;
use crate::verdict::{Trouble, Verdict};

/// Something for the edge to do, and how long to wait for it, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Is the key known there?
    Ask { of: Memory, slice_ms: u32 },
    /// Put the event's content where its message says it is.
    Put { slice_ms: u32 },
    /// Put the event where it outlives this request.
    Hold { at: Place, slice_ms: u32 },
    /// KV has seen it: hold it in the ledger, if it is dead or was forgotten there.
    Return { slice_ms: u32 },
}

/// Who may know an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Memory {
    Kv,
    Ledger,
}

/// Where an event can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    Queue,
    Ledger,
    Spool,
}

/// What a memory answered.
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
    /// The ledger had it among the dead letters, or an operator had it forgotten: it is opened for another run.
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
    /// The content goes into the archive.
    is_apart: bool,
    /// KV has seen it, on its own road.
    is_known: bool,
    position: Position,
    /// A hold whose outcome is not known: the event may be there as well.
    maybe_held: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Position {
    Asking(Memory),
    Putting,
    Returning,
    Holding(Place),
}

/// A cold read takes up to 300 ms; a third of the time is the most a cache may cost.
const ASK_MS_MAX: u32 = 400;
/// The share of the put, in percent of what is left after asking.
const PUT_PERCENT: u32 = 40;
/// Shares of what is left then, in percent: the first hold, its detour; the spool has the rest.
const FIRST_HOLD_PERCENT: u32 = 45;
const SECOND_HOLD_PERCENT: u32 = 30;

impl Road {
    /// `answer_by_ms` is the scheme's.
    pub fn new(dedup: Dedup, answer_by_ms: u32) -> Self {
        Road {
            dedup,
            answer_by_ms,
            is_apart: false,
            is_known: false,
            position: match dedup {
                Dedup::Kv => Position::Asking(Memory::Kv),
                Dedup::Ledger => Position::Holding(Place::Ledger),
            },
            maybe_held: false,
        }
    }

    /// The same for an event whose content goes into the archive.
    pub fn apart(dedup: Dedup, answer_by_ms: u32) -> Self {
        Road {
            is_apart: true,
            position: Position::Asking(match dedup {
                Dedup::Kv => Memory::Kv,
                Dedup::Ledger => Memory::Ledger,
            }),
            ..Road::new(dedup, answer_by_ms)
        }
    }

    /// The first thing to do.
    pub fn start(&self) -> Step {
        Step::Do(self.effect())
    }

    /// What to do after a memory's answer.
    pub fn asked(&mut self, answer: Asked) -> Step {
        match answer {
            Asked::Seen if self.dedup == Dedup::Kv && !self.is_known => {
                self.is_known = true;
                // What is apart has to be in the archive before its message is anywhere.
                self.go_to(if self.is_apart {
                    Position::Asking(Memory::Ledger)
                } else {
                    Position::Returning
                })
            }
            Asked::Seen => self.end(Verdict::Duplicate, None),
            // A question is only there to spare work: without an answer the event goes on.
            Asked::Unseen | Asked::Failed | Asked::Unknown => match (self.dedup, self.position) {
                (Dedup::Kv, _) | (_, Position::Asking(Memory::Ledger)) if self.is_apart => {
                    self.go_to(Position::Putting)
                }
                _ => self.go_on(Place::Queue),
            },
        }
    }

    /// What to do after the put. A put whose slice ended first is as bad as one that failed: what it
    /// leaves behind is named by no message.
    pub fn put(&mut self, is_there: bool) -> Step {
        match self.dedup {
            _ if !is_there => self.end(Verdict::Unavailable(Trouble::ContentUnkept), None),
            Dedup::Kv if self.is_known => self.go_to(Position::Returning),
            Dedup::Kv => self.go_on(Place::Queue),
            Dedup::Ledger => self.go_on(Place::Ledger),
        }
    }

    /// What to do after a hold.
    pub fn held(&mut self, outcome: Hold) -> Step {
        let place = match self.position {
            Position::Holding(place) => place,
            Position::Returning => Place::Ledger,
            // Nobody asked for a hold here; without knowing what was held, nothing is promised.
            Position::Asking(_) | Position::Putting => {
                return self.end(Verdict::Unavailable(Trouble::HoldFailed), None);
            }
        };
        match outcome {
            Hold::Done => self.end(Verdict::Accepted, Some(place)),
            Hold::Revived => self.end(Verdict::Revived, Some(place)),
            Hold::Conflict => self.end(Verdict::Duplicate, None),
            Hold::Failed | Hold::Unknown => {
                self.maybe_held |= outcome == Hold::Unknown;
                match (self.dedup, place) {
                    _ if self.position == Position::Returning => self.go_on(Place::Queue),
                    (Dedup::Kv, Place::Queue) => self.go_on(Place::Ledger),
                    (Dedup::Ledger, Place::Ledger) => self.go_to(Position::Asking(Memory::Kv)),
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
        self.go_to(Position::Holding(place))
    }

    fn go_to(&mut self, position: Position) -> Step {
        self.position = position;
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
        // To ask the ledger of what KV has seen, and to bring it there: two such fit beside the first question.
        let again_ms = ASK_MS_MAX.min(self.answer_by_ms / 6);
        let (mut rest_ms, mut put_ms) = (self.answer_by_ms - ask_ms, 0);
        if self.is_known {
            rest_ms -= again_ms;
        }
        if self.is_apart {
            // The ledger is asked as well as KV.
            rest_ms -= match self.dedup {
                Dedup::Ledger => ask_ms,
                Dedup::Kv if self.is_known => again_ms,
                Dedup::Kv => 0,
            };
            put_ms = rest_ms * PUT_PERCENT / 100;
            rest_ms -= put_ms;
        }
        let first_ms = rest_ms * FIRST_HOLD_PERCENT / 100;
        let second_ms = rest_ms * SECOND_HOLD_PERCENT / 100;
        match self.position {
            Position::Asking(of) => Effect::Ask {
                of,
                slice_ms: if self.is_known { again_ms } else { ask_ms },
            },
            Position::Putting => Effect::Put { slice_ms: put_ms },
            Position::Returning => Effect::Return { slice_ms: again_ms },
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
mod tests;
