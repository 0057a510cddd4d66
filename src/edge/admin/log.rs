//! A tenant's log, and the records that it has.

use wasm_bindgen::JsValue;

use super::{Asking, Told};
use crate::answer::{Answer, problem};
use crate::audit::Notice;
use crate::audit::store::RECORDS;
use crate::edge::database::transact;
use crate::edge::{archive, content, log, platform};
use crate::tlog;

/// How many records a page holds: each has up to 8 kB.
const RECORDS_PAGE: u32 = 200;
/// For the log's object.
const LOG_MS: u32 = 5_000;

/// As SQLite wrote them: a list, empty behind the last one.
pub async fn show_records(
    asking: &Asking<'_>,
    tenant: &str,
    after_ms: i64,
    after_id: &str,
) -> Result<Told, archive::Failed> {
    if !asking.operator.sees(tenant) {
        return Ok(records("[]"));
    }
    let after_ms = JsValue::from_f64(after_ms as f64);
    let asked = [
        tenant.into(),
        after_ms,
        after_id.into(),
        RECORDS_PAGE.into(),
    ];
    let found = transact(asking.env, &[(RECORDS, &asked)]).await;
    let found = found.map_err(|detail| {
        platform::notice(&Notice::RecordFailed { detail: &detail });
        archive::Failed
    })?;
    asking.named(tenant, found != "[]");
    Ok(records(&found))
}

fn records(list: &str) -> Told {
    Told::Answer(Answer {
        status: 200,
        headers: vec![("content-type", "application/json".to_owned())],
        body: format!("{{\"records\":{list}}}"),
    })
}

/// The checkpoint that the log's object has: whoever puts old files into the archive does not reach it.
pub async fn show_newest(asking: &Asking<'_>, tenant: &str) -> Result<Told, archive::Failed> {
    if !asking.sees(tenant) {
        return Ok(Told::Answer(no_such_file(asking)));
    }
    let found = log::newest(asking.env, tenant, LOG_MS).await;
    let note = found.map_err(|detail| {
        platform::notice(&Notice::LogFailed { detail: &detail });
        archive::Failed
    })?;
    Ok(Told::Answer(if note.is_empty() {
        no_such_file(asking)
    } else {
        Answer {
            status: 200,
            headers: vec![("content-type", "text/plain; charset=utf-8".to_owned())],
            body: note,
        }
    }))
}

/// A file as its bytes. Whoever checks a log looks at nothing else of an answer.
pub async fn show_file(
    asking: &Asking<'_>,
    tenant: &str,
    path: &str,
) -> Result<Told, archive::Failed> {
    let found = match asking.sees(tenant) {
        true => content::stream(asking.env, &tlog::key(tenant, path)).await?,
        false => None,
    };
    Ok(found.map_or_else(|| Told::Answer(no_such_file(asking)), Told::Content))
}

fn no_such_file(asking: &Asking<'_>) -> Answer {
    let title = "The log has no such file";
    problem(404, "not-found", title, None, asking.request_id)
}
