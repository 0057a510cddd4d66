//! Reads the record for an operator: carries out what [`crate::admin::Reading`] says.

use wasm_bindgen::JsValue;

use super::{Asking, Told};
use crate::admin::export::{Export, ascii};
use crate::admin::one_record::{OneRecord, query};
use crate::admin::query::{Query, Value};
use crate::admin::records::{ITEM, Search};
use crate::admin::{Operator, Reading, Unfit};
use crate::answer::{Answer, problem};
use crate::audit::Notice;
use crate::edge::archive;
use crate::edge::database::transact;
use crate::edge::log_proof;
use crate::edge::platform::{self, Effect, now_ms};
use crate::edge::state::State;

/// The page, or the record; 503 if the database does not answer.
pub async fn read(asking: &Asking<'_>, reading: &Reading) -> Result<Told, archive::Failed> {
    let told = tell(asking, reading).await.unwrap_or_else(|detail| {
        platform::notice(&Notice::RecordFailed { detail: &detail });
        let title = "The record did not answer";
        problem(503, "record-unavailable", title, None, asking.request_id)
    });
    Ok(told.into())
}

/// The error is the platform's.
async fn tell(asking: &Asking<'_>, reading: &Reading) -> Result<Answer, String> {
    let (now, request_id) = (now_ms(), asking.request_id);
    let found = match question(reading, &asking.operator, now) {
        Ok(Some(query)) => find(asking, query).await?,
        Ok(None) => String::new(),
        Err(unfit) => return Ok(unfit.answer(request_id)),
    };
    Ok(match reading {
        Reading::List(search) => page(asking, search, &found, now),
        Reading::Export(export) => exported(asking, export, &found, now),
        Reading::Counts(counting) => counting.answer(&found, now, request_id),
        Reading::One { .. } => one(asking, &found).await,
        Reading::Unfit(unfit) => unfit.answer(request_id),
        // A file of the Worker, and nothing of the record.
        Reading::Description => json(""),
    })
}

/// What the database is asked, if it is asked anything.
fn question(reading: &Reading, operator: &Operator, now: i64) -> Result<Option<Query>, Unfit> {
    Ok(match reading {
        Reading::List(search) => {
            let list = "json_group_array(ITEM)".replace("ITEM", ITEM);
            Some(search.query(operator, &list, now))
        }
        Reading::Export(export) => Some(export.search.query(operator, &export.what(), now)),
        Reading::Counts(counting) => Some(counting.query(operator, now)?),
        Reading::One { id } => Some(query(id, now)),
        Reading::Unfit(_) | Reading::Description => None,
    })
}

fn page(asking: &Asking<'_>, search: &Search, found: &str, now: i64) -> Answer {
    let (records, next) = rows(asking, search, found, now);
    let next = next.map_or("null".to_owned(), |next| ["\"", &next, "\""].concat());
    let body = ["{\"records\":", records, ",\"cursor\":", &next, "}"].concat();
    json(&body)
}

fn exported(asking: &Asking<'_>, export: &Export, found: &str, now: i64) -> Answer {
    let (rows, next) = rows(asking, &export.search, found, now);
    export.answer(rows, next)
}

/// What was found, and where the next page begins. Who asked for one tenant has named it.
fn rows<'f>(
    asking: &Asking<'_>,
    search: &Search,
    found: &'f str,
    now: i64,
) -> (&'f str, Option<String>) {
    let (rows, next) = search.next(found, now);
    if let Some(tenant) = search.of_one(&asking.operator) {
        let is_empty = rows.is_empty() || rows == "[]";
        asking.named(&tenant, !is_empty || next.is_some());
    }
    (rows, next)
}

async fn one(asking: &Asking<'_>, found: &str) -> Answer {
    let Some(record) = OneRecord::read(found, &asking.operator) else {
        let title = "No such record";
        return problem(404, "not-found", title, None, asking.request_id);
    };
    asking.sees(&record.tenant);
    let logged = log_proof::of(asking.env, &record).await;
    json(&record.to_json(logged.as_ref()))
}

pub fn json(body: &str) -> Answer {
    Answer {
        status: 200,
        headers: vec![("content-type", "application/json".to_owned())],
        body: ascii(body),
    }
}

fn find(asking: &Asking<'_>, mut query: Query) -> Effect<'static, Result<String, String>> {
    query.with_tenants(|| State::of(asking.env).tenants());
    let value = |value: &Value| match value {
        Value::Text(text) => JsValue::from_str(text),
        Value::Number(number) => JsValue::from_f64(*number as f64),
    };
    let values: Vec<JsValue> = query.values.iter().map(value).collect();
    transact(asking.env, &[(&query.sql, &values)])
}
