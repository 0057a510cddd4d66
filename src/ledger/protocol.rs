//! What is asked of the ledger and what it answers: JSON, because callers and objects of different
//! versions meet during a deploy.

use serde::{Deserialize, Serialize};

use super::{Arrival, Claim, Owner, Row, State, arrive, claim, dead, done, note, redrive, release};

/// A question about one event. `key` is the event's dedup key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Request {
    pub key: String,
    /// When a row made by this request may be forgotten, in milliseconds since 1970.
    pub expires_ms: i64,
    #[serde(flatten)]
    pub ask: Ask,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Ask {
    /// Hold the message that comes with the request.
    Arrive,
    Note,
    Claim {
        run: u32,
        owner: Owner,
        lease_ms: i64,
    },
    Done {
        run: u32,
    },
    /// Answered [`Reply::Settled`] where the backend has the event already, and [`Reply::Busy`] where
    /// somebody else is delivering it.
    Dead {
        run: u32,
        /// The holder of the claim, where it is the one who says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<Owner>,
    },
    Release {
        run: u32,
        owner: Owner,
    },
    Redrive {
        run_at_least: u32,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum Reply {
    New,
    Revived { run: u32 },
    Duplicate,
    Go { attempt: u32 },
    Busy { until_ms: i64 },
    Settled,
    Redriven { run: u32 },
    Noted,
}

/// Answers a request from the event's row, and gives the row to write where it changes.
pub fn answer(row: Option<Row>, request: &Request, now_ms: i64) -> (Reply, Option<Row>) {
    let expires_ms = request.expires_ms;
    match request.ask {
        Ask::Arrive => {
            let (arrival, row) = arrive(row, now_ms, expires_ms);
            let reply = match arrival {
                Arrival::New => Reply::New,
                Arrival::Revived { run } => Reply::Revived { run },
                Arrival::Duplicate => Reply::Duplicate,
            };
            (reply, row)
        }
        Ask::Note => (Reply::Noted, note(row, now_ms, expires_ms)),
        Ask::Claim {
            run,
            owner,
            lease_ms,
        } => {
            let (claim, row) = claim(row, run, owner, now_ms, lease_ms, expires_ms);
            let reply = match claim {
                Claim::Go { attempt } => Reply::Go { attempt },
                Claim::Busy { until_ms } => Reply::Busy { until_ms },
                Claim::Settled => Reply::Settled,
            };
            (reply, row)
        }
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
        Ask::Release { run, owner } => (Reply::Noted, release(row, run, owner)),
        Ask::Redrive { run_at_least } => {
            let (run, row) = redrive(row, run_at_least, expires_ms);
            (Reply::Redriven { run }, Some(row))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Objects and callers of two versions meet during a deploy: these texts may be added to, and
    /// never changed.
    #[test]
    fn the_words_are_pinned() {
        let request = |ask| {
            let request = Request {
                key: "ab".into(),
                expires_ms: 9,
                ask,
            };
            let text = serde_json::to_string(&request).unwrap();
            assert_eq!(serde_json::from_str::<Request>(&text).unwrap(), request);
            text
        };
        assert_eq!(
            request(Ask::Arrive),
            r#"{"key":"ab","expires_ms":9,"ask":"arrive"}"#
        );
        assert_eq!(
            request(Ask::Claim {
                run: 1,
                owner: 7,
                lease_ms: 5
            }),
            r#"{"key":"ab","expires_ms":9,"ask":"claim","run":1,"owner":7,"lease_ms":5}"#
        );
        let reply = |reply: Reply| serde_json::to_string(&reply).unwrap();
        assert_eq!(
            reply(Reply::Go { attempt: 2 }),
            r#"{"reply":"go","attempt":2}"#
        );
        assert_eq!(reply(Reply::Settled), r#"{"reply":"settled"}"#);
    }
}
