//! The relay and the cron: class `Ledger` of `edge/entry.mjs`, `edge/ledger_object.rs` and
//! `edge/spool.rs`.

use super::consumers::dead_of;
use super::steps::Steps;
use super::world::{Batch, Bug, KEYS, LateAsk, Relay, State};

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
            next.object.armed = None;
            // An alarm whose run did not end is brought again.
            next.object.alarm |= next.object.relay != Relay::Idle;
            next.object.relay = Relay::Idle;
            self.push(
                next.clone(),
                "ledger",
                ("", "the object dies"),
                None,
                true,
                None,
            );
            if let Relay::Sending(batch) = from.object.relay
                && !self.has_poison(batch)
            {
                enqueue(&mut next, batch);
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
                self.take_batch(&mut next);
                self.push(
                    next,
                    "ledger",
                    ("relay", "the alarm fires"),
                    None,
                    false,
                    None,
                );
            }
            Relay::Idle => {}
            Relay::Sending(batch) => self.send_batch(batch),
            Relay::Sent(batch) => {
                let mut next = from.clone();
                forget(&mut next, batch);
                self.take_batch(&mut next);
                self.push(
                    next,
                    "ledger",
                    ("relay", "deletes what it sent"),
                    None,
                    false,
                    None,
                );
            }
            Relay::OneByOne { at, sent, .. } => self.send_one(at, sent),
        }
    }

    fn has_poison(&self, batch: Batch) -> bool {
        (0..)
            .zip(batch)
            .any(|(key, run)| run.is_some() && State::is_poison(self.setting, key))
    }

    /// A new batch, or, in the same turn as the look, the end of the alarms.
    fn take_batch(&self, next: &mut State) {
        let batch = next.keys.map(|key| key.held);
        if next.is_holding() {
            next.object.relay = Relay::Sending(batch);
            if self.setting.bug == Some(Bug::RelayForgetsBeforeSending) {
                forget(next, batch);
            }
        } else {
            next.object.relay = Relay::Idle;
            next.object.armed = Some(false);
            next.object.alarm = false;
        }
    }

    fn send_batch(&mut self, batch: Batch) {
        let one_by_one = Relay::OneByOne {
            batch,
            at: 0,
            sent: false,
            refused: [false; KEYS],
            some_went: false,
        };
        let mut refused = self.from.clone();
        refused.object.relay = one_by_one;
        if self.has_poison(batch) {
            let label = ("relay", "the batch is refused");
            return self.push(refused, "ledger", label, None, false, None);
        }
        let label = ("relay", "the batch fails");
        self.push(refused.clone(), "ledger", label, None, true, None);
        let mut later = self.from.clone();
        later.object.relay = Relay::Idle;
        later.arm();
        let room = (0..)
            .zip(batch)
            .all(|(key, run)| run.is_none_or(|run| later.ask_later(key, LateAsk::Send { run })));
        if room {
            let label = ("relay", "the batch is not answered, and arrives later");
            self.push(later, "ledger", label, None, true, None);
        }
        enqueue(&mut refused, batch);
        let label = ("relay", "the batch fails, but went");
        self.push(refused, "ledger", label, None, true, None);
        let mut next = self.from.clone();
        enqueue(&mut next, batch);
        next.object.relay = Relay::Sent(batch);
        self.push(
            next,
            "ledger",
            ("relay", "sends the batch"),
            None,
            false,
            None,
        );
    }

    /// `one_by_one` of `edge/ledger_object.rs`. Here the first refusal sets a message aside.
    fn send_one(&mut self, key: u8, was_sent: bool) {
        let mut next = self.from.clone();
        let Relay::OneByOne {
            batch,
            at,
            sent,
            refused,
            some_went,
        } = &mut next.object.relay
        else {
            return;
        };
        let index = usize::from(key);
        if index >= KEYS {
            let (refused, some_went) = (*refused, *some_went);
            for (number, _) in refused
                .iter()
                .enumerate()
                .filter(|(_, refused)| **refused && some_went)
            {
                if State::is_poison(self.setting, number as u8)
                    && let Some(run) = next.keys[number].held.take()
                {
                    next.keys[number].letters |= 1 << run;
                    // `settle_dead`: by the object itself, in the same step.
                    let ask = dead_of(run, None);
                    next.ask(self.setting, number as u8, ask, false);
                }
            }
            if some_went {
                self.take_batch(&mut next);
            } else {
                next.object.relay = Relay::Idle;
                next.arm();
            }
            let label = ("relay", "the round is over");
            return self.push(next, "ledger", label, None, false, None);
        }
        let (Some(run), false) = (batch[index], was_sent) else {
            *at += 1;
            let taken = *batch;
            if std::mem::take(sent) {
                *some_went = true;
                let mut one = [None; KEYS];
                one[index] = taken[index];
                forget(&mut next, one);
            }
            let label = ("relay", "goes on to the next");
            return self.push(next, "ledger", label, Some(key), false, None);
        };
        let mut failed = self.from.clone();
        if let Relay::OneByOne { at, refused, .. } = &mut failed.object.relay {
            *at += 1;
            refused[index] = true;
        }
        if State::is_poison(self.setting, key) {
            let label = ("relay", "refused alone");
            return self.push(failed, "ledger", label, Some(key), false, None);
        }
        self.push(
            failed,
            "ledger",
            ("relay", "fails alone"),
            Some(key),
            true,
            None,
        );
        *sent = true;
        next.key(key).ready[usize::from(run)] += 1;
        self.push(
            next,
            "ledger",
            ("relay", "goes alone"),
            Some(key),
            false,
            None,
        );
    }

    pub fn of_cron(&mut self) {
        let mut woken = self.from.clone();
        woken.wake();
        if woken.object.armed == Some(false) && woken.is_holding() {
            woken.arm();
        }
        if woken.is_holding() {
            self.push(woken, "cron", ("", "wakes the ledger"), None, false, None);
        }
        if let Some(key) = self.from.drained {
            let mut next = self.from.clone();
            next.drained = None;
            self.push(
                next.clone(),
                "cron",
                ("spool", "crashes before the delete"),
                Some(key),
                true,
                None,
            );
            next.key(key).spooled -= 1;
            return self.push(
                next,
                "cron",
                ("spool", "deletes what it sent"),
                Some(key),
                false,
                None,
            );
        }
        for key in 0..KEYS as u8 {
            if self.from.keys[usize::from(key)].spooled == 0 {
                continue;
            }
            if State::is_poison(self.setting, key) {
                if self.setting.bug == Some(Bug::DrainStopsAtRefusal) {
                    break;
                }
                continue;
            }
            let mut next = self.from.clone();
            next.key(key).ready[0] += 1;
            next.drained = Some(key);
            self.push(
                next,
                "cron",
                ("spool", "sends what was put aside"),
                Some(key),
                false,
                None,
            );
        }
    }
}

fn enqueue(state: &mut State, batch: Batch) {
    for (key, run) in state.keys.iter_mut().zip(batch) {
        if let Some(run) = run {
            key.ready[usize::from(run)] += 1;
        }
    }
}

/// `forget` of `edge/ledger_object.rs`: what took a message's place meanwhile stays.
fn forget(state: &mut State, batch: Batch) {
    for (key, run) in state.keys.iter_mut().zip(batch) {
        if run.is_some() && key.held == run {
            key.held = None;
        }
    }
}
