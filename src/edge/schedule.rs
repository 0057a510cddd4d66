//! What runs every few minutes: it does not depend on anything else being awake.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use worker::Env;

use super::state::State;
use super::{ledger, platform, spool};

/// For each ledger that is asked whether it holds anything.
const WAKE_MS: u32 = 5_000;

/// Wakes every ledger, and drains the spool.
#[wasm_bindgen]
pub fn tick(env: Env) -> Promise {
    platform::promise(async move {
        let state = State::of(&env);
        for live in state.gate.iter().flat_map(|gate| gate.sources()) {
            ledger::wake(&env, live, WAKE_MS).await;
        }
        spool::drain(&env).await;
        Ok(JsValue::UNDEFINED)
    })
}
