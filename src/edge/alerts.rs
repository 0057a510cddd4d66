//! Carries out what [`crate::alerts`] says: looks, remembers, and tells.

use std::cell::RefCell;

use wasm_bindgen::JsValue;
use web_sys::AbortSignal;

use super::database::transact;
use super::platform::{self, Effect, Env, now_ms, within};
use super::state::State;
use super::{backend, database, log_run};
use crate::alerts::message::{Message, Round};
use crate::alerts::store::{
    CLAIM, CLAIMED, FORGET, HAPPENED, KEEP_ALERTS, KEEP_MESSAGES, KEEP_RHYTHMS, KNOWN, TOLD,
    UNTOLD, rows,
};
use crate::alerts::{Alert, Ours, Turn, Waiting, evaluate, tenants};
use crate::audit::{Notice, line};
use crate::backlog::Backlog;
use crate::config::Rule;
use crate::gate::{Gate, LiveSource};
use crate::keys::encode_hex;

/// The cron comes every five minutes. What comes sooner is another one beside it, and would make two looks of one.
const APART_MS: i64 = 200_000;
/// For the webhook, each time.
const TELL_MS: u32 = 10_000;
/// For the database, beside what is more important.
const HAPPENED_MS: u32 = 2_000;

/// What waits, as far as this cron has seen.
#[derive(Default)]
pub struct Watch(RefCell<Vec<Waiting>>);

impl Watch {
    /// So much waits there, or nothing.
    pub fn saw(&self, backlog: &Backlog<'_>) {
        self.0.borrow_mut().extend(Waiting::of(backlog));
    }
}

/// Looks whether anything is to be told, and tells it. It fails with the database, and says so: then nobody is told.
pub async fn look(state: &State, env: &Env, watch: Watch) {
    let Some(gate) = &state.gate else {
        return;
    };
    let looked = async {
        if look_once(gate, state, env, &watch.0.into_inner()).await? {
            tell(gate, env).await?;
        }
        Ok::<(), String>(())
    };
    if let Err(detail) = looked.await {
        platform::notice(&Notice::AlertsFailed { detail: &detail });
    }
}

/// Of two crons that look at the same time one writes what it found, and that one tells; the other does neither.
async fn look_once(
    gate: &Gate,
    state: &State,
    env: &Env,
    waiting: &[Waiting],
) -> Result<bool, String> {
    let now = now_ms();
    let at = JsValue::from(now as f64);
    let all = tenants(gate.sources().map(|live| -> &LiveSource { live }), |_| true);
    let found = transact(env, &[(KNOWN, &[all.into(), at.clone()])]).await?;
    let known = rows(&found);
    let last_ms = known
        .iter()
        .find(|row| row.kind == "at")
        .map_or(0, |row| row.number(0));
    if now.saturating_sub(last_ms) < APART_MS {
        return Ok(false);
    }
    let alerting = &gate.alerting;
    let sources = gate.sources().map(|live| -> &LiveSource { live });
    let ours = Ours {
        is_log_unsigned: log_run::signing_key(env).is_none(),
        record_percent: (database::bytes() * 100.0 / state.record_bytes_max) as i64,
    };
    let outcome = evaluate(&alerting.settings, sources, &known, waiting, ours, now);
    let alerts: Vec<String> = outcome.alerts.iter().map(Alert::to_entry).collect();
    let list = |entries: &[String]| format!("[{}]", entries.join(","));
    let turns = outcome
        .turns
        .iter()
        .filter_map(|&(place, turn)| Some((outcome.alerts.get(place)?, turn)));
    let messages: Vec<Message> = match alerting.settings.webhook {
        Some(_) => turns
            .clone()
            .map(|(alert, turn)| Message::new(alert, turn, now))
            .collect(),
        None => Vec::new(),
    };
    let token = JsValue::from(encode_hex(&platform::random::<16>()));
    let with_token = |list: String| [JsValue::from(list), token.clone()];
    let claim = [at.clone(), token.clone(), JsValue::from(last_ms as f64)];
    let (alerts, rhythms) = (
        with_token(list(&alerts)),
        with_token(list(&outcome.rhythms)),
    );
    let messages = [line(&messages).into(), token.clone(), at.clone()];
    let at = [at];
    let mut statements: Vec<(&str, &[JsValue])> = vec![
        (CLAIM, &claim),
        (KEEP_ALERTS, &alerts),
        (KEEP_RHYTHMS, &rhythms),
        (KEEP_MESSAGES, &messages),
    ];
    statements.extend(FORGET.iter().map(|sql| (*sql, &at[..])));
    statements.push((CLAIMED, &[]));
    let claimed = transact(env, &statements).await?;
    let is_ours = token.as_string().as_ref() == Some(&claimed);
    if is_ours {
        for (alert, turn) in turns {
            platform::notice(&Notice::Alert {
                is_firing: turn != Turn::Resolved,
                alert,
            });
        }
    }
    Ok(is_ours)
}

/// Sends what nobody has taken yet, this look's and former ones'. What is not taken comes again with the next cron,
/// under the same id.
async fn tell(gate: &Gate, env: &Env) -> Result<(), String> {
    if gate.alerting.settings.webhook.is_none() {
        return Ok(());
    }
    let untold = transact(env, &[(UNTOLD, &[])]).await?;
    let untold: Vec<(&str, &str)> = untold
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect();
    let mut round = Round::default();
    for &(id, body) in &untold {
        if !round.goes_on(id, post(gate, id, body).await) {
            break;
        }
    }
    if let Some(detail) = round.failed {
        let untold = untold.len() - round.told.len();
        platform::notice(&Notice::AlertUntold {
            detail: &detail,
            untold,
        });
    }
    if !(round.told.is_empty() && round.refused.is_empty()) {
        let now = JsValue::from(now_ms() as f64);
        let values = [line(&round.told).into(), line(&round.refused).into(), now];
        transact(env, &[(TOLD, &values)]).await?;
    }
    Ok(())
}

/// The status of the answer.
async fn post(gate: &Gate, id: &str, body: &str) -> Result<u16, String> {
    let route = gate.alerting.route.as_ref();
    let route = route.ok_or("the webhook has no address or no secret here")?;
    let headers = route.key.headers_of(id, body, now_ms());
    let signal = AbortSignal::timeout_with_u32(TELL_MS);
    let response = backend::send(&route.url, &headers, &body.into(), &signal).await;
    let response = response.map_err(|error| platform::describe_value(&error))?;
    backend::discard(&response).await;
    Ok(response.status())
}

/// Something happened that an alert may follow from. `id` is the same if it is told twice.
pub fn happened(
    env: &Env,
    rule: Rule,
    tenant: &str,
    source: &str,
    id: &str,
) -> Effect<'static, ()> {
    let values = [
        id.into(),
        rule.name().into(),
        tenant.into(),
        source.into(),
        JsValue::from(now_ms() as f64),
    ];
    let keeping = within(HAPPENED_MS, transact(env, &[(HAPPENED, &values)]));
    Box::pin(async move {
        let kept = keeping.await;
        if let Err(detail) = kept.unwrap_or_else(|| Err("no answer in time".to_owned())) {
            platform::notice(&Notice::AlertsFailed { detail: &detail });
        }
    })
}
