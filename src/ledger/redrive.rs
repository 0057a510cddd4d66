//! Sending a dead event again, by an operator's hand.

use super::{Row, State};

/// What became of an operator's wish to send an event again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Redrive {
    /// It is opened for this run.
    Granted { run: u32 },
    /// It is held, on the queue, or between two attempts.
    OnItsWay,
    /// Somebody is delivering it, at the latest until then.
    Busy { until_ms: i64 },
    /// The backend has it.
    Delivered,
}

/// An operator sends an event again, from the letter of the run `run_at_least`: as the next run, if
/// this one is dead. While it is alive, and once it is done, that would deliver it twice: then the
/// operator has to `insist`, and what there was of former runs is over.
pub fn redrive(
    row: Option<Row>,
    run_at_least: u32,
    insist: bool,
    now_ms: i64,
    expires_ms: i64,
) -> (Redrive, Option<Row>) {
    let known = row.filter(|row| row.is_alive(now_ms) && row.run >= run_at_least && !insist);
    let refusal = match known.map(|row| row.state) {
        Some(State::Claimed { until_ms, .. }) if until_ms > now_ms => {
            Some(Redrive::Busy { until_ms })
        }
        // A claim whose time is over: its message comes again, or the report of its end was lost.
        Some(State::Open | State::Claimed { .. }) => Some(Redrive::OnItsWay),
        Some(State::Done) => Some(Redrive::Delivered),
        Some(State::Dead) | None => None,
    };
    if let Some(refusal) = refusal {
        return (refusal, None);
    }
    let run = row
        .map_or(0, |row| row.run)
        .max(run_at_least)
        .saturating_add(1);
    let row = Row::new(run, State::Open, expires_ms);
    (Redrive::Granted { run }, Some(row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::{LATER, NOW, row, states};

    #[test]
    fn a_redrive_is_always_a_run_of_its_own() {
        for state in states() {
            let (redriven, written) = redrive(row(state), 0, true, NOW, LATER);
            assert_eq!(redriven, Redrive::Granted { run: 2 }, "{state:?}");
            assert_eq!(written, Some(Row::new(2, State::Open, LATER)), "{state:?}");
        }
        let granted = Redrive::Granted { run: 5 };
        assert_eq!(redrive(None, 4, false, NOW, LATER).0, granted);
    }

    #[test]
    fn what_is_alive_or_done_is_not_sent_again_unless_an_operator_insists() {
        for state in states() {
            let expected = match state {
                State::Claimed { until_ms, .. } if until_ms > NOW => Redrive::Busy { until_ms },
                State::Open | State::Claimed { .. } => Redrive::OnItsWay,
                State::Done => Redrive::Delivered,
                State::Dead => Redrive::Granted { run: 2 },
            };
            let (redriven, written) = redrive(row(state), 1, false, NOW, LATER);
            assert_eq!(redriven, expected, "{state:?}");
            assert_eq!(written.is_some(), state == State::Dead, "{state:?}");
            // Of a run that the row has not heard of, and of a row that has expired, nothing follows.
            let granted = Redrive::Granted { run: 3 };
            assert_eq!(redrive(row(state), 2, false, NOW, LATER).0, granted);
            let expired = Some(Row::new(2, state, NOW));
            assert_eq!(redrive(expired, 0, false, NOW, LATER).0, granted);
        }
    }
}
