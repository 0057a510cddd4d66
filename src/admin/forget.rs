//! Which event an operator has forgotten, and what he is told.

use std::sync::Arc;

use serde_json::Value;

use crate::admission::keys_of_id;
use crate::answer::{Answer, problem};
use crate::consumer::busy_seconds;
use crate::gate::LiveSource;
use crate::ledger::Reply;

/// An operator's wish: that the next resend of an event is delivered once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub source: String,
    pub named: Named,
    /// Also while it is on its way, and where the ledger does not know it.
    pub insist: bool,
}

/// How an event is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// By the key that the log and the deliveries' records have: 64 hex digits.
    Key(String),
    /// By the provider's id, where that alone is its identity.
    Id(String),
}

impl Wish {
    /// Reads `{"source", "dedup_key" or "event_id", "again"}`. `None`: it is not that.
    pub fn parse(body: &str) -> Option<Wish> {
        let body: Value = serde_json::from_str(body).ok()?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let is_key = |key: &String| {
            let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            key.len() == 64 && key.bytes().all(is_digit)
        };
        let named = match (text("dedup_key"), text("event_id")) {
            (Some(key), None) => Named::Key(Some(key).filter(is_key)?),
            (None, Some(id)) => Named::Id(Some(id).filter(|id| !id.is_empty())?),
            _ => return None,
        };
        Some(Wish {
            source: text("source")?,
            named,
            insist: body.get("again") == Some(&Value::Bool(true)),
        })
    }

    /// The keys to ask the ledger about, one after the other until it knows one.
    ///
    /// # Errors
    /// The answer that says why there is none.
    pub fn keys(&self, live: &Arc<LiveSource>, request_id: &str) -> Result<Vec<String>, Answer> {
        let keys = match &self.named {
            Named::Key(key) => vec![key.clone()],
            Named::Id(id) => keys_of_id(live, id),
        };
        if keys.is_empty() {
            let title = "The source knows its events by more than an id";
            let detail =
                "Name it by dedup_key: the log lines of its verdict and of its delivery have it.";
            return Err(problem(
                422,
                "needs-dedup-key",
                title,
                Some(detail),
                request_id,
            ));
        }
        Ok(keys)
    }
}

/// What the ledger has against having an event forgotten. `None`: nothing.
pub fn not_forgotten(reply: Reply, now_ms: i64, request_id: &str) -> Option<Answer> {
    let (status, kind, title, detail) = match reply {
        Reply::Forgotten { .. } => return None,
        Reply::Busy { until_ms } => {
            let seconds = busy_seconds(until_ms, now_ms);
            let detail =
                format!("It is in the backend's hands for at most {seconds} seconds more.");
            (409, "being-delivered", "It is being delivered", detail)
        }
        Reply::OnItsWay => {
            let detail = "It is held, on the queue, or between two attempts.";
            (409, "on-its-way", "It is on its way", detail.to_owned())
        }
        _ => {
            let detail = "It was never taken, its time is over, or no consumer has had it yet.";
            (
                404,
                "unknown-event",
                "The ledger does not know this event",
                detail.to_owned(),
            )
        }
    };
    let detail =
        detail + " Use --again, or again = true, to have the next resend delivered besides.";
    Some(problem(status, kind, title, Some(&detail), request_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_named_in_one_way() {
        let key = "0f".repeat(32);
        let wish = Wish::parse(&format!(
            r#"{{"source":"shop","dedup_key":"{key}","again":true}}"#
        ));
        let expected = Wish {
            source: "shop".to_owned(),
            named: Named::Key(key.clone()),
            insist: true,
        };
        assert_eq!(wish, Some(expected));
        let wish = Wish::parse(r#"{"source":"shop","event_id":"évt 1","again":"true"}"#).unwrap();
        assert_eq!(
            (wish.named, wish.insist),
            (Named::Id("évt 1".into()), false)
        );
        for text in [
            "",
            "[]",
            r#"{"source":"shop"}"#,
            r#"{"event_id":"evt_1"}"#,
            r#"{"source":"shop","event_id":""}"#,
            r#"{"source":"shop","event_id":1}"#,
            r#"{"source":"shop","dedup_key":"0f"}"#,
            &format!(
                r#"{{"source":"shop","dedup_key":"{}"}}"#,
                key.to_uppercase()
            ),
            &format!(r#"{{"source":"shop","dedup_key":"{key}","event_id":"evt_1"}}"#),
        ] {
            assert_eq!(Wish::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_the_ledger_has_against_it_is_named_and_how_to_insist() {
        let told = |reply| {
            let answer = not_forgotten(reply, 1_000, "req_0")?;
            assert!(answer.body.contains("--again"), "{}", answer.body);
            Some((answer.status, answer.body))
        };
        let (status, busy) = told(Reply::Busy { until_ms: 31_000 }).unwrap();
        assert_eq!(status, 409);
        assert!(busy.contains("31 seconds"), "{busy}");
        assert_eq!(told(Reply::OnItsWay).unwrap().0, 409);
        assert_eq!(told(Reply::Unknown).unwrap().0, 404);
        assert_eq!(told(Reply::Forgotten { run: 1 }), None);
    }
}
