//! What is written about a verdict and about a delivery: one JSON line each.
//!
//! Never a secret, never a body, never a query string, never a header's value.

use serde::Serialize;

use crate::admission::Findings;
use crate::event::Held;
use crate::gate::{Fault, LiveSource};
use crate::retry::{Attempt, Next};
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
            _ => None,
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
            body_bytes: held.body.len(),
            duration_ms: 0,
        }
    }
}

/// Something an operator should know besides verdicts and deliveries.
#[derive(Clone, Copy, Debug)]
pub enum Notice<'a> {
    /// A source or a destination that cannot work.
    Fault(&'a Fault),
    /// The embedded configuration did not parse.
    ConfigurationBroken {
        errors: &'a str,
    },
    /// A panic, by its place: its text may quote a request.
    Panicked {
        place: &'a str,
    },
    /// A binding that everything needs is missing or not what it should be.
    BindingMissing {
        name: &'a str,
    },
    /// KV did not answer a read; the event went on without it.
    MemoryUnread {
        detail: &'a str,
    },
    /// KV did not take a key: a copy of this request's event will not be recognised.
    MemoryUnwritten {
        request_id: &'a str,
    },
    /// The queue refused an event.
    HoldFailed {
        detail: &'a str,
    },
    KeyUnfetched {
        detail: &'a str,
    },
    /// The ledger did not answer.
    LedgerFailed {
        detail: &'a str,
    },
    /// An object of a former epoch has nothing left: its epoch can be retired.
    LedgerEmpty {
        name: &'a str,
    },
    /// Events have waited for long.
    BacklogOld {
        at: &'a str,
        source: Option<&'a str>,
        age_seconds: i64,
    },
    /// A queue did not say how much waits in it.
    BacklogUnknown {
        detail: &'a str,
    },
    /// A copy of an event that is settled came to the consumer, and ends there.
    CopyRemoved {
        request_id: &'a str,
    },
    /// The spool could not be written or drained.
    SpoolFailed {
        detail: &'a str,
    },
    /// An event went from the spool to the queue.
    SpoolDrained,
    /// A send that outlived its slice came to an end.
    LateHold {
        request_id: &'a str,
        held: bool,
    },
    /// A message came from a queue that wrangler.toml names otherwise than the gate expects.
    QueueUnknown {
        name: &'a str,
    },
    /// A message that cannot be delivered was sent to the dead letters before any attempt.
    GivenUp {
        reason: &'a str,
        id: &'a str,
    },
    /// A message waits, because its destination has no address or no secret here.
    Waiting {
        destination: &'a str,
    },
    DeadLetterKept {
        id: &'a str,
    },
    DeadLetterUnkept {
        id: &'a str,
    },
    ArchiveFailed {
        detail: &'a str,
    },
    AdminRefused {
        request_id: &'a str,
    },
    /// What an operator asked for, and the status it was answered with.
    AdminAnswered {
        request_id: &'a str,
        action: &'a str,
        status: u16,
    },
}

#[derive(Debug, Default, Serialize)]
struct NoticeLine<'a> {
    event: &'static str,
    what: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age_seconds: Option<i64>,
}

impl Notice<'_> {
    /// The line for the log: an `alarm` wants somebody to act, a `notice` does not.
    pub fn line(&self) -> String {
        let alarm = |what| NoticeLine {
            event: "alarm",
            what,
            ..NoticeLine::default()
        };
        let notice = |what| NoticeLine {
            event: "notice",
            ..alarm(what)
        };
        let with = |line, detail| NoticeLine {
            detail: Some(detail),
            ..line
        };
        line(&match *self {
            Notice::Fault(fault) => NoticeLine {
                source: fault.source.as_deref(),
                destination: fault.destination.as_deref(),
                secret_name: fault.secret.as_deref(),
                ..alarm(fault.trouble.name())
            },
            Notice::ConfigurationBroken { errors } => with(alarm("configuration_broken"), errors),
            Notice::Panicked { place } => with(alarm("panicked"), place),
            Notice::BindingMissing { name } => with(alarm("binding_missing"), name),
            Notice::MemoryUnread { detail } => with(alarm("memory_unread"), detail),
            Notice::MemoryUnwritten { request_id } => NoticeLine {
                request_id: Some(request_id),
                ..alarm("memory_unwritten")
            },
            Notice::HoldFailed { detail } => with(alarm("hold_failed"), detail),
            Notice::KeyUnfetched { detail } => with(alarm("key_unfetched"), detail),
            Notice::LedgerFailed { detail } => with(alarm("ledger_failed"), detail),
            Notice::LedgerEmpty { name } => with(notice("ledger_empty"), name),
            Notice::BacklogOld {
                at,
                source,
                age_seconds,
            } => NoticeLine {
                source,
                age_seconds: Some(age_seconds),
                ..with(alarm("backlog_old"), at)
            },
            Notice::BacklogUnknown { detail } => with(notice("backlog_unknown"), detail),
            Notice::CopyRemoved { request_id } => NoticeLine {
                request_id: Some(request_id),
                ..notice("copy_removed")
            },
            Notice::SpoolFailed { detail } => with(alarm("spool_failed"), detail),
            Notice::SpoolDrained => notice("spool_drained"),
            Notice::LateHold { request_id, held } => NoticeLine {
                request_id: Some(request_id),
                ..notice(if held {
                    "late_hold_succeeded"
                } else {
                    "late_hold_failed"
                })
            },
            Notice::QueueUnknown { name } => with(alarm("queue_unknown"), name),
            Notice::GivenUp { reason, id } => with(alarm(reason), id),
            Notice::Waiting { destination } => NoticeLine {
                destination: Some(destination),
                ..alarm("waiting_for_destination")
            },
            Notice::DeadLetterKept { id } => with(alarm("dead_letter"), id),
            Notice::DeadLetterUnkept { id } => with(alarm("dead_letter_unkept"), id),
            Notice::ArchiveFailed { detail } => with(alarm("archive_failed"), detail),
            Notice::AdminRefused { request_id } => NoticeLine {
                request_id: Some(request_id),
                ..notice("admin_refused")
            },
            Notice::AdminAnswered {
                request_id,
                action,
                status,
            } => NoticeLine {
                request_id: Some(request_id),
                detail: Some(action),
                status: Some(status),
                ..notice("admin_answered")
            },
        })
    }
}

/// The line itself.
pub fn line(record: &impl Serialize) -> String {
    serde_json::to_string(record)
        .unwrap_or_else(|_| "{\"event\":\"alarm\",\"what\":\"record_unwritable\"}".to_owned())
}
