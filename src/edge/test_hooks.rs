//! Only in builds for the end-to-end tests: `scripts/test` asserts that no deployment has them.

use js_sys::Promise;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use worker::Env;

use super::inquire::forget_keys;
use super::platform::variable;
use super::state::{State, forget_sources};
use crate::config::Config;
use crate::event::Held;
use crate::request::Head;

/// Shows what a panic and a trap do to their neighbours.
#[allow(clippy::panic, reason = "on purpose")]
pub fn panic_on_purpose(head: &Head) {
    match head.header("x-test-hook") {
        Some("panic") => panic!("on purpose, quoting {:?}", head.header("x-test-secret")),
        Some("trap") => core::arch::wasm32::unreachable(),
        _ => {}
    }
}

/// A poison message must not disturb its neighbours.
#[allow(clippy::panic, reason = "on purpose")]
pub fn panic_at_poison(held: &Held) {
    if held.message.kind == "test.panic" {
        panic!("on purpose, quoting {:?}", held.content);
    }
}

/// Other shards than the build has, as a later version would.
pub fn reshard_on_purpose(config: &mut Config, env: &Env) {
    const SHARDS: &str = "TEST_LEDGER_SHARDS";
    let Some(shards) = variable(env, SHARDS) else {
        return;
    };
    let shards: Vec<u32> = serde_json::from_str(&shards).unwrap_or_default();
    for source in config.sources.values_mut() {
        source.ledger_shards.clone_from(&shards);
    }
}

/// The variable with another configuration than the build's, as JSON.
const CONFIG: &str = "TEST_CONFIG";

thread_local! {
    static INSTEAD: RefCell<Option<(String, Rc<State>)>> = const { RefCell::new(None) };
}

/// What a test brought instead of the build's configuration, alive: one build then answers for every scheme
/// under every secret.
pub fn state_instead(env: &Env) -> Option<Rc<State>> {
    let text = variable(env, CONFIG)?;
    let same = |kept: &Option<(String, Rc<State>)>| {
        let known = kept.as_ref().filter(|(known, _)| *known == text);
        known.map(|(_, state)| state.clone())
    };
    INSTEAD.with_borrow(same).or_else(|| {
        // Sources of one name, of which each is another.
        forget_sources();
        forget_keys();
        let state = Rc::new(State::load(env));
        INSTEAD.set(Some((text, state.clone())));
        Some(state)
    })
}

/// The configuration of [`state_instead`].
#[allow(clippy::panic, reason = "a test's mistake")]
pub fn configure_on_purpose(config: &mut Config, env: &Env) {
    if let Some(text) = variable(env, CONFIG) {
        *config = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{CONFIG}: {error}"));
    }
}

/// Tells a test that something begins.
pub fn mark(what: &str, request_id: &str) {
    super::platform::log(
        &serde_json::json!({ "event": "mark", "what": what, "request_id": request_id }),
    );
}

/// Waits so often for what comes at once; then says how much memory there is, in bytes.
#[wasm_bindgen(js_name = memoryAfterWaits)]
pub fn memory_after_waits(waits: u32) -> Promise {
    super::platform::promise(async move {
        for _ in 0..waits {
            super::platform::in_time(60_000, Ok(Promise::resolve(&JsValue::UNDEFINED))).await;
        }
        let pages = core::arch::wasm32::memory_size(0);
        Ok(JsValue::from(pages as f64 * 65_536.0))
    })
}
