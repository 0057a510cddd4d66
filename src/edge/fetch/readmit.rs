//! A refusal that was kept, judged again: on the way of every request, at the time of its refusal.

use wasm_bindgen::prelude::*;
use web_sys::Headers;
use worker::Env;

use super::{Arrival, Stage};
use crate::admin;
use crate::audit::{self, Notice};
use crate::edge::platform::{self, now_ms};
use crate::edge::record::{Readmission, Record};
use crate::verdict::{Trouble, Verdict};

#[wasm_bindgen]
impl Arrival {
    /// The same as [`Arrival::open`] for a request that was refused at `at_ms`, as the record `of` says.
    pub fn reopen(
        lines: &str,
        headers: &Headers,
        at_ms: f64,
        of: String,
        operator: String,
        env: &Env,
    ) -> Arrival {
        let readmission = Readmission {
            of,
            operator,
            at_ms: at_ms as i64,
        };
        let record = Record {
            started_ms: now_ms(),
            readmission: Some(readmission),
            ..Record::default()
        };
        Arrival::begin(lines, headers, env, record)
    }

    /// Writes the verdict down, and gives three members as JSON: the operator's `answer`, the message of the
    /// `record`, and whether it `isOver`, because there is an event now.
    pub fn readmitted(mut self) -> String {
        let verdict = match self.take_stage() {
            Stage::Decided(verdict) => verdict,
            _ => Verdict::Unavailable(Trouble::ConfigurationBroken),
        };
        let (Some(live), Some(readmission)) = (self.live.as_deref(), &self.record.readmission)
        else {
            return String::new();
        };
        let request_id = self.record.request_id.as_str();
        let now_ms = now_ms();
        let line = self.record.log(verdict, &self.head, Some(live), now_ms);
        let entry = audit::readmission(request_id, live, &line, now_ms);
        let record = entry.message(platform::random());
        let key = self.record.dedup_key.as_deref();
        let answer = admin::readmitted(verdict, &readmission.of, key, request_id);
        platform::notice(&Notice::AdminAnswered {
            request_id,
            operator: &readmission.operator,
            action: "refusal_readmitted",
            status: answer.status,
        });
        let is_over = matches!(verdict, Verdict::Accepted | Verdict::Revived);
        let record = serde_json::to_string(&record).unwrap_or_default();
        let answer = answer.for_request(request_id).to_json();
        format!("{{\"answer\":{answer},\"record\":{record},\"isOver\":{is_over}}}")
    }
}
