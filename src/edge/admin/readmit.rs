//! Having a refusal that was kept judged again.

use js_sys::{Array, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::Env;

use super::{Asking, Told};
use crate::admin::not_readmitted;
use crate::answer::{Answer, problem};
use crate::audit::Notice;
use crate::edge::database::transact;

use crate::edge::state::State;
use crate::edge::{archive, log, platform};
use crate::quarantine::{RECORD, Stored, Unfit};

/// An operator can wait longer than a sender.
const LOG_MS: u32 = 10_000;

#[wasm_bindgen(module = "/src/edge/quarantine.mjs")]
extern "C" {
    #[wasm_bindgen(js_name = openKept)]
    fn open_kept(env: &Env, tenant: &str, source: &str, id: &str) -> Promise;
}

/// What `entry.mjs` needs to have it judged; or the answer that says why it is not.
pub async fn readmit(asking: &Asking<'_>, id: &str) -> Result<Told, archive::Failed> {
    Ok(match found(asking, id).await? {
        Ok(parts) => Told::Readmission(parts),
        Err(answer) => Told::Answer(answer),
    })
}

async fn found(asking: &Asking<'_>, id: &str) -> Result<Result<Array, Answer>, archive::Failed> {
    let Asking {
        env, request_id, ..
    } = *asking;
    let failed = |detail: String| {
        platform::notice(&Notice::RecordFailed { detail: &detail });
        archive::Failed
    };
    let stored = transact(env, &[(RECORD, &[id.into()])]).await;
    let stored = Stored::parse(&stored.map_err(failed)?);
    let Some(stored) = stored.filter(|stored| asking.sees(&stored.tenant)) else {
        let title = "No such record";
        return Ok(Err(problem(404, "not-found", title, None, request_id)));
    };
    let Stored { tenant, source, .. } = &stored;
    let entry = log::entry(env, tenant, id, LOG_MS).await.map_err(failed)?;
    let at_ms = match stored.logged_ms(id, entry.as_ref(), platform::now_ms()) {
        Ok(at_ms) => at_ms,
        Err(unfit) => return Ok(Err(not_readmitted(unfit, request_id))),
    };
    let state = State::of(env);
    if state.gate.source_of(tenant, source).is_none() {
        let title = "Its source is not configured any more";
        return Ok(Err(problem(422, "unknown-source", title, None, request_id)));
    }
    let kept = match JsFuture::from(open_kept(env, tenant, source, id)).await {
        Ok(kept) if !kept.is_undefined() => kept,
        Ok(_) => {
            let title = "Its request is not kept";
            let detail = "It was taken, its source keeps none, or there was no room.";
            let answer = problem(404, "not-kept", title, Some(detail), request_id);
            return Ok(Err(answer));
        }
        Err(error) => {
            let detail = platform::describe_value(&error);
            platform::notice(&Notice::ArchiveFailed { detail: &detail });
            let title = "What is kept of it does not open";
            let detail = "It was changed, the archive did not answer, or QUARANTINE_KEY is not the one it was kept under.";
            let answer = problem(422, "not-opened", title, Some(detail), request_id);
            return Ok(Err(answer));
        }
    };
    let member = |name: &str| Reflect::get(&kept, &name.into()).unwrap_or_default();
    // Sealed with the request: neither who writes the database nor who writes the archive can choose it.
    if member("at").as_f64().map(|at| at as i64) != Some(at_ms) {
        return Ok(Err(not_readmitted(Unfit::Altered, request_id)));
    }
    let operator = &asking.operator.name;
    Ok(Ok([
        member("lines"),
        member("body"),
        JsValue::from_f64(at_ms as f64),
        id.into(),
        operator.into(),
        tenant.into(),
        source.into(),
    ]
    .iter()
    .collect()))
}
