//! Asking the ledger, from the gate and from the consumer.

use js_sys::{Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::Env;

use super::platform::{self, binding, now_ms, within};
use crate::audit::Notice;
use crate::gate::LiveSource;
use crate::ledger::{Ask, Reply, Request, every_home, homes};

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

/// Asks about one event of `live`, for at most `slice_ms`: its homes one after the other, until one
/// has a word on it.
pub async fn ask(
    env: &Env,
    live: &LiveSource,
    key: &str,
    ask: Ask,
    message: Option<&str>,
    slice_ms: u32,
) -> Result<Reply, Silence> {
    let asking = async {
        for home in homes(&live.source, &live.name, key) {
            let request = Request {
                key: key.to_owned(),
                expires_ms: now_ms().saturating_add(live.row_life_ms),
                newer: !home.is_newest,
                ask,
            };
            let promise = stub(env, live, &home.name)?.ask(&request.to_text(), message)?;
            let reply = JsFuture::from(promise).await?.as_string();
            match reply.as_deref().and_then(Reply::from_text) {
                None => return Err(JsValue::from_str("a reply of another version")),
                Some(Reply::Elsewhere) => {}
                Some(reply) => return Ok(reply),
            }
        }
        Err(JsValue::from_str(
            "the ledger has newer shards than this Worker knows of",
        ))
    };
    match within(slice_ms, asking).await {
        Some(Ok(reply)) => Ok(reply),
        Some(Err(error)) => {
            let detail = &platform::describe(&error.into());
            platform::notice(&Notice::LedgerFailed { detail });
            Err(Silence::Failed)
        }
        None => Err(Silence::Unknown),
    }
}

/// Wakes the ledger of a source, so that it looks whether it holds anything: the one wake-up that
/// does not depend on the object itself.
pub async fn wake(env: &Env, live: &LiveSource, slice_ms: u32) {
    for home in every_home(&live.source, &live.name) {
        let waking = async { JsFuture::from(stub(env, live, &home)?.wake()?).await };
        let woken = within(slice_ms, waking).await;
        match woken {
            Some(Ok(is_over)) if is_over.is_truthy() => {
                platform::notice(&Notice::LedgerEmpty { name: &home });
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => {
                let detail = &home;
                platform::notice(&Notice::LedgerFailed { detail });
            }
        }
    }
}

fn stub(env: &Env, live: &LiveSource, home: &str) -> Result<Stub, JsValue> {
    let namespace: Namespace =
        Reflect::get(env.as_ref(), &binding::LEDGER.into())?.unchecked_into();
    let options = Object::new();
    if let Some(location) = &live.source.ledger_location {
        Reflect::set(&options, &"locationHint".into(), &location.as_str().into())?;
    }
    namespace.get_by_name(home, &options)
}
