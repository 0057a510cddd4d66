//! The gates and those who send to them: `edge/drive.rs` around the shipped `Road`.

use hookgate::config::Dedup;
use hookgate::ledger::{Ask, Reply};
use hookgate::road::{Effect, Ending, Hold, Memory, Place, Road, Step};
use hookgate::verdict::Verdict;

use super::forget::place_of;
use super::setting::Bug;
use super::steps::Steps;
use super::world::{GATES, Request, Sent, State};

/// Slices are tested with `Road`; here any of them may end at any time.
const ANSWER_BY_MS: u32 = 5_000;

/// What may come of an effect.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Applied,
    /// Only an arrival has others: what the ledger answered instead.
    Failed,
    FailedButApplied,
    /// The slice ended first; it is carried out later.
    Later,
    CrashBefore,
    CrashAfter,
}

const HOLDS: [(Outcome, &str); 6] = [
    (Outcome::Applied, "answered"),
    (Outcome::Failed, "failed"),
    (Outcome::FailedButApplied, "failed but applied"),
    (Outcome::Later, "slice over, to be applied later"),
    (Outcome::CrashBefore, "the gate crashes before"),
    (Outcome::CrashAfter, "applied, then the gate crashes"),
];

impl Steps<'_> {
    pub fn of_senders(&mut self) {
        for gate in 0..GATES {
            if self.from.gates[gate].is_some() {
                continue;
            }
            for key in 0..self.from.keys.len() as u8 {
                let provider = self.from.keys[usize::from(key)].provider;
                if provider.left > 0 && !provider.waiting && !provider.satisfied {
                    let mut next = self.from.clone();
                    let provider = &mut next.key(key).provider;
                    provider.left -= 1;
                    provider.waiting = true;
                    provider.sent = true;
                    self.start(next, gate, key, true);
                }
            }
            if self.from.extra_left > 0 && self.from.keys[0].provider.sent {
                let mut next = self.from.clone();
                next.extra_left -= 1;
                self.start(next, gate, 0, false);
            }
            // Two gates that are alike need not both be tried.
            if self.setting.roads[0] == self.setting.roads[1] {
                break;
            }
        }
    }

    fn start(&mut self, next: State, gate: usize, key: u8, by_provider: bool) {
        let new = if self.setting.apart {
            Road::apart
        } else {
            Road::new
        };
        let road = new(self.setting.roads[gate], ANSWER_BY_MS);
        let who = if by_provider {
            "the provider sends"
        } else {
            "somebody else sends"
        };
        let step = road.start();
        let sent = Sent {
            key,
            by_provider,
            content: !self.setting.apart,
            after_forget: self.from.keys[usize::from(key)].forgotten.is_some(),
        };
        self.go_on(next, gate, (sent, road), step, ("", who), false);
    }

    pub fn of_gates(&mut self) {
        for gate in 0..GATES {
            let Some(request) = self.from.gates[gate].clone() else {
                continue;
            };
            match request.effect {
                Effect::Ask { of: Memory::Kv, .. } => self.ask_kv(gate, &request),
                Effect::Ask {
                    of: Memory::Ledger, ..
                } => self.ask_ledger(gate, &request),
                Effect::Put { .. } => self.put(gate, &request),
                Effect::Hold { .. } | Effect::Return { .. } => {
                    let at = place_of(request.effect);
                    for (outcome, what) in HOLDS {
                        let fault = outcome != Outcome::Applied;
                        if !fault || self.from.faults_left > 0 {
                            self.hold(gate, &request, at, outcome, what);
                        }
                    }
                }
            }
        }
    }

    fn hold(
        &mut self,
        gate: usize,
        request: &Request,
        at: Place,
        outcome: Outcome,
        what: &'static str,
    ) {
        let key = request.sent.key;
        let returns = matches!(request.effect, Effect::Return { .. });
        let mut label = (hold_name(at), what);
        if returns {
            label.0 = "brings it back to the ledger";
        }
        let mut next = self.from.clone();
        let poison = at == Place::Queue && State::is_poison(self.setting, key);
        let applied = matches!(
            outcome,
            Outcome::Applied | Outcome::FailedButApplied | Outcome::CrashAfter
        );
        if poison && outcome != Outcome::Applied && outcome != Outcome::CrashBefore {
            return;
        }
        let mut hold = Hold::Done;
        if applied && poison {
            hold = Hold::Failed;
            label.1 = "refused, as always";
        } else if applied {
            match at {
                Place::Queue => next.key(key).ready[0] += 1,
                Place::Spool => next.key(key).spooled += 1,
                Place::Ledger => {
                    let ask = if returns { Ask::Return } else { Ask::Arrive };
                    let reply = next.ask(self.setting, key, ask, true);
                    (hold, label.1) = match (reply, outcome) {
                        (Reply::New, Outcome::Applied) => (Hold::Done, "new"),
                        (Reply::Revived { .. }, Outcome::Applied) => (Hold::Revived, "revived"),
                        (_, Outcome::Applied) => (Hold::Conflict, "duplicate"),
                        _ => (Hold::Done, what),
                    };
                }
            }
        }
        // What a message names must be there before it, however late the message comes.
        next.key(key).hollow |= (applied || outcome == Outcome::Later) && !request.sent.content;
        match outcome {
            Outcome::Applied => {}
            Outcome::Failed | Outcome::FailedButApplied => hold = Hold::Failed,
            Outcome::Later => {
                hold = Hold::Unknown;
                let key = next.key(key);
                match at {
                    Place::Queue => key.sends += 1,
                    Place::Ledger if returns => key.returns += 1,
                    Place::Ledger => key.arrivals += 1,
                    Place::Spool => key.puts += 1,
                }
            }
            Outcome::CrashBefore | Outcome::CrashAfter => {
                return self.gate_crashes(next, gate, request, label);
            }
        }
        let mut road = request.road.clone();
        let step = road.held(hold);
        self.go_on(
            next,
            gate,
            (request.sent, road),
            step,
            label,
            outcome != Outcome::Applied,
        );
    }

    pub fn gate_crashes(
        &mut self,
        mut next: State,
        gate: usize,
        request: &Request,
        label: (&'static str, &'static str),
    ) {
        next.gates[gate] = None;
        if request.sent.by_provider {
            next.key(request.sent.key).provider.waiting = false;
        }
        self.push(
            next,
            self.gate_name(gate),
            label,
            Some(request.sent.key),
            true,
            None,
        );
    }

    /// What `Road` says comes next: another effect, or the answer.
    pub fn go_on(
        &mut self,
        mut next: State,
        gate: usize,
        (sent, road): (Sent, Road),
        step: Step,
        label: (&'static str, &'static str),
        fault: bool,
    ) {
        let name = self.gate_name(gate);
        let effect = match step {
            Step::Do(effect) => effect,
            Step::Answer(ending) => {
                return self.answer(next, gate, sent, ending, label, fault);
            }
        };
        let key = sent.key;
        if let Effect::Hold { at, .. } = effect {
            if self.setting.bug == Some(Bug::PutBeforeSend) && at == Place::Queue {
                next.key(key).seen = true;
            }
            if self.setting.bug == Some(Bug::AnswerBeforeHold) {
                match at {
                    Place::Queue => next.key(key).sends += 1,
                    Place::Ledger => next.key(key).arrivals += 1,
                    Place::Spool => next.key(key).puts += 1,
                }
                let mut early = road.clone();
                if let Step::Answer(ending) = early.held(Hold::Done) {
                    return self.answer(next, gate, sent, ending, label, fault);
                }
            }
        }
        next.gates[gate] = Some(Request { sent, road, effect });
        self.push(next, name, label, Some(key), fault, None);
    }

    fn answer(
        &mut self,
        mut next: State,
        gate: usize,
        sent: Sent,
        mut ending: Ending,
        label: (&'static str, &'static str),
        fault: bool,
    ) {
        let Sent {
            key, by_provider, ..
        } = sent;
        let name = self.gate_name(gate);
        next.gates[gate] = None;
        let held = next.is_held(key);
        let (received, broken) = match ending.verdict {
            Verdict::Accepted | Verdict::Revived => (true, "EARLY: 2xx before a hold (G1)"),
            Verdict::Duplicate => (
                true,
                "UNHELD TWIN: \"received\", and it is held nowhere (G4)",
            ),
            _ => (false, ""),
        };
        let broken = (received && !held).then_some(broken);
        let road = self.setting.roads[gate];
        let first = match road {
            Dedup::Kv => Place::Queue,
            Dedup::Ledger => Place::Ledger,
        };
        let state = next.key(key);
        state.promised |= received;
        state.rerun_due |= received && sent.after_forget && state.forgotten.is_some();
        if let Some(place) = ending.held_at {
            // Its own road's memory has to know it, and after a detour the other one too.
            state.kv_owed |= road == Dedup::Kv || place != Place::Ledger;
            state.row_owed |= road == Dedup::Ledger || place != Place::Queue;
            if self.setting.bug == Some(Bug::DetourWithoutMemory) && place != first {
                ending.remember = false;
                ending.note = false;
            }
        }
        // What is written already need not be written again: nothing takes it back.
        state.remembers += u8::from(ending.remember && !state.seen);
        state.notes += u8::from(ending.note && state.row.is_none());
        if by_provider {
            state.provider.waiting = false;
            if received && next.keys[usize::from(key)].provider.left > 0 && !fault {
                let label = (label.0, "held, but the answer is lost");
                self.push(next.clone(), name, label, Some(key), true, broken);
            }
            next.key(key).provider.satisfied = received;
        }
        self.push(next, name, label, Some(key), fault, broken);
    }

    fn gate_name(&self, gate: usize) -> &'static str {
        match self.setting.roads[gate] {
            Dedup::Kv => "gate on the KV road",
            Dedup::Ledger => "gate on the ledger road",
        }
    }

    /// What the gates have started and not awaited, or awaited in vain.
    pub fn of_writes(&mut self) {
        for number in 0..self.from.keys.len() as u8 {
            let key = self.from.keys[usize::from(number)];
            if key.remembers > 0 {
                let mut next = self.from.clone();
                next.key(number).remembers -= 1;
                let mut lost = next.clone();
                lost.key(number).unwritten = true;
                self.push(
                    lost,
                    "KV",
                    ("", "the put fails, or its gate crashes"),
                    Some(number),
                    true,
                    None,
                );
                next.key(number).seen = true;
                self.push(next, "KV", ("", "put"), Some(number), false, None);
            }
            if key.notes > 0 {
                let mut next = self.from.clone();
                next.key(number).notes -= 1;
                let mut lost = next.clone();
                lost.key(number).unwritten = true;
                self.push(
                    lost,
                    "ledger",
                    ("", "the note is lost"),
                    Some(number),
                    true,
                    None,
                );
                next.ask(self.setting, number, Ask::Note, false);
                self.push(next, "ledger", ("", "noted"), Some(number), false, None);
            }
            if key.sends > 0 {
                // `hold_on_queue`: held late, and remembered then.
                let mut next = self.from.clone();
                let state = next.key(number);
                state.sends -= 1;
                state.ready[0] += 1;
                state.remembers += u8::from(!state.seen);
                self.push(
                    next,
                    "queue",
                    ("", "a late send arrives"),
                    Some(number),
                    false,
                    None,
                );
            }
            if key.arrivals > 0 {
                let mut next = self.from.clone();
                next.key(number).arrivals -= 1;
                next.ask(self.setting, number, Ask::Arrive, true);
                self.push(
                    next,
                    "ledger",
                    ("", "a late arrival is carried out"),
                    Some(number),
                    false,
                    None,
                );
            }
            if key.puts > 0 {
                let mut next = self.from.clone();
                let state = next.key(number);
                state.puts -= 1;
                state.spooled += 1;
                self.push(
                    next,
                    "spool",
                    ("", "a late put is carried out"),
                    Some(number),
                    false,
                    None,
                );
            }
        }
    }
}

fn hold_name(at: Place) -> &'static str {
    match at {
        Place::Queue => "holds on the queue",
        Place::Ledger => "holds in the ledger",
        Place::Spool => "holds in the spool",
    }
}
