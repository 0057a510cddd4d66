//! Secrets that providers hand over ([`crate::scheme::Handshake::keep`]): kept for the operator, in the
//! archive, under a key made of the gate's secret for its logs, which outlives the operators' tokens.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::Env;

use super::archive::Failed;
use super::bucket::Bucket;
use super::platform::{self, Bound, binding, describe_value, variable};
use super::state::State;
use crate::audit::Notice;
use crate::gate::LiveSource;

#[wasm_bindgen(module = "/src/edge/offer.js")]
extern "C" {
    #[wasm_bindgen(js_name = keepOffer)]
    fn keep_offer(bucket: &Bucket, name: &str, key: &str, secret: &str) -> Promise;
    #[wasm_bindgen(js_name = takeOffer)]
    fn take_offer(bucket: &Bucket, name: &str, key: &str) -> Promise;
}

/// Begins to keep a secret; ends by itself. Brings whether it was kept: there is one for each window.
pub fn keep(env: &Env, live: &LiveSource, secret: &str) -> Promise {
    let has_readers = !State::of(env).door(env).operators.is_empty();
    match (live.offer_name(), variable(env, binding::AUDIT_LOG_KEY)) {
        (Some(name), Some(key)) if has_readers && !key.is_empty() => {
            keep_offer(&env.archive(), &name, &key, secret)
        }
        // Nobody could ever read it.
        _ => Promise::reject(&JsValue::UNDEFINED),
    }
}

/// Gives the secret of the source's window to the operator, once.
///
/// # Errors
/// The archive did not answer, or the key is not the one it was kept under.
pub async fn take(env: &Env, live: &LiveSource) -> Result<Option<String>, Failed> {
    let key = variable(env, binding::AUDIT_LOG_KEY);
    let (Some(name), Some(key)) = (live.offer_name(), key) else {
        return Ok(None);
    };
    let taken = JsFuture::from(take_offer(&env.archive(), &name, &key)).await;
    let secret = taken.map_err(|error| {
        let detail = &describe_value(&error);
        platform::notice(&Notice::ArchiveFailed { detail });
        Failed
    })?;
    Ok(secret.as_string())
}
