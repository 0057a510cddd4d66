//! How many requests of a source are diagnosed.

use std::sync::atomic::{AtomicI64, Ordering};

/// In a minute, of one source in one isolate. At the bound of one diagnosis that is 16 ms a minute.
pub const PER_MINUTE_MAX: i64 = 6;
const MINUTE_MS: i64 = 60_000;
/// More than [`PER_MINUTE_MAX`], so that minute and count fit into one number.
const COUNTS: i64 = 8;
const _: () = assert!(PER_MINUTE_MAX < COUNTS);

/// The minute that is counted, times [`COUNTS`], and how many were taken in it.
#[derive(Debug, Default)]
pub struct Allowance(AtomicI64);

impl Allowance {
    /// Takes one of this minute's, if one is left. An isolate has one thread, so nobody comes between.
    pub fn take(&self, now_ms: i64) -> bool {
        let minute = now_ms.div_euclid(MINUTE_MS).saturating_mul(COUNTS);
        let known = self.0.load(Ordering::Relaxed);
        let taken = match known.checked_sub(minute) {
            Some(taken @ 0..COUNTS) => taken,
            _ => 0,
        };
        if taken >= PER_MINUTE_MAX {
            return false;
        }
        self.0.store(minute + taken + 1, Ordering::Relaxed);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    #[test]
    fn six_a_minute_and_six_in_the_next() {
        let allowance = Allowance::default();
        for minute in 0..3 {
            let taken = (0..1_000).filter(|ms| allowance.take(NOW + minute * MINUTE_MS + ms));
            assert_eq!(taken.count(), 6, "minute {minute}");
        }
        // A clock that goes back opens a minute, and no more.
        let taken = (0..1_000).filter(|_| allowance.take(NOW));
        assert_eq!(taken.count(), 6);
        assert!(Allowance::default().take(i64::MAX - 1) && Allowance::default().take(i64::MIN));
    }
}
