//! What goes into the record after an answer. Nothing here is on the way of a request: `entry.mjs` has the answer
//! sent first, and `audit.mjs` sends what is made here.

use std::cell::RefCell;

use wasm_bindgen::prelude::*;

use worker::Env;

use super::record::Record;
use super::state::State;
use super::{diagnose, platform};
use crate::audit::{Draft, Facts, NO_TENANT, Notice, Tally, shown};
use crate::gate::LiveSource;
use crate::hex;
use crate::quarantine;
use crate::request::Head;
use crate::verdict::Verdict;

thread_local! {
    static TALLY: RefCell<Tally> = RefCell::default();
}

/// One request's end, for the record. `line` is its line in the log. What is to be done after the answer, as a
/// member for it to carry: for almost every request nothing.
pub fn ended(
    verdict: Verdict,
    record: &Record,
    head: &Head,
    live: Option<&LiveSource>,
    line: &str,
    now_ms: i64,
) -> Option<String> {
    let (tenant, source) = whose(live);
    let (is_sent, needs_flush) = TALLY.with_borrow_mut(|tally| {
        let is_sent = tally.ended(verdict, tenant, source, record.asn, now_ms);
        if !is_sent {
            tally.shown(tenant, source, record.shown(verdict), now_ms);
        }
        (is_sent, tally.needs_flush(now_ms))
    });
    if !is_sent {
        return needs_flush.then(|| ",\"audit\":{\"flush\":true}}".to_owned());
    }
    let draft = Draft {
        request_id: &record.request_id,
        tenant,
        source,
        verdict: verdict.name(),
        reason: verdict.reason().unwrap_or_default(),
        at_ms: now_ms,
        path: &shown::path(&head.path, live.is_some()),
        line,
    };
    let draft = serde_json::to_string(&draft.to_lines()).ok()?;
    let sample = live.map_or(0, |live| live.source.audit_sample_bytes);
    let puzzle = live.and_then(|live| diagnose::puzzle(verdict, live, head, record.body_bytes));
    let puzzle = serde_json::to_string(&puzzle).ok()?;
    let keep = live.is_some_and(|live| live.source.quarantine)
        && quarantine::is_curable(verdict)
        && record
            .body_bytes
            .is_some_and(|bytes| bytes <= quarantine::BODY_BYTES_MAX);
    Some(format!(
        ",\"audit\":{{\"draft\":{draft},\"sample\":{sample},\"puzzle\":{puzzle},\"keep\":{keep},\"flush\":{needs_flush}}}}}"
    ))
}

/// A request that ended without an arrival. Who comes next sends the count.
pub fn lost(verdict: Verdict, now_ms: i64) {
    let (tenant, source) = whose(None);
    TALLY.with_borrow_mut(|tally| tally.count(verdict, tenant, source, now_ms));
}

fn whose(live: Option<&LiveSource>) -> (&str, &str) {
    live.map_or((NO_TENANT, ""), |live| (&live.source.tenant, &live.name))
}

/// The message of a refusal for the audit queue. `draft` is what [`ended`] asked to bring back; the rest is what the
/// platform knows of the request: [`Facts`] says what.
#[wasm_bindgen(js_name = refusalMessage)]
#[allow(
    clippy::too_many_arguments,
    reason = "one crossing, and no object to be read member by member"
)]
pub fn refusal_message(
    draft: &str,
    address: &str,
    asn: u32,
    user_agent: &str,
    header_names: &str,
    body_sha256: Option<Vec<u8>>,
    body_start: &[u8],
    diagnosis: Option<String>,
    env: &Env,
) -> Option<String> {
    let draft = Draft::from_lines(draft)?;
    let retention = State::of(env).retention(draft.tenant);
    let facts = Facts {
        address,
        keeps_address: retention.client_address_days > 0,
        asn,
        user_agent,
        header_names,
        body_sha256: body_sha256.as_deref(),
        body_start,
        diagnosis: diagnosis.as_deref(),
    };
    let entry = draft.entry(facts, platform::random());
    Some(entry.message(platform::random()))
}

/// The messages with everything that was counted since the last time.
#[wasm_bindgen(js_name = countMessages)]
pub fn count_messages() -> Vec<String> {
    let id = || format!("cnt_{}", hex::encode(&platform::random::<16>()));
    TALLY.with_borrow_mut(|tally| tally.flush(id))
}

/// The audit queue did not take a message. `kept`: it is offered again with the next counts.
#[wasm_bindgen(js_name = auditUnsent)]
pub fn audit_unsent(kind: &str, kept: bool) {
    platform::notice(&Notice::AuditUnsent { detail: kind, kept });
}
