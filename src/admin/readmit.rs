//! What an operator is told of a refusal that he has judged again.

use crate::answer::{Answer, problem};
use crate::quarantine::Unfit;
use crate::verdict::Verdict;

/// What ids of requests look like.
pub fn is_request_id(id: &str) -> bool {
    let digits = id.strip_prefix("req_").unwrap_or_default();
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    digits.len() == 32 && digits.bytes().all(is_digit)
}

/// Why it is not judged at all.
pub fn not_readmitted(unfit: Unfit, request_id: &str) -> Answer {
    match unfit {
        Unfit::TooOld => {
            let title = "Nothing is judged again after 72 hours";
            problem(410, "too-old", title, None, request_id)
        }
        Unfit::Unlogged => {
            let title = "Its record is not in the log of its tenant yet";
            let detail = "The time at which it is judged is the log's. Repeat it in a minute.";
            problem(409, "not-logged", title, Some(detail), request_id)
        }
        Unfit::Altered => {
            let title = "Its record is not what was logged";
            let detail = "Somebody changed it: export the log and check it (docs/audit-log.md).";
            problem(409, "altered", title, Some(detail), request_id)
        }
    }
}

/// How the judgement ended. `of` is the refusal's id, `dedup_key` the event's.
pub fn readmitted(verdict: Verdict, of: &str, dedup_key: Option<&str>, request_id: &str) -> Answer {
    let told = |status, word| Answer {
        status,
        headers: vec![("content-type", "application/json".to_owned())],
        body: serde_json::json!({ "status": word, "id": of, "dedup_key": dedup_key }).to_string(),
    };
    let reason = verdict.reason();
    match verdict {
        Verdict::Accepted | Verdict::Revived => told(202, "readmitted"),
        Verdict::Duplicate => told(200, "duplicate"),
        Verdict::Challenged | Verdict::Permitted { .. } => {
            problem(422, "no-event", "It brings no event", None, request_id)
        }
        Verdict::Observed => {
            let title = "Its source takes nothing: mode = \"observe\"";
            problem(422, "observed", title, None, request_id)
        }
        Verdict::Refused(_) => {
            let title = "It is refused again";
            problem(422, "refused-again", title, reason, request_id)
        }
        Verdict::Unavailable(_) => {
            let title = "It could not be judged or held";
            problem(503, "unavailable", title, reason, request_id)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Reject, Trouble};

    #[test]
    fn a_reason_is_told_and_only_an_event_is_readmitted() {
        let told = |verdict| {
            let answer = readmitted(verdict, "req_1", Some("ab"), "req_2");
            (answer.status, answer.body)
        };
        assert_eq!(
            told(Verdict::Accepted),
            (
                202,
                r#"{"dedup_key":"ab","id":"req_1","status":"readmitted"}"#.to_owned()
            )
        );
        assert!(told(Verdict::Duplicate).1.contains("duplicate"));
        let (status, body) = told(Verdict::Refused(Reject::SignatureMismatch));
        assert_eq!(status, 422);
        assert!(body.contains("signature_mismatch"), "{body}");
        let (status, body) = told(Verdict::Unavailable(Trouble::HoldFailed));
        assert_eq!(status, 503);
        assert!(body.contains("hold_failed"), "{body}");
        assert_eq!(told(Verdict::Challenged).0, 422);
        assert_eq!(told(Verdict::Observed).0, 422);
    }

    #[test]
    fn a_request_id_has_one_form() {
        assert!(is_request_id(&format!("req_{}", "0f".repeat(16))));
        for id in [
            "",
            "req_",
            "req_0f",
            "../x",
            &format!("req_{}", "0F".repeat(16)),
        ] {
            assert!(!is_request_id(id), "{id}");
        }
    }
}
