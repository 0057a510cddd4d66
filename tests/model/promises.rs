//! What must hold: at every moment, and when everything has come to rest.

use super::setting::{Poison, Setting};
use super::world::{Relay, State};

/// What breaks a promise.
pub type Broken = &'static str;

impl State {
    /// What must hold at every moment.
    pub fn broken(&self) -> Option<Broken> {
        for (number, key) in self.keys.iter().enumerate() {
            if key.promised && !self.is_held(number as u8) {
                return Some("LOST: it was answered with 2xx, and is nowhere (G1)");
            }
            if key.delivered > 1 + key.insisted && !key.window {
                return Some("DOUBLE: the backend has it twice, outside the windows (G3)");
            }
            if key.hollow {
                return Some("HOLLOW: a message is held whose content is nowhere (G1)");
            }
            if key.delivered > 0 && !key.provider.sent {
                return Some("INVENTED: the backend has what nobody sent");
            }
            let writing = key.remembers > 0 || key.notes > 0;
            let forgotten = (key.kv_owed && !key.seen) || (key.row_owed && key.row.is_none());
            if forgotten && !writing && !key.unwritten {
                return Some("FORGOTTEN: its road's memory does not know it");
            }
        }
        None
    }

    /// Nothing is under way, and every promise is kept.
    pub fn is_settled(&self, setting: &Setting) -> bool {
        let quiet = self.gates.iter().all(Option::is_none)
            && self.consumers.iter().all(Option::is_none)
            && self.object.relay == Relay::Idle
            && self.drained.is_none()
            && self.late.iter().all(Option::is_none);
        quiet
            && self.keys.iter().enumerate().all(|(number, key)| {
                let queue = key
                    .ready
                    .iter()
                    .chain(&key.waiting)
                    .all(|count| *count == 0);
                let writes = [
                    key.remembers,
                    key.notes,
                    key.sends,
                    key.arrivals,
                    key.returns,
                    key.puts,
                ];
                // What the queue refuses without a reason may stay where it is: nothing tells that
                // from an outage.
                let stays = setting.poison == Some(Poison::Unnamed) && number == 0;
                let handed_on = stays || (key.held.is_none() && key.spooled == 0);
                let ended = key.delivered > 0 || key.letters != 0;
                let run_again = !key.resent || key.delivered > 0 || key.letters > 1;
                let kept = !key.promised || ended || (stays && self.is_held(number as u8));
                // What came after an operator had it forgotten was delivered, and not taken for a copy.
                let letter = |run: u8| key.letters >> run != 0;
                let rerun = key.rerun_done || stays || key.forgotten.is_some_and(letter);
                let came_again = !key.rerun_due || rerun;
                let is_at_rest = queue && writes == [0; 6] && handed_on;
                is_at_rest && kept && run_again && came_again
            })
    }
}
