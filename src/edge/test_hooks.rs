//! Only in builds for the end-to-end tests: `scripts/test` asserts that no deployment has them.

use super::platform::{Env, variable};
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

/// Tells a test that something begins.
pub fn mark(what: &str, request_id: &str) {
    super::platform::log(
        &serde_json::json!({ "event": "mark", "what": what, "request_id": request_id }),
    );
}
