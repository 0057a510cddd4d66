//! The Durable Object: rows in SQLite, and the relay that hands held messages to the queue.
//!
//! Every request is one synchronous step: read the row, ask [`crate::ledger`], write the row. No
//! other request runs in between, and the platform holds the answer back until the write is safe.
//! The object's class is in `entry.mjs`; it calls in here and sees to the alarm.

use js_sys::{Array, Promise};
use wasm_bindgen::prelude::*;
use worker::Env;

use super::platform::{self, binding, now_ms, within};
use super::state::State as GateState;
use crate::audit::Notice;
use crate::dead::DeadLetter;
use crate::event::{self, at_run};
use crate::keys::encode_hex;
use crate::ledger::{Ask, Reply, Request, Row, State, answer, dead};
use crate::retry::DeathCause;

use super::archive;

#[wasm_bindgen]
extern "C" {
    /// `ctx.storage` of the object. The crate's cursor can hang a request when a step throws.
    pub type Storage;
    #[wasm_bindgen(method, getter)]
    fn sql(this: &Storage) -> Sql;

    type Sql;
    #[wasm_bindgen(method, catch, variadic)]
    fn exec(this: &Sql, query: &str, bindings: &Array) -> Result<Cursor, JsValue>;

    type Cursor;
    #[wasm_bindgen(method, catch)]
    fn raw(this: &Cursor) -> Result<Rows, JsValue>;

    type Rows;
    #[wasm_bindgen(method, catch, js_name = toArray)]
    fn to_array(this: &Rows) -> Result<Array, JsValue>;
}

/// One row an event, found by its key alone: an index more would be a write more for each event.
/// The messages stand apart, so that the rows stay small and are read from few pages.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS events (
  key TEXT PRIMARY KEY, run INTEGER NOT NULL, state INTEGER NOT NULL, owner TEXT,
  until_ms INTEGER, attempts INTEGER NOT NULL, expires_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS held (
  key TEXT PRIMARY KEY, message TEXT NOT NULL, refusals INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS closed (since_ms INTEGER NOT NULL);";

/// Rows looked at for each new one. Keys are digests, so those that follow a new key are a fair
/// sample of all: what has expired is gone after a few rounds, and storage stays flat.
const SWEPT_FOR_EACH: u32 = 8;
/// Rows looked at in an object of a former epoch each time the cron comes by.
const SWEPT_WHEN_CLOSED: u32 = 1_000;
/// A batch for the queue: 100 messages, and 256,000 bytes less what the platform adds.
const BATCH_MESSAGES: u32 = 100;
const BATCH_BYTES_MAX: usize = 240_000;
/// After so many refusals of its own a message is set aside, and the rest goes on.
const REFUSALS_MAX: u32 = 5;
/// No alarm fires beside a running one, so a send that never settled would stop the relay for good.
const SEND_MS: u32 = 5_000;

/// Prepares the object. True: messages are held, so the relay has to run.
#[wasm_bindgen(js_name = ledgerOpen)]
pub fn open(storage: &Storage) -> Result<bool, JsValue> {
    storage.sql().exec(TABLES, &Array::new())?;
    is_holding(storage)
}

/// True: messages are held.
#[wasm_bindgen(js_name = ledgerIsHolding)]
pub fn is_holding(storage: &Storage) -> Result<bool, JsValue> {
    Ok(query(storage, "SELECT 1 FROM held LIMIT 1", &[])?.length() > 0)
}

/// Sweeps an object of a former epoch, where no new row brings a sweep along. True: it has neither
/// rows nor messages left, and can be retired.
#[wasm_bindgen(js_name = ledgerTidy)]
pub fn tidy(storage: &Storage) -> Result<bool, JsValue> {
    if !is_closed(storage)? {
        return Ok(false);
    }
    let anywhere = encode_hex(&platform::random::<8>());
    sweep(storage, &anywhere, SWEPT_WHEN_CLOSED, now_ms())?;
    let rows = query(storage, "SELECT 1 FROM events LIMIT 1", &[])?;
    Ok(rows.length() == 0 && !is_holding(storage)?)
}

/// Answers one request; `message` comes with an arrival.
#[wasm_bindgen(js_name = ledgerAnswer)]
pub fn answer_request(
    storage: &Storage,
    request: &str,
    message: Option<String>,
) -> Result<String, JsValue> {
    let request = Request::from_text(request)
        .ok_or_else(|| JsValue::from_str("not a request of this version"))?;
    let now_ms = now_ms();
    if request.newer {
        close(storage, now_ms)?;
    }
    let row = read(storage, &request.key)?;
    let is_closed = !row.is_some_and(|row| row.is_alive(now_ms)) && is_closed(storage)?;
    let (reply, written) = answer(row, &request, is_closed, now_ms);
    if let Some(row) = written {
        write(storage, &request.key, &row)?;
        if matches!(request.ask, Ask::Arrive | Ask::Claim { .. } | Ask::Note) {
            sweep(storage, &request.key, SWEPT_FOR_EACH, now_ms)?;
        }
    }
    if let (Reply::New | Reply::Revived { .. }, Some(message)) = (reply, message) {
        let message = match reply {
            Reply::Revived { run } => at_run(&message, run).unwrap_or(message),
            _ => message,
        };
        let sql = "INSERT INTO held (key, message, refusals) VALUES (?, ?, 0)
                   ON CONFLICT (key) DO UPDATE SET message = excluded.message, refusals = 0";
        query(storage, sql, &[request.key.as_str().into(), message.into()])?;
    }
    Ok(reply.to_text())
}

/// Hands one batch to the queue. True: it went well, and there may be more.
#[wasm_bindgen(js_name = ledgerRelay)]
pub fn relay(storage: Storage, env: Env) -> Promise {
    platform::promise(async move {
        let _ = GateState::of(&env);
        let batch = batch(&storage)?;
        if batch.is_empty() {
            return Ok(JsValue::TRUE);
        }
        let texts: Vec<&str> = batch.iter().map(|held| held.message.as_str()).collect();
        match in_time(platform::send_batch(&env, binding::EVENTS, &texts)).await {
            Some(Ok(())) => {
                for held in &batch {
                    forget(&storage, held)?;
                }
                Ok(JsValue::TRUE)
            }
            Some(Err(_)) => Ok(one_by_one(&storage, &env, &batch).await?.into()),
            None => Ok(JsValue::FALSE),
        }
    })
}

/// `None`: no answer in time. The queue may have it; a copy is removed before the backend.
async fn in_time(send: impl Future<Output = Result<(), String>>) -> Option<Result<(), String>> {
    let sent = within(SEND_MS, send).await;
    if sent.is_none() {
        let detail = "no answer in time";
        platform::notice(&Notice::HoldFailed { detail });
    }
    sent
}

/// A batch fails as a whole; this finds out which of its messages the queue refuses.
async fn one_by_one(storage: &Storage, env: &Env, batch: &[Held]) -> Result<bool, JsValue> {
    let mut refused = Vec::new();
    for held in batch {
        match in_time(platform::send(env, binding::EVENTS, &held.message)).await {
            Some(Ok(())) => forget(storage, held)?,
            Some(Err(detail)) => {
                platform::notice(&Notice::HoldFailed { detail: &detail });
                refused.push(held);
            }
            None => return Ok(false),
        }
    }
    // If nothing went through, it is the queue and not the messages.
    let some_went = refused.len() < batch.len();
    for held in refused.into_iter().filter(|_| some_went) {
        if held.refusals + 1 < REFUSALS_MAX {
            let sql = "UPDATE held SET refusals = refusals + 1 WHERE key = ?";
            query(storage, sql, &[held.key.as_str().into()])?;
            continue;
        }
        let letter = DeadLetter::new(&held.message, DeathCause::RefusedByQueue, 0, None, now_ms());
        if archive::keep(env, &letter).await.is_ok() {
            platform::notice(&Notice::DeadLetterKept { id: &letter.id });
            forget(storage, held)?;
            settle_dead(storage, held)?;
        }
    }
    Ok(some_went)
}

/// What was set aside is dead like any other: its provider may bring it again.
fn settle_dead(storage: &Storage, held: &Held) -> Result<(), JsValue> {
    let run = event::Held::read(&held.message).map_or(0, |held| held.message.run);
    let row = read(storage, &held.key)?;
    match row.and_then(|row| dead(Some(row), run, None, now_ms(), row.expires_ms)) {
        Some(row) => write(storage, &held.key, &row),
        None => Ok(()),
    }
}

struct Held {
    key: String,
    message: String,
    refusals: u32,
}

fn batch(storage: &Storage) -> Result<Vec<Held>, JsValue> {
    let sql = format!("SELECT key, message, refusals FROM held LIMIT {BATCH_MESSAGES}");
    let mut bytes = 0;
    let mut batch = Vec::new();
    for row in query(storage, &sql, &[])?.iter() {
        let row = Array::from(&row);
        let held = Held {
            key: row.get(0).as_string().unwrap_or_default(),
            message: row.get(1).as_string().unwrap_or_default(),
            refusals: row.get(2).as_f64().unwrap_or_default() as u32,
        };
        bytes += held.message.len();
        if !batch.is_empty() && bytes > BATCH_BYTES_MAX {
            break;
        }
        batch.push(held);
    }
    Ok(batch)
}

/// The queue has the message. One that took its place meanwhile (another run) stays.
fn forget(storage: &Storage, held: &Held) -> Result<(), JsValue> {
    let sql = "DELETE FROM held WHERE key = ? AND message = ?";
    query(
        storage,
        sql,
        &[held.key.as_str().into(), held.message.as_str().into()],
    )?;
    Ok(())
}

/// Deletes what has expired among the `rows` that follow `key`.
fn sweep(storage: &Storage, key: &str, rows: u32, now_ms: i64) -> Result<(), JsValue> {
    let sql = "DELETE FROM events WHERE expires_ms <= ?2 AND key IN
               (SELECT key FROM events WHERE key > ?1 ORDER BY key LIMIT ?3)";
    query(
        storage,
        sql,
        &[key.into(), (now_ms as f64).into(), rows.into()],
    )?;
    Ok(())
}

/// Somebody knows of a newer epoch: no more rows are opened here.
fn close(storage: &Storage, now_ms: i64) -> Result<(), JsValue> {
    let sql = "INSERT INTO closed SELECT ? WHERE NOT EXISTS (SELECT 1 FROM closed)";
    query(storage, sql, &[(now_ms as f64).into()])?;
    Ok(())
}

fn is_closed(storage: &Storage) -> Result<bool, JsValue> {
    Ok(query(storage, "SELECT 1 FROM closed LIMIT 1", &[])?.length() > 0)
}

const OPEN: u32 = 0;
const CLAIMED: u32 = 1;
const DONE: u32 = 2;
const DEAD: u32 = 3;

fn read(storage: &Storage, key: &str) -> Result<Option<Row>, JsValue> {
    let sql = "SELECT run, state, owner, until_ms, attempts, expires_ms FROM events WHERE key = ?";
    let rows = query(storage, sql, &[key.into()])?;
    if rows.length() == 0 {
        return Ok(None);
    }
    let row = Array::from(&rows.get(0));
    let number = |index| row.get(index).as_f64().unwrap_or_default();
    let owner = row.get(2).as_string().and_then(|owner| owner.parse().ok());
    let state = match number(1) as u32 {
        OPEN => State::Open,
        CLAIMED => State::Claimed {
            owner: owner.unwrap_or_default(),
            until_ms: number(3) as i64,
        },
        DONE => State::Done,
        DEAD => State::Dead,
        _ => return Err(JsValue::from_str("a row of another version")),
    };
    Ok(Some(Row {
        run: number(0) as u32,
        state,
        attempts: number(4) as u32,
        expires_ms: number(5) as i64,
    }))
}

fn write(storage: &Storage, key: &str, row: &Row) -> Result<(), JsValue> {
    let (state, owner, until_ms) = match row.state {
        State::Open => (OPEN, JsValue::NULL, JsValue::NULL),
        // Sixty-four bits do not fit into a number of JavaScript.
        State::Claimed { owner, until_ms } => {
            (CLAIMED, owner.to_string().into(), (until_ms as f64).into())
        }
        State::Done => (DONE, JsValue::NULL, JsValue::NULL),
        State::Dead => (DEAD, JsValue::NULL, JsValue::NULL),
    };
    let sql = "INSERT INTO events (key, run, state, owner, until_ms, attempts, expires_ms)
               VALUES (?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT (key) DO UPDATE SET run = excluded.run, state = excluded.state,
                 owner = excluded.owner, until_ms = excluded.until_ms,
                 attempts = excluded.attempts, expires_ms = excluded.expires_ms";
    let bindings = [
        key.into(),
        row.run.into(),
        state.into(),
        owner,
        until_ms,
        row.attempts.into(),
        (row.expires_ms as f64).into(),
    ];
    query(storage, sql, &bindings)?;
    Ok(())
}

fn query(storage: &Storage, sql: &str, bindings: &[JsValue]) -> Result<Array, JsValue> {
    let bindings: Array = bindings.iter().collect();
    storage.sql().exec(sql, &bindings)?.raw()?.to_array()
}
