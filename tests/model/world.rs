//! What the model's world consists of. Everything that can differ between two moments is in [`State`].
//!
//! Time is relative: [`NOW`] never moves, a lease that passes is moved behind it. Copies that cannot
//! be told apart are counted, so equal worlds are equal values.

use hookgate::consumer::{Action, Errand};
use hookgate::ledger::{
    Ask, Owner, Reply, Request as LedgerRequest, Row, State as RowState, answer,
};
use hookgate::road::{Effect, Road};

use super::setting::{Bug, Setting};

pub const NOW: i64 = 1_000_000;
pub const EXPIRES: i64 = 1_000_000_000;
/// Events: the one that everything happens to, and its neighbour.
pub const KEYS: usize = 2;
/// Runs of an event that are told apart; what would open one more is not explored.
pub const RUNS: usize = 10;
pub const GATES: usize = 2;
pub const CONSUMERS: usize = 2;
const LATE_MAX: usize = 8;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub faults_left: u8,
    pub extra_left: u8,
    pub redrives_left: u8,
    pub forgets_left: u8,
    pub keys: [KeyState; KEYS],
    pub gates: [Option<Request>; GATES],
    pub consumers: [Option<Delivery>; CONSUMERS],
    pub object: Object,
    /// The spooled message that the cron has sent and not deleted yet.
    pub drained: Option<u8>,
    /// What was asked of the ledger and may be carried out at any time.
    pub late: [Option<Late>; LATE_MAX],
}

/// Where one event is, and what was said and done about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyState {
    pub provider: Provider,
    /// The ledger's row, and the run of the message it holds.
    pub row: Option<Row>,
    pub held: Option<u8>,
    /// The queue refused it in earnest: it is not in line any more.
    pub apart: bool,
    /// KV.
    pub seen: bool,
    /// On the queue, by run; and sent again until somebody's lease is over.
    pub ready: [u8; RUNS],
    pub waiting: [u8; RUNS],
    pub spooled: u8,
    /// Started by a gate, and not yet carried out.
    pub remembers: u8,
    pub notes: u8,
    pub sends: u8,
    pub arrivals: u8,
    pub returns: u8,
    pub puts: u8,
    /// Runs that are in the archive of dead letters, one bit each.
    pub letters: u16,
    /// How often the backend has processed it; more than a few are the same.
    pub delivered: u8,
    /// How often an operator insisted on a redrive, or had it forgotten: it may be delivered as often again.
    pub insisted: u8,
    /// The run that an operator was told the next one to come would be; whether one came since and was told
    /// "received"; and whether that run, or a later one, is at the backend.
    pub forgotten: Option<u8>,
    pub rerun_due: bool,
    pub rerun_done: bool,
    /// The operator was told that it was sent again.
    pub resent: bool,
    /// One of the windows of G3 was opened.
    pub window: bool,
    /// A message is held that names a content which is nowhere.
    pub hollow: bool,
    /// Somebody was told "received".
    pub promised: bool,
    /// The memories that have to know it, unless a write failed.
    pub kv_owed: bool,
    pub row_owed: bool,
    pub unwritten: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Provider {
    pub left: u8,
    pub waiting: bool,
    pub satisfied: bool,
    pub sent: bool,
}

/// A gate with a request under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    pub sent: Sent,
    pub road: Road,
    pub effect: Effect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sent {
    pub key: u8,
    pub by_provider: bool,
    /// Its content is where its message says it is.
    pub content: bool,
    /// It was sent after an operator was told that it is forgotten.
    pub after_forget: bool,
}

/// A consumer with a message that it may deliver.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Delivery {
    pub key: u8,
    pub run: u8,
    pub errand: Errand,
    pub action: Action,
    /// The queue was told that it is done with.
    pub acknowledged: bool,
}

/// The ledger's object: what it stores beside the rows, and what is lost when it dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Object {
    pub alarm: bool,
    /// `#armed`; none: the object is not in memory.
    pub armed: Option<bool>,
    pub relay: Relay,
}

/// Messages: for each event the run that was taken.
pub type Batch = [Option<u8>; KEYS];

/// What one round of the relay offers, and how it went so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Round {
    pub line: Batch,
    pub apart: Batch,
    /// Refused, and not judged yet.
    pub refused: [bool; KEYS],
    pub took: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relay {
    Idle,
    Sending(Round),
    Sent(Round),
    /// The batch was refused, or it had its turn (and is empty), and what is apart is offered: one by
    /// one. `sent`: the message of event `at` is on the queue, and still held.
    OneByOne {
        round: Round,
        at: u8,
        sent: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Late {
    pub key: u8,
    pub ask: LateAsk,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LateAsk {
    Claim {
        run: u8,
        owner: Owner,
    },
    Done {
        run: u8,
    },
    Release {
        run: u8,
        owner: Owner,
    },
    Dead {
        run: u8,
        owner: Owner,
    },
    /// A letter on the queue of dead letters: its consumer asks first, and then keeps it.
    Letter {
        run: u8,
    },
    Forget,
    /// Not for the ledger: what the relay sent without an answer reaches the queue.
    Send {
        run: u8,
    },
}

impl State {
    pub fn new(setting: &Setting) -> Self {
        let mut keys = [KeyState::default(); KEYS];
        for (key, sends) in keys.iter_mut().zip(setting.sends) {
            key.provider.left = sends;
        }
        State {
            faults_left: setting.faults,
            extra_left: setting.extra,
            redrives_left: setting.redrives,
            forgets_left: setting.forgets,
            keys,
            gates: [const { None }; GATES],
            consumers: [const { None }; CONSUMERS],
            object: Object {
                alarm: false,
                armed: None,
                relay: Relay::Idle,
            },
            drained: None,
            late: [None; LATE_MAX],
        }
    }

    pub fn key(&mut self, key: u8) -> &mut KeyState {
        &mut self.keys[usize::from(key)]
    }

    pub fn is_poison(setting: &Setting, key: u8) -> bool {
        setting.poison.is_some() && key == 0
    }

    /// Whether the event is where it outlives everybody, or at its end.
    pub fn is_held(&self, key: u8) -> bool {
        let state = &self.keys[usize::from(key)];
        state.held.is_some()
            || state.spooled > 0
            || state.letters != 0
            || state.delivered > 0
            || self
                .late
                .iter()
                .flatten()
                .any(|late| late.key == key && matches!(late.ask, LateAsk::Letter { .. }))
            || state
                .ready
                .iter()
                .chain(&state.waiting)
                .any(|count| *count > 0)
            || self
                .consumers
                .iter()
                .flatten()
                .any(|delivery| delivery.key == key && !delivery.acknowledged)
    }

    /// The consumer that holds the claim on an event, where it is alive.
    pub fn holder(&self, key: u8) -> Option<&Delivery> {
        let owner = match self.keys[usize::from(key)].row?.state {
            RowState::Claimed { owner, .. } => owner,
            RowState::Open | RowState::Done | RowState::Dead => return None,
        };
        let mut consumers = self.consumers.iter().flatten();
        consumers.find(|delivery| delivery.key == key && delivery.errand.owner == owner)
    }

    pub fn is_leased(&self, key: u8) -> bool {
        matches!(
            self.keys[usize::from(key)].row,
            Some(Row { state: RowState::Claimed { until_ms, .. }, .. }) if until_ms > NOW
        )
    }

    /// The smallest owner that nothing in this world speaks of.
    pub fn fresh_owner(&self) -> Owner {
        let spoken_of = |owner: Owner| {
            let in_rows = self.keys.iter().any(|key| {
                matches!(key.row, Some(Row { state: RowState::Claimed { owner: holder, .. }, .. }) if holder == owner)
            });
            let by_consumers = self
                .consumers
                .iter()
                .flatten()
                .any(|delivery| delivery.errand.owner == owner);
            let late = self.late.iter().flatten().any(|late| match late.ask {
                LateAsk::Claim { owner: other, .. }
                | LateAsk::Release { owner: other, .. }
                | LateAsk::Dead { owner: other, .. } => other == owner,
                LateAsk::Done { .. }
                | LateAsk::Letter { .. }
                | LateAsk::Forget
                | LateAsk::Send { .. } => false,
            });
            in_rows || by_consumers || late
        };
        (1..).find(|owner| !spoken_of(*owner)).unwrap_or_default()
    }

    /// False: there is no room, and the step is not explored.
    pub fn ask_later(&mut self, key: u8, ask: LateAsk) -> bool {
        let Some(place) = self.late.iter_mut().find(|late| late.is_none()) else {
            return false;
        };
        *place = Some(Late { key, ask });
        self.late.sort_unstable();
        true
    }

    pub fn is_holding(&self) -> bool {
        self.keys.iter().any(|key| key.held.is_some())
    }

    pub fn has_line(&self) -> bool {
        self.keys.iter().any(|key| key.held.is_some() && !key.apart)
    }

    /// The held message's end: it is on the queue, or among the dead letters.
    pub fn let_go(&mut self, key: u8, run: Option<u8>) {
        let key = self.key(key);
        // What took its place meanwhile (another run) stays.
        if run.is_some() && key.held == run {
            key.held = None;
            key.apart = false;
        }
    }

    pub fn arm(&mut self) {
        self.object.alarm = true;
        self.object.armed = Some(true);
    }

    /// The constructor, where the object is not in memory.
    pub fn wake(&mut self) {
        if self.object.armed.is_none() {
            self.object.armed = Some(false);
            if self.is_holding() {
                self.arm();
            }
        }
    }

    /// `Ledger.ask` of entry.mjs and `answer_request`: one synchronous step.
    pub fn ask(&mut self, setting: &Setting, key: u8, ask: Ask, message: bool) -> Reply {
        self.wake();
        let row = self.key(key).row;
        let request = LedgerRequest {
            key: String::new(),
            expires_ms: EXPIRES,
            newer: false,
            ask,
        };
        let (mut reply, mut written) = answer(row, &request, false, NOW);
        if setting.bug == Some(Bug::ConflictAsNew) && reply == Reply::Duplicate {
            (reply, written) = answer(None, &request, false, NOW);
        }
        if let Some(row) = written {
            self.key(key).row = Some(row);
        }
        if message {
            let run = match reply {
                Reply::New => Some(0),
                Reply::Revived { .. } if setting.bug == Some(Bug::RunNotRaised) => Some(0),
                Reply::Revived { run } => Some(run as u8),
                _ => None,
            };
            if run.is_some() {
                self.key(key).held = run;
                self.key(key).apart = false;
            }
            if self.object.armed == Some(false) && self.has_line() {
                self.arm();
            }
        }
        reply
    }
}
