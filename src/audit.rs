//! What is written about a verdict and about a delivery: one JSON line each.
//!
//! Never a secret, never a body, never a query string, never a header's value.

use serde::Serialize;

use crate::admission::Findings;
use crate::gate::{Alarm, LiveSource};
use crate::trace;
use crate::verdict::Verdict;

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
    /// The request that brought the event first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<&'a str>,
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
            | Verdict::Duplicate
            | Verdict::Challenged
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

/// Something an operator must mend, or did.
#[derive(Debug, Default, Serialize)]
pub struct NoticeLine<'a> {
    /// `alarm` or `notice`.
    pub event: &'static str,
    pub what: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'a str>,
}

impl<'a> From<&'a Alarm> for NoticeLine<'a> {
    fn from(alarm: &'a Alarm) -> Self {
        NoticeLine {
            event: "alarm",
            what: alarm.trouble.name(),
            source: Some(&alarm.source),
            secret_name: alarm.secret.as_deref(),
            detail: None,
        }
    }
}

/// The line itself.
pub fn line(record: &impl Serialize) -> String {
    serde_json::to_string(record)
        .unwrap_or_else(|_| "{\"event\":\"alarm\",\"what\":\"record_unwritable\"}".to_owned())
}
