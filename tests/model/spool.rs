//! The drain of the spool: `edge/spool.rs`. That the cron also wakes the ledgers is left out, so that
//! the relay has to manage without.

use hookgate::ledger::Reply;
use hookgate::relay::Fate;

use super::consumers::dead_of;
use super::setting::Bug;
use super::steps::Steps;
use super::world::{KEYS, State};

impl Steps<'_> {
    pub fn of_cron(&mut self) {
        if let Some(key) = self.from.drained {
            let mut next = self.from.clone();
            next.drained = None;
            let label = ("spool", "crashes before the delete");
            self.push(next.clone(), "cron", label, Some(key), true, None);
            next.key(key).spooled -= 1;
            let label = ("spool", "deletes what it sent");
            return self.push(next, "cron", label, Some(key), false, None);
        }
        for key in 0..KEYS as u8 {
            if self.from.keys[usize::from(key)].spooled == 0 {
                continue;
            }
            if State::is_poison(self.setting, key) {
                if self.setting.bug == Some(Bug::DrainStopsAtRefusal) {
                    break;
                }
                self.bury_spooled(key);
                continue;
            }
            let mut next = self.from.clone();
            next.key(key).ready[0] += 1;
            next.drained = Some(key);
            let label = ("spool", "sends what was put aside");
            self.push(next, "cron", label, Some(key), false, None);
        }
    }

    /// Refused for good: asked of the ledger like any letter, and kept. That refusals are counted there
    /// as well is left out.
    fn bury_spooled(&mut self, key: u8) {
        if self.fate_of(key, 0, false) != Fate::SetAside {
            return;
        }
        let mut unasked = self.from.clone();
        unasked.key(key).letters |= 1;
        unasked.drained = Some(key);
        let label = ("spool", "keeps the letter; the ledger did not answer");
        self.push(unasked, "cron", label, Some(key), true, None);
        let mut next = self.from.clone();
        match next.ask(self.setting, key, dead_of(0, None), false) {
            Reply::Busy { .. } => return,
            Reply::Settled => {}
            _ => next.key(key).letters |= 1,
        }
        next.drained = Some(key);
        let label = ("spool", "sets aside what the queue refuses");
        self.push(next, "cron", label, Some(key), false, None);
    }
}
