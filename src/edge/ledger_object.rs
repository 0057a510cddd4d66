//! The Durable Object: the rows, and the messages that [`super::relay`] hands to the queue, in SQLite.
//!
//! Every request is one synchronous step: read the row, ask [`crate::ledger`], write the row. No
//! other request runs in between, and the platform holds the answer back until the write is safe.
//! The object's class is in `entry.mjs`; it calls in here and sees to the alarm.

use js_sys::{Array, Float64Array, Iterator};
use wasm_bindgen::prelude::*;

use super::platform::{self, now_ms};
use super::relay::is_holding;
use crate::audit;
use crate::backlog::Woken;
use crate::event::at_run;
use crate::hex;
use crate::ledger::{Ask, Pace, Reply, Request, Row, State};

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
/// The messages stand in a table of their own, so that the rows stay small and are read from few
/// pages; there they come last, so that counting them does not read them.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS events (
  key TEXT PRIMARY KEY, run INTEGER NOT NULL, state INTEGER NOT NULL, owner TEXT,
  until_ms INTEGER, attempts INTEGER NOT NULL, expires_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS held (
  key TEXT PRIMARY KEY, held_ms INTEGER NOT NULL, refusals INTEGER NOT NULL, message TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS closed (since_ms INTEGER NOT NULL);";

/// Rows looked at for each new one. Keys are digests, so those that follow a new key are a fair
/// sample of all: what has expired is gone after a few rounds, and storage stays flat.
const SWEPT_FOR_EACH: u32 = 8;
/// Rows looked at in an object of a former epoch each time the cron comes by.
const SWEPT_WHEN_CLOSED: u32 = 1_000;

/// Prepares the object. True: messages are held, so the relay has to run.
#[wasm_bindgen(js_name = ledgerOpen)]
pub fn open(storage: &Storage) -> Result<bool, JsValue> {
    storage.sql().exec(TABLES, &Array::new())?;
    is_holding(storage)
}

/// What the object tells the cron: see [`Woken`].
#[wasm_bindgen(js_name = ledgerWoken)]
pub fn woken(storage: &Storage) -> Result<String, JsValue> {
    let sql = "SELECT COUNT(*), SUM(refusals > 0), MIN(held_ms) FROM held";
    let counted = Array::from(&query(storage, sql, &[])?.get(0));
    let number = |index| counted.get(index).as_f64();
    Ok(audit::line(&Woken {
        messages: number(0).unwrap_or_default() as u64,
        refused: number(1).unwrap_or_default() as u64,
        oldest_ms: number(2).map(|oldest_ms| oldest_ms as i64),
        is_over: tidy(storage)?,
    }))
}

/// Sweeps an object of a former epoch, where no new row brings a sweep along. True: it has neither
/// rows nor messages left, and can be retired.
fn tidy(storage: &Storage) -> Result<bool, JsValue> {
    if !is_closed(storage)? {
        return Ok(false);
    }
    let anywhere = hex::encode(&platform::random::<8>());
    sweep(storage, &anywhere, SWEPT_WHEN_CLOSED, now_ms())?;
    let rows = query(storage, "SELECT 1 FROM events LIMIT 1", &[])?;
    Ok(rows.length() == 0 && !is_holding(storage)?)
}

/// Answers one request; `message` comes with an arrival. `memory` is the object's, four numbers for
/// its [`Pace`].
#[wasm_bindgen(js_name = ledgerAnswer)]
pub fn answer_request(
    storage: &Storage,
    request: &str,
    message: Option<String>,
    memory: &Float64Array,
) -> Result<String, JsValue> {
    let request = Request::from_text(request)
        .ok_or_else(|| JsValue::from_str("not a request of this version"))?;
    let now_ms = now_ms();
    if request.newer {
        close(storage, now_ms)?;
    }
    let found = read(storage, &request.key)?;
    let is_alive = found.is_some_and(|row| row.is_alive(now_ms));
    let is_closed = request.newer || (!is_alive && is_closed(storage)?);
    let (reply, written) = at_pace(memory, &request.ask, |pace| {
        pace.answer(found, &request, is_closed, now_ms)
    });
    // The message first. A statement that fails ends the call and leaves what was written before it: a message without
    // its row is delivered, and is the same one if it comes again; a row without its message would be an event lost.
    if let (Reply::New | Reply::Revived { .. }, Some(message)) = (reply, message) {
        let message = match reply {
            Reply::Revived { run } => at_run(&message, run).unwrap_or(message),
            _ => message,
        };
        let sql = "INSERT INTO held (key, held_ms, refusals, message) VALUES (?, ?, 0, ?)
                   ON CONFLICT (key) DO UPDATE SET held_ms = excluded.held_ms, refusals = 0,
                     message = excluded.message";
        let key = request.key.as_str();
        query(
            storage,
            sql,
            &[key.into(), (now_ms as f64).into(), message.into()],
        )?;
    }
    if let Some(row) = written {
        write(storage, &request.key, &row)?;
        // Only a row more makes a row less: storage stays flat, and nothing is looked at twice.
        if found.is_none() {
            sweep(storage, &request.key, SWEPT_FOR_EACH, now_ms)?;
        }
    }
    Ok(reply.to_text())
}

/// What a gate asks before its answer does not touch the pace, and pays nothing for it.
fn at_pace<T>(memory: &Float64Array, ask: &Ask, answer: impl FnOnce(&mut Pace) -> T) -> T {
    if matches!(ask, Ask::Seek | Ask::Arrive | Ask::Return | Ask::Note) {
        return answer(&mut Pace::default());
    }
    let known = Pace {
        failures: memory.get_index(0) as u32,
        failed_ms: memory.get_index(1) as i64,
        slow_until_ms: memory.get_index(2) as i64,
        next_us: memory.get_index(3) as i64,
    };
    let mut pace = known;
    let answered = answer(&mut pace);
    if pace != known {
        memory.set_index(0, f64::from(pace.failures));
        memory.set_index(1, pace.failed_ms as f64);
        memory.set_index(2, pace.slow_until_ms as f64);
        memory.set_index(3, pace.next_us as f64);
    }
    answered
}

/// Deletes what has expired among the `rows` that follow `key`.
fn sweep(storage: &Storage, key: &str, rows: u32, now_ms: i64) -> Result<(), JsValue> {
    // The number is written out: bound, SQLite plans for any, and a sweep takes a third longer.
    let sql = format!(
        "DELETE FROM events WHERE expires_ms <= ?2 AND key IN
         (SELECT key FROM events WHERE key > ?1 ORDER BY key LIMIT {rows})"
    );
    query(storage, &sql, &[key.into(), (now_ms as f64).into()])?;
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
/// Beside the state of a row that an operator had forgotten: no column more for what almost no row has, and
/// a Worker that does not know of it touches no such row.
const FORGOTTEN: u32 = 4;

pub(super) fn read(storage: &Storage, key: &str) -> Result<Option<Row>, JsValue> {
    let sql = "SELECT run, state, owner, until_ms, attempts, expires_ms FROM events WHERE key = ?";
    let rows = query(storage, sql, &[key.into()])?;
    if rows.length() == 0 {
        return Ok(None);
    }
    let row = Array::from(&rows.get(0));
    let number = |index| row.get(index).as_f64().unwrap_or_default();
    let owner = row.get(2).as_string().and_then(|owner| owner.parse().ok());
    let state = match number(1) as u32 & !FORGOTTEN {
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
        is_forgotten: number(1) as u32 & FORGOTTEN != 0,
    }))
}

pub(super) fn write(storage: &Storage, key: &str, row: &Row) -> Result<(), JsValue> {
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
        (state | if row.is_forgotten { FORGOTTEN } else { 0 }).into(),
        owner,
        until_ms,
        row.attempts.into(),
        (row.expires_ms as f64).into(),
    ];
    query(storage, sql, &bindings)?;
    Ok(())
}

pub(super) fn query(storage: &Storage, sql: &str, bindings: &[JsValue]) -> Result<Array, JsValue> {
    cursor(storage, sql, bindings)?.to_array()
}

/// One row at a time, as they are asked for.
pub(super) fn rows(
    storage: &Storage,
    sql: &str,
    bindings: &[JsValue],
) -> Result<js_sys::IntoIter, JsValue> {
    let rows: Iterator = cursor(storage, sql, bindings)?.unchecked_into();
    Ok(rows.into_iter())
}

fn cursor(storage: &Storage, sql: &str, bindings: &[JsValue]) -> Result<Rows, JsValue> {
    let bindings: Array = bindings.iter().collect();
    storage.sql().exec(sql, &bindings)?.raw()
}
