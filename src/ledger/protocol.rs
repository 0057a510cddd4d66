//! What is asked of the ledger and what it answers.

use super::{
    Arrival, Claim, Forget, Fresh, Owner, Redrive, Row, State, arrive, claim, come_back, dead,
    done, forget, note, redrive, release,
};

/// A question about one event. `key` is the event's dedup key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub key: String,
    /// When a row made by this request may be forgotten, in milliseconds since 1970.
    pub expires_ms: i64,
    /// The caller knows of a newer epoch: open no rows here, now and from now on.
    pub newer: bool,
    pub ask: Ask,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Hold the message that comes with the request.
    Arrive,
    /// The same of an event that KV has seen: it is held if it is dead or was forgotten here, and a
    /// [`Reply::Duplicate`] otherwise, also where no consumer has made it known yet.
    Return,
    /// What would an arrival be told? Nothing is written: a dead event would be taken, so it is
    /// [`Reply::New`] as well.
    Seek,
    Note,
    Claim {
        run: u32,
        owner: Owner,
        lease_ms: i64,
        /// Of a message that was never told to come later: it may be answered [`Reply::Later`].
        fresh: Option<Fresh>,
    },
    /// Asked of a tenant's object, about no event: a delivery's turn, of so many a second. Answered
    /// [`Reply::Later`] or [`Reply::Noted`].
    Turn {
        per_second_max: u32,
    },
    Done {
        run: u32,
    },
    /// Answered [`Reply::Settled`] where the backend has the event already, and [`Reply::Busy`] where
    /// somebody else is delivering it.
    Dead {
        run: u32,
        /// The holder of the claim, where it is the one who says so.
        owner: Option<Owner>,
    },
    Release {
        run: u32,
        owner: Owner,
        /// The backend did not take it, and is to be left alone for so long. `None`: our own trouble.
        slow_seconds: Option<u32>,
    },
    /// Answered [`Reply::Redriven`]; or, unless the operator insists, [`Reply::OnItsWay`],
    /// [`Reply::Busy`] and [`Reply::Settled`].
    Redrive {
        run_at_least: u32,
        insist: bool,
    },
    /// The next one to come is another run. Answered [`Reply::Forgotten`]; or, unless the operator insists,
    /// [`Reply::OnItsWay`], [`Reply::Busy`] and [`Reply::Unknown`].
    Forget {
        insist: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    New,
    Revived {
        run: u32,
    },
    Duplicate,
    Go {
        attempt: u32,
    },
    Busy {
        until_ms: i64,
    },
    /// Not claimed: the backend is to be spared until then ([`Pace`](super::Pace)).
    Later {
        until_ms: i64,
    },
    Settled,
    /// Send it as this run, and claim it anew: an operator had it forgotten.
    Rerun {
        run: u32,
    },
    Redriven {
        run: u32,
    },
    /// The next one to come is this run.
    Forgotten {
        run: u32,
    },
    /// There is no row of the event.
    Unknown,
    Noted,
    OnItsWay,
    /// This object has no row of the event and opens none: ask the next one.
    Elsewhere,
}

/// Answers a request from the event's row, and gives the row to write where it changes. `is_closed`:
/// somebody who knew of a newer epoch was here, now or before.
pub fn answer(
    row: Option<Row>,
    request: &Request,
    is_closed: bool,
    now_ms: i64,
) -> (Reply, Option<Row>) {
    let expires_ms = request.expires_ms;
    if is_closed && !row.is_some_and(|row| row.is_alive(now_ms)) {
        return (Reply::Elsewhere, None);
    }
    match request.ask {
        Ask::Arrive | Ask::Return => {
            let takes = match request.ask {
                Ask::Return => come_back,
                _ => arrive,
            };
            let (arrival, row) = takes(row, now_ms, expires_ms);
            let reply = match arrival {
                Arrival::New => Reply::New,
                Arrival::Revived { run } => Reply::Revived { run },
                Arrival::Duplicate => Reply::Duplicate,
            };
            (reply, row)
        }
        Ask::Seek => match arrive(row, now_ms, expires_ms).0 {
            Arrival::New | Arrival::Revived { .. } => (Reply::New, None),
            Arrival::Duplicate => (Reply::Duplicate, None),
        },
        Ask::Note => (Reply::Noted, note(row, now_ms, expires_ms)),
        Ask::Claim {
            run,
            owner,
            lease_ms,
            fresh: _,
        } => {
            let (claim, row) = claim(row, run, owner, now_ms, lease_ms, expires_ms);
            let reply = match claim {
                Claim::Go { attempt } => Reply::Go { attempt },
                Claim::Busy { until_ms } => Reply::Busy { until_ms },
                Claim::Later { until_ms } => Reply::Later { until_ms },
                Claim::Rerun { run } => Reply::Rerun { run },
                Claim::Settled => Reply::Settled,
            };
            (reply, row)
        }
        Ask::Turn { .. } => (Reply::Noted, None),
        Ask::Done { run } => (Reply::Noted, done(row, run, expires_ms)),
        Ask::Dead { run, owner } => {
            let reply = match row.filter(|row| row.run == run).map(|row| row.state) {
                Some(State::Done) => Reply::Settled,
                Some(State::Claimed {
                    owner: holder,
                    until_ms,
                }) if owner != Some(holder) && until_ms > now_ms => Reply::Busy { until_ms },
                _ => Reply::Noted,
            };
            (reply, dead(row, run, owner, now_ms, expires_ms))
        }
        Ask::Release { run, owner, .. } => (Reply::Noted, release(row, run, owner)),
        Ask::Redrive {
            run_at_least,
            insist,
        } => {
            let (redriven, row) = redrive(row, run_at_least, insist, now_ms, expires_ms);
            let reply = match redriven {
                Redrive::Granted { run } => Reply::Redriven { run },
                Redrive::OnItsWay => Reply::OnItsWay,
                Redrive::Busy { until_ms } => Reply::Busy { until_ms },
                Redrive::Delivered => Reply::Settled,
            };
            (reply, row)
        }
        Ask::Forget { insist } => {
            let (forgotten, row) = forget(row, insist, now_ms, expires_ms);
            let reply = match forgotten {
                Forget::Granted { run } => Reply::Forgotten { run },
                Forget::OnItsWay => Reply::OnItsWay,
                Forget::Busy { until_ms } => Reply::Busy { until_ms },
                Forget::Unknown => Reply::Unknown,
            };
            (reply, row)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIM: Ask = Ask::Claim {
        run: 1,
        owner: 7,
        lease_ms: 5,
        fresh: None,
    };
    const DONE: Ask = Ask::Done { run: 1 };
    const DEAD: Ask = Ask::Dead {
        run: 1,
        owner: None,
    };
    const RELEASE: Ask = Ask::Release {
        run: 1,
        owner: 7,
        slow_seconds: None,
    };
    const REDRIVE: Ask = Ask::Redrive {
        run_at_least: 3,
        insist: false,
    };

    #[test]
    fn seeking_tells_what_an_arrival_would_be_told_and_writes_nothing() {
        let states = [
            State::Open,
            State::Claimed {
                owner: 7,
                until_ms: 9,
            },
            State::Done,
            State::Dead,
        ];
        let alive = states.map(|state| Row {
            run: 0,
            state,
            attempts: 0,
            expires_ms: 9,
            is_forgotten: false,
        });
        for row in [None].into_iter().chain(alive.map(Some)) {
            for now_ms in [5, 10] {
                let told = |ask| {
                    let request = Request {
                        key: "ab".into(),
                        expires_ms: 99,
                        newer: false,
                        ask,
                    };
                    answer(row, &request, false, now_ms)
                };
                let arriving = told(Ask::Arrive).0 == Reply::Duplicate;
                let (reply, written) = told(Ask::Seek);
                assert_eq!(reply == Reply::Duplicate, arriving, "{row:?}");
                assert_eq!(written, None, "{row:?}");
            }
        }
    }

    #[test]
    fn a_closed_object_opens_nothing_and_looks_after_what_it_has() {
        let alive = Row {
            run: 1,
            state: State::Dead,
            attempts: 0,
            expires_ms: 9,
            is_forgotten: false,
        };
        for ask in [
            Ask::Arrive,
            Ask::Return,
            Ask::Seek,
            Ask::Note,
            CLAIM,
            DONE,
            DEAD,
            RELEASE,
            REDRIVE,
            Ask::Forget { insist: true },
        ] {
            let request = Request {
                key: "ab".into(),
                expires_ms: 9,
                newer: true,
                ask,
            };
            for gone in [
                None,
                Some(Row {
                    expires_ms: 5,
                    ..alive
                }),
            ] {
                assert_eq!(
                    answer(gone, &request, true, 5),
                    (Reply::Elsewhere, None),
                    "{ask:?}"
                );
            }
            let open = answer(Some(alive), &request, false, 5);
            assert_eq!(answer(Some(alive), &request, true, 5), open, "{ask:?}");
        }
    }
}
