//! What is known of a request, its line in the log, and its answer.

use wasm_bindgen::prelude::*;

use super::audit;
use super::drive::Driven;
use super::platform::{self, now_ms};
use crate::admission::Findings;
use crate::answer::{self, Answer};
use crate::audit::health::Shown;
use crate::audit::{Notice, VerdictLine};
use crate::gate::LiveSource;
use crate::request::Head;
use crate::verdict::{Trouble, Verdict};

/// What is known of a request besides its verdict.
#[derive(Default)]
pub struct Record {
    pub request_id: String,
    pub traceparent: String,
    pub started_ms: i64,
    pub colo: String,
    pub country: String,
    /// Of the client's network operator; 0: unknown.
    pub asn: u32,
    pub findings: Findings,
    pub event_id: Option<String>,
    pub event_type: Option<String>,
    pub dedup_key: Option<String>,
    pub body_bytes: Option<usize>,
    pub driven: Driven,
    /// Of what an operator has judged again.
    pub readmission: Option<Readmission>,
}

/// A refusal that is judged again.
pub struct Readmission {
    /// The id of the refusal.
    pub of: String,
    /// Who has it done.
    pub operator: String,
    /// When it was refused, as its tenant's log has it.
    pub at_ms: i64,
}

impl Record {
    /// Writes the verdict's line, and has the end counted. What is to be done after the answer: see
    /// [`audit::ended`].
    pub fn write(
        &self,
        verdict: Verdict,
        head: &Head,
        live: Option<&LiveSource>,
    ) -> Option<String> {
        let now = now_ms();
        let line = self.log(verdict, head, live, now);
        audit::ended(verdict, self, head, live, &line, now)
    }

    /// Writes the verdict's line, and gives it back.
    pub fn log(
        &self,
        verdict: Verdict,
        head: &Head,
        live: Option<&LiveSource>,
        now: i64,
    ) -> String {
        let readmission = self.readmission.as_ref();
        let line = VerdictLine {
            event_id: self.event_id.as_deref(),
            event_type: self.event_type.as_deref(),
            dedup_key: self.dedup_key.as_deref(),
            memory: self.driven.memory,
            held_at: self.driven.held_at,
            duplicate_of: self.driven.duplicate_of.as_deref(),
            content_differs: self.driven.content_differs,
            method: &head.method,
            body_bytes: self.body_bytes,
            duration_ms: now.saturating_sub(self.started_ms),
            colo: &self.colo,
            country: &self.country,
            ray_id: head.header("cf-ray"),
            readmitted: readmission.map(|readmission| readmission.of.as_str()),
            operator: readmission.map(|readmission| readmission.operator.as_str()),
            ..VerdictLine::new(
                verdict,
                live,
                &self.findings,
                &self.request_id,
                &self.traceparent,
                now,
            )
        };
        platform::log(&line.with_facts(verdict, live, head))
    }

    /// What this request shows of its source's health. A refused one shows nothing: whoever replays what he captured
    /// could keep an old secret in use, or have a clock look wrong.
    pub fn shown(&self, verdict: Verdict) -> Shown<'_> {
        let findings = &self.findings;
        let is_first = matches!(verdict, Verdict::Accepted | Verdict::Observed);
        let received_ms = |signed_ms| self.started_ms.saturating_sub(signed_ms);
        match verdict {
            Verdict::Refused(_) | Verdict::Unavailable(_) => Shown::default(),
            _ => Shown {
                key_id: findings.key_id.as_deref(),
                skew_ms: findings
                    .signed_time_ms
                    .filter(|_| is_first)
                    .map(received_ms),
            },
        }
    }

    /// A question of this type was asked, and is answered by itself.
    pub fn asked(&mut self, kind: String) -> Verdict {
        self.event_type = Some(kind);
        Verdict::Challenged
    }

    /// What the sender is told.
    pub fn answer(&self, verdict: Verdict, live: Option<&LiveSource>) -> Answer {
        answer::answer(
            verdict,
            live,
            &self.request_id,
            answer::Known {
                kind: self.event_type.as_deref(),
                dedup_key: self.dedup_key.as_deref(),
                reply: self.findings.reply.as_ref(),
                key_id: self.findings.key_id.as_deref(),
            },
        )
    }
}

/// The key could not be written into KV. It costs a copy, never an event.
#[wasm_bindgen(js_name = memoryUnwritten)]
pub fn memory_unwritten(request_id: &str) {
    platform::notice(&Notice::MemoryUnwritten { request_id });
}

/// The answer when the Worker itself failed. `kind` is the error's name, never its text.
#[wasm_bindgen]
pub fn failed(kind: &str) -> String {
    let request_id = platform::request_id();
    platform::log(&VerdictLine {
        event: "verdict",
        request_id: &request_id,
        verdict: "unavailable",
        reason: Some(Trouble::Panicked.name()),
        detail: Some(kind),
        ..VerdictLine::default()
    });
    audit::lost(Verdict::Unavailable(Trouble::Panicked), now_ms());
    let answer = answer::unavailable(&request_id).for_request(&request_id);
    answer.to_json()
}
