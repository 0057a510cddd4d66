//! Forgetting an event, by an operator's hand: the provider's next resend of it is another run.
//!
//! That it was forgotten stands in the event's own row, and stays until a run follows, or the row's life is
//! over. Whoever comes next is that run: an arrival here; one that KV has seen, which is brought here for
//! this reason alone; or a message of the queue that nobody asked about before its consumer does.

use super::{Arrival, Row, State, arrive};

/// What became of an operator's wish to have an event forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Forget {
    /// The next one to come is this run.
    Granted { run: u32 },
    /// It is held, on the queue, or between two attempts.
    OnItsWay,
    /// Somebody is delivering it, at the latest until then.
    Busy { until_ms: i64 },
    /// There is no row: what came is not known here, or no consumer has had it yet.
    Unknown,
}

/// An operator has an event forgotten. While it is on its way, the run that is under way and the next one would
/// both be delivered: then the operator has to `insist`. Nothing that is under way ends by this.
pub fn forget(
    row: Option<Row>,
    insist: bool,
    now_ms: i64,
    expires_ms: i64,
) -> (Forget, Option<Row>) {
    let alive = row.filter(|row| row.is_alive(now_ms));
    let refusal = match alive.map(|row| row.state) {
        _ if insist => None,
        None => Some(Forget::Unknown),
        Some(State::Claimed { until_ms, .. }) if until_ms > now_ms => {
            Some(Forget::Busy { until_ms })
        }
        Some(State::Open | State::Claimed { .. }) => Some(Forget::OnItsWay),
        Some(State::Done | State::Dead) => None,
    };
    if let Some(refusal) = refusal {
        return (refusal, None);
    }
    // Of an event that is on the queue and has no row yet, this run is the one on the queue.
    let run = row.map_or(0, |row| row.run);
    let row = Row {
        is_forgotten: true,
        expires_ms,
        ..alive.unwrap_or(Row::new(run, State::Open, expires_ms))
    };
    let run = run.saturating_add(1);
    (Forget::Granted { run }, Some(row))
}

/// An event arrives that KV has seen. Without a row it is on the queue, and no consumer has had it yet.
pub fn come_back(row: Option<Row>, now_ms: i64, expires_ms: i64) -> (Arrival, Option<Row>) {
    match row.filter(|row| row.is_alive(now_ms)) {
        None => (Arrival::Duplicate, None),
        row => arrive(row, now_ms, expires_ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::{LATER, NOW, row, states};
    use crate::ledger::{Claim, claim, dead, done, redrive, release};

    const MUCH_LATER: i64 = LATER + 1;

    fn forgotten(state: State) -> Option<Row> {
        forget(row(state), true, NOW, MUCH_LATER).1
    }

    #[test]
    fn what_is_at_its_end_is_forgotten_and_what_is_under_way_only_if_an_operator_insists() {
        for state in states() {
            let expected = match state {
                State::Claimed { until_ms, .. } if until_ms > NOW => Forget::Busy { until_ms },
                State::Open | State::Claimed { .. } => Forget::OnItsWay,
                State::Done | State::Dead => Forget::Granted { run: 2 },
            };
            let (told, written) = forget(row(state), false, NOW, MUCH_LATER);
            assert_eq!(told, expected, "{state:?}");
            let granted = expected == Forget::Granted { run: 2 };
            assert_eq!(written.is_some(), granted, "{state:?}");
            let (told, written) = forget(row(state), true, NOW, MUCH_LATER);
            assert_eq!(told, Forget::Granted { run: 2 });
            let kept = Row {
                is_forgotten: true,
                expires_ms: MUCH_LATER,
                ..row(state).unwrap()
            };
            assert_eq!(written, Some(kept), "what is under way stays so");
            // Asked again, as after a lost answer, it gives the same run.
            assert_eq!(
                forget(written, true, NOW, MUCH_LATER).0,
                Forget::Granted { run: 2 }
            );
        }
        let gone = Some(Row::new(3, State::Done, NOW));
        for unknown in [None, gone] {
            assert_eq!(forget(unknown, false, NOW, LATER).0, Forget::Unknown);
        }
        assert_eq!(forget(gone, true, NOW, LATER).0, Forget::Granted { run: 4 });
    }

    #[test]
    fn the_next_arrival_is_the_next_run_and_the_one_after_it_a_duplicate() {
        for state in states() {
            for takes in [arrive, come_back] {
                let (arrival, opened) = takes(forgotten(state), NOW, LATER);
                assert_eq!(arrival, Arrival::Revived { run: 2 }, "{state:?}");
                assert_eq!(opened, Some(Row::new(2, State::Open, LATER)));
                assert_eq!(takes(opened, NOW, LATER), (Arrival::Duplicate, None));
            }
        }
    }

    #[test]
    fn what_kv_has_seen_is_new_to_nobody() {
        assert_eq!(come_back(None, NOW, LATER), (Arrival::Duplicate, None));
        for state in states() {
            assert_eq!(
                come_back(row(state), NOW, LATER),
                arrive(row(state), NOW, LATER)
            );
        }
    }

    #[test]
    fn a_message_that_nobody_asked_about_is_sent_as_the_next_run_and_the_run_under_way_goes_on() {
        for state in states() {
            let known = forgotten(state);
            // Of an older run, whatever the state.
            let older = claim(known, 0, 8, NOW, 50, LATER);
            assert_eq!(older, (Claim::Rerun { run: 2 }, None), "{state:?}");
            let (told, written) = claim(known, 1, 8, NOW, 50, LATER);
            match state {
                State::Done | State::Dead => {
                    assert_eq!((told, written), (Claim::Rerun { run: 2 }, None));
                }
                State::Claimed { until_ms, .. } if until_ms > NOW => {
                    assert_eq!(told, Claim::Busy { until_ms });
                }
                _ => {
                    assert_eq!(told, Claim::Go { attempt: 1 });
                    assert!(written.unwrap().is_forgotten, "{state:?}");
                }
            }
            let (told, written) = claim(known, 2, 8, NOW, 50, LATER);
            assert_eq!(told, Claim::Go { attempt: 1 });
            assert!(!written.unwrap().is_forgotten, "it was the next to come");
        }
    }

    #[test]
    fn reports_of_the_run_under_way_take_nothing_back() {
        for state in states() {
            let known = forgotten(state);
            let reports = [
                done(known, 1, LATER),
                dead(known, 1, Some(7), NOW, LATER),
                release(known, 1, 7),
            ];
            for written in reports.into_iter().flatten() {
                assert!(written.is_forgotten, "{state:?}");
            }
            let again = redrive(known, 1, true, NOW, LATER).1.unwrap();
            assert!(!again.is_forgotten, "a redrive is the next run itself");
        }
    }
}
