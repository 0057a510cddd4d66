//! What is written down: one JSON line in the log for each verdict and each delivery, and the record of refusals.
//!
//! Never a secret, never a body, never a query string, never a header's value but the user agent.
//!
//! [`Tally`] says what of an isolate's ends goes into the record by itself and what as a number, [`Draft`] and
//! [`Entry`] are a refusal on its way there, [`shown`] keeps credentials out of it, [`queued`] reads what the
//! queue brings, and [`store`] has the rules of the database and of what is to go again. [`health`] is what is noted of
//! sources besides.

mod around;
mod diagnosis;
pub mod health;
mod notice;
pub mod queued;
mod refusal;
pub mod shown;
pub mod store;
mod tally;

use serde::Serialize;

use crate::admission::Findings;
use crate::event::Held;
use crate::gate::LiveSource;
use crate::retry::{Attempt, Next};
use crate::trace;
use crate::verdict::Verdict;

pub use diagnosis::DiagnosisLine;
pub use notice::Notice;
pub use refusal::{AUDIT_VERSION, Draft, Entry, Facts, NO_TENANT, leaf_hash, readmission};
pub use tally::{Count, FLUSH_MS, REFUSALS_A_MINUTE, Tally};

/// One request's end.
#[derive(Debug, Default, Serialize)]
pub struct VerdictLine<'a> {
    pub event: &'static str,
    pub request_id: &'a str,
    pub trace_id: &'a str,
    pub verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The fact behind the reason, and its number where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence_value: Option<i64>,
    /// Of a mismatch: how many secrets were tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets_tried: Option<usize>,
    /// Of an age: how much is tolerated, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance_seconds: Option<u32>,
    /// Of a secret that is not there, or cannot be used: its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<&'a str>,
    /// Of a body that is too large: what the sender declared, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared_bytes: Option<u64>,
    /// Of a path that names no source: as [`shown::path`] shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dedup_key: Option<&'a str>,
    /// Which rule made the identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<&'static str>,
    /// Our clock less the signed time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skew_ms: Option<i64>,
    /// How the memory of events answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<&'static str>,
    /// Where the event is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_at: Option<&'static str>,
    /// The request that brought the event first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<&'a str>,
    /// A duplicate by its identity that was signed over other content. Some providers do that on
    /// every retry; with others it is worth a look.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub content_differs: bool,
    /// The event's discriminator is not among the source's `discriminator_values`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub discriminator_unlisted: bool,
    /// Of a secret that a provider handed over: the first half of its SHA-256, in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offered_sha256: Option<&'a str>,
    /// Of what an operator had judged again: the refusal that it was, and who he is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readmitted: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<&'a str>,
    /// What failed in us, where something did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'a str>,
    pub method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_bytes: Option<usize>,
    pub duration_ms: i64,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub colo: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub country: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ray_id: Option<&'a str>,
}

impl<'a> VerdictLine<'a> {
    /// What follows from the verdict and what admission found.
    pub fn new(
        verdict: Verdict,
        live: Option<&'a LiveSource>,
        findings: &'a Findings,
        request_id: &'a str,
        traceparent: &'a str,
        now_ms: i64,
    ) -> Self {
        let evidence = match verdict {
            Verdict::Refused(reject) => reject.evidence(),
            Verdict::Accepted
            | Verdict::Revived
            | Verdict::Duplicate
            | Verdict::Challenged
            | Verdict::Permitted { .. }
            | Verdict::Observed
            | Verdict::Unavailable(_) => None,
        };
        VerdictLine {
            event: "verdict",
            request_id,
            trace_id: trace::trace_id(traceparent),
            verdict: verdict.name(),
            reason: verdict.reason(),
            evidence: evidence.map(|(name, _)| name),
            evidence_value: evidence.and_then(|(_, value)| value),
            tenant: live.map(|live| live.source.tenant.as_str()),
            source: live.map(|live| live.name.as_str()),
            scheme: live.map(|live| live.source.scheme.as_str()),
            key_id: findings.key_id.as_deref(),
            identity: findings.identity,
            discriminator_unlisted: findings.discriminator_unlisted,
            offered_sha256: findings
                .reply
                .as_ref()
                .and_then(|reply| reply.fingerprint.as_deref()),
            skew_ms: findings
                .signed_time_ms
                .map(|signed| now_ms.saturating_sub(signed)),
            ..VerdictLine::default()
        }
    }
}

/// One attempt at the backend, or the end of an event.
#[derive(Debug, Serialize)]
pub struct DeliveryLine<'a> {
    pub event: &'static str,
    /// `delivered`, `retry` or `dead`.
    pub result: &'static str,
    pub request_id: &'a str,
    pub trace_id: &'a str,
    pub webhook_id: &'a str,
    pub tenant: &'a str,
    pub source: &'a str,
    pub scheme: &'a str,
    pub key_id: &'a str,
    pub event_id: &'a str,
    pub event_type: &'a str,
    pub dedup_key: &'a str,
    pub destination: &'a str,
    pub attempt: u32,
    pub run: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `answered`, `timed_out` or `unreachable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_in_seconds: Option<u32>,
    pub body_bytes: usize,
    pub duration_ms: i64,
}

impl<'a> DeliveryLine<'a> {
    /// What follows from an attempt and from what was decided after it.
    pub fn new(
        held: &'a Held,
        destination: &'a str,
        webhook_id: &'a str,
        attempt: u32,
        outcome: Attempt,
        next: Next,
    ) -> Self {
        let message = &held.message;
        let (result, reason, retry_in_seconds) = match next {
            Next::Done => ("delivered", None, None),
            Next::RetryIn { seconds } => ("retry", None, Some(seconds)),
            Next::Dead(cause) => ("dead", Some(cause.name()), None),
        };
        DeliveryLine {
            event: "delivery",
            result,
            request_id: &message.requestid,
            trace_id: trace::trace_id(&message.traceparent),
            webhook_id,
            tenant: &message.tenant,
            source: &message.source,
            scheme: &message.scheme,
            key_id: &message.keyid,
            event_id: &message.id,
            event_type: &message.kind,
            dedup_key: &message.dedupkey,
            destination,
            attempt,
            run: message.run,
            status: outcome.status(),
            outcome: Some(outcome.name()),
            reason,
            retry_in_seconds,
            body_bytes: held.content.bytes(),
            duration_ms: 0,
        }
    }
}

/// The line itself.
pub fn line(record: &impl Serialize) -> String {
    serde_json::to_string(record)
        .unwrap_or_else(|_| "{\"event\":\"alarm\",\"what\":\"record_unwritable\"}".to_owned())
}
