//! What comes late to the ledger, the consumer of the dead letters, the operator, and the clock.

use hookgate::consumer::{Action, Report};
use hookgate::ledger::{Ask, Reply, State as RowState};

use super::consumers::{claim_of, dead_of};
use super::setting::Bug;
use super::steps::Steps;
use super::world::{KEYS, LateAsk, NOW, RUNS, State};

impl Steps<'_> {
    pub fn of_ledger(&mut self) {
        for (place, late) in self.from.late.iter().enumerate() {
            let Some(late) = *late else { continue };
            let mut next = self.from.clone();
            next.late[place] = None;
            next.late.sort_unstable();
            let (ask, what) = match late.ask {
                LateAsk::Claim { run, owner } => (claim_of(run, owner), "a late claim"),
                LateAsk::Done { run } => (Ask::Done { run: run.into() }, "a late `done`"),
                LateAsk::Dead { run, owner } => (dead_of(run, Some(owner)), "a late `dead`"),
                LateAsk::Letter { run } => {
                    self.keep_letter(next, late.key, run);
                    continue;
                }
                LateAsk::Send { run } => {
                    next.key(late.key).ready[usize::from(run)] += 1;
                    self.push(
                        next,
                        "queue",
                        ("", "the relay's send arrives late"),
                        Some(late.key),
                        false,
                        None,
                    );
                    continue;
                }
                LateAsk::Forget => {
                    self.forgotten_late(next, late.key);
                    continue;
                }
                LateAsk::Release { run, owner } => (
                    self.release_of(self.from, late.key, run, owner),
                    "a late release",
                ),
            };
            next.ask(self.setting, late.key, ask, false);
            self.push(next, "ledger", ("", what), Some(late.key), false, None);
        }
        for key in 0..KEYS as u8 {
            if self.from.is_leased(key) {
                self.end_lease(key);
            }
            let letters = self.from.keys[usize::from(key)].letters;
            for run in (0..RUNS as u32).filter(|run| letters & (1 << run) != 0) {
                for insist in [false, true] {
                    self.redrive(key, run, insist);
                }
            }
        }
    }

    /// The consumer of the dead letters: asks, and keeps the letter unless the event is done.
    fn keep_letter(&mut self, mut next: State, key: u8, run: u8) {
        let mut unasked = next.clone();
        unasked.key(key).letters |= 1 << run;
        let label = ("", "keeps it; the ledger did not answer");
        self.push(unasked, "letters' consumer", label, Some(key), true, None);
        let (again, what) = match next.ask(self.setting, key, dead_of(run, None), false) {
            Reply::Settled => (false, "it is done: nothing to keep"),
            Reply::Busy { .. } => (true, "busy: asks again"),
            _ => {
                next.key(key).letters |= 1 << run;
                (false, "keeps it")
            }
        };
        if !again || next.ask_later(key, LateAsk::Letter { run }) {
            self.push(
                next,
                "letters' consumer",
                ("", what),
                Some(key),
                false,
                None,
            );
        }
    }

    /// `send_again` of `edge/admin.rs`. What was promised of a former run is over only for one who
    /// insists.
    fn redrive(&mut self, key: u8, run_at_least: u32, insist: bool) {
        if self.from.redrives_left == 0 {
            return;
        }
        let mut granted = self.from.clone();
        let ask = Ask::Redrive {
            run_at_least,
            insist: insist || self.setting.bug == Some(Bug::RedriveUnasked),
        };
        let Reply::Redriven { run } = granted.ask(self.setting, key, ask, false) else {
            return;
        };
        let run = run as u8;
        let who = if insist { "insists" } else { "redrives" };
        granted.redrives_left -= 1;
        // The redriven run is the next one, whether the event was forgotten or not.
        granted.key(key).forgotten = None;
        granted.key(key).rerun_due = false;
        if insist {
            let state = granted.key(key);
            state.resent = false;
            state.insisted += 1;
        }
        let label = (who, "the ledger gives a run, and nothing is sent");
        self.push(granted.clone(), "operator", label, Some(key), true, None);

        let poison = State::is_poison(self.setting, key);
        let mut refused = granted.clone();
        refused.ask(self.setting, key, dead_of(run, None), false);
        let label = (who, "the queue refuses, and the ledger is told");
        self.push(refused.clone(), "operator", label, Some(key), !poison, None);
        if poison {
            return;
        }
        enqueue(&mut refused, key, run);
        let label = (who, "sent, but told that it was refused");
        self.push(refused, "operator", label, Some(key), true, None);
        enqueue(&mut granted, key, run);
        granted.key(key).resent = true;
        let label = (who, "sent");
        self.push(granted, "operator", label, Some(key), false, None);
    }

    fn end_lease(&mut self, key: u8) {
        let mut next = self.from.clone();
        let holder = self.from.holder(key);
        // Of itself a lease is longer than an attempt and what follows it.
        let fault = holder.is_some();
        let delivering = holder.is_some_and(|holder| {
            matches!(
                holder.action,
                Action::Deliver { .. } | Action::Report(Report::Done)
            )
        });
        let state = next.key(key);
        state.window |= delivering;
        if let Some(row) = &mut state.row
            && let RowState::Claimed { until_ms, .. } = &mut row.state
        {
            *until_ms = NOW;
        }
        self.push(
            next,
            "clock",
            ("", "the lease is over"),
            Some(key),
            fault,
            None,
        );
    }
}

fn enqueue(state: &mut State, key: u8, run: u8) {
    if let Some(ready) = state.key(key).ready.get_mut(usize::from(run)) {
        *ready += 1;
    }
}
