//! The ledger's rules: one row an event, whatever road it took, and what may happen to it.
//!
//! ```text
//!            arrive             claim             done
//!   (none) ---------> Open <--------------> Claimed ---------> Done
//!      \________________^      release      /     \
//!        claim: an event of the KV road is         dead -----> Dead
//!        first seen here by its consumer                         | arrive: Revived
//!                                                                v
//!                                                         Open, the next run
//! ```
//!
//! What an operator had forgotten ([`forget`]) is treated like the dead, whatever its state: the next to
//! come is its next run.
//!
//! These functions decide; `edge/ledger_object.rs` reads a row, asks, and writes the row back, in one
//! synchronous step of a Durable Object, so that no two callers ever see the same row unchanged.
//!
//! A row belongs to a *run* of its event: 0 as it came, and one more for each redrive or revival.
//! What speaks of an older run than the row's is told that its work is done.

mod forget;
mod home;
mod pace;
mod protocol;
mod redrive;
mod words;

pub use forget::{Forget, come_back, forget};
pub use home::{Home, every_home, homes, tenant_home};
pub use pace::{Fresh, Pace};
pub use protocol::{Ask, Reply, Request, answer};
pub use redrive::{Redrive, redrive};

/// How long dead letters are looked after before a later redrive counts as an event of its own.
const DEAD_LETTER_SECONDS: u32 = 30 * 86_400;

/// How long a row is kept, in milliseconds: as long as a copy of the event could come from anywhere,
/// from the provider, from the queue, and from the dead letters.
pub fn row_life_ms(dedup_retention_seconds: u32, queue_retention_seconds: u32) -> i64 {
    let seconds = i64::from(dedup_retention_seconds)
        + i64::from(queue_retention_seconds)
        + i64::from(DEAD_LETTER_SECONDS);
    seconds * 1_000
}

/// What the ledger knows of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    pub run: u32,
    pub state: State,
    /// Claims granted in this run: the attempts at the backend.
    pub attempts: u32,
    /// When the row may be deleted, in milliseconds since 1970.
    pub expires_ms: i64,
    /// An operator had it forgotten: whatever becomes of this run, what comes next is another one.
    pub is_forgotten: bool,
}

/// How far an event has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Held here or on the queue, and nobody is delivering it.
    Open,
    /// One consumer is delivering it, until the lease ends.
    Claimed { owner: Owner, until_ms: i64 },
    /// The backend has it. Absorbing within its run.
    Done,
    /// Given up: in the dead letters.
    Dead,
}

/// Who holds a claim: random, fresh for each delivery of a message, and the same when the question
/// is repeated because its answer was lost.
pub type Owner = u64;

/// What became of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arrival {
    /// Not seen before: held now.
    New,
    /// A dead event, or one that an operator had forgotten, came again: it is opened for another run
    /// instead of being swallowed.
    Revived {
        run: u32,
    },
    Duplicate,
}

/// The answer to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Claim {
    /// Deliver it. `attempt` counts from 1.
    Go { attempt: u32 },
    /// Somebody else is delivering it, at the latest until then.
    Busy { until_ms: i64 },
    /// Nobody has it, but the backend is to be spared until then.
    Later { until_ms: i64 },
    /// An operator had the event forgotten: it is to be sent as this run, and claimed anew.
    Rerun { run: u32 },
    /// Nothing is left to do for this run: acknowledge.
    Settled,
}

impl Row {
    fn new(run: u32, state: State, expires_ms: i64) -> Self {
        Row {
            run,
            state,
            attempts: 0,
            expires_ms,
            is_forgotten: false,
        }
    }

    /// The next run, open.
    fn next_run(self, expires_ms: i64) -> Self {
        Row::new(self.run.saturating_add(1), State::Open, expires_ms)
    }

    /// Whether it still counts.
    pub fn is_alive(&self, now_ms: i64) -> bool {
        self.expires_ms > now_ms
    }
}

/// An event arrives to be held here. `None` in the second place: the row stays as it is.
pub fn arrive(row: Option<Row>, now_ms: i64, expires_ms: i64) -> (Arrival, Option<Row>) {
    match row.filter(|row| row.is_alive(now_ms)) {
        None => (Arrival::New, Some(Row::new(0, State::Open, expires_ms))),
        Some(row) if row.is_forgotten || row.state == State::Dead => {
            let row = row.next_run(expires_ms);
            (Arrival::Revived { run: row.run }, Some(row))
        }
        Some(_) => (Arrival::Duplicate, None),
    }
}

/// An event that went to the queue without asking is remembered, so that a copy arriving here later
/// is a duplicate.
pub fn note(row: Option<Row>, now_ms: i64, expires_ms: i64) -> Option<Row> {
    match row.filter(|row| row.is_alive(now_ms)) {
        None => Some(Row::new(0, State::Open, expires_ms)),
        Some(_) => None,
    }
}

/// A consumer asks for the right to deliver `run`.
pub fn claim(
    row: Option<Row>,
    run: u32,
    owner: Owner,
    now_ms: i64,
    lease_ms: i64,
    expires_ms: i64,
) -> (Claim, Option<Row>) {
    let until_ms = now_ms.saturating_add(lease_ms);
    let fresh = Row::new(run, State::Open, expires_ms);
    let grant = |row: Row, attempts: u32| {
        let attempts = attempts.saturating_add(1);
        let state = State::Claimed { owner, until_ms };
        let row = Row {
            state,
            attempts,
            ..row
        };
        (Claim::Go { attempt: attempts }, Some(row))
    };
    let Some(row) = row.filter(|row| row.is_alive(now_ms)) else {
        return grant(fresh, 0);
    };
    if row.run < run {
        return grant(fresh, 0);
    }
    let is_over = row.run > run || matches!(row.state, State::Done | State::Dead);
    // It came by another memory than this one, so nobody gave it its run. The row stays as it is: should the
    // caller die before he sends it, it is asked again.
    if is_over && row.is_forgotten {
        let run = row.run.saturating_add(1);
        return (Claim::Rerun { run }, None);
    }
    if row.run > run {
        return (Claim::Settled, None);
    }
    match row.state {
        State::Open => grant(row, row.attempts),
        // The answer to this very question was lost: the same answer again.
        State::Claimed { owner: holder, .. } if holder == owner => {
            grant(row, row.attempts.saturating_sub(1))
        }
        State::Claimed { until_ms, .. } if until_ms > now_ms => (Claim::Busy { until_ms }, None),
        State::Claimed { .. } => grant(row, row.attempts),
        State::Done | State::Dead => (Claim::Settled, None),
    }
}

/// The backend has `run`. Whoever says so is believed: it was delivered, by whatever claim.
pub fn done(row: Option<Row>, run: u32, expires_ms: i64) -> Option<Row> {
    settle(row, run, State::Done, expires_ms)
}

/// `run` was given up: by the holder of its claim (`owner`), or by whoever found its letter. A run
/// that is done stays done; and while somebody is delivering it, no letter of an earlier attempt may
/// open it to a revival.
pub fn dead(
    row: Option<Row>,
    run: u32,
    owner: Option<Owner>,
    now_ms: i64,
    expires_ms: i64,
) -> Option<Row> {
    match row {
        Some(row) if row.run == run => match row.state {
            State::Done => None,
            State::Claimed {
                owner: holder,
                until_ms,
            } if owner != Some(holder) && until_ms > now_ms => None,
            State::Open | State::Claimed { .. } | State::Dead => {
                settle(Some(row), run, State::Dead, expires_ms)
            }
        },
        other => settle(other, run, State::Dead, expires_ms),
    }
}

fn settle(row: Option<Row>, run: u32, state: State, expires_ms: i64) -> Option<Row> {
    match row {
        Some(row) if row.run > run => None,
        Some(row) => Some(Row { run, state, ..row }),
        None => Some(Row::new(run, state, expires_ms)),
    }
}

/// An attempt failed and the event will come again. Only the holder may release: a stranger whose
/// lease is over would open the event to a second delivery under the new holder's nose.
pub fn release(row: Option<Row>, run: u32, owner: Owner) -> Option<Row> {
    let row = row?;
    match row.state {
        State::Claimed { owner: holder, .. } if holder == owner && row.run == run => Some(Row {
            state: State::Open,
            ..row
        }),
        State::Open | State::Claimed { .. } | State::Done | State::Dead => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const NOW: i64 = 1_000;
    pub(super) const LATER: i64 = 1_000_000;

    pub(super) fn row(state: State) -> Option<Row> {
        Some(Row::new(1, state, LATER))
    }

    pub(super) fn states() -> [State; 5] {
        [
            State::Open,
            State::Claimed {
                owner: 7,
                until_ms: NOW + 1,
            },
            State::Claimed {
                owner: 7,
                until_ms: NOW,
            },
            State::Done,
            State::Dead,
        ]
    }

    #[test]
    fn only_the_first_arrival_is_new_and_only_the_dead_are_revived() {
        assert_eq!(arrive(None, NOW, LATER).0, Arrival::New);
        for state in states() {
            let (arrival, written) = arrive(row(state), NOW, LATER);
            let revived = state == State::Dead;
            assert_eq!(arrival == Arrival::Revived { run: 2 }, revived, "{state:?}");
            assert_eq!(arrival == Arrival::Duplicate, !revived, "{state:?}");
            assert_eq!(written.is_some(), revived, "{state:?}");
            let expired = Some(Row::new(1, state, NOW));
            assert_eq!(arrive(expired, NOW, LATER).0, Arrival::New);
        }
    }

    #[test]
    fn one_claim_at_a_time() {
        for state in states() {
            let (claim, written) = claim(row(state), 1, 8, NOW, 50, LATER);
            let expected = match state {
                State::Claimed { until_ms, .. } if until_ms > NOW => Claim::Busy { until_ms },
                State::Done | State::Dead => Claim::Settled,
                _ => Claim::Go { attempt: 1 },
            };
            assert_eq!(claim, expected, "{state:?}");
            assert_eq!(
                written.is_some(),
                matches!(claim, Claim::Go { .. }),
                "{state:?}"
            );
        }
    }

    #[test]
    fn a_repeated_question_gets_the_same_answer() {
        let (first, written) = claim(None, 0, 8, NOW, 50, LATER);
        let (second, again) = claim(written, 0, 8, NOW + 10, 50, LATER);
        assert_eq!(
            (first, second),
            (Claim::Go { attempt: 1 }, Claim::Go { attempt: 1 })
        );
        assert_eq!(again.unwrap().attempts, 1);
    }

    #[test]
    fn runs_do_not_disturb_each_other() {
        assert_eq!(
            claim(row(State::Open), 0, 8, NOW, 50, LATER).0,
            Claim::Settled
        );
        assert_eq!(
            claim(row(State::Done), 2, 8, NOW, 50, LATER).0,
            Claim::Go { attempt: 1 }
        );
        assert_eq!(
            (
                done(row(State::Open), 0, LATER),
                dead(row(State::Open), 0, None, NOW, LATER)
            ),
            (None, None)
        );
    }

    #[test]
    fn done_absorbs_and_only_the_holder_releases() {
        for state in states() {
            assert_eq!(
                done(row(state), 1, LATER).unwrap().state,
                State::Done,
                "{state:?}"
            );
            let released = release(row(state), 1, 7);
            assert_eq!(
                released.is_some(),
                matches!(state, State::Claimed { .. }),
                "{state:?}"
            );
            assert_eq!(
                release(row(state), 1, 8),
                None,
                "{state:?}: released by a stranger"
            );
        }
        for state in states() {
            for owner in [None, Some(7), Some(8)] {
                let alive = match state {
                    State::Claimed { until_ms, .. } => until_ms > NOW && owner != Some(7),
                    State::Open | State::Done | State::Dead => state == State::Done,
                };
                let died = dead(row(state), 1, owner, NOW, LATER);
                assert_eq!(died.is_none(), alive, "{state:?}, {owner:?}");
            }
        }
        assert_eq!(done(None, 3, LATER).unwrap().run, 3);
    }
}
