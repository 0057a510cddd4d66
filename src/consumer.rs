//! One message of the events queue, from its claim to its end, as a step function.
//!
//! claim → deliver → done → acknowledge, in this order. A crash before `done` lets the lease run out
//! and the event be delivered again, under the same `webhook-id`: that is one of the windows in which
//! a backend may see an event twice. If `done` cannot be written the message is acknowledged all the
//! same: bringing it again would surely deliver it twice.

use crate::event::Held;
use crate::gate::LiveSource;
use crate::ledger::{Claim, Owner};
use crate::retry::{DeathCause, Next, wait_seconds};
use crate::scheme::TimeUnit;
use crate::time;

/// Something for the edge to do about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Ask the ledger for the right to deliver.
    Claim,
    /// Post it to the backend. `attempt` counts from 1.
    Deliver { attempt: u32 },
    /// Tell the ledger. The answer does not matter.
    Report(Report),
    /// Put it among the dead letters.
    Bury(DeathCause),
}

/// What the ledger is told after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Report {
    Done,
    Dead,
    Release,
}

/// What becomes of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    Acknowledge,
    /// Through the queue's own retry: the platform counts these.
    Retry {
        seconds: u32,
    },
    /// A fresh copy to the slow queue, with a delay, then acknowledge: the fast queue is for what a
    /// backend takes at once, and waiting for somebody else is no attempt.
    SendAgain {
        seconds: u32,
    },
    /// The same as another run, then acknowledge.
    SendAs {
        run: u32,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Do(Action),
    End(End),
}

/// The way of one message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Errand {
    pub owner: Owner,
    /// How often the queue has brought this message.
    brought: u32,
    after_report: End,
}

impl Errand {
    pub fn new(owner: Owner, brought: u32) -> Self {
        Errand {
            owner,
            brought,
            after_report: End::Acknowledge,
        }
    }

    pub fn start(&self) -> Step {
        Step::Do(Action::Claim)
    }

    /// `None`: the ledger did not answer. Without it nobody knows whether this is a copy.
    pub fn claimed(&mut self, claim: Option<Claim>, now_ms: i64) -> Step {
        match claim {
            Some(Claim::Go { attempt }) => Step::Do(Action::Deliver { attempt }),
            Some(Claim::Busy { until_ms }) => Step::End(End::SendAgain {
                seconds: busy_seconds(until_ms, now_ms),
            }),
            Some(Claim::Later { until_ms }) => Step::End(End::SendAgain {
                seconds: seconds_until(until_ms, now_ms),
            }),
            Some(Claim::Rerun { run }) => Step::End(End::SendAs { run }),
            Some(Claim::Settled) => Step::End(End::Acknowledge),
            None => Step::End(End::Retry {
                seconds: wait_seconds(self.brought),
            }),
        }
    }

    /// After an attempt at the backend.
    pub fn delivered(&mut self, next: Next) -> Step {
        match next {
            Next::Done => self.report(Report::Done, End::Acknowledge),
            Next::RetryIn { seconds } => self.report(Report::Release, End::SendAgain { seconds }),
            Next::Dead(cause) => Step::Do(Action::Bury(cause)),
        }
    }

    /// After the letter was kept, or could not be.
    pub fn buried(&mut self, kept: bool) -> Step {
        if kept {
            self.report(Report::Dead, End::Acknowledge)
        } else {
            let seconds = wait_seconds(self.brought);
            self.report(Report::Release, End::Retry { seconds })
        }
    }

    /// After a report, whether it was heard or not.
    pub fn reported(&self) -> Step {
        Step::End(self.after_report)
    }

    fn report(&mut self, report: Report, end: End) -> Step {
        self.after_report = end;
        Step::Do(Action::Report(report))
    }
}

/// How long a ping still waits for the end of its burst, in seconds. Those that came after it were told
/// that it stands for them, so whoever it sends to look must not look before. `None`: the burst is over.
pub fn burst_seconds(held: &Held, source: &LiveSource, now_ms: i64) -> Option<u32> {
    let window_ms = source.scheme.ping_ms()?;
    let received_ms = time::parse(&held.message.receivedtime, TimeUnit::Rfc3339)?;
    let end_ms = (received_ms.div_euclid(window_ms) + 1).saturating_mul(window_ms);
    (now_ms < end_ms).then(|| seconds_until(end_ms, now_ms))
}

/// A lease is at most a minute and a half; an hour would hide a wrong clock.
const BUSY_SECONDS_MAX: u32 = 300;

/// Seconds until somebody else's lease is over.
pub fn busy_seconds(until_ms: i64, now_ms: i64) -> u32 {
    seconds_until(until_ms, now_ms).min(BUSY_SECONDS_MAX)
}

fn seconds_until(until_ms: i64, now_ms: i64) -> u32 {
    let seconds = until_ms.saturating_sub(now_ms).max(0) / 1_000 + 1;
    u32::try_from(seconds)
        .unwrap_or(u32::MAX)
        .min(DELAY_SECONDS_MAX)
}

/// The platform delays a message by at most 12 h.
const DELAY_SECONDS_MAX: u32 = 43_200;

/// How long a claim lasts: longer than an attempt may take, so that a slow backend does not open
/// the event to a second consumer.
pub fn lease_ms(timeout_seconds: u32) -> i64 {
    i64::from(timeout_seconds + LEASE_MARGIN_SECONDS) * 1_000
}

const LEASE_MARGIN_SECONDS: u32 = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_delivered_without_a_claim_and_nothing_acknowledged_before_done() {
        let mut errand = Errand::new(7, 1);
        assert_eq!(errand.start(), Step::Do(Action::Claim));
        assert_eq!(
            errand.claimed(Some(Claim::Go { attempt: 2 }), 0),
            Step::Do(Action::Deliver { attempt: 2 })
        );
        assert_eq!(
            errand.delivered(Next::Done),
            Step::Do(Action::Report(Report::Done))
        );
        assert_eq!(errand.reported(), Step::End(End::Acknowledge));
    }

    #[test]
    fn a_busy_event_is_sent_again_and_does_not_count() {
        let busy = Some(Claim::Busy { until_ms: 45_500 });
        let step = Errand::new(7, 1).claimed(busy, 1_000);
        assert_eq!(step, Step::End(End::SendAgain { seconds: 45 }));
        assert_eq!(
            Errand::new(7, 1).claimed(Some(Claim::Settled), 0),
            Step::End(End::Acknowledge)
        );
        let rerun = Errand::new(7, 1).claimed(Some(Claim::Rerun { run: 3 }), 0);
        assert_eq!(rerun, Step::End(End::SendAs { run: 3 }));
        assert_eq!(
            Errand::new(7, 2).claimed(None, 0),
            Step::End(End::Retry { seconds: 60 })
        );
    }

    #[test]
    fn what_a_backend_does_not_take_leaves_the_fast_queue() {
        let mut errand = Errand::new(7, 1);
        assert_eq!(
            errand.delivered(Next::RetryIn { seconds: 9 }),
            Step::Do(Action::Report(Report::Release))
        );
        let again = Step::End(End::SendAgain { seconds: 9 });
        assert_eq!(errand.reported(), again);
        let later = Some(Claim::Later { until_ms: 8_500 });
        assert_eq!(errand.claimed(later, 0), again);
    }

    #[test]
    fn what_cannot_be_kept_comes_again() {
        let mut errand = Errand::new(7, 1);
        let cause = DeathCause::AttemptsExhausted;
        assert_eq!(
            errand.delivered(Next::Dead(cause)),
            Step::Do(Action::Bury(cause))
        );
        assert_eq!(
            errand.buried(false),
            Step::Do(Action::Report(Report::Release))
        );
        assert_eq!(errand.reported(), Step::End(End::Retry { seconds: 30 }));
        assert_eq!(errand.buried(true), Step::Do(Action::Report(Report::Dead)));
        assert_eq!(errand.reported(), Step::End(End::Acknowledge));
    }

    #[test]
    fn a_lease_outlives_the_slowest_attempt() {
        assert_eq!(lease_ms(15), 45_000);
    }
}
