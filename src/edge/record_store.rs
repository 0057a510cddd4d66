//! The record of refusals in D1: the audit queue's consumer, and what the cron removes. The rules are those of
//! [`crate::audit::store`] and [`crate::audit::queued`].

use std::collections::{BTreeMap, BTreeSet};

use wasm_bindgen::JsValue;
use worker::Env;

use super::database::{self, transact};
use super::log;
use super::platform::{self, Effect, binding, now_ms, within};
use super::queue::{self, QueueMessage};
use super::state::State;
use crate::audit::Notice;
use crate::audit::health::{KEEP_HEALTH, REMOVE_KEY_USES, REMOVE_SKEWS, SKEW_MINUTES};
use crate::audit::queued::{Queued, Stored, stored};
use crate::audit::store::{
    Bounds, DUE, FOLD_COUNTS, FORGET_THE_COUNTED, KEEP, LOT, Over, REMOVE_ADDRESSES, REMOVE_COUNTS,
    REMOVE_TEXTS, TENANTS, counted_from_day, folded_minutes, removal,
};
use crate::config::Retention;
use crate::hex;
use crate::retry;
use crate::tlog::entry::Entry;
use crate::tlog::is_tenant;

/// For the queue.
const SEND_MS: u32 = 5_000;
/// D1 takes a text of two million bytes. A batch that is longer comes again in parts.
const BATCH_BYTES_MAX: usize = 1_500_000;
/// For a tenant's log.
const LOG_MS: u32 = 5_000;
/// From this part of its bound on, the record's size is an alarm.
const FILLING: f64 = 0.8;
/// Lots that one run removes of one tenant; the next one goes on.
const LOTS_A_RUN: u32 = 20;

/// Stores a batch of the audit queue, all or nothing, and logs what of it is stored.
pub async fn keep(messages: Vec<QueueMessage>, state: &State, env: &Env) {
    let (kept, list) = read(messages);
    let told = store(&list, state, env).await;
    match told.and_then(|told| Ok(entries(&kept, stored(&told)?))) {
        Ok(logs) => {
            let unlogged = sequence(logs, env).await;
            for (message, queued) in &kept {
                // What is not stored has no place in a log: it does not come again, to be counted twice.
                if unlogged.contains(&queued.id) {
                    wait(message);
                } else {
                    message.ack();
                }
            }
        }
        Err(detail) => {
            platform::notice(&Notice::RecordFailed { detail: &detail });
            kept.iter().for_each(|(message, _)| wait(message));
        }
    }
}

/// What of a batch is stored now, and the same as one JSON list.
fn read(messages: Vec<QueueMessage>) -> (Vec<(QueueMessage, Queued)>, String) {
    let mut list = String::from("[");
    let mut kept: Vec<(QueueMessage, Queued)> = Vec::new();
    for message in messages {
        let text = message.text();
        let Some(queued) = Queued::read(&text) else {
            // Of a newer version, perhaps. After all its retries it is a dead letter, never gone.
            platform::notice(&Notice::RecordUnreadable { id: &message.id() });
            wait(&message);
            continue;
        };
        if list.len() + text.len() > BATCH_BYTES_MAX {
            message.retry_in(0);
            continue;
        }
        // Two copies in one batch are one.
        if kept.iter().all(|(_, other)| other.id != queued.id) {
            if !kept.is_empty() {
                list.push(',');
            }
            list.push_str(&text);
        }
        kept.push((message, queued));
    }
    list.push(']');
    (kept, list)
}

/// Begins to store a list of messages.
fn store(list: &str, state: &State, env: &Env) -> Effect<'static, Result<String, String>> {
    let is_full = database::bytes() >= state.record_bytes_max();
    let bounds = if is_full {
        Bounds::WITHOUT_ROOM
    } else {
        Bounds::WITH_ROOM
    };
    let bound: [JsValue; 4] = [
        JsValue::from_str(list),
        bounds.minute.into(),
        bounds.day.into(),
        bounds.tenant_day.into(),
    ];
    let [keep_records, rest @ ..] = KEEP;
    let health = KEEP_HEALTH.iter().map(|sql| (*sql, &bound[..1]));
    let mut statements: Vec<(&str, &[JsValue])> = health.filter(|_| !is_full).collect();
    statements.push((keep_records, &bound));
    statements.extend(rest.iter().map(|sql| (*sql, &bound[..1])));
    transact(env, &statements)
}

/// What of a batch gets its place in the tenants' logs: of what is stored, what its message says.
fn entries(
    kept: &[(QueueMessage, Queued)],
    stored: impl Fn(&str) -> Stored,
) -> BTreeMap<String, Vec<Entry>> {
    let mut logs: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for (_, Queued { id, record }) in kept {
        let Some(recorded) = record else { continue };
        match stored(id) {
            Stored::Not => continue,
            Stored::AsItCame => {}
            Stored::Otherwise => platform::notice(&Notice::RecordContradicted { id }),
        }
        let log = logs.entry(recorded.tenant.clone()).or_default();
        log.push(recorded.entry.clone());
    }
    logs
}

/// Puts what was stored into the tenants' logs. The ids of what has no place there yet.
async fn sequence(logs: BTreeMap<String, Vec<Entry>>, env: &Env) -> BTreeSet<String> {
    let mut unlogged = BTreeSet::new();
    for (tenant, entries) in logs {
        if let Err(detail) = log::append(env, &tenant, &entries, LOG_MS).await {
            let detail = &format!("{tenant}: {detail}");
            platform::notice(&Notice::LogFailed { detail });
            unlogged.extend(entries.into_iter().map(|entry| entry.id));
        }
    }
    unlogged
}

fn wait(message: &QueueMessage) {
    message.retry_in(retry::wait_seconds(message.attempts()));
}

/// Removes what the record has had for its time. A tenant whose removal fails keeps no other's back.
pub async fn remove_what_is_over(state: &State, env: &Env) {
    if let Err(detail) = remove(state, env).await {
        platform::notice(&Notice::RecordFailed { detail: &detail });
    }
}

async fn remove(state: &State, env: &Env) -> Result<(), String> {
    let found: Vec<String> = list(&recorded(env).await?);
    // What is said of a removal is an entry of a log of that name.
    let (tenants, others): (Vec<String>, Vec<String>) =
        found.into_iter().partition(|tenant| is_tenant(tenant));
    if !others.is_empty() {
        let detail = &format!("rows of {} that are no tenants", others.len());
        platform::notice(&Notice::RecordFailed { detail });
    }
    let bytes = database::bytes();
    if bytes >= state.record_bytes_max() * FILLING {
        let is_full = bytes >= state.record_bytes_max();
        platform::notice(&Notice::RecordFilling { bytes, is_full });
    }
    for tenant in &tenants {
        if let Err(detail) = remove_of(tenant, state.retention(tenant), env).await {
            let detail = &format!("{tenant}: {detail}");
            platform::notice(&Notice::RecordFailed { detail });
        }
    }
    Ok(())
}

/// Forgets which counts were added, as far as none of them can come again, and asks whose rows there are.
fn recorded(env: &Env) -> Effect<'static, Result<String, String>> {
    let from = [number(counted_from_day(now_ms())), LOT.into()];
    transact(env, &[(FORGET_THE_COUNTED, &from), (TENANTS, &[])])
}

async fn remove_of(tenant: &str, retention: Retention, env: &Env) -> Result<(), String> {
    let now = now_ms();
    // By itself: it is the most there is, and must not keep the rest.
    if let Err(detail) = remove_skews(tenant, now, env).await {
        platform::notice(&Notice::RecordFailed { detail: &detail });
    }
    let over = Over::at(retention, now);
    let due: Vec<u32> = list(&due(tenant, over, now, env).await?);
    let &[texts, addresses, counts] = due.as_slice() else {
        return Err("what is due was not told".to_owned());
    };
    if texts + addresses > 0 {
        // First said, then done: see `removal`.
        let id = format!("ret_{}", hex::encode(&platform::random::<16>()));
        let said = removal(&id, tenant, retention, texts, addresses, now);
        let sending = queue::send(env, binding::AUDIT, &said.message(platform::random()));
        let sent = within(SEND_MS, sending).await;
        sent.unwrap_or_else(|| Err("no answer in time".to_owned()))?;
    }
    let lots = texts.max(addresses).max(counts).div_ceil(LOT);
    for _ in 0..lots.min(LOTS_A_RUN) {
        remove_a_lot(tenant, over, env).await?;
    }
    if texts + addresses > 0 {
        platform::notice(&Notice::RecordExpired {
            tenant,
            texts,
            addresses,
        });
    }
    Ok(())
}

fn remove_skews(tenant: &str, now: i64, env: &Env) -> Effect<'static, Result<String, String>> {
    let before = number(now / 60_000 - SKEW_MINUTES);
    let skews = [tenant.into(), before, (LOT * LOTS_A_RUN).into()];
    transact(env, &[(REMOVE_SKEWS, &skews)])
}

/// Does what is done at once, and asks how much there is of what goes lot by lot.
fn due(tenant: &str, over: Over, now: i64, env: &Env) -> Effect<'static, Result<String, String>> {
    let (of, minute) = (
        JsValue::from_str(tenant),
        number(over.texts_before_ms / 60_000),
    );
    let from = [of.clone(), minute.clone()];
    let (fold_from, fold_to) = folded_minutes(now);
    let folded = [of.clone(), number(fold_from), number(fold_to)];
    let asked = [
        of,
        number(over.texts_before_ms),
        number(over.addresses_before_ms),
        minute,
        (LOT * LOTS_A_RUN).into(),
    ];
    let [fold, folded_away] = FOLD_COUNTS;
    let statements: [(&str, &[JsValue]); 4] = [
        (REMOVE_KEY_USES, &from),
        (fold, &folded),
        (folded_away, &folded),
        (DUE, &asked),
    ];
    transact(env, &statements)
}

fn remove_a_lot(tenant: &str, over: Over, env: &Env) -> Effect<'static, Result<String, String>> {
    let lot = |before| [tenant.into(), number(before), LOT.into()];
    let removals: [(&str, &[JsValue]); 3] = [
        (REMOVE_TEXTS, &lot(over.texts_before_ms)),
        (REMOVE_ADDRESSES, &lot(over.addresses_before_ms)),
        (REMOVE_COUNTS, &lot(over.texts_before_ms / 60_000)),
    ];
    transact(env, &removals)
}

fn number(number: i64) -> JsValue {
    JsValue::from_f64(number as f64)
}

/// A list as SQLite wrote it.
fn list<T: serde::de::DeserializeOwned>(text: &str) -> Vec<T> {
    serde_json::from_str(text).unwrap_or_default()
}
