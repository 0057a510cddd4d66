//! Putting records into a tenant's log, and asking it for its newest checkpoint.

use std::future::ready;

use js_sys::{Object, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use worker::Env;

use super::platform::{Bound, Effect, Stub, binding, describe_value, in_time, is_bound};
use crate::tlog::entry::Entry;
use crate::tlog::is_tenant;
use crate::tlog::tile::put_entry;

/// Gives entries their places in the log of their tenant, in their order; an entry that is there already
/// keeps the place that it has. Once this has come back they are there for good, and a checkpoint follows
/// within a minute.
///
/// # Errors
/// What failed, for the log: then some or all may be there all the same, so repeat it. Of an entry that
/// cannot be written (see [`Entry::to_text`]), or a name that no log has, that too, and none is there.
pub async fn append(
    env: &Env,
    tenant: &str,
    entries: &[Entry],
    slice_ms: u32,
) -> Result<(), String> {
    if !is_tenant(tenant) {
        return Err("no tenant is called so".to_owned());
    }
    let mut bundle = Vec::new();
    for entry in entries {
        let text = entry.to_text();
        if !text.is_some_and(|text| put_entry(&mut bundle, text.as_bytes())) {
            return Err(format!("not an entry: {}", entry.id.escape_debug()));
        }
    }
    let bundle = Uint8Array::from(&*bundle);
    let appended = told(env, tenant, slice_ms, |stub| stub.append(tenant, &bundle));
    appended.await.map(|_| ())
}

/// The entry of a record in the log of its tenant. `None`: it has none, or none that could come again (15 days).
///
/// # Errors
/// What failed, for the log.
pub async fn entry(
    env: &Env,
    tenant: &str,
    id: &str,
    slice_ms: u32,
) -> Result<Option<Entry>, String> {
    let text = told(env, tenant, slice_ms, |stub| stub.entry(id)).await?;
    Ok(text
        .as_string()
        .and_then(|text| Entry::parse(text.as_bytes())))
}

/// The newest checkpoint that the log's object knows, whatever the archive has. Empty: there is none yet.
///
/// # Errors
/// What failed, for the log.
pub async fn newest(env: &Env, tenant: &str, slice_ms: u32) -> Result<String, String> {
    let note = told(env, tenant, slice_ms, Stub::newest).await?;
    Ok(note.as_string().unwrap_or_default())
}

/// What the object of the tenant's log says to this. Undefined where no tenant can be called so: asked for by its name, an
/// object is made.
///
/// # Errors
/// What failed, for the log.
pub fn told(
    env: &Env,
    tenant: &str,
    slice_ms: u32,
    ask: impl FnOnce(&Stub) -> Result<Promise, JsValue>,
) -> Effect<'static, Result<JsValue, String>> {
    if !is_bound(env, binding::AUDIT_LOG) {
        let unbound = format!("{} is not bound", binding::AUDIT_LOG);
        return Box::pin(ready(Err(unbound)));
    }
    if !is_tenant(tenant) {
        return Box::pin(ready(Ok(JsValue::UNDEFINED)));
    }
    let stub = env.audit_log().get_by_name(tenant, &Object::new());
    let asked = stub.and_then(|stub| ask(&stub));
    answer(in_time(slice_ms, asked))
}

/// Apart, so that there is one and not one for each question.
fn answer(
    asked: Effect<'static, Option<Result<JsValue, JsValue>>>,
) -> Effect<'static, Result<JsValue, String>> {
    Box::pin(async move {
        match asked.await {
            None => Err("no answer in time".to_owned()),
            Some(Err(error)) => Err(describe_value(&error)),
            Some(Ok(answer)) => Ok(answer),
        }
    })
}
