//! Reads the record for an operator: carries out what [`crate::admin::Reading`] says.

use wasm_bindgen::JsValue;

use super::Asking;
use crate::admin::Reading;
use crate::admin::export::ascii;
use crate::admin::one_record::{OneRecord, query};
use crate::admin::query::{Query, Value};
use crate::answer::{Answer, problem};
use crate::audit::Notice;
use crate::edge::database::transact;
use crate::edge::log_proof;
use crate::edge::platform::{self, now_ms};
use crate::edge::state::State;

/// The page, or the record; 503 if the database does not answer.
pub async fn read(asking: &Asking<'_>, reading: &Reading) -> Answer {
    tell(asking, reading).await.unwrap_or_else(|detail| {
        platform::notice(&Notice::RecordFailed { detail: &detail });
        let title = "The record did not answer";
        problem(503, "record-unavailable", title, None, asking.request_id)
    })
}

/// The error is the platform's.
async fn tell(asking: &Asking<'_>, reading: &Reading) -> Result<Answer, String> {
    let (now, operator) = (now_ms(), &asking.operator);
    Ok(match reading {
        Reading::List(search) => {
            let list = "json_group_array(ITEM)".replace("ITEM", crate::admin::records::ITEM);
            let found = find(asking, &search.query(operator, &list, now)).await?;
            let (records, next) = search.next(&found, now);
            if let Some(tenant) = search.of_one(operator) {
                asking.named(&tenant, records != "[]" || next.is_some());
            }
            let next = next.map_or("null".to_owned(), |next| ["\"", &next, "\""].concat());
            let body = ["{\"records\":", records, ",\"cursor\":", &next, "}"].concat();
            json(&body)
        }
        Reading::Export(export) => {
            let query = export.search.query(operator, &export.what(), now);
            let found = find(asking, &query).await?;
            let (rows, next) = export.search.next(&found, now);
            if let Some(tenant) = export.search.of_one(operator) {
                asking.named(&tenant, !rows.is_empty() || next.is_some());
            }
            export.answer(rows, next)
        }
        Reading::Counts(counting) => match counting.query(operator, now) {
            Err(unfit) => unfit.answer(asking.request_id),
            Ok(query) => {
                let found = find(asking, &query).await?;
                counting.answer(&found, now, asking.request_id)
            }
        },
        Reading::One { id } => {
            let found = find(asking, &query(id, now)).await?;
            match OneRecord::read(&found, operator) {
                None => {
                    let title = "No such record";
                    problem(404, "not-found", title, None, asking.request_id)
                }
                Some(record) => {
                    asking.sees(&record.tenant);
                    let logged = log_proof::of(asking.env, &record).await;
                    json(&record.to_json(logged.as_ref()))
                }
            }
        }
        Reading::Unfit(unfit) => unfit.answer(asking.request_id),
        // A file of the Worker, and nothing of the record.
        Reading::Description => json(""),
    })
}

pub fn json(body: &str) -> Answer {
    Answer {
        status: 200,
        headers: vec![("content-type", "application/json".to_owned())],
        body: ascii(body),
    }
}

async fn find(asking: &Asking<'_>, query: &Query) -> Result<String, String> {
    let mut query = query.clone();
    query.with_tenants(|| State::of(asking.env).tenants());
    let value = |value: &Value| match value {
        Value::Text(text) => JsValue::from_str(text),
        Value::Number(number) => JsValue::from_f64(*number as f64),
    };
    let values: Vec<JsValue> = query.values.iter().map(value).collect();
    transact(asking.env, &[(&query.sql, &values)]).await
}
