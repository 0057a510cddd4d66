//! Carries out what [`crate::alerts`] says: looks, remembers, and tells.

use std::cell::RefCell;

use js_sys::{Object, Promise};
use wasm_bindgen::JsValue;
use web_sys::AbortSignal;
use worker::Env;

use super::database::transact;
use super::platform::{self, Bound, Effect, in_time, now_ms, set, within};
use super::state::State;
use super::{backend, database, log_run};
use crate::alerts::message::{Message, Round};
use crate::alerts::store::{
    CLAIM, CLAIMED, FORGET, HAPPENED, KEEP_ALERTS, KEEP_MESSAGES, KEEP_RHYTHMS, KNOWN, TOLD,
    UNTOLD, rows,
};
use crate::alerts::without::{self, Memory};
use crate::alerts::{Alert, Ours, Outcome, Turn, Waiting, evaluate, tenants};
use crate::audit::{Notice, line};
use crate::backlog::Backlog;
use crate::config::Rule;
use crate::gate::{Gate, LiveSource};
use crate::hex;

/// The cron comes every five minutes. What comes sooner is another one beside it, and would make two looks of one.
const APART_MS: i64 = 200_000;
/// For the webhook, each time.
const TELL_MS: u32 = 10_000;
/// For the database, beside what is more important.
const HAPPENED_MS: u32 = 2_000;
/// For KV, each time.
const KV_MS: u32 = 5_000;

/// What waits, as far as this cron has seen.
#[derive(Default)]
pub struct Watch(RefCell<Vec<Waiting>>);

impl Watch {
    /// So much waits there, or nothing.
    pub fn saw(&self, backlog: &Backlog<'_>) {
        self.0.borrow_mut().extend(Waiting::of(backlog));
    }
}

/// Looks whether anything is to be told, and tells it. Where the database does not answer, of that and of what waits.
pub async fn look(state: &State, env: &Env, watch: Watch) {
    let gate = &state.gate;
    let waiting = watch.0.into_inner();
    let looked = look_and_tell(gate, state, env, &waiting).await;
    let failed = |detail: &str| platform::notice(&Notice::AlertsFailed { detail });
    let has_answered = match &looked {
        Ok(false) => return,
        Ok(true) => true,
        Err(detail) => {
            failed(detail);
            false
        }
    };
    if let Err(detail) = look_without(gate, env, &waiting, has_answered).await {
        failed(&detail);
    }
}

/// False: another cron does it.
async fn look_and_tell(
    gate: &Gate,
    state: &State,
    env: &Env,
    waiting: &[Waiting],
) -> Result<bool, String> {
    let is_ours = look_once(gate, state, env, waiting).await?;
    if is_ours {
        tell(gate, env).await?;
    }
    Ok(is_ours)
}

/// The alerts that KV remembers: see [`without`]. What the webhook does not take turns again at the next look.
async fn look_without(
    gate: &Gate,
    env: &Env,
    waiting: &[Waiting],
    has_answered: bool,
) -> Result<(), String> {
    let kv = env.seen();
    let known = timely(kv.get(without::KEY)).await?.as_string();
    let before = Memory::parse(&known.unwrap_or_default());
    let (now, mut memory) = (now_ms(), before.clone());
    let turns = if has_answered {
        memory.answered(now)
    } else if (0..APART_MS).contains(&now.saturating_sub(before.at_ms)) {
        None
    } else {
        Some(memory.look(&gate.alerting.settings, &sources(gate), waiting, now))
    };
    let Some(turns) = turns else {
        return Ok(());
    };
    let mut untold = 0;
    for (alert, turn) in &turns {
        platform::notice(&Notice::Alert {
            is_firing: *turn != Turn::Resolved,
            alert,
        });
        if gate.alerting.settings.webhook.is_none() {
            continue;
        }
        let message = without::message(alert, *turn, now);
        let mut round = Round::default();
        round.goes_on(&message.id, post(gate, &message.id, &message.body).await);
        if let Some(detail) = &round.failed {
            untold += 1;
            memory.untold(alert, &before);
            platform::notice(&Notice::AlertUntold { detail, untold });
        }
    }
    let kept = Object::new();
    set(&kept, "expirationTtl", &without::KEPT_SECONDS.into());
    timely(kv.put(without::KEY, &memory.to_text(), &kept)).await?;
    Ok(())
}

/// What KV says to this.
async fn timely(asking: Result<Promise, JsValue>) -> Result<JsValue, String> {
    let told = in_time(KV_MS, asking).await;
    told.ok_or("no answer in time")?
        .map_err(|error| platform::describe_value(&error))
}

fn sources(gate: &Gate) -> Vec<&LiveSource> {
    gate.sources().map(|live| -> &LiveSource { live }).collect()
}

/// Of two crons that look at the same time one writes what it found, and that one tells; the other does neither.
async fn look_once(
    gate: &Gate,
    state: &State,
    env: &Env,
    waiting: &[Waiting],
) -> Result<bool, String> {
    let now = now_ms();
    let all = tenants(sources(gate).into_iter(), |_| true);
    let asked = transact(env, &[(KNOWN, &[all.into(), number(now)])]);
    let found = asked.await?;
    let known = rows(&found);
    let last_ms = known
        .iter()
        .find(|row| row.kind == "at")
        .map_or(0, |row| row.number(0));
    if now.saturating_sub(last_ms) < APART_MS {
        return Ok(false);
    }
    let ours = Ours {
        is_log_unsigned: log_run::signing_key(env).is_none(),
        is_record_unreachable: false,
        record_percent: (database::bytes() * 100.0 / state.record_bytes_max()) as i64,
    };
    let settings = &gate.alerting.settings;
    let outcome = evaluate(settings, &sources(gate), &known, waiting, ours, now);
    let token = hex::encode(&platform::random::<16>());
    let claimed = keep(gate, &outcome, &token, last_ms, now, env).await?;
    let is_ours = token == claimed;
    if is_ours {
        for (alert, turn) in turns(&outcome) {
            platform::notice(&Notice::Alert {
                is_firing: turn != Turn::Resolved,
                alert,
            });
        }
    }
    Ok(is_ours)
}

fn turns(outcome: &Outcome) -> impl Iterator<Item = (&Alert, Turn)> {
    let of = |&(place, turn): &(usize, Turn)| Some((outcome.alerts.get(place)?, turn));
    outcome.turns.iter().filter_map(of)
}

/// Begins to write what was found, if nobody else has since `last_ms`. What comes of it is the token of who did.
fn keep(
    gate: &Gate,
    outcome: &Outcome,
    token: &str,
    last_ms: i64,
    now: i64,
    env: &Env,
) -> Effect<'static, Result<String, String>> {
    let messages: Vec<Message> = match gate.alerting.settings.webhook {
        Some(_) => turns(outcome)
            .map(|(alert, turn)| Message::new(alert, turn, now))
            .collect(),
        None => Vec::new(),
    };
    let alerts: Vec<String> = outcome.alerts.iter().map(Alert::to_entry).collect();
    let list = |entries: &[String]| JsValue::from(format!("[{}]", entries.join(",")));
    let (at, token) = (number(now), JsValue::from(token));
    let claim = [at.clone(), token.clone(), number(last_ms)];
    let alerts = [list(&alerts), token.clone()];
    let rhythms = [list(&outcome.rhythms), token.clone()];
    let messages = [line(&messages).into(), token, at.clone()];
    let at = [at];
    let mut statements: Vec<(&str, &[JsValue])> = vec![
        (CLAIM, &claim),
        (KEEP_ALERTS, &alerts),
        (KEEP_RHYTHMS, &rhythms),
        (KEEP_MESSAGES, &messages),
    ];
    statements.extend(FORGET.iter().map(|sql| (*sql, &at[..])));
    statements.push((CLAIMED, &[]));
    transact(env, &statements)
}

fn number(number: i64) -> JsValue {
    JsValue::from_f64(number as f64)
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
        let (told, refused) = (line(&round.told), line(&round.refused));
        let values = [told.into(), refused.into(), number(now_ms())];
        let keeping = transact(env, &[(TOLD, &values)]);
        keeping.await?;
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
        number(now_ms()),
    ];
    let keeping = within(HAPPENED_MS, transact(env, &[(HAPPENED, &values)]));
    Box::pin(async move {
        let kept = keeping.await;
        if let Err(detail) = kept.unwrap_or_else(|| Err("no answer in time".to_owned())) {
            platform::notice(&Notice::AlertsFailed { detail: &detail });
        }
    })
}
