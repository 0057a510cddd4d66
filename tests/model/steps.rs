//! All that can happen next in a world.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::promises::Broken;
use super::setting::Setting;
use super::world::{RUNS, State};

/// The words of one line of a trace.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    actor: &'static str,
    does: &'static str,
    outcome: &'static str,
    key: Option<u8>,
    pub fault: bool,
    /// A new request.
    pub sends: bool,
}

/// Something that can happen.
pub struct Next {
    pub label: Label,
    pub state: State,
    /// A promise that this step breaks.
    pub broken: Option<Broken>,
}

pub struct Steps<'a> {
    pub setting: &'a Setting,
    pub from: &'a State,
    pub found: Vec<Next>,
}

/// How the outcomes of new requests end.
pub const SENDS: &str = " sends";

impl<'a> Steps<'a> {
    /// In a fixed order: a trace is a list of places in these lists.
    pub fn all(setting: &'a Setting, from: &'a State, found: Vec<Next>) -> Vec<Next> {
        let mut steps = Steps {
            setting,
            from,
            found,
        };
        steps.found.clear();
        steps.of_senders();
        steps.of_gates();
        steps.of_writes();
        steps.of_relay();
        steps.of_cron();
        steps.of_consumers();
        steps.of_ledger();
        steps.of_forgetting();
        steps.found
    }

    pub fn push(
        &mut self,
        mut state: State,
        actor: &'static str,
        (does, outcome): (&'static str, &'static str),
        key: Option<u8>,
        fault: bool,
        broken: Option<Broken>,
    ) {
        if fault {
            match state.faults_left.checked_sub(1) {
                Some(left) => state.faults_left = left,
                None => return,
            }
        }
        let too_many_runs = state
            .keys
            .iter()
            .any(|key| key.row.is_some_and(|row| row.run as usize >= RUNS - 1));
        if too_many_runs || state == *self.from {
            return;
        }
        state.fold(self.setting);
        let broken = broken.or_else(|| state.broken());
        let label = Label {
            actor,
            does,
            outcome,
            key,
            fault,
            sends: outcome.ends_with(SENDS),
        };
        self.found.push(Next {
            label,
            state,
            broken,
        });
    }
}

impl State {
    /// Worlds that differ in nothing that matters become one.
    fn fold(&mut self, setting: &Setting) {
        for key in &mut self.keys {
            key.delivered = key.delivered.min(2 + key.insisted);
            // Waiting for a lease that is over is waiting for nothing.
            if key.seen {
                key.remembers = 0;
            }
            if key.row.is_some() {
                key.notes = 0;
            }
        }
        for number in 0..self.keys.len() as u8 {
            if !self.is_leased(number) {
                let key = self.key(number);
                for (ready, waiting) in key.ready.iter_mut().zip(&mut key.waiting) {
                    *ready += std::mem::take(waiting);
                }
            }
        }
        if setting.roads[0] == setting.roads[1] {
            order(&mut self.gates);
        }
        order(&mut self.consumers);
    }

    pub fn fingerprint(&self) -> u64 {
        fingerprint(self)
    }
}

/// Actors that are alike stand in one order, and the free ones first.
fn order<T: Hash>(actors: &mut [Option<T>]) {
    actors.sort_by_cached_key(|actor| actor.as_ref().map(fingerprint));
}

fn fingerprint(value: &impl Hash) -> u64 {
    let mut mixer = Mixer(0x9e37_79b9_7f4a_7c15);
    value.hash(&mut mixer);
    mixer.finish()
}

/// Multiply and fold, 64 bits at a time: a search asks it hundreds of millions of times.
struct Mixer(u64);

impl Mixer {
    fn mix(&mut self, word: u64) {
        let product =
            u128::from(self.0 ^ word ^ 0xa076_1d64_78bd_642f) * 0xe703_7ed1_a0b4_28db_u128;
        self.0 = (product as u64 ^ (product >> 64) as u64).rotate_left(23) ^ word;
    }
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.mix(value.into());
    }

    fn write_u32(&mut self, value: u32) {
        self.mix(value.into());
    }

    fn write_u64(&mut self, value: u64) {
        self.mix(value);
    }

    fn write_usize(&mut self, value: usize) {
        self.mix(value as u64);
    }

    fn finish(&self) -> u64 {
        let mut last = Mixer(self.0);
        last.mix(0x5851_f42d_4c95_7f2d);
        last.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}", self.actor)?;
        if let Some(key) = self.key {
            write!(to, ", event {}", char::from(b'A' + key))?;
        }
        for part in [self.does, self.outcome] {
            if !part.is_empty() {
                write!(to, ", {part}")?;
            }
        }
        write!(to, "{}", if self.fault { "  [fault]" } else { "" })
    }
}
