//! What a flood of forgeries may cost: a leaky count of unverified bytes, for each source and isolate.
//!
//! Only failed verifications count, so a provider cannot fill the count by being busy. Only bodies
//! over [`SMALL_BYTES`] are ever shed: up to there verifying costs no more than refusing does, so an
//! ordinary event is verified in any flood. And nobody is told apart by where he sends from: providers
//! share their addresses, and who points his own account at a gate would have the real one shed.
//!
//! What is shed does not count, so the count leaks while it sheds: some of the large bodies are
//! always read, forged and genuine alike, and a provider's retry gets through. It is answered 503.

use std::sync::atomic::{AtomicI64, Ordering};

/// Up to this a body is always read. To hash as much takes about 50 µs, which an answer costs as well.
pub const SMALL_BYTES: usize = 16_384;
/// What a source's forgeries may cost for as long as they come: by WebCrypto's 0.8 ms a megabyte, about
/// a hundredth of the time.
const BYTES_PER_SECOND: i64 = 16_000_000;
/// 160 MB. A wrong secret on a busy source, or a handful of the largest bodies, is no flood yet.
const BURST_US: i64 = 10_000_000;

/// The count, as the time at which it will have leaked away, in microseconds since 1970.
#[derive(Debug, Default)]
pub struct Flood {
    empty_us: AtomicI64,
}

impl Flood {
    /// A body of so many bytes did not verify.
    pub fn failed(&self, body_bytes: usize, now_ms: i64) {
        if body_bytes <= SMALL_BYTES {
            return;
        }
        let now_us = now_ms.saturating_mul(1_000);
        let bytes = i64::try_from(body_bytes).unwrap_or(i64::MAX);
        let cost_us = bytes.saturating_mul(1_000_000) / BYTES_PER_SECOND;
        let from_us = self.empty_us.load(Ordering::Relaxed).max(now_us);
        self.empty_us
            .store(from_us.saturating_add(cost_us), Ordering::Relaxed);
    }

    /// Nothing was ever counted: there is no need to look at the clock.
    pub fn is_quiet(&self) -> bool {
        self.empty_us.load(Ordering::Relaxed) == 0
    }

    /// Large bodies are not read now.
    pub fn is_over(&self, now_ms: i64) -> bool {
        let empty_us = self.empty_us.load(Ordering::Relaxed);
        empty_us.saturating_sub(now_ms.saturating_mul(1_000)) > BURST_US
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;
    const LARGE: usize = 80_000;

    /// How many failures it takes.
    fn fill(flood: &Flood, now_ms: i64) -> usize {
        let mut failures = 0;
        while !flood.is_over(now_ms) {
            flood.failed(LARGE, now_ms);
            failures += 1;
            assert!(failures < 10_000);
        }
        failures
    }

    #[test]
    fn a_burst_is_free_and_the_count_leaks() {
        let flood = Flood::default();
        assert_eq!(fill(&flood, NOW), 2_001);
        assert!(!flood.is_over(NOW + 40));
        assert_eq!(fill(&flood, NOW + 1_000), 200, "16 megabytes a second");
        assert_eq!(fill(&flood, NOW + 3_600_000), 2_001, "nothing is left over");
    }

    #[test]
    fn small_ones_never_count() {
        let flood = Flood::default();
        for _ in 0..1_000_000 {
            flood.failed(SMALL_BYTES, NOW);
        }
        assert!(!flood.is_over(NOW));
    }

    /// Forgeries and genuine events come by turns, far more than the budget: what is shed leaves room.
    #[test]
    fn a_genuine_large_event_gets_through_a_flood() {
        let flood = Flood::default();
        let mut genuine = [0, 0];
        for turn in 0..10_000 {
            let now_ms = NOW + turn;
            for _ in 0..100 {
                if !flood.is_over(now_ms) {
                    flood.failed(LARGE, now_ms);
                }
            }
            genuine[usize::from(flood.is_over(now_ms))] += 1;
        }
        let [read, shed] = genuine;
        assert!(shed > read, "it sheds: {genuine:?}");
        assert!(read > 0, "and never all: {genuine:?}");
    }
}
