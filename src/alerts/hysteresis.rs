//! When an alert begins and when it is over: not with every number that goes up and down.

use super::store::entry;
use super::{Reading, Row};
use crate::config::Rule;

/// It fires once its rule has held at so many looks in a row: one number alone may be a chance.
pub const LOOKS_TO_FIRE: i64 = 2;
/// It is over once its rule was clear at so many looks in a row.
pub const LOOKS_TO_CLEAR: i64 = 3;
/// Each time that it fires within [`REMIND_MS`] of its end, twice as many, up to six hours of looks: then what comes and
/// goes is told of as rarely as what stays.
const LOOKS_TO_CLEAR_MAX: i64 = 72;
/// Whoever was told that it fires is told again after so long, while it goes on.
pub const REMIND_MS: i64 = 6 * 3_600_000;

/// What is remembered of an alert from one look to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    pub rule: Rule,
    pub tenant: String,
    pub source: String,
    pub is_firing: bool,
    /// Looks in a row at which it was about to change.
    pub streak: i64,
    /// When it began to fire, or ended. 0: it has never fired.
    pub since_ms: i64,
    /// When it was told of last.
    pub told_ms: i64,
    /// Looks that it must be clear for.
    pub patience: i64,
    pub value: i64,
    pub threshold: i64,
}

/// Something to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Firing,
    /// It has fired for [`REMIND_MS`] more.
    StillFiring,
    Resolved,
}

impl Alert {
    pub fn new(reading: &Reading<'_>) -> Self {
        Alert {
            rule: reading.rule,
            tenant: reading.tenant.to_owned(),
            source: reading.source.to_owned(),
            is_firing: false,
            streak: 0,
            since_ms: 0,
            told_ms: 0,
            patience: LOOKS_TO_CLEAR,
            value: 0,
            threshold: reading.threshold,
        }
    }

    pub fn is_about(&self, reading: &Reading<'_>) -> bool {
        self.rule == reading.rule && self.source == reading.source && self.tenant == reading.tenant
    }

    /// One look. Between four fifths of the threshold and the threshold nothing begins, and nothing ends.
    pub fn step(&mut self, value: i64, now_ms: i64) -> Option<Turn> {
        self.value = value;
        let holds = value >= self.threshold;
        let is_clear = value.saturating_mul(5) < self.threshold.saturating_mul(4);
        let is_turning = if self.is_firing { is_clear } else { holds };
        self.streak = if is_turning { self.streak + 1 } else { 0 };
        if !self.is_firing && self.streak >= LOOKS_TO_FIRE {
            let is_flapping = now_ms.saturating_sub(self.since_ms) < REMIND_MS;
            self.patience = if is_flapping {
                (self.patience * 2).min(LOOKS_TO_CLEAR_MAX)
            } else {
                LOOKS_TO_CLEAR
            };
            (self.is_firing, self.streak) = (true, 0);
            (self.since_ms, self.told_ms) = (now_ms, now_ms);
            return Some(Turn::Firing);
        }
        if self.is_firing && self.streak >= self.patience {
            (self.is_firing, self.streak) = (false, 0);
            (self.since_ms, self.told_ms) = (now_ms, now_ms);
            return Some(Turn::Resolved);
        }
        if self.is_firing && now_ms.saturating_sub(self.told_ms) >= REMIND_MS {
            self.told_ms = now_ms;
            return Some(Turn::StillFiring);
        }
        None
    }

    fn numbers(&self) -> [i64; 7] {
        [
            i64::from(self.is_firing),
            self.streak,
            self.since_ms,
            self.told_ms,
            self.patience,
            self.value,
            self.threshold,
        ]
    }

    /// What [`super::store::KEEP_ALERTS`] keeps of it.
    pub fn to_entry(&self) -> String {
        let names = [self.rule.name(), &self.tenant, &self.source];
        entry(names, &self.numbers())
    }

    /// The line of it that [`Alert::of_row`] reads.
    pub fn to_line(&self) -> String {
        let numbers = self.numbers().map(|number| number.to_string()).join(",");
        let names = ["alert", &self.tenant, &self.source, self.rule.name()];
        [&names.join("\t"), "\t", &numbers].concat()
    }

    /// `None`: it is no alert, or of a rule that this version does not know.
    pub fn of_row(row: &Row<'_>) -> Option<Self> {
        let rule = Rule::ALL.into_iter().find(|rule| rule.name() == row.name)?;
        (row.kind == "alert").then(|| Alert {
            rule,
            tenant: row.tenant.to_owned(),
            source: row.source.to_owned(),
            is_firing: row.number(0) != 0,
            streak: row.number(1),
            since_ms: row.number(2),
            told_ms: row.number(3),
            patience: row.number(4),
            value: row.number(5),
            threshold: row.number(6),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;
    const LOOK_MS: i64 = 300_000;

    /// A week of numbers that jump around the threshold, in several shapes: how often is somebody told?
    #[test]
    fn a_noisy_series_is_told_of_a_few_times() {
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let mut chance = |of: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % of
        };
        let looks = 7 * 288;
        // The name, the series, and how often somebody may be told in a week, which has 28 times six hours.
        type Series<'a> = (&'a str, Box<dyn FnMut(i64) -> i64 + 'a>, usize);
        let series: [Series<'_>; 5] = [
            (
                "on and off",
                Box::new(|look| if look % 2 == 0 { 100 } else { 0 }),
                0,
            ),
            (
                "two on, three off",
                Box::new(|look| if look % 5 < 2 { 100 } else { 0 }),
                36,
            ),
            (
                "two on, thirty off",
                Box::new(|look| if look % 32 < 2 { 100 } else { 0 }),
                36,
            ),
            (
                "around the threshold",
                Box::new(|look| 95 + look * 7 % 11),
                36,
            ),
            (
                "by chance",
                Box::new(|_| if chance(2) == 0 { 100 } else { 0 }),
                36,
            ),
        ];
        for (name, mut value, most) in series {
            let reading = Reading {
                rule: Rule::RefusalSpike,
                tenant: "acme",
                source: "shop",
                value: 0,
                threshold: 100,
            };
            let mut alert = Alert::new(&reading);
            let (mut told, mut crossings, mut was) = (Vec::new(), 0, false);
            for look in 0..looks {
                let (value, now_ms) = (value(look), NOW + look * LOOK_MS);
                crossings += usize::from(was != (value >= 100));
                was = value >= 100;
                told.extend(alert.step(value, now_ms).map(|turn| (now_ms, turn)));
            }
            println!("{name}: {crossings} crossings, told {} times", told.len());
            assert!(told.len() <= most, "{name}: {}", told.len());
            // While it goes on, every six hours at the soonest.
            for pair in told.windows(2) {
                let [(before, _), (after, turn)] = pair else {
                    continue;
                };
                assert!(
                    *turn != Turn::StillFiring || after - before >= REMIND_MS,
                    "{name}"
                );
            }
        }
    }
}
