//! The record of refusals in D1: the audit queue's consumer, and what the cron removes. The rules are those of
//! [`crate::audit::store`].

use wasm_bindgen::JsValue;
use worker::Env;

use super::database::transact;
use super::platform::{self, QueueMessage, binding, now_ms, within};
use super::state::State;
use crate::audit::Notice;
use crate::audit::store::{
    DUE_ADDRESSES, DUE_TEXTS, KEEP, LOT, Over, RECORDS_A_MINUTE, REMOVE_ADDRESSES, REMOVE_COUNTS,
    REMOVE_TEXTS, TENANTS, is_readable, removal,
};
use crate::config::Retention;
use crate::keys::encode_hex;
use crate::retry;

/// For the queue.
const SEND_MS: u32 = 5_000;
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
        kept.push(message);
    }
    list.push(']');
    let list = JsValue::from_str(&list);
    let bound = [list.clone(), RECORDS_A_MINUTE.into()];
    let [keep_records, rest @ ..] = KEEP;
    let mut statements: Vec<(&str, &[JsValue])> = vec![(keep_records, &bound)];
    statements.extend(rest.iter().map(|sql| (*sql, &bound[..1])));
    match transact(env, &statements).await {
        Ok(_leaves) => kept.iter().for_each(QueueMessage::ack),
        Err(detail) => {
            platform::notice(&Notice::RecordFailed { detail: &detail });
            kept.iter().for_each(wait);
        }
    }
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
    for tenant in &ids(&transact(env, &[(TENANTS, &[])]).await?) {
        let retention = state.retention(tenant);
        for _ in 0..LOTS_A_RUN {
            if !remove_lot(tenant, retention, env).await? {
                break;
            }
        }
    }
    Ok(())
}

/// True: there may be more.
async fn remove_lot(tenant: &str, retention: Retention, env: &Env) -> Result<bool, String> {
    let now = now_ms();
    let over = Over::at(retention, now);
    let due =
        |before_ms: i64| -> [JsValue; 3] { [tenant.into(), (before_ms as f64).into(), LOT.into()] };
    let texts = transact(env, &[(DUE_TEXTS, &due(over.texts_before_ms))]).await?;
    let addresses = transact(env, &[(DUE_ADDRESSES, &due(over.addresses_before_ms))]).await?;
    let (due_texts, due_addresses) = (ids(&texts).len(), ids(&addresses).len());
    if due_texts + due_addresses == 0 {
        return Ok(false);
    }
    // First said, then done: see `removal`.
    let id = format!("ret_{}", encode_hex(&platform::random::<16>()));
    let said = removal(&id, tenant, retention, due_texts, due_addresses, now);
    let message = said.message(platform::random());
    let sent = within(SEND_MS, platform::send(env, binding::AUDIT, &message)).await;
    sent.unwrap_or_else(|| Err("no answer in time".to_owned()))?;
    let minute = over.texts_before_ms / 60_000;
    let counts: [JsValue; 2] = [tenant.into(), (minute as f64).into()];
    let removals: [(&str, &[JsValue]); 3] = [
        (REMOVE_TEXTS, &[texts.into()]),
        (REMOVE_ADDRESSES, &[addresses.into()]),
        (REMOVE_COUNTS, &counts),
    ];
    transact(env, &removals).await?;
    platform::notice(&Notice::RecordExpired {
        tenant,
        texts: due_texts,
        addresses: due_addresses,
    });
    Ok(due_texts.max(due_addresses) >= LOT as usize)
}

/// A list of texts as SQLite wrote it.
fn ids(list: &str) -> Vec<String> {
    serde_json::from_str(list).unwrap_or_default()
}
