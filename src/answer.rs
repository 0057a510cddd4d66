//! What the sender is told: status, headers, body. Dull on purpose, with a request id to ask about.

use serde::{Serialize, Serializer};

use crate::admission::Reply;
use crate::gate::LiveSource;
use crate::koogallery;
use crate::scheme::{AnswerStyle, ExactAnswer};
use crate::verdict::{Verdict, Wire};

/// Seconds after which a sender may try again.
pub const RETRY_AFTER_SECONDS: u32 = 10;

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    pub status: u16,
    #[serde(serialize_with = "as_members")]
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

fn as_members<S: Serializer>(
    headers: &Vec<(&'static str, String)>,
    writer: S,
) -> Result<S::Ok, S::Error> {
    writer.collect_map(headers.iter().map(|(name, value)| (name, value)))
}

/// What the answer may depend on besides the verdict. Nothing of it is there before the request was
/// verified.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// The event's type.
    pub kind: Option<&'a str>,
    /// The event's key.
    pub dedup_key: Option<&'a str>,
    /// What a handshake is answered.
    pub reply: Option<&'a Reply>,
    /// The name of the secret that matched.
    pub key_id: Option<&'a str>,
}

/// Answers a verdict.
pub fn answer(
    verdict: Verdict,
    live: Option<&LiveSource>,
    request_id: &str,
    known: Known<'_>,
) -> Answer {
    let answer = match (live, known.reply) {
        (_, Some(reply)) if verdict == Verdict::Challenged => replied(reply),
        (Some(live), _) if live.scheme.answer == AnswerStyle::Koogallery => {
            koogallery_answer(verdict, live, known)
        }
        (Some(live), _) if live.scheme.answer == AnswerStyle::Silent => {
            plain(verdict, Some(live), request_id).without_body()
        }
        _ => plain(verdict, live, request_id),
    };
    answer.for_request(request_id)
}

impl Answer {
    /// The one string in which the edge hands an answer over.
    pub fn to_json(&self) -> String {
        // Texts and a number: writing them cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    fn without_body(mut self) -> Self {
        self.headers.retain(|(name, _)| *name != "content-type");
        self.body.clear();
        self
    }

    /// Adds what every answer carries: the id to ask about, and what keeps it from being stored or
    /// taken for something else.
    pub fn for_request(mut self, request_id: &str) -> Self {
        self.headers.extend([
            ("hookgate-request-id", request_id.to_owned()),
            ("cache-control", "no-store".to_owned()),
            ("x-content-type-options", "nosniff".to_owned()),
        ]);
        self
    }
}

fn plain(verdict: Verdict, live: Option<&LiveSource>, request_id: &str) -> Answer {
    let json = |status: &str| Answer {
        status: 200,
        headers: vec![("content-type", "application/json".to_owned())],
        body: [
            r#"{"status":""#,
            status,
            r#"","request_id":""#,
            request_id,
            r#""}"#,
        ]
        .concat(),
    };
    let problem = |status, kind, title| problem(status, kind, title, None, request_id);
    let exact = live.and_then(|live| live.scheme.accepted.as_ref());
    match verdict.wire() {
        Wire::Accepted | Wire::Duplicate if exact.is_some() => exact_answer(exact),
        Wire::Accepted => json("accepted"),
        Wire::Duplicate => json("duplicate"),
        Wire::Challenged => json("challenged"),
        Wire::Permitted { origin, rate } => permitted(live, origin, rate),
        Wire::NotFound => problem(404, "not-found", "No such source"),
        Wire::MethodNotAllowed => {
            let mut answer = problem(405, "method-not-allowed", "Method not allowed");
            if let Some(live) = live {
                let methods = live.scheme.all_methods();
                answer.headers.push(("allow", methods.join(", ")));
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
        Wire::Forbidden => Answer {
            status: 403,
            headers: Vec::new(),
            body: String::new(),
        },
        Wire::Unavailable => unavailable(request_id),
    }
}

/// CloudEvents' grant: the origin as it is configured, so that nothing of the request comes back but
/// a number.
fn permitted(live: Option<&LiveSource>, origin: usize, rate: Option<u32>) -> Answer {
    let origin = live.and_then(|live| live.allowed_origins.get(origin));
    let methods = live.map(|live| live.scheme.methods.join(", "));
    Answer {
        status: 200,
        headers: vec![
            ("allow", methods.unwrap_or_default()),
            (
                "webhook-allowed-origin",
                origin.cloned().unwrap_or_default(),
            ),
            (
                "webhook-allowed-rate",
                rate.map_or("*".to_owned(), |rate| rate.to_string()),
            ),
        ],
        body: String::new(),
    }
}

fn exact_answer(exact: Option<&ExactAnswer>) -> Answer {
    let kind = exact.and_then(|exact| exact.content_type.clone());
    Answer {
        status: exact.map_or(200, |exact| exact.status),
        headers: kind
            .map(|kind| ("content-type", kind))
            .into_iter()
            .collect(),
        body: exact.map(|exact| exact.body.clone()).unwrap_or_default(),
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
        body: [
            r#"{"type":"urn:hookgate:problem:"#,
            kind,
            r#"","title":""#,
            title,
            r#"","status":"#,
            &status.to_string(),
            &detail,
            r#","request_id":""#,
            request_id,
            r#""}"#,
        ]
        .concat(),
    }
}

/// Signed with the key that verified the request. A refusal is not signed: to a stranger a signature
/// of ours might be a message of another scheme, and a signed refusal beside an unsigned one would
/// tell a stale request from a forged one.
fn koogallery_answer(verdict: Verdict, live: &LiveSource, known: Known<'_>) -> Answer {
    let front_end_url = live.source.front_end_url.as_deref();
    let body = koogallery::body(verdict, known, front_end_url);
    let mut headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
    let matched = |name| live.keys.iter().find(|key| key.name == name);
    let refused = matches!(verdict, Verdict::Refused(_));
    if let Some(key) = known.key_id.and_then(matched).filter(|_| !refused) {
        headers.push(("body-sign", koogallery::body_sign(key, &body)));
    }
    Answer {
        status: 200,
        headers,
        body,
    }
}

/// Sender-chosen text goes back as nothing that a browser would run.
fn replied(reply: &Reply) -> Answer {
    let policy = "default-src 'none'; sandbox";
    let mut headers = vec![("content-security-policy", policy.to_owned())];
    headers.extend(reply.header.clone());
    if let Some(kind) = reply.content_type {
        headers.push(("content-type", kind.to_owned()));
    }
    Answer {
        status: reply.status,
        headers,
        body: reply.body.clone(),
    }
}
