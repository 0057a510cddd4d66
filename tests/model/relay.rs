//! The relay: class `Ledger` of `edge/entry.mjs` and `edge/relay.rs` around the shipped `fate`.

use hookgate::ledger::State as RowState;
use hookgate::relay::{Fate, REFUSALS_MAX, Refusal, fate};

use super::consumers::dead_of;
use super::setting::{Bug, Poison};
use super::steps::Steps;
use super::world::{Batch, KEYS, LateAsk, NOW, Relay, Round, State};

const SET_ASIDE_IN_OUTAGE: &str =
    "SET ASIDE: a dead letter, and only the queue was out of order (G1)";

/// How what the queue refused is set aside.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keeping {
    Kept,
    ArchiveFails,
    KeptAndDies,
}

impl Steps<'_> {
    pub fn of_relay(&mut self) {
        let from = self.from;
        if from.object.relay != Relay::Idle {
            let mut next = from.clone();
            next.object.relay = Relay::Idle;
            let label = ("relay", "its run dies, and the platform's repetitions");
            self.push(next, "ledger", label, None, true, None);
        }
        if from.object.armed.is_some() {
            let mut next = from.clone();
            die(&mut next);
            let label = ("", "the object dies");
            self.push(next.clone(), "ledger", label, None, true, None);
            if let Relay::Sending(round) = from.object.relay
                && !self.has_poison(round.line)
            {
                enqueue(&mut next, round.line);
                let label = ("relay", "sent, and the object dies");
                self.push(next, "ledger", label, None, true, None);
            }
        }
        match from.object.relay {
            Relay::Idle if from.object.alarm => {
                let mut next = from.clone();
                next.wake();
                next.object.alarm = false;
                if self.setting.bug != Some(Bug::RelayWithoutArmFirst) {
                    next.arm();
                }
                self.begin(&mut next);
                let label = ("relay", "the alarm fires");
                self.push(next, "ledger", label, None, false, None);
            }
            Relay::Idle => {}
            Relay::Sending(round) => self.send_batch(round),
            Relay::Sent(round) => {
                let mut next = from.clone();
                forget(&mut next, round.line);
                self.go_on_apart(&mut next, round);
                let label = ("relay", "deletes what it sent");
                self.push(next, "ledger", label, None, false, None);
            }
            Relay::OneByOne { round, at, sent } => self.one_by_one(round, at, sent),
        }
    }

    fn has_poison(&self, batch: Batch) -> bool {
        (0..)
            .zip(batch)
            .any(|(key, run)| run.is_some() && State::is_poison(self.setting, key))
    }

    /// A new round, or, in the same turn as the look, the end of the alarms.
    fn begin(&self, next: &mut State) {
        if !next.is_holding() {
            next.object.relay = Relay::Idle;
            next.object.armed = Some(false);
            next.object.alarm = false;
            return;
        }
        let round = Round {
            line: next.keys.map(|key| key.held.filter(|_| !key.apart)),
            apart: next.keys.map(|key| key.held.filter(|_| key.apart)),
            ..Round::default()
        };
        if round.line == Batch::default() {
            return self.go_on_apart(next, round);
        }
        next.object.relay = Relay::Sending(round);
        if self.setting.bug == Some(Bug::RelayForgetsBeforeSending) {
            forget(next, round.line);
        }
    }

    /// The line had its turn.
    fn go_on_apart(&self, next: &mut State, round: Round) {
        if round.apart == Batch::default() {
            return self.end_round(next, round.took);
        }
        next.object.relay = Relay::OneByOne {
            round: Round {
                line: Batch::default(),
                refused: [false; KEYS],
                ..round
            },
            at: 0,
            sent: false,
        };
    }

    fn end_round(&self, next: &mut State, took: bool) {
        if !next.is_holding() || (took && next.has_line()) {
            self.begin(next);
        } else {
            next.object.relay = Relay::Idle;
            next.arm();
        }
    }

    fn send_batch(&mut self, round: Round) {
        let mut refused = self.from.clone();
        refused.object.relay = Relay::OneByOne {
            round,
            at: 0,
            sent: false,
        };
        if self.has_poison(round.line) {
            let label = ("relay", "the batch is refused");
            return self.push(refused, "ledger", label, None, false, None);
        }
        let label = ("relay", "the batch fails");
        self.push(refused.clone(), "ledger", label, None, true, None);
        let mut later = self.from.clone();
        self.end_round(&mut later, false);
        let label = ("relay", "the queue says that it is overloaded");
        self.push(later.clone(), "ledger", label, None, true, None);
        let room = (0..)
            .zip(round.line)
            .all(|(key, run)| run.is_none_or(|run| later.ask_later(key, LateAsk::Send { run })));
        if room {
            let label = ("relay", "the batch is not answered, and arrives later");
            self.push(later, "ledger", label, None, true, None);
        }
        enqueue(&mut refused, round.line);
        let label = ("relay", "the batch fails, but went");
        self.push(refused, "ledger", label, None, true, None);
        let mut next = self.from.clone();
        enqueue(&mut next, round.line);
        next.object.relay = Relay::Sent(Round {
            took: true,
            ..round
        });
        let label = ("relay", "sends the batch");
        self.push(next, "ledger", label, None, false, None);
    }

    /// First the line, then what is apart.
    fn one_by_one(&mut self, round: Round, at: u8, sent: bool) {
        let offered = if round.line == Batch::default() {
            round.apart
        } else {
            round.line
        };
        let index = usize::from(at);
        if index >= KEYS {
            return self.judge(round, offered);
        }
        let mut next = self.from.clone();
        let Some(run) = offered[index] else {
            next.object.relay = Relay::OneByOne {
                round,
                at: at + 1,
                sent: false,
            };
            let label = ("relay", "goes on to the next");
            return self.push(next, "ledger", label, Some(at), false, None);
        };
        if sent {
            next.let_go(at, Some(run));
            next.object.relay = Relay::OneByOne {
                round: Round {
                    took: true,
                    ..round
                },
                at: at + 1,
                sent: false,
            };
            let label = ("relay", "deletes what went alone");
            return self.push(next, "ledger", label, Some(at), false, None);
        }
        let mut failed = round;
        failed.refused[index] = true;
        let mut refused = self.from.clone();
        refused.object.relay = Relay::OneByOne {
            round: failed,
            at: at + 1,
            sent: false,
        };
        if State::is_poison(self.setting, at) {
            let label = ("relay", "refused alone");
            return self.push(refused, "ledger", label, Some(at), false, None);
        }
        let label = ("relay", "fails alone");
        self.push(refused, "ledger", label, Some(at), true, None);
        let mut over = self.from.clone();
        over.object.relay = Relay::OneByOne {
            round: Round {
                apart: Batch::default(),
                ..round
            },
            at: KEYS as u8,
            sent: false,
        };
        if over.ask_later(at, LateAsk::Send { run }) {
            let label = ("relay", "alone, it is not answered, and arrives later");
            self.push(over, "ledger", label, Some(at), true, None);
        }
        next.key(at).ready[usize::from(run)] += 1;
        next.object.relay = Relay::OneByOne {
            round,
            at,
            sent: true,
        };
        let label = ("relay", "goes alone");
        self.push(next, "ledger", label, Some(at), false, None);
    }

    /// What the queue refused in this pass, by the shipped rule: as the first refusal that counts, or
    /// as the one that is too many.
    fn judge(&mut self, round: Round, offered: Batch) {
        let is_last_pass = round.line == Batch::default();
        for (keeping, what) in [
            (Keeping::Kept, "the pass is over"),
            (
                Keeping::ArchiveFails,
                "the pass is over, and the archive fails",
            ),
            (
                Keeping::KeptAndDies,
                "the letter is kept, and the object dies",
            ),
        ] {
            for refusals in [0, REFUSALS_MAX - 1] {
                let mut next = self.from.clone();
                let mut broken = None;
                let mut was_kept = false;
                for (key, run) in (0..).zip(offered) {
                    let Some(run) = run.filter(|_| round.refused[usize::from(key)]) else {
                        continue;
                    };
                    match self.fate_of(key, refusals, round.took) {
                        Fate::Stay => {}
                        Fate::Apart { .. } => next.key(key).apart = true,
                        Fate::SetAside => {
                            let poison = State::is_poison(self.setting, key);
                            broken = broken.or((!poison).then_some(SET_ASIDE_IN_OUTAGE));
                            was_kept |= self.set_aside(&mut next, key, run, keeping);
                        }
                    }
                }
                if keeping != Keeping::Kept && !was_kept {
                    continue;
                }
                if keeping == Keeping::KeptAndDies {
                    die(&mut next);
                } else if is_last_pass {
                    self.end_round(&mut next, round.took);
                } else {
                    self.go_on_apart(&mut next, round);
                }
                let fault = keeping != Keeping::Kept;
                self.push(next, "ledger", ("relay", what), None, fault, broken);
            }
        }
    }

    pub fn fate_of(&self, key: u8, refusals: u32, took: bool) -> Fate {
        let bug = self.setting.bug;
        let poison = State::is_poison(self.setting, key);
        let is_named = self.setting.poison == Some(Poison::Named) && bug != Some(Bug::CodeUnread);
        let refusal = if poison && is_named {
            Refusal::Message
        } else {
            Refusal::Unclear
        };
        // The model has few faults, and ten of them with ten proofs are no accident.
        let refusals = if took && !poison { 0 } else { refusals };
        fate(
            refusal,
            refusals,
            took || bug == Some(Bug::RefusedWithoutProof),
        )
    }

    /// True: it came to the archive.
    fn set_aside(&self, next: &mut State, key: u8, run: u8, keeping: Keeping) -> bool {
        next.key(key).apart = true;
        match next.keys[usize::from(key)].row.map(|row| row.state) {
            Some(RowState::Done) => {
                next.let_go(key, Some(run));
                return false;
            }
            Some(RowState::Claimed { until_ms, .. }) if until_ms > NOW => return false,
            _ => {}
        }
        if keeping != Keeping::ArchiveFails {
            next.key(key).letters |= 1 << run;
        }
        if keeping == Keeping::Kept {
            next.let_go(key, Some(run));
            // `settle_dead`: by the object itself, in the same step.
            next.ask(self.setting, key, dead_of(run, None), false);
        }
        true
    }
}

/// What the object knew is gone; an alarm whose run did not end is brought again.
fn die(state: &mut State) {
    state.object.armed = None;
    state.object.alarm |= state.object.relay != Relay::Idle;
    state.object.relay = Relay::Idle;
}

fn enqueue(state: &mut State, batch: Batch) {
    for (key, run) in state.keys.iter_mut().zip(batch) {
        if let Some(run) = run {
            key.ready[usize::from(run)] += 1;
        }
    }
}

fn forget(state: &mut State, batch: Batch) {
    for (key, run) in (0..).zip(batch) {
        state.let_go(key, run);
    }
}
