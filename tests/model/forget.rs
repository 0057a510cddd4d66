//! An operator who has an event forgotten, and what a gate brings back to the ledger late.

use hookgate::ledger::{Ask, Reply};
use hookgate::road::{Effect, Place};

use super::steps::Steps;
use super::world::{KEYS, LateAsk, State};

impl Steps<'_> {
    pub fn of_forgetting(&mut self) {
        for key in 0..KEYS as u8 {
            self.bring_back_late(key);
            // What nobody sent, nobody has forgotten.
            if self.from.forgets_left > 0 && self.from.keys[usize::from(key)].provider.sent {
                for insist in [false, true] {
                    self.forget(key, insist);
                }
            }
        }
    }

    fn forget(&mut self, key: u8, insist: bool) {
        let mut next = self.from.clone();
        next.forgets_left -= 1;
        let mut late = next.clone();
        let Reply::Forgotten { run } = next.ask(self.setting, key, Ask::Forget { insist }, false)
        else {
            return;
        };
        if !insist && late.ask_later(key, LateAsk::Forget) {
            let label = ("forgets", "no answer, to be applied later");
            self.push(late, "operator", label, Some(key), true, None);
        }
        next.key(key).insisted += 1;
        let unheard = next.clone();
        let label = ("forgets", "applied, but not heard");
        self.push(unheard, "operator", label, Some(key), true, None);
        // Of what is under way when he insists he is told nothing: it may be that run, or the next one to come.
        if !insist {
            let state = next.key(key);
            state.forgotten = Some(run as u8);
            state.rerun_due = false;
            state.rerun_done = false;
        }
        let what = if insist { "insists" } else { "told so" };
        self.push(next, "operator", ("forgets", what), Some(key), false, None);
    }

    pub fn forgotten_late(&mut self, mut next: State, key: u8) {
        let ask = Ask::Forget { insist: false };
        let granted = matches!(
            next.ask(self.setting, key, ask, false),
            Reply::Forgotten { .. }
        );
        next.key(key).insisted += u8::from(granted);
        let label = ("", "a late forget");
        self.push(next, "ledger", label, Some(key), false, None);
    }

    fn bring_back_late(&mut self, key: u8) {
        let mut next = self.from.clone();
        let Some(left) = next.key(key).returns.checked_sub(1) else {
            return;
        };
        next.key(key).returns = left;
        next.ask(self.setting, key, Ask::Return, true);
        let label = ("", "what was brought back late arrives");
        self.push(next, "ledger", label, Some(key), false, None);
    }
}

/// Where an effect holds an event. What KV has seen goes to the ledger.
pub fn place_of(effect: Effect) -> Place {
    match effect {
        Effect::Hold { at, .. } => at,
        _ => Place::Ledger,
    }
}
