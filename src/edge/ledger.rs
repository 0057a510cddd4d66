//! Asking the ledger, from the gate and from the consumer.

use std::sync::Arc;

use js_sys::{JsString, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::Env;

use super::platform::{self, Bound, Effect, Stub, in_time, now_ms};
use crate::audit::Notice;
use crate::backlog::Woken;
use crate::gate::LiveSource;
use crate::ledger::{Ask, Home, Reply, Request, homes, tenant_home};

/// Why there is no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    Failed,
    /// No reply in time: the request may have been carried out, or be carried out yet.
    Unknown,
}

/// Asks about one event of `live`, for at most `slice_ms`.
pub fn ask(
    env: &Env,
    live: &Arc<LiveSource>,
    key: &str,
    ask: Ask,
    slice_ms: u32,
) -> Effect<'static, Result<Reply, Silence>> {
    let asking = in_time(slice_ms, begin(env, live, key, ask, None));
    Box::pin(async move {
        match asking.await {
            Some(text) => text.and_then(|text| reply(&text)).map_err(|error| {
                silent(&error);
                Silence::Failed
            }),
            None => Err(Silence::Unknown),
        }
    })
}

/// Begins to ask. The promise brings the text of the reply, as [`reply`] reads it.
///
/// # Errors
/// There is no ledger.
pub fn begin(
    env: &Env,
    live: &Arc<LiveSource>,
    key: &str,
    ask: Ask,
    message: Option<&JsString>,
) -> Result<Promise, JsValue> {
    let mut homes = homes(&live.source, &live.name, key);
    match homes.next() {
        Some(only) if only.is_newest => question(env, live, &only, key, ask, message),
        _ => {
            let (env, live, key) = (env.clone(), live.clone(), key.to_owned());
            let message = message.cloned();
            Ok(platform::promise(async move {
                search(&env, &live, &key, ask, message.as_ref()).await
            }))
        }
    }
}

/// Asks home after home, until one has a word on the event.
async fn search(
    env: &Env,
    live: &LiveSource,
    key: &str,
    ask: Ask,
    message: Option<&JsString>,
) -> Result<JsValue, JsValue> {
    for home in homes(&live.source, &live.name, key) {
        let text = JsFuture::from(question(env, live, &home, key, ask, message)?).await?;
        if home.is_newest || said(&text) != Some(Reply::Elsewhere) {
            return Ok(text);
        }
    }
    Err(JsValue::from_str("no home"))
}

fn question(
    env: &Env,
    live: &LiveSource,
    home: &Home,
    key: &str,
    ask: Ask,
    message: Option<&JsString>,
) -> Result<Promise, JsValue> {
    let request = Request {
        key: key.to_owned(),
        expires_ms: now_ms().saturating_add(live.row_life_ms),
        newer: !home.is_newest,
        ask,
    };
    stub(env, live, &home.name)?.ask(&request.to_text(), message)
}

/// When the next delivery of `live`'s tenant has its turn, if that is not now. Whoever gives out the turns and does
/// not answer holds nothing up: a rate is a courtesy to a backend, and the ledger still knows how it is.
pub async fn tenants_turn(env: &Env, live: &LiveSource, slice_ms: u32) -> Option<i64> {
    let per_second_max = live.tenant_per_second_max?;
    let request = Request {
        key: String::new(),
        expires_ms: 0,
        newer: false,
        ask: Ask::Turn { per_second_max },
    };
    let home = tenant_home(&live.source.tenant);
    let asked = stub(env, live, &home).and_then(|stub| stub.ask(&request.to_text(), None));
    match in_time(slice_ms, asked)
        .await?
        .and_then(|text| reply(&text))
    {
        Ok(Reply::Later { until_ms }) => Some(until_ms),
        Ok(_) => None,
        Err(error) => {
            silent(&error);
            None
        }
    }
}

/// Reads what [`begin`] brought.
///
/// # Errors
/// A reply of another version, or one that sends this Worker to shards it does not know of.
pub fn reply(text: &JsValue) -> Result<Reply, JsValue> {
    match said(text) {
        None => Err(JsValue::from_str("a reply of another version")),
        Some(Reply::Elsewhere) => Err(JsValue::from_str(
            "the ledger has newer shards than this Worker knows of",
        )),
        Some(reply) => Ok(reply),
    }
}

fn said(text: &JsValue) -> Option<Reply> {
    Reply::from_text(&text.as_string()?)
}

/// Says why there is no reply that can be used.
pub fn silent(error: &JsValue) {
    let detail = &platform::describe_value(error);
    platform::notice(&Notice::LedgerFailed { detail });
}

/// Wakes one home of a ledger, so that it looks whether it holds anything: the one wake-up that does
/// not depend on the object itself.
pub async fn wake(env: &Env, live: &LiveSource, home: &str, slice_ms: u32) -> Option<Woken> {
    let waking = stub(env, live, home).and_then(|stub| stub.wake());
    let Some(Ok(woken)) = in_time(slice_ms, waking).await else {
        platform::notice(&Notice::LedgerFailed { detail: home });
        return None;
    };
    serde_json::from_str(&woken.as_string()?).ok()
}

fn stub(env: &Env, live: &LiveSource, home: &str) -> Result<Stub, JsValue> {
    let options = Object::new();
    if let Some(location) = &live.source.ledger_location {
        Reflect::set(&options, &"locationHint".into(), &location.as_str().into())?;
    }
    env.ledger().get_by_name(home, &options)
}
