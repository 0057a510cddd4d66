//! What is usual of a source: how long it is silent, and how often it is refused.

use super::Row;
use super::store::entry;
use crate::config::Alerts;
use crate::gate::LiveSource;

const DAY_MS: i64 = 86_400_000;
/// So long a source must be known before it can be called quiet: a week has its weekend in it.
const KNOWN_MS: i64 = 7 * DAY_MS;
/// A source is quiet after so many times its longest silence of a week.
const LONGER_THAN_USUAL: i64 = 3;
/// So many times the usual number of refusals are a spike.
const MORE_THAN_USUAL: i64 = 5;
/// Looks that make a day: what is usual follows what is so slowly.
const LOOKS_A_DAY: i64 = 288;

/// What the cron remembers of a source from one look to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rhythm {
    /// When the first event was taken that is known of; 0: none.
    first_ms: i64,
    /// When the last one was.
    last_ms: i64,
    /// Thousandths of a refusal in a quarter of an hour.
    usual_refused: i64,
    /// For each of the last days the longest silence that ended in it: the day, and milliseconds.
    silences: Vec<(i64, i64)>,
}

impl Rhythm {
    /// What [`Rhythm::to_entry`] kept of it; whatever is missing is 0.
    pub fn of_row(row: &Row<'_>) -> Self {
        let mut numbers = row.numbers();
        let mut next = || numbers.next();
        let mut rhythm = Rhythm {
            first_ms: next().unwrap_or_default(),
            last_ms: next().unwrap_or_default(),
            usual_refused: next().unwrap_or_default(),
            silences: Vec::new(),
        };
        while let (Some(day), Some(ms)) = (next(), next()) {
            rhythm.silences.push((day, ms));
        }
        rhythm
    }

    /// A change here makes what is stored unreadable: then a source is known for a week less.
    pub fn to_entry(&self, live: &LiveSource) -> String {
        let mut numbers = vec![self.first_ms, self.last_ms, self.usual_refused];
        numbers.extend(self.silences.iter().flat_map(|&(day, ms)| [day, ms]));
        entry(["", &live.source.tenant, &live.name], &numbers)
    }

    pub fn last_ms(&self) -> Option<i64> {
        (self.last_ms > 0).then_some(self.last_ms)
    }

    /// Events were taken, the first that was not known of at `first_ms` (0: there is none), and the last at `last_ms`.
    pub fn took(&mut self, first_ms: i64, last_ms: i64, now_ms: i64) {
        let today = now_ms.div_euclid(DAY_MS);
        self.silences.retain(|(day, _)| *day >= today - 7);
        if first_ms > self.last_ms && self.last_ms > 0 {
            let silence = first_ms - self.last_ms;
            match self.silences.iter_mut().find(|(day, _)| *day == today) {
                Some((_, longest)) => *longest = silence.max(*longest),
                None => self.silences.push((today, silence)),
            }
        }
        if self.first_ms == 0 {
            self.first_ms = first_ms;
        }
        self.last_ms = self.last_ms.max(last_ms);
    }

    /// So many were refused in a quarter of an hour. A spike is not usual at once.
    pub fn refused(&mut self, number: i64, settings: &Alerts) {
        let number = number.min(self.spike(settings)).saturating_mul(1_000);
        self.usual_refused += (number - self.usual_refused) / LOOKS_A_DAY;
    }

    /// How many refusals are a spike.
    pub fn spike(&self, settings: &Alerts) -> i64 {
        let usual = self.usual_refused.saturating_mul(MORE_THAN_USUAL) / 1_000;
        usual.max(settings.refusal_spike_min.into())
    }

    pub fn silent_seconds(&self, now_ms: i64) -> i64 {
        now_ms.saturating_sub(self.last_ms).max(0) / 1_000
    }

    /// How long it must be silent to be called quiet. `None`: it is not known well enough, or has not been silent and
    /// back again within a week, as one that sends once a month.
    pub fn quiet_after_seconds(&self, settings: &Alerts, now_ms: i64) -> Option<i64> {
        let longest = self.silences.iter().map(|(_, ms)| *ms).max()?;
        let is_known = self.first_ms > 0 && now_ms.saturating_sub(self.first_ms) >= KNOWN_MS;
        let usual = longest.saturating_mul(LONGER_THAN_USUAL) / 1_000;
        is_known.then(|| usual.max(settings.quiet_seconds_min.into()))
    }
}
