//! How fast a ledger's events go to their backend: which fresh claims are told to come later.
//!
//! Two things make an event wait, and neither is the sender's concern: the backend does not take what
//! it is given, or its source has used up its deliveries of this second. Such an event goes to the
//! slow queue, so that the fast one carries only what is answered.
//!
//! This is kept in the object's memory and not in its rows: when it is lost, a few deliveries more
//! are made or missed, and it is learned again.

use super::{Ask, Reply, Request, Row, answer};

/// What a claim says that was never told to come later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fresh {
    /// Deliveries that its source may begin in a second; `None` is no limit.
    pub per_second_max: Option<u32>,
}

/// Memory of one object. All zero in the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Attempts that the backend left without an answer, since the last one that it took.
    pub failures: u32,
    /// When the last of them ended, in milliseconds since 1970.
    pub failed_ms: i64,
    /// Until then the backend is left to what the slow queue brings, in milliseconds since 1970.
    pub slow_until_ms: i64,
    /// When the next delivery has its turn, in microseconds since 1970.
    pub next_us: i64,
}

/// So many failures, and none that was taken in between, are no accident of one event.
const FAILURES_MAX: u32 = 3;
/// What is longer ago says nothing of how the backend is now.
const FAILURES_MS: i64 = 300_000;
/// How long a backend is left alone: as long as it takes for some retries to show how it is.
const SLOW_SECONDS: u32 = 30;
/// A `Retry-After` counts up to this.
const SLOW_SECONDS_MAX: u32 = 3_600;
/// What a source did not use of the last second is not lost.
const BURST_US: i64 = 1_000_000;
/// The platform delays a message by at most 12 h.
const AHEAD_US_MAX: i64 = 43_200 * 1_000_000;

impl Pace {
    /// [`answer`], with an eye to the pace.
    pub fn answer(
        &mut self,
        row: Option<Row>,
        request: &Request,
        is_closed: bool,
        now_ms: i64,
    ) -> (Reply, Option<Row>) {
        let (reply, written) = answer(row, request, is_closed, now_ms);
        match request.ask {
            Ask::Claim {
                fresh: Some(fresh), ..
            } if matches!(reply, Reply::Go { .. }) => {
                if let Some(until_ms) = self.later(fresh, now_ms) {
                    // The claim is not made: the row stays as it was.
                    return (Reply::Later { until_ms }, None);
                }
            }
            Ask::Turn { per_second_max } => {
                let turn = self.turn(per_second_max, now_ms);
                return (
                    turn.map_or(reply, |until_ms| Reply::Later { until_ms }),
                    None,
                );
            }
            Ask::Done { .. } => (self.failures, self.slow_until_ms) = (0, 0),
            Ask::Release {
                slow_seconds: Some(seconds),
                ..
            } => self.failed(seconds, now_ms),
            _ => {}
        }
        (reply, written)
    }

    /// When a fresh event may be delivered, if that is not now.
    fn later(&mut self, fresh: Fresh, now_ms: i64) -> Option<i64> {
        if self.slow_until_ms > now_ms {
            return Some(self.slow_until_ms);
        }
        if self.failures >= FAILURES_MAX {
            // This one finds out; the others wait for what it finds.
            self.slow_until_ms = now_ms.saturating_add(i64::from(SLOW_SECONDS) * 1_000);
        }
        self.turn(fresh.per_second_max?, now_ms)
    }

    /// When the next delivery of so many a second has its turn, if that is not now.
    fn turn(&mut self, per_second_max: u32, now_ms: i64) -> Option<i64> {
        let interval_us = 1_000_000 / i64::from(per_second_max.max(1));
        let now_us = now_ms.saturating_mul(1_000);
        let turn_us = self.next_us.max(now_us - BURST_US + interval_us);
        if turn_us > now_us + AHEAD_US_MAX {
            return Some((now_us + AHEAD_US_MAX) / 1_000);
        }
        // Its turn is its own: when it comes back from the slow queue it is let through.
        self.next_us = turn_us + interval_us;
        (turn_us > now_us).then_some(turn_us / 1_000)
    }

    fn failed(&mut self, seconds: u32, now_ms: i64) {
        if now_ms.saturating_sub(self.failed_ms) > FAILURES_MS {
            self.failures = 0;
        }
        self.failed_ms = now_ms;
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES_MAX {
            let seconds = seconds.clamp(SLOW_SECONDS, SLOW_SECONDS_MAX);
            let until_ms = now_ms.saturating_add(i64::from(seconds) * 1_000);
            self.slow_until_ms = self.slow_until_ms.max(until_ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    fn request(ask: Ask) -> Request {
        Request {
            key: "ab".into(),
            expires_ms: NOW + 1_000_000,
            newer: false,
            ask,
        }
    }

    fn claim(pace: &mut Pace, fresh: Option<Fresh>, now_ms: i64) -> (Reply, Option<Row>) {
        let ask = Ask::Claim {
            run: 0,
            owner: 7,
            lease_ms: 5,
            fresh,
        };
        pace.answer(None, &request(ask), false, now_ms)
    }

    fn release(pace: &mut Pace, slow_seconds: Option<u32>, now_ms: i64) {
        let ask = Ask::Release {
            run: 0,
            owner: 7,
            slow_seconds,
        };
        pace.answer(None, &request(ask), false, now_ms);
    }

    const UNLIMITED: Option<Fresh> = Some(Fresh {
        per_second_max: None,
    });
    const TEN: Option<Fresh> = Some(Fresh {
        per_second_max: Some(10),
    });

    #[test]
    fn three_failures_in_a_row_slow_what_is_fresh_and_nothing_else() {
        let mut pace = Pace::default();
        for _ in 0..2 {
            release(&mut pace, Some(1), NOW);
            assert!(matches!(
                claim(&mut pace, UNLIMITED, NOW).0,
                Reply::Go { .. }
            ));
        }
        release(&mut pace, Some(1), NOW);
        let until_ms = NOW + 30_000;
        assert_eq!(
            claim(&mut pace, UNLIMITED, NOW),
            (Reply::Later { until_ms }, None)
        );
        assert!(matches!(claim(&mut pace, None, NOW).0, Reply::Go { .. }));
        pace.answer(None, &request(Ask::Done { run: 0 }), false, NOW);
        assert!(matches!(
            claim(&mut pace, UNLIMITED, NOW).0,
            Reply::Go { .. }
        ));
    }

    #[test]
    fn afterwards_one_at_a_time_finds_out() {
        let mut pace = Pace::default();
        for _ in 0..3 {
            release(&mut pace, Some(1), NOW);
        }
        let later = NOW + 30_000;
        assert!(matches!(
            claim(&mut pace, UNLIMITED, later).0,
            Reply::Go { .. }
        ));
        assert!(matches!(
            claim(&mut pace, UNLIMITED, later).0,
            Reply::Later { .. }
        ));
    }

    #[test]
    fn failures_long_ago_say_nothing() {
        let mut pace = Pace::default();
        for turn in 0..9 {
            release(&mut pace, Some(1), NOW + turn * 300_001);
            assert_eq!((pace.failures, pace.slow_until_ms), (1, 0));
        }
    }

    #[test]
    fn our_own_failures_say_nothing_of_the_backend_and_a_retry_after_counts() {
        let mut pace = Pace::default();
        for _ in 0..9 {
            release(&mut pace, None, NOW);
        }
        assert_eq!(pace, Pace::default());
        for seconds in [5, 5, 600] {
            release(&mut pace, Some(seconds), NOW);
        }
        assert_eq!(pace.slow_until_ms, NOW + 600_000);
        release(&mut pace, Some(u32::MAX), NOW);
        assert_eq!(pace.slow_until_ms, NOW + 3_600_000);
    }

    #[test]
    fn over_its_rate_each_event_has_a_turn_of_its_own() {
        let mut pace = Pace::default();
        let mut turns = Vec::new();
        for _ in 0..35 {
            turns.push(match claim(&mut pace, TEN, NOW).0 {
                Reply::Later { until_ms } => until_ms - NOW,
                _ => 0,
            });
        }
        let expected: Vec<i64> = (0..35).map(|turn| (turn - 9).max(0) * 100).collect();
        assert_eq!(turns, expected);
        // What was not used is there again, but no more than a second of it.
        let free = (0..50)
            .filter(|_| matches!(claim(&mut pace, TEN, NOW + 9_000_000).0, Reply::Go { .. }));
        assert_eq!(free.count(), 10);
    }

    #[test]
    fn a_tenants_turns_are_those_of_a_source_and_leave_no_row() {
        let (mut source, mut tenant) = (Pace::default(), Pace::default());
        let ask = request(Ask::Turn { per_second_max: 10 });
        for number in 0..35 {
            let turn = tenant.answer(None, &ask, false, NOW);
            match claim(&mut source, TEN, NOW).0 {
                later @ Reply::Later { .. } => assert_eq!(turn, (later, None), "{number}"),
                _ => assert_eq!(turn, (Reply::Noted, None), "{number}"),
            }
        }
    }

    #[test]
    fn nothing_waits_longer_than_the_queue_can_delay_it() {
        let mut pace = Pace::default();
        let slowest = Some(Fresh {
            per_second_max: Some(1),
        });
        for _ in 0..50_000 {
            if let Reply::Later { until_ms } = claim(&mut pace, slowest, NOW).0 {
                assert!(until_ms - NOW <= 43_200_000);
            }
        }
    }
}
