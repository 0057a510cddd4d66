//! One request, from its head to its answer.
//!
//! [`Arrival::open`] sees the head and settles what can be settled without a body; `entry.mjs` then
//! reads the body and comes back with [`Arrival::admit`].

use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::Response;
use worker::Env;

use super::drive::{Driven, Load, drive};
use super::platform::{self, ExecutionContext, binding, now_ms};
use super::respond::respond;
use super::state::State;
use crate::admission::{self, Admission, Findings, Opening};
use crate::answer::{self, Answer};
use crate::audit::{Notice, VerdictLine};
use crate::event::Event;
use crate::gate::{Gate, LiveSource};
use crate::memory::Seen;
use crate::request::{Head, Inbound};
use crate::trace;
use crate::verdict::{Reject, Trouble, Verdict};

/// A request whose head was seen.
#[wasm_bindgen]
#[allow(
    missing_debug_implementations,
    reason = "it holds the gate's keys and is never printed"
)]
pub struct Arrival {
    stage: Stage,
    head: Head,
    state: Rc<State>,
    request_id: String,
    traceparent: String,
    started_ms: i64,
    colo: String,
    country: String,
}

enum Stage {
    /// The body is wanted.
    Read(Opening),
    Decided(Verdict),
    Health {
        sound: bool,
    },
    Administrate,
}

/// What is known of a request besides its verdict.
#[derive(Default)]
struct Known {
    findings: Findings,
    event_id: Option<String>,
    event_type: Option<String>,
    dedup_key: Option<String>,
    echo: Option<String>,
    body_bytes: Option<usize>,
    driven: Driven,
}

#[wasm_bindgen]
impl Arrival {
    /// `lines` is the head as [`Head::from_lines`] reads it.
    pub fn open(lines: &str, colo: &str, country: &str, env: &Env) -> Arrival {
        let started_ms = now_ms();
        // First of all, because it also sees to it that a panic is not printed with its text.
        let state = State::of(env);
        let head = Head::from_lines(lines);
        Arrival {
            stage: stage(&head, &state, env),
            request_id: platform::request_id(),
            traceparent: trace::continue_or_start(head.header("traceparent"), &platform::random()),
            head,
            state,
            started_ms,
            colo: colo.to_owned(),
            country: country.to_owned(),
        }
    }

    /// What `entry.mjs` does next: `read`, `answer` or `administrate`.
    #[wasm_bindgen(getter)]
    pub fn stage(&self) -> String {
        match self.stage {
            Stage::Read(_) => "read",
            Stage::Decided(_) | Stage::Health { .. } => "answer",
            Stage::Administrate => "administrate",
        }
        .to_owned()
    }

    /// How much of the body may be read.
    #[wasm_bindgen(getter, js_name = bodyBytesMax)]
    pub fn body_bytes_max(&self) -> u32 {
        match &self.stage {
            Stage::Read(opening) => u32::try_from(opening.body_bytes_max).unwrap_or(u32::MAX),
            Stage::Decided(_) | Stage::Health { .. } | Stage::Administrate => 0,
        }
    }

    /// The answer that needs no body.
    pub fn answer(self) -> Result<Response, JsValue> {
        match self.stage {
            Stage::Decided(verdict) => self.end(verdict, &Known::default()),
            Stage::Health { sound: true } => respond(&healthy().for_request(&self.request_id)),
            Stage::Health { sound: false } | Stage::Read(_) | Stage::Administrate => {
                respond(&answer::unavailable(&self.request_id).for_request(&self.request_id))
            }
        }
    }

    /// The body went over the cap.
    #[wasm_bindgen(js_name = bodyTooLarge)]
    pub fn body_too_large(self) -> Result<Response, JsValue> {
        let body_bytes_max = self.body_bytes_max() as usize;
        self.end(
            Verdict::Refused(Reject::BodyTooLarge { body_bytes_max }),
            &Known::default(),
        )
    }

    /// The body could not be read to its end.
    #[wasm_bindgen(js_name = bodyUnread)]
    pub fn body_unread(self) -> Result<Response, JsValue> {
        let verdict = Verdict::Unavailable(Trouble::BodyUnread);
        self.end(verdict, &Known::default())
    }

    /// Decides, holds what was admitted, and answers.
    pub fn admit(self, body: Vec<u8>, env: Env, ctx: ExecutionContext) -> Promise {
        platform::promise(async move { Ok(self.settle(&body, &env, &ctx).await?.into()) })
    }
}

impl Arrival {
    async fn settle(
        &self,
        body: &[u8],
        env: &Env,
        ctx: &ExecutionContext,
    ) -> Result<Response, JsValue> {
        #[cfg(feature = "test-hooks")]
        panic_on_purpose(&self.head);
        let mut known = Known {
            body_bytes: Some(body.len()),
            ..Known::default()
        };
        let verdict = match self.decide(body, &mut known) {
            Err(verdict) => verdict,
            Ok(Admission::Challenge(echo)) => {
                known.echo = Some(echo);
                Verdict::Challenged
            }
            Ok(Admission::Event(event)) => self.hold(*event, &mut known, env, ctx).await,
        };
        self.end(verdict, &known)
    }

    fn live(&self) -> Option<&LiveSource> {
        admission::source_of(self.state.gate.as_ref()?, &self.head)
    }

    fn decide(&self, body: &[u8], known: &mut Known) -> Result<Admission, Verdict> {
        let (Some(live), Stage::Read(opening)) = (self.live(), &self.stage) else {
            return Err(Verdict::Unavailable(Trouble::ConfigurationBroken));
        };
        let inbound = Inbound::new(&self.head, body);
        // The clock is read here, after the body: a slow body must not make a stale stamp fresh.
        admission::admit(live, opening, &inbound, now_ms(), &mut known.findings)
    }

    async fn hold(
        &self,
        event: Event,
        known: &mut Known,
        env: &Env,
        ctx: &ExecutionContext,
    ) -> Verdict {
        let (id, kind) = event.labels();
        known.event_id = Some(id.to_owned());
        known.event_type = Some(kind.to_owned());
        known.dedup_key = Some(event.dedup_key().to_owned());
        let Some(live) = self.live() else {
            return Verdict::Unavailable(Trouble::ConfigurationBroken);
        };
        let key = event.dedup_key().to_owned();
        let seen = Seen {
            request_id: self.request_id.clone(),
            content_digest: event.content_digest().to_owned(),
        };
        let Some(message) = event.into_message(&self.request_id, &self.traceparent) else {
            return Verdict::Unavailable(Trouble::MessageTooLarge);
        };
        let load = Load { key, seen, message };
        let (ending, driven) = drive(live, &self.state, load, env, ctx).await;
        known.driven = driven;
        ending.verdict
    }

    /// Records the verdict and answers it.
    fn end(&self, verdict: Verdict, known: &Known) -> Result<Response, JsValue> {
        let live = self.live();
        let now = now_ms();
        platform::log(&VerdictLine {
            event_id: known.event_id.as_deref(),
            event_type: known.event_type.as_deref(),
            dedup_key: known.dedup_key.as_deref(),
            memory: known.driven.memory,
            held_at: known.driven.held_at,
            duplicate_of: known.driven.duplicate_of.as_deref(),
            content_differs: known.driven.content_differs,
            method: &self.head.method,
            body_bytes: known.body_bytes,
            duration_ms: now.saturating_sub(self.started_ms),
            colo: &self.colo,
            country: &self.country,
            ray_id: self.head.header("cf-ray"),
            ..VerdictLine::new(
                verdict,
                live,
                &known.findings,
                &self.request_id,
                &self.traceparent,
                now,
            )
        });
        respond(&answer::answer(
            verdict,
            live,
            &self.request_id,
            answer::Known {
                kind: known.event_type.as_deref(),
                echo: known.echo.as_deref(),
                key_id: known.findings.key_id.as_deref(),
            },
        ))
    }
}

/// The answer when the Worker itself failed. `kind` is the error's name, never its text.
#[wasm_bindgen]
pub fn failed(kind: &str) -> Result<Response, JsValue> {
    let request_id = platform::request_id();
    platform::log(&VerdictLine {
        event: "verdict",
        request_id: &request_id,
        verdict: "unavailable",
        reason: Some(Trouble::Panicked.name()),
        detail: Some(kind),
        ..VerdictLine::default()
    });
    respond(&answer::unavailable(&request_id).for_request(&request_id))
}

fn stage(head: &Head, state: &State, env: &Env) -> Stage {
    if head.path == "/healthz" {
        return Stage::Health {
            sound: is_sound(state, env),
        };
    }
    if head.path.starts_with("/admin/") {
        return Stage::Administrate;
    }
    let Some(gate) = &state.gate else {
        return Stage::Decided(Verdict::Unavailable(Trouble::ConfigurationBroken));
    };
    match admission::source_of(gate, head) {
        None => Stage::Decided(Verdict::Refused(Reject::UnknownSource)),
        Some(live) => match admission::open(live, head) {
            Ok(opening) => Stage::Read(opening),
            Err(verdict) => Stage::Decided(verdict),
        },
    }
}

/// The configuration parsed and everything that an event needs is bound.
fn is_sound(state: &State, env: &Env) -> bool {
    let bindings = [
        binding::SEEN,
        binding::LEDGER,
        binding::EVENTS,
        binding::DEAD_LETTERS,
        binding::ARCHIVE,
    ];
    let missing = bindings
        .into_iter()
        .filter(|name| !platform::is_bound(env, name));
    let missing = missing.inspect(|name| platform::notice(&Notice::BindingMissing { name }));
    let has_destinations = |gate: &Gate| gate.has_every_destination();
    missing.count() == 0 && state.gate.as_ref().is_some_and(has_destinations)
}

fn healthy() -> Answer {
    Answer {
        status: 200,
        headers: vec![("content-type", "application/json".to_owned())],
        body: "{\"status\":\"ok\"}".to_owned(),
    }
}

/// Only in builds for the end-to-end tests: shows what a panic and a trap do to their neighbours.
#[cfg(feature = "test-hooks")]
#[allow(clippy::panic, reason = "on purpose")]
fn panic_on_purpose(head: &Head) {
    match head.header("x-test-hook") {
        Some("panic") => panic!("on purpose, quoting {:?}", head.header("x-test-secret")),
        Some("trap") => core::arch::wasm32::unreachable(),
        _ => {}
    }
}
