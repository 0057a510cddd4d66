//! What the log says besides the ends of requests and deliveries.

use serde::Serialize;

use super::line;
use crate::alerts::Alert;
use crate::config::QUARANTINE_KEY;
use crate::gate::Fault;

/// Something an operator should know besides verdicts and deliveries.
#[derive(Clone, Copy, Debug)]
pub enum Notice<'a> {
    /// A source or a destination that cannot work.
    Fault(&'a Fault),
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
    /// An encrypted field could not be opened: the backend is given it as it came.
    FieldClosed {
        request_id: &'a str,
        detail: &'a str,
    },
    /// The queue refused an event.
    HoldFailed {
        detail: &'a str,
    },
    /// A provider's key could not be fetched.
    KeyUnfetched {
        detail: &'a str,
    },
    /// The certificates of a provider's document do not issue one another as they say.
    ChainBroken {
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
    /// The audit queue did not take a message of the record. `kept`: it is offered again.
    AuditUnsent {
        detail: &'a str,
        kept: bool,
    },
    /// The record's database did not take a batch, which comes again; it could not be asked what is over; or somebody
    /// wrote rows into it whose names are no tenants'.
    RecordFailed {
        detail: &'a str,
    },
    /// A message of the audit queue that this version cannot read. It comes again, and ends among the dead letters.
    RecordUnreadable {
        id: &'a str,
    },
    /// The row of a record is not what its message says. The log has what the message said: look who writes there.
    RecordContradicted {
        id: &'a str,
    },
    /// The record's database has come close to its bound, or has reached it: then refusals are only counted.
    RecordFilling {
        bytes: f64,
        is_full: bool,
    },
    /// What was in the record of a tenant for its time is gone from it: so many texts, and addresses besides.
    RecordExpired {
        tenant: &'a str,
        texts: u32,
        addresses: u32,
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
    /// There is no key that could sign the log of this tenant.
    LogUnsigned {
        tenant: &'a str,
    },
    /// The log could not be published, or sent to who remembers it.
    LogFailed {
        detail: &'a str,
    },
    /// The witness does not take this history for a continuation of the one that it knows: look at once.
    LogContradicted {
        detail: &'a str,
    },
    /// An alert fires, goes on, or has ended.
    Alert {
        is_firing: bool,
        alert: &'a Alert,
    },
    /// The database did not answer, so nobody knows whether anything is to be told.
    AlertsFailed {
        detail: &'a str,
    },
    /// The webhook did not take a message; so many wait for the next cron.
    AlertUntold {
        detail: &'a str,
        untold: usize,
    },
    /// Refused requests are to be kept, and there is no secret to keep them under.
    QuarantineOff,
    /// The witness was not told of this log, or not of its key.
    LogUnwitnessed {
        detail: &'a str,
    },
    /// Somebody who is no operator, and what he tried to show that he is.
    AdminRefused {
        request_id: &'a str,
        tried: &'a str,
    },
    /// Lines of `ADMINS` that are none, by their numbers: they open nothing.
    AdminsUnreadable {
        lines: &'a str,
    },
    /// What an operator did is not in the record: this is what it would have.
    AdminUnrecorded {
        detail: &'a str,
        text: &'a str,
    },
    /// What an operator asked for, and the status it was answered with.
    AdminAnswered {
        request_id: &'a str,
        operator: &'a str,
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
    tenant: Option<&'a str>,
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
    operator: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unrecorded: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    texts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    addresses: Option<u32>,
    /// Of a database.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    untold: Option<usize>,
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
            Notice::Panicked { place } => with(alarm("panicked"), place),
            Notice::BindingMissing { name } => with(alarm("binding_missing"), name),
            Notice::MemoryUnread { detail } => with(alarm("memory_unread"), detail),
            Notice::MemoryUnwritten { request_id } => NoticeLine {
                request_id: Some(request_id),
                ..alarm("memory_unwritten")
            },
            Notice::FieldClosed { request_id, detail } => NoticeLine {
                request_id: Some(request_id),
                ..with(alarm("field_closed"), detail)
            },
            Notice::HoldFailed { detail } => with(alarm("hold_failed"), detail),
            Notice::KeyUnfetched { detail } => with(alarm("key_unfetched"), detail),
            Notice::ChainBroken { detail } => with(alarm("chain_broken"), detail),
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
            Notice::AuditUnsent { detail, kept: true } => with(notice("audit_unsent"), detail),
            Notice::AuditUnsent { detail, .. } => with(alarm("audit_lost"), detail),
            Notice::RecordFailed { detail } => with(alarm("record_failed"), detail),
            Notice::RecordUnreadable { id } => with(alarm("record_unreadable"), id),
            Notice::RecordContradicted { id } => with(alarm("record_contradicted"), id),
            Notice::RecordFilling { bytes, is_full } => NoticeLine {
                bytes: Some(bytes as u64),
                ..alarm(if is_full {
                    "record_full"
                } else {
                    "record_filling"
                })
            },
            Notice::RecordExpired {
                tenant,
                texts,
                addresses,
            } => NoticeLine {
                tenant: Some(tenant),
                texts: Some(texts),
                addresses: Some(addresses),
                ..notice("record_expired")
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
            Notice::LogUnsigned { tenant } => with(alarm("log_unsigned"), tenant),
            Notice::LogFailed { detail } => with(alarm("log_failed"), detail),
            Notice::LogContradicted { detail } => with(alarm("log_contradicted"), detail),
            Notice::Alert { is_firing, alert } => NoticeLine {
                tenant: Some(&alert.tenant),
                source: Some(&alert.source),
                rule: Some(alert.rule.name()),
                value: Some(alert.value),
                threshold: Some(alert.threshold),
                ..if is_firing {
                    alarm("alert_firing")
                } else {
                    notice("alert_resolved")
                }
            },
            Notice::AlertsFailed { detail } => with(alarm("alerts_failed"), detail),
            Notice::AlertUntold { detail, untold } => NoticeLine {
                untold: Some(untold),
                ..with(alarm("alert_untold"), detail)
            },
            Notice::QuarantineOff => NoticeLine {
                secret_name: Some(QUARANTINE_KEY),
                ..alarm("quarantine_off")
            },
            Notice::LogUnwitnessed { detail } => with(alarm("log_unwitnessed"), detail),
            Notice::AdminRefused { request_id, tried } => NoticeLine {
                request_id: Some(request_id),
                ..with(notice("admin_refused"), tried)
            },
            Notice::AdminsUnreadable { lines } => with(alarm("admins_unreadable"), lines),
            Notice::AdminUnrecorded { detail, text } => NoticeLine {
                unrecorded: Some(text),
                ..with(alarm("admin_unrecorded"), detail)
            },
            Notice::AdminAnswered {
                request_id,
                operator,
                action,
                status,
            } => NoticeLine {
                request_id: Some(request_id),
                operator: Some(operator),
                detail: Some(action),
                status: Some(status),
                ..notice("admin_answered")
            },
        })
    }
}
