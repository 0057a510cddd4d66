//! What runs every few minutes: it does not depend on anything else being awake.
//!
//! Its parts run beside each other, so that none waits for what another one waits for. One invocation
//! may have six connections waiting for headers: three are for ledgers here, two are the spool's.

use std::collections::BTreeMap;

use futures_util::future::join;
use futures_util::{StreamExt as _, stream};
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use worker::Env;

use super::state::State;
use super::{ledger, platform, spool};
use crate::ledger::every_home;

/// For each ledger that is asked whether it holds anything.
const WAKE_MS: u32 = 5_000;
const WAKES_AT_ONCE: usize = 3;

/// Wakes every ledger, and drains the spool.
#[wasm_bindgen]
pub fn tick(env: Env) -> Promise {
    platform::promise(async move {
        let state = State::of(&env);
        join(wake_ledgers(&state, &env), spool::drain(&state, &env)).await;
        Ok(JsValue::UNDEFINED)
    })
}

async fn wake_ledgers(state: &State, env: &Env) {
    // Sources that share their memory of events share its homes as well.
    let homes: BTreeMap<_, _> = state
        .gate
        .iter()
        .flat_map(|gate| gate.sources())
        .flat_map(|live| every_home(&live.source, &live.name).map(move |home| (home, live)))
        .collect();
    stream::iter(homes)
        .for_each_concurrent(WAKES_AT_ONCE, |(home, live)| async move {
            ledger::wake(env, live, &home, WAKE_MS).await;
        })
        .await;
}
