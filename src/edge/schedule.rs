//! What runs every few minutes: it does not depend on anything else being awake.
//!
//! Its parts run beside each other, so that none waits for what another one waits for. One invocation
//! may have six connections waiting for headers: three are for ledgers here, two are the spool's, one
//! is for the queues, and after them for the record. Alerts follow from what all of them found.

use std::collections::BTreeMap;

use js_sys::{Date, Promise, Reflect};
use wasm_bindgen::prelude::*;
use worker::Env;

use super::admin::remove_sessions_that_are_over;
use super::alerts::{self, Watch};
use super::platform::{self, Effect, all, binding, in_time, now_ms};
use super::queue::queue_of;
use super::state::State;
use super::{ledger, record_store, spool};
use crate::audit::Notice;
use crate::backlog::Backlog;
use crate::gate::LiveSource;
use crate::ledger::every_home;

/// For each that is asked what it holds.
const ASK_MS: u32 = 5_000;
const LEDGERS_AT_ONCE: usize = 3;

/// Wakes every ledger, drains the spool, writes down what waits, and tells of what is to be told.
#[wasm_bindgen]
pub fn tick(env: Env) -> Promise {
    platform::promise(async move {
        let state = State::of(&env);
        // The log says within a minute if somebody's line is none, whoever comes or does not.
        state.door(&env);
        let watch = Watch::default();
        let parts: [Effect<'_, ()>; 3] = [
            wake_ledgers(&state, &env, &watch),
            Box::pin(spool::drain(&state, &env, &watch)),
            Box::pin(async {
                look_at_queues(&env, &watch).await;
                record_store::remove_what_is_over(&state, &env).await;
                remove_sessions_that_are_over(&env).await;
            }),
        ];
        all(parts.into(), 3).await;
        alerts::look(&state, &env, watch).await;
        Ok(JsValue::UNDEFINED)
    })
}

fn wake_ledgers<'a>(state: &'a State, env: &'a Env, watch: &'a Watch) -> Effect<'a, ()> {
    // Sources that share their memory of events share its homes as well.
    let mut homes = BTreeMap::new();
    for live in state.gate.sources() {
        for home in every_home(&live.source, &live.name) {
            homes.entry(home).or_insert(live);
        }
    }
    let waking = homes
        .into_iter()
        .map(|(home, live)| -> Effect<'a, ()> { Box::pin(wake(env, live, home, watch)) });
    all(waking.collect(), LEDGERS_AT_ONCE)
}

async fn wake(env: &Env, live: &LiveSource, home: String, watch: &Watch) {
    let home = home.as_str();
    let Some(woken) = ledger::wake(env, live, home, ASK_MS).await else {
        return;
    };
    if woken.is_over {
        platform::notice(&Notice::LedgerEmpty { name: home });
    }
    let backlog = Backlog {
        tenant: Some(&live.source.tenant),
        source: Some(&live.name),
        object: Some(home),
        refused: Some(woken.refused),
        ..Backlog::new("ledger", woken.messages, woken.oldest_ms, now_ms())
    };
    watch.saw(&backlog);
    if woken.messages > 0 {
        record(&backlog);
    }
}

async fn look_at_queues(env: &Env, watch: &Watch) {
    for (name, at) in [
        (binding::EVENTS, "queue"),
        (binding::EVENTS_SLOW, "slow_queue"),
        (binding::DEAD_LETTERS, "dead_letter_queue"),
        (binding::AUDIT, "audit_queue"),
    ] {
        let detail = match in_time(ASK_MS, queue_of(env, name).metrics()).await {
            Some(Ok(metrics)) => {
                let number = |name: &str| {
                    let member = Reflect::get(&metrics, &name.into()).ok()?;
                    let date = member.dyn_ref::<Date>().map(Date::get_time);
                    date.or_else(|| member.as_f64())
                        .filter(|number| *number > 0.0)
                };
                let messages = number("backlogCount").unwrap_or_default() as u64;
                let oldest_ms = number("oldestMessageTimestamp").map(|time| time as i64);
                let backlog = Backlog {
                    bytes: Some(number("backlogBytes").unwrap_or_default() as u64),
                    ..Backlog::new(at, messages, oldest_ms, now_ms())
                };
                watch.saw(&backlog);
                record(&backlog);
                continue;
            }
            Some(Err(error)) => platform::describe_value(&error),
            None => "no answer in time".to_owned(),
        };
        platform::notice(&Notice::BacklogUnknown { detail: &detail });
    }
}

/// Writes down what waits somewhere, and raises an alarm if it has waited for long.
pub fn record(backlog: &Backlog<'_>) {
    platform::log(backlog);
    if let Some(alarm) = backlog.alarm() {
        platform::notice(&alarm);
    }
}
