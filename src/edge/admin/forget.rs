//! Having an event forgotten: the next resend of it is delivered once more.

use std::sync::Arc;
use worker::Env;

use super::{Asking, Told, json};
use crate::admin::{Wish, not_forgotten};
use crate::answer::{Answer, problem};
use crate::edge::archive;
use crate::edge::ledger::{self, Silence};
use crate::edge::platform::now_ms;
use crate::edge::state::State;
use crate::gate::LiveSource;
use crate::ledger::{Ask, Reply};

/// An operator can wait longer than a sender.
const LEDGER_MS: u32 = 10_000;

pub async fn forget(asking: &Asking<'_>) -> Result<Told, archive::Failed> {
    let told = wished(asking).await.unwrap_or_else(|answer| answer);
    Ok(told.into())
}

/// The error is the answer that says why it was not done.
async fn wished(asking: &Asking<'_>) -> Result<Answer, Answer> {
    let Asking {
        env, request_id, ..
    } = *asking;
    let wish = Wish::parse(&asking.body().await).ok_or_else(|| {
        let title = "The body names a source, and a dedup_key or an event_id";
        problem(400, "malformed", title, None, request_id)
    })?;
    let state = State::of(env);
    let live = state.gate.source(&wish.source);
    let live = live.filter(|live| asking.sees(&live.source.tenant));
    let live = live.ok_or_else(|| problem(404, "not-found", "No such source", None, request_id))?;
    let keys = wish.keys(live, request_id)?;
    asking.is_about(&wish.source);
    let silent = |_| {
        let title = "The ledger did not answer";
        let detail = "It may have been forgotten, or not. Repeat it: that does no harm.";
        problem(503, "ledger-unavailable", title, Some(detail), request_id)
    };
    let (key, reply) = ask(env, live, &keys, wish.insist).await.map_err(silent)?;
    let Reply::Forgotten { run } = reply else {
        let refused = not_forgotten(reply, now_ms(), request_id);
        return Err(refused.unwrap_or_else(|| silent(Silence::Failed)));
    };
    asking.is_about(key);
    let body = serde_json::json!({ "status": "forgotten", "run": run, "dedup_key": key });
    Ok(json(200, &body))
}

/// Asks about one key after the other until the ledger knows one. Insisting comes second: a key that only might be
/// the event's is not to be made known.
async fn ask<'a>(
    env: &Env,
    live: &Arc<LiveSource>,
    keys: &'a [String],
    insist: bool,
) -> Result<(&'a str, Reply), Silence> {
    let mut told = ("", Reply::Unknown);
    for key in keys {
        let forget = Ask::Forget { insist: false };
        told = (key, ledger::ask(env, live, key, forget, LEDGER_MS).await?);
        if told.1 != Reply::Unknown {
            break;
        }
    }
    if insist && !matches!(told.1, Reply::Forgotten { .. }) {
        let forget = Ask::Forget { insist };
        told.1 = ledger::ask(env, live, told.0, forget, LEDGER_MS).await?;
    }
    Ok(told)
}
