//! Asking the ledger, from the gate and from the consumer.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use js_sys::{Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::{Delay, Env};

use super::platform::{self, binding, now_ms};
use crate::audit::Notice;
use crate::gate::LiveSource;
use crate::ledger::{Ask, Reply, Request, home};

#[wasm_bindgen]
extern "C" {
    type Namespace;
    /// The crate cannot call methods of an object.
    #[wasm_bindgen(method, catch, js_name = getByName)]
    fn get_by_name(this: &Namespace, name: &str, options: &Object) -> Result<Stub, JsValue>;

    type Stub;
    #[wasm_bindgen(method, catch)]
    fn ask(this: &Stub, request: &str, message: Option<&str>) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn wake(this: &Stub) -> Result<Promise, JsValue>;
}

/// Why there is no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    Failed,
    /// No reply in time: the request may have been carried out, or be carried out yet.
    Unknown,
}

/// Asks about one event of `live`, for at most `slice_ms`.
pub async fn ask(
    env: &Env,
    live: &LiveSource,
    key: &str,
    ask: Ask,
    message: Option<&str>,
    slice_ms: u32,
) -> Result<Reply, Silence> {
    let request = Request {
        key: key.to_owned(),
        expires_ms: now_ms().saturating_add(live.row_life_ms),
        ask,
    };
    let request = serde_json::to_string(&request).map_err(|_| Silence::Failed)?;
    let asked = stub(env, live).and_then(|stub| stub.ask(&request, message));
    let reply = match asked {
        Ok(promise) => within(promise, slice_ms).await,
        Err(error) => Err(Some(error)),
    };
    match reply {
        Ok(reply) => {
            let reply = reply.as_string().unwrap_or_default();
            serde_json::from_str(&reply).map_err(|_| Silence::Failed)
        }
        Err(Some(error)) => {
            let detail = &platform::describe(&error.into());
            platform::notice(&Notice::LedgerFailed { detail });
            Err(Silence::Failed)
        }
        Err(None) => Err(Silence::Unknown),
    }
}

/// Wakes the ledger of a source, so that it looks whether it holds anything: the one wake-up that
/// does not depend on the object itself.
pub async fn wake(env: &Env, live: &LiveSource, slice_ms: u32) {
    let woken = match stub(env, live).and_then(|stub| stub.wake()) {
        Ok(promise) => within(promise, slice_ms).await.is_ok(),
        Err(_) => false,
    };
    if !woken {
        let detail = &live.name;
        platform::notice(&Notice::LedgerFailed { detail });
    }
}

fn stub(env: &Env, live: &LiveSource) -> Result<Stub, JsValue> {
    let namespace: Namespace =
        Reflect::get(env.as_ref(), &binding::LEDGER.into())?.unchecked_into();
    let options = Object::new();
    if let Some(location) = &live.source.ledger_location {
        Reflect::set(&options, &"locationHint".into(), &location.as_str().into())?;
    }
    namespace.get_by_name(&home(&live.source, &live.name), &options)
}

/// `Err(None)`: the slice ended first. A stub has no time-out of its own.
async fn within(promise: Promise, slice_ms: u32) -> Result<JsValue, Option<JsValue>> {
    let timer = Delay::from(Duration::from_millis(u64::from(slice_ms)));
    match select(pin!(JsFuture::from(promise)), pin!(timer)).await {
        Either::Left((result, _)) => result.map_err(Some),
        Either::Right(_) => Err(None),
    }
}
