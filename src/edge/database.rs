//! D1, as thin as it can be: statements go in, and what is to be read comes out as one JSON text that SQLite made.
//! Rows that become objects here, and those values, would be several times the code.

use std::cell::Cell;

use js_sys::{Array, Promise, Reflect};
use wasm_bindgen::prelude::*;
use worker::Env;

use super::platform::{Effect, binding, describe_value, in_time};

/// A batch has thirty seconds on the platform; what hangs for so long is asked again by the queue or the cron.
const BATCH_MS: u32 = 20_000;

thread_local! {
    static BYTES: Cell<f64> = const { Cell::new(0.0) };
}

/// How large the database was when it last answered this isolate; 0 before that. In bytes.
pub fn bytes() -> f64 {
    BYTES.get()
}

#[wasm_bindgen]
extern "C" {
    type Database;
    #[wasm_bindgen(method, catch)]
    fn prepare(this: &Database, sql: &str) -> Result<Statement, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn batch(this: &Database, statements: &Array) -> Result<Promise, JsValue>;

    type Statement;
    #[wasm_bindgen(method, catch, variadic)]
    fn bind(this: &Statement, values: &Array) -> Result<Statement, JsValue>;
}

/// Carries statements out in one transaction: each with the values for `?1`, `?2`, … that it has. What the last one
/// found, which it gives as one row with a column `found`; empty if it gives none.
///
/// # Errors
/// What the platform said, for the log.
pub fn transact(
    env: &Env,
    statements: &[(&str, &[JsValue])],
) -> Effect<'static, Result<String, String>> {
    let asked = in_time(BATCH_MS, begin(env, statements));
    Box::pin(async move {
        match asked.await {
            Some(Ok(results)) => Ok(found(&results).unwrap_or_default()),
            Some(Err(error)) => Err(describe_value(&error)),
            None => Err("no answer in time".to_owned()),
        }
    })
}

fn begin(env: &Env, statements: &[(&str, &[JsValue])]) -> Result<Promise, JsValue> {
    let database = Reflect::get(env.as_ref(), &binding::RECORD.into())?;
    let database: Database = database.unchecked_into();
    let prepared = Array::new();
    for (sql, values) in statements {
        let values: Array = values.iter().collect();
        prepared.push(&database.prepare(sql)?.bind(&values)?.into());
    }
    database.batch(&prepared)
}

/// [D1's results](https://developers.cloudflare.com/d1/worker-api/return-object/): one for each statement, with its
/// rows in `results`, and what it says of itself in `meta`.
fn found(results: &JsValue) -> Option<String> {
    let last = results.dyn_ref::<Array>()?.iter().last()?;
    let member = |of: &JsValue, name: &str| Reflect::get(of, &name.into()).ok();
    let size = member(&last, "meta").and_then(|meta| member(&meta, "size_after")?.as_f64());
    if let Some(bytes) = size {
        BYTES.set(bytes);
    }
    let rows = member(&last, "results")?;
    let row = rows.dyn_ref::<Array>()?.get(0);
    member(&row, "found")?.as_string()
}
