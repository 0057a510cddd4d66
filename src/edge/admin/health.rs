//! How sources are, and the alerts.

use wasm_bindgen::JsValue;

use super::{Asking, Told};
use crate::admin;
use crate::alerts::store::{LISTED, OVERVIEW, rows};
use crate::alerts::tenants;
use crate::answer::Answer;
use crate::audit::Notice;
use crate::edge::database::transact;
use crate::edge::state::State;
use crate::edge::{archive, platform};
use crate::gate::LiveSource;

/// Every configured source that he sees.
pub async fn show_sources(asking: &Asking<'_>) -> Result<Told, archive::Failed> {
    let state = State::of(asking.env);
    let gate = &state.gate;
    let now_ms = platform::now_ms();
    let sources = || gate.sources().map(|live| -> &LiveSource { live });
    let seen = tenants(sources(), |tenant| asking.operator.sees(tenant));
    let asked = [seen.into(), JsValue::from(now_ms as f64)];
    let found = transact(asking.env, &[(OVERVIEW, &asked)]).await;
    let found = found.map_err(failed)?;
    let rows = rows(&found);
    Ok(json_text(admin::overview(
        sources(),
        &asking.operator,
        &rows,
        &gate.alerting.settings,
        |tenant| state.retention(tenant).audit_days,
        now_ms,
    )))
}

/// Those that fire and did lately, as SQLite wrote them.
pub async fn show_alerts(asking: &Asking<'_>) -> Result<Told, archive::Failed> {
    let found = transact(asking.env, &[(LISTED, &[])]).await;
    let listed: Vec<(String, Box<serde_json::value::RawValue>)> = found
        .and_then(|found| serde_json::from_str(&found).map_err(|error| error.to_string()))
        .map_err(failed)?;
    let seen = listed
        .iter()
        .filter(|(tenant, _)| asking.operator.sees(tenant));
    let seen: Vec<&str> = seen.map(|(_, alert)| alert.get()).collect();
    Ok(json_text(format!("{{\"alerts\":[{}]}}", seen.join(","))))
}

#[expect(clippy::needless_pass_by_value, reason = "what map_err hands over")]
fn failed(detail: String) -> archive::Failed {
    platform::notice(&Notice::RecordFailed { detail: &detail });
    archive::Failed
}

fn json_text(body: String) -> Told {
    Told::Answer(Answer {
        status: 200,
        headers: vec![("content-type", "application/json".to_owned())],
        body,
    })
}
