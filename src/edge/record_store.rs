//! The record of refusals in D1: the audit queue's consumer, and what the cron removes. The rules are those of
//! [`crate::audit::store`].

use wasm_bindgen::JsValue;
use worker::Env;

use super::database::transact;
use super::log;
use super::platform::{self, QueueMessage, binding, now_ms, within};
use super::state::State;
use crate::audit::Notice;
use crate::audit::store::{
    DUE, KEEP, LOT, Over, RECORDS_A_MINUTE, REMOVE_ADDRESSES, REMOVE_COUNTS, REMOVE_TEXTS, TENANTS,
    is_readable, leaves, removal,
};
use crate::config::Retention;
use crate::keys::encode_hex;
use crate::retry;

/// For the object of a tenant's log, which may be far away.
const LOG_MS: u32 = 10_000;
/// For the queue.
const SEND_MS: u32 = 5_000;
/// Lots that one run removes of one tenant; the next one goes on.
const LOTS_A_RUN: u32 = 20;

/// Stores a batch of the audit queue, all or nothing, and has it logged.
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
        kept.push(message);
    }
    list.push(']');
    let list = JsValue::from_str(&list);
    let bound = [list.clone(), RECORDS_A_MINUTE.into()];
    let [keep_records, rest @ ..] = KEEP;
    let mut statements: Vec<(&str, &[JsValue])> = vec![(keep_records, &bound)];
    statements.extend(rest.iter().map(|sql| (*sql, &bound[..1])));
    let stored = transact(env, &statements).await;
    let logged = match stored {
        Ok(found) => log_all(&found, env).await,
        Err(detail) => Err(detail),
    };
    match logged {
        Ok(()) => kept.iter().for_each(QueueMessage::ack),
        Err(detail) => {
            platform::notice(&Notice::RecordFailed { detail: &detail });
            kept.iter().for_each(wait);
        }
    }
}

/// Gives what is stored its place in its tenant's log. What has one keeps it, so all of it may come again.
async fn log_all(found: &str, env: &Env) -> Result<(), String> {
    for (tenant, entries) in leaves(found) {
        log::append(env, &tenant, &entries, LOG_MS).await?;
    }
    Ok(())
}

fn wait(message: &QueueMessage) {
    message.retry_in(retry::wait_seconds(message.attempts()));
}

/// Removes what the record has had for its time.
pub async fn remove_what_is_over(state: &State, env: &Env) {
    if let Err(detail) = remove(state, env).await {
        platform::notice(&Notice::RecordFailed { detail: &detail });
    }
}

async fn remove(state: &State, env: &Env) -> Result<(), String> {
    let tenants: Vec<String> = list(&transact(env, &[(TENANTS, &[])]).await?);
    for tenant in &tenants {
        remove_of(tenant, state.retention(tenant), env).await?;
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
    let statements: [(&str, &[JsValue]); 2] = [(REMOVE_COUNTS, &minute), (DUE, &asked)];
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
