//! Whether a dead letter is sent again.

use crate::answer::{Answer, problem};
use crate::audit::store::are_forgotten;
use crate::consumer::busy_seconds;
use crate::dead::DeadLetter;
use crate::event::{Held, Unreadable};
use crate::ledger::Reply;

/// Whether the operator insists, by the request's body: `{"again":true}`.
pub fn insists(body: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(body)
        .is_ok_and(|body| body.get("again") == Some(&serde_json::Value::Bool(true)))
}

/// What a letter is sent again as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redriven {
    /// To its backend, by the ledger's leave.
    Event(Box<Held>),
    /// To the record, which knows by itself what it has.
    ForRecord,
}

/// Whether a letter may be sent again, as far as it tells itself.
///
/// # Errors
/// The answer that says why not.
pub fn may_redrive(
    letter: &DeadLetter,
    insist: bool,
    now_ms: i64,
    request_id: &str,
) -> Result<Redriven, Answer> {
    let is_of_record = letter.is_of_record();
    if letter.redriven_at.is_some() && !insist {
        let title = "This dead letter was sent again before";
        let detail = if is_of_record {
            "What the record has already, it does not take twice."
        } else {
            "The backend sees the same webhook-id."
        };
        return Err(unless(
            "already-redriven",
            title,
            detail.to_owned(),
            request_id,
        ));
    }
    if is_of_record {
        if !insist && are_forgotten(&letter.message, now_ms) {
            let title = "Nobody knows any more whether its counts were added";
            let detail = "A message of counts is known for 15 days: now they may be added twice.";
            return Err(unless(
                "counts-forgotten",
                title,
                detail.to_owned(),
                request_id,
            ));
        }
        return Ok(Redriven::ForRecord);
    }
    let held = Held::read(&letter.message).map_err(|unreadable| {
        let title = match unreadable {
            Unreadable::NotAMessage => "The message is not an event",
            Unreadable::UnknownVersion => {
                "The message is of a version that this Worker cannot read"
            }
        };
        problem(422, "unreadable", title, None, request_id)
    })?;
    Ok(Redriven::Event(Box::new(held)))
}

/// What the ledger has against sending an event again. `None`: it has nothing, or did not answer.
pub fn not_redriven(reply: Reply, now_ms: i64, request_id: &str) -> Option<Answer> {
    let (kind, title, detail) = match reply {
        Reply::Busy { until_ms } => {
            let seconds = busy_seconds(until_ms, now_ms);
            let detail =
                format!("It is in the backend's hands for at most {seconds} seconds more.");
            ("being-delivered", "It is being delivered", detail)
        }
        Reply::OnItsWay => {
            let detail =
                "It is held, on the queue, or between two attempts, unless its message was lost.";
            ("on-its-way", "It is on its way", detail.to_owned())
        }
        Reply::Settled => {
            let detail = "It was delivered after it had died.".to_owned();
            ("already-delivered", "The backend has it", detail)
        }
        _ => return None,
    };
    Some(unless(kind, title, detail, request_id))
}

/// 409, and how to have it done all the same.
fn unless(kind: &str, title: &str, detail: String, request_id: &str) -> Answer {
    let detail = detail + " Use --again, or again = true, to send it all the same.";
    problem(409, kind, title, Some(&detail), request_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retry::DeathCause;

    #[test]
    fn an_operator_insists_in_one_way_only() {
        assert!(insists(r#"{"again":true}"#));
        for text in [
            "",
            "{}",
            r#"{"again":"true"}"#,
            r#"{"again":1}"#,
            "true",
            "[true]",
        ] {
            assert!(!insists(text), "{text}");
        }
    }

    /// Records are known for ever, by their rows and by their leaves; counts are not.
    #[test]
    fn counts_of_long_ago_are_added_again_only_if_somebody_insists() {
        const NOW: i64 = 1_800_000_000_000;
        const DAY: i64 = 86_400_000;
        let redriven = |days: i64, insist| {
            let minute = (NOW - days * DAY) / 60_000;
            let message =
                format!(r#"{{"auditversion":1,"id":"cnt_1","counts":[{{"minute":{minute}}}]}}"#);
            let letter = DeadLetter::new(&message, DeathCause::GivenUpByPlatform, 0, None, NOW);
            may_redrive(&letter, insist, NOW, "req_0")
        };
        assert_eq!(redriven(15, false), Ok(Redriven::ForRecord));
        let refused = redriven(16, false).unwrap_err();
        assert_eq!(refused.status, 409);
        assert!(refused.body.contains("counts-forgotten") && refused.body.contains("--again"));
        assert_eq!(redriven(16, true), Ok(Redriven::ForRecord));
    }

    #[test]
    fn what_the_ledger_has_against_a_redrive_is_named() {
        let told = |reply| {
            let answer = not_redriven(reply, 1_000, "req_0")?;
            assert_eq!(answer.status, 409);
            assert!(answer.body.contains("--again"), "{}", answer.body);
            Some(answer.body)
        };
        let busy = told(Reply::Busy { until_ms: 31_000 }).unwrap();
        assert!(
            busy.contains("being-delivered") && busy.contains("31 seconds"),
            "{busy}"
        );
        assert!(told(Reply::OnItsWay).unwrap().contains("on-its-way"));
        assert!(told(Reply::Settled).unwrap().contains("already-delivered"));
        assert_eq!(told(Reply::Redriven { run: 2 }), None);
        assert_eq!(told(Reply::Noted), None);
    }
}
