//! What the sender is told: status, headers, body. Dull on purpose, with a request id to ask about.

use crate::gate::LiveSource;
use crate::koogallery;
use crate::scheme::AnswerStyle;
use crate::verdict::{Verdict, Wire};

/// Seconds after which a sender may try again.
pub const RETRY_AFTER_SECONDS: u32 = 10;

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// Answers a verdict. `kind` is the event's type, `echo` what a challenge asked for.
pub fn answer(
    verdict: Verdict,
    live: Option<&LiveSource>,
    request_id: &str,
    kind: Option<&str>,
    echo: Option<&str>,
) -> Answer {
    let mut answer = match (live, echo) {
        (_, Some(echo)) if verdict == Verdict::Challenged => plain_text(echo),
        (Some(live), _) if live.scheme.answer == AnswerStyle::Koogallery => {
            koogallery_answer(verdict, live, kind)
        }
        _ => plain(verdict, live, request_id),
    };
    answer
        .headers
        .push(("hookgate-request-id", request_id.to_owned()));
    answer
        .headers
        .push(("cache-control", "no-store".to_owned()));
    answer
        .headers
        .push(("x-content-type-options", "nosniff".to_owned()));
    answer
}

fn plain(verdict: Verdict, live: Option<&LiveSource>, request_id: &str) -> Answer {
    let json = |status: &str| Answer {
        status: 200,
        headers: vec![("content-type", "application/json".to_owned())],
        body: format!("{{\"status\":\"{status}\",\"request_id\":\"{request_id}\"}}"),
    };
    let problem = |status, kind, title| problem(status, kind, title, None, request_id);
    match verdict.wire() {
        Wire::Accepted => json("accepted"),
        Wire::Duplicate => json("duplicate"),
        Wire::Challenged => json("challenged"),
        Wire::NotFound => problem(404, "not-found", "No such source"),
        Wire::MethodNotAllowed => {
            let mut answer = problem(405, "method-not-allowed", "Method not allowed");
            if let Some(live) = live {
                answer
                    .headers
                    .push(("allow", live.scheme.methods.join(", ")));
            }
            answer
        }
        Wire::TooLarge => problem(413, "too-large", "Body too large"),
        Wire::Malformed => problem(400, "malformed", "Malformed request"),
        Wire::NotVerified => {
            let mut answer = problem(401, "not-verified", "Not verified");
            // RFC 9110, section 11.6.1: a 401 names a challenge.
            answer
                .headers
                .push(("www-authenticate", "Webhook-Signature".to_owned()));
            answer
        }
        Wire::Unavailable => unavailable(request_id),
    }
}

/// The one answer for our own trouble.
pub fn unavailable(request_id: &str) -> Answer {
    let mut answer = problem(
        503,
        "unavailable",
        "Temporarily unavailable",
        None,
        request_id,
    );
    answer
        .headers
        .push(("retry-after", RETRY_AFTER_SECONDS.to_string()));
    answer
}

/// RFC 9457.
pub fn problem(
    status: u16,
    kind: &str,
    title: &str,
    detail: Option<&str>,
    request_id: &str,
) -> Answer {
    let detail = detail
        .map(|detail| format!(",\"detail\":\"{detail}\""))
        .unwrap_or_default();
    Answer {
        status,
        headers: vec![("content-type", "application/problem+json".to_owned())],
        body: format!(
            "{{\"type\":\"urn:hookgate:problem:{kind}\",\"title\":\"{title}\",\"status\":{status}{detail},\"request_id\":\"{request_id}\"}}"
        ),
    }
}

fn koogallery_answer(verdict: Verdict, live: &LiveSource, kind: Option<&str>) -> Answer {
    let body = koogallery::body(verdict, kind);
    let mut headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
    if let Some(key) = live.keys.first() {
        headers.push(("body-sign", koogallery::body_sign(key, &body)));
    }
    Answer {
        status: 200,
        headers,
        body,
    }
}

/// Sender-chosen text goes back as nothing that a browser would run.
fn plain_text(echo: &str) -> Answer {
    Answer {
        status: 200,
        headers: vec![
            ("content-type", "text/plain; charset=utf-8".to_owned()),
            (
                "content-security-policy",
                "default-src 'none'; sandbox".to_owned(),
            ),
        ],
        body: echo.to_owned(),
    }
}
