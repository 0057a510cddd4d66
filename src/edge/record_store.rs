//! The record of refusals in D1: the audit queue's consumer, and what the cron removes. The rules are those of
//! [`crate::audit::store`].

use std::collections::{BTreeMap, BTreeSet};

use wasm_bindgen::JsValue;
use worker::Env;

use super::database::transact;
use super::log;
use super::platform::{self, QueueMessage, binding, now_ms, within};
use super::state::State;
use crate::audit::Notice;
use crate::audit::health::{KEEP_HEALTH, REMOVE_HEALTH};
use crate::audit::store::{
    DUE, KEEP, LOT, Over, RECORDS_A_MINUTE, REMOVE_ADDRESSES, REMOVE_COUNTS, REMOVE_TEXTS, TENANTS,
    is_readable, leaves, record_id, removal,
};
use crate::config::Retention;
use crate::keys::encode_hex;
use crate::retry;
use crate::tlog::entry::Entry;

/// For the queue.
const SEND_MS: u32 = 5_000;
/// For a tenant's log.
const LOG_MS: u32 = 5_000;
/// Lots that one run removes of one tenant; the next one goes on.
const LOTS_A_RUN: u32 = 20;

/// Stores a batch of the audit queue, all or nothing.
pub async fn keep(messages: Vec<QueueMessage>, env: &Env) {
    let mut list = String::from("[");
    let mut kept = Vec::new();
    for message in messages {
        let text = message.text();
        if !is_readable(&text) {
            // Of a newer version, perhaps. After all its retries it is a dead letter, never gone.
            platform::notice(&Notice::RecordUnreadable { id: &message.id() });
            wait(&message);
            continue;
        }
        if !kept.is_empty() {
            list.push(',');
        }
        list.push_str(&text);
        kept.push((message, text));
    }
    list.push(']');
    let list = JsValue::from_str(&list);
    let bound = [list.clone(), RECORDS_A_MINUTE.into()];
    let [keep_records, rest @ ..] = KEEP;
    let health = KEEP_HEALTH.iter().map(|sql| (*sql, &bound[..1]));
    let mut statements: Vec<(&str, &[JsValue])> = health.collect();
    statements.push((keep_records, &bound));
    statements.extend(rest.iter().map(|sql| (*sql, &bound[..1])));
    let stored = transact(env, &statements).await;
    match stored.and_then(|found| leaves(&found)) {
        Ok(logs) => {
            let unlogged = sequence(logs, env).await;
            for (message, text) in &kept {
                // What is not stored has no place in a log: it does not come again, to be counted twice.
                let is_unlogged = || record_id(text).is_some_and(|id| unlogged.contains(&id));
                if !unlogged.is_empty() && is_unlogged() {
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
    let tenants: Vec<String> = list(&transact(env, &[(TENANTS, &[])]).await?);
    for tenant in &tenants {
        if let Err(detail) = remove_of(tenant, state.retention(tenant), env).await {
            let detail = &format!("{tenant}: {detail}");
            platform::notice(&Notice::RecordFailed { detail });
        }
    }
    Ok(())
}

async fn remove_of(tenant: &str, retention: Retention, env: &Env) -> Result<(), String> {
    let now = now_ms();
    let over = Over::at(retention, now);
    let (of, lot) = (JsValue::from_str(tenant), JsValue::from(LOT));
    let number = |number: i64| JsValue::from(number as f64);
    let (texts_before, addresses_before) = (
        number(over.texts_before_ms),
        number(over.addresses_before_ms),
    );
    let minute = [of.clone(), number(over.texts_before_ms / 60_000)];
    let asked = [of.clone(), texts_before.clone(), addresses_before.clone()];
    let [skews, key_uses] = REMOVE_HEALTH;
    let statements: [(&str, &[JsValue]); 4] = [
        (REMOVE_COUNTS, &minute),
        (skews, &minute),
        (key_uses, &minute),
        (DUE, &asked),
    ];
    let due: Vec<u32> = list(&transact(env, &statements).await?);
    let &[texts, addresses] = due.as_slice() else {
        return Err("what is due was not told".to_owned());
    };
    if texts + addresses == 0 {
        return Ok(());
    }
    // First said, then done: see `removal`.
    let id = format!("ret_{}", encode_hex(&platform::random::<16>()));
    let said = removal(&id, tenant, retention, texts, addresses, now);
    let message = said.message(platform::random());
    let sent = within(SEND_MS, platform::send(env, binding::AUDIT, &message)).await;
    sent.unwrap_or_else(|| Err("no answer in time".to_owned()))?;
    let removals: [(&str, &[JsValue]); 2] = [
        (REMOVE_TEXTS, &[of.clone(), texts_before, lot.clone()]),
        (REMOVE_ADDRESSES, &[of, addresses_before, lot]),
    ];
    for _ in 0..texts.max(addresses).div_ceil(LOT).min(LOTS_A_RUN) {
        transact(env, &removals).await?;
    }
    platform::notice(&Notice::RecordExpired {
        tenant,
        texts,
        addresses,
    });
    Ok(())
}

/// A list as SQLite wrote it.
fn list<T: serde::de::DeserializeOwned>(text: &str) -> Vec<T> {
    serde_json::from_str(text).unwrap_or_default()
}
