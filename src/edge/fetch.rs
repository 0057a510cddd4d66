//! One request, from its head to its answer.
//!
//! Everything here is synchronous: [`Arrival`] begins an effect and hands its promise out, and
//! `entry.mjs` waits for it and comes back with what it brought. A promise that is awaited in wasm
//! costs several times as much, and hangs when the instance dies.

use std::sync::Arc;

use js_sys::{JsString, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use worker::Env;

use super::drive::{Drive, Driven, Load};
use super::health::{healthy, is_sound};
use super::native_mac::{NATIVE_BYTES_MIN, NativeMac};
use super::platform::{self, ExecutionContext, Outcome, now_ms};
use super::state::State;
use crate::admission::{self, Admission, Findings, Opening};
use crate::answer::{self, Answer};
use crate::audit::{Notice, VerdictLine};
use crate::event::{Envelope, Event};
use crate::gate::LiveSource;
use crate::memory::Seen;
use crate::request::{Head, Inbound};
use crate::trace;
use crate::verdict::{Reject, Trouble, Verdict};
use crate::verify::Matched;

/// A request whose head was seen.
#[wasm_bindgen]
#[allow(
    missing_debug_implementations,
    reason = "it holds the gate's keys and is never printed"
)]
pub struct Arrival {
    stage: Stage,
    head: Head,
    live: Option<Arc<LiveSource>>,
    known: Known,
    request_id: String,
    traceparent: String,
    started_ms: i64,
    colo: String,
    country: String,
}

enum Stage {
    /// The body is wanted.
    Read(Opening),
    /// WebCrypto makes a MAC of the body.
    Check {
        opening: Opening,
        body: Uint8Array,
        mac: NativeMac,
    },
    /// What was admitted is on its way to a place that holds it.
    Hold(Drive),
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
    /// The writing of the key into KV, under way.
    remembering: Option<Promise>,
}

#[wasm_bindgen]
impl Arrival {
    /// `lines` is the head as [`Head::from_lines`] reads it.
    pub fn open(lines: &str, colo: String, country: String, env: &Env) -> Arrival {
        let started_ms = now_ms();
        // First of all, because it also sees to it that a panic is not printed with its text.
        let state = State::of(env);
        let head = Head::from_lines(lines);
        let live = state
            .gate
            .as_ref()
            .and_then(|gate| admission::source_of(gate, &head))
            .cloned();
        let (request_id, random) = platform::request_id_and_random();
        Arrival {
            stage: stage(&head, live.as_deref(), &state, env),
            traceparent: trace::continue_or_start(head.header("traceparent"), &random),
            request_id,
            head,
            live,
            known: Known::default(),
            started_ms,
            colo,
            country,
        }
    }

    /// The body is to be read, and [`Arrival::admit`] called with it.
    #[wasm_bindgen(getter, js_name = wantsBody)]
    pub fn wants_body(&self) -> bool {
        matches!(self.stage, Stage::Read(_))
    }

    /// The operator's side: `administrate` answers it.
    #[wasm_bindgen(getter, js_name = isForOperator)]
    pub fn is_for_operator(&self) -> bool {
        matches!(self.stage, Stage::Administrate)
    }

    /// How much of the body may be read.
    #[wasm_bindgen(getter, js_name = bodyBytesMax)]
    pub fn body_bytes_max(&self) -> u32 {
        match &self.stage {
            Stage::Read(opening) => u32::try_from(opening.body_bytes_max).unwrap_or(u32::MAX),
            _ => 0,
        }
    }

    /// The body went over the cap.
    #[wasm_bindgen(js_name = bodyTooLarge)]
    pub fn body_too_large(&mut self) {
        let body_bytes_max = self.body_bytes_max() as usize;
        let reject = Reject::BodyTooLarge { body_bytes_max };
        self.stage = Stage::Decided(Verdict::Refused(reject));
    }

    /// The body could not be read to its end.
    #[wasm_bindgen(js_name = bodyUnread)]
    pub fn body_unread(&mut self) {
        self.stage = Stage::Decided(Verdict::Unavailable(Trouble::BodyUnread));
    }

    /// Decides, and begins to hold what was admitted. `undefined`: [`Arrival::answer`] comes next.
    /// Otherwise the effect that was begun: wait for it, for at most [`Arrival::slice_ms`], and say
    /// what came of it.
    pub fn admit(
        &mut self,
        body: Uint8Array,
        env: &Env,
        ctx: &ExecutionContext,
    ) -> Option<Promise> {
        #[cfg(feature = "test-hooks")]
        panic_on_purpose(&self.head);
        self.known.body_bytes = Some(body.length() as usize);
        let (Some(live), Stage::Read(opening)) = (self.live.clone(), self.take_stage()) else {
            return None;
        };
        if body.length() >= NATIVE_BYTES_MIN
            && let Some(mut mac) = NativeMac::of(&live, &opening)
            && let Some(effect) = mac.begin(&live, &body)
        {
            self.stage = Stage::Check { opening, body, mac };
            return Some(effect);
        }
        self.decide(&live, &opening, &body, None, env, ctx)
    }

    /// How long to wait for the effect under way, in milliseconds.
    #[wasm_bindgen(getter, js_name = sliceMs)]
    pub fn slice_ms(&self) -> u32 {
        match &self.stage {
            Stage::Hold(drive) => drive.slice_ms(),
            _ => self
                .live
                .as_ref()
                .map_or(0, |live| live.scheme.answer_by_ms),
        }
    }

    /// The effect brought this. The next one, as from [`Arrival::admit`].
    pub fn fulfilled(
        &mut self,
        value: JsValue,
        env: &Env,
        ctx: &ExecutionContext,
    ) -> Option<Promise> {
        self.resume(Outcome::Fulfilled(value), env, ctx)
    }

    /// The effect failed.
    pub fn rejected(
        &mut self,
        error: JsValue,
        env: &Env,
        ctx: &ExecutionContext,
    ) -> Option<Promise> {
        self.resume(Outcome::Rejected(error), env, ctx)
    }

    /// The slice ended first.
    pub fn expired(&mut self, env: &Env, ctx: &ExecutionContext) -> Option<Promise> {
        self.resume(Outcome::Expired, env, ctx)
    }

    /// What goes on after the answer, and may fail: then [`memory_unwritten`] is to be called.
    #[wasm_bindgen(getter)]
    pub fn remembering(&self) -> Option<Promise> {
        self.known.remembering.clone()
    }

    /// Records the verdict, and gives the answer as [`Answer::to_lines`] writes it.
    pub fn answer(mut self) -> String {
        let answer = match self.take_stage() {
            Stage::Decided(verdict) => self.end(verdict),
            Stage::Health { sound: true } => healthy().for_request(&self.request_id),
            _ => answer::unavailable(&self.request_id).for_request(&self.request_id),
        };
        answer.to_lines()
    }
}

impl Arrival {
    /// What stands here while the request is looked at is what it ends with if that goes wrong.
    fn take_stage(&mut self) -> Stage {
        let lost = Verdict::Unavailable(Trouble::ConfigurationBroken);
        std::mem::replace(&mut self.stage, Stage::Decided(lost))
    }

    fn resume(&mut self, outcome: Outcome, env: &Env, ctx: &ExecutionContext) -> Option<Promise> {
        let live = self.live.clone()?;
        match self.take_stage() {
            Stage::Check {
                opening,
                body,
                mut mac,
            } => {
                let Some(tag) = mac.tag(&live, outcome) else {
                    // WebCrypto failed. What it can do, wasm can do.
                    return self.decide(&live, &opening, &body, None, env, ctx);
                };
                if let Some(matched) = opening.matched(mac.key(), &tag) {
                    return self.decide(&live, &opening, &body, Some(matched), env, ctx);
                }
                if let Some(effect) = mac.next().and_then(|()| mac.begin(&live, &body)) {
                    self.stage = Stage::Check { opening, body, mac };
                    return Some(effect);
                }
                let verdict = admission::unverified(&live, Reject::SignatureMismatch);
                self.stage = Stage::Decided(verdict);
                None
            }
            Stage::Hold(mut drive) => {
                let effect = drive.resume(outcome, ctx);
                self.go_on(drive, effect)
            }
            other => {
                self.stage = other;
                None
            }
        }
    }

    fn decide(
        &mut self,
        live: &Arc<LiveSource>,
        opening: &Opening,
        body: &Uint8Array,
        matched: Option<Matched>,
        env: &Env,
        ctx: &ExecutionContext,
    ) -> Option<Promise> {
        let bytes = body.to_vec();
        let inbound = Inbound::new(&self.head, &bytes, &live.json_pointers);
        // The clock is read here, after the body: a slow body must not make a stale stamp fresh.
        let findings = &mut self.known.findings;
        let verdict = match admission::admit(live, opening, &inbound, matched, now_ms(), findings) {
            Err(verdict) => verdict,
            Ok(Admission::Challenge(echo)) => {
                self.known.echo = Some(echo);
                Verdict::Challenged
            }
            Ok(Admission::Event(event)) => match self.load(*event, body) {
                Some(load) => {
                    let (drive, effect) = Drive::begin(live.clone(), load, env, ctx);
                    return self.go_on(drive, effect);
                }
                None => Verdict::Unavailable(Trouble::MessageTooLarge),
            },
        };
        self.stage = Stage::Decided(verdict);
        None
    }

    /// What is to be held, and where it will be remembered. `None`: no message can hold it.
    fn load(&mut self, event: Event<'_>, body: &Uint8Array) -> Option<Load> {
        let key = event.dedup_key().to_owned();
        let (id, kind) = event.labels();
        self.known.event_id = Some(id.to_owned());
        self.known.event_type = Some(kind.to_owned());
        self.known.dedup_key = Some(key.clone());
        let seen = Seen {
            request_id: self.request_id.clone(),
            fingerprint: event.fingerprint(),
        };
        let envelope = event.into_envelope(&self.request_id, &self.traceparent)?;
        let message = message(&envelope, body);
        Some(Load { key, seen, message })
    }

    fn go_on(&mut self, mut drive: Drive, effect: Option<Promise>) -> Option<Promise> {
        self.stage = match drive.ending() {
            None => Stage::Hold(drive),
            Some(ending) => {
                self.known.remembering = drive.take_remembering();
                self.known.driven = drive.into_driven();
                Stage::Decided(ending.verdict)
            }
        };
        effect
    }

    /// Records the verdict and answers it.
    fn end(&self, verdict: Verdict) -> Answer {
        let (live, known) = (self.live.as_deref(), &self.known);
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
        answer::answer(
            verdict,
            live,
            &self.request_id,
            answer::Known {
                kind: known.event_type.as_deref(),
                echo: known.echo.as_deref(),
                key_id: known.findings.key_id.as_deref(),
            },
        )
    }
}

/// The platform encodes base64 several times as fast as wasm, and the text does not cross over.
fn message(envelope: &Envelope, body: &Uint8Array) -> JsString {
    let content = match &envelope.canonical {
        None => platform::to_base64(body),
        Some(canonical) => platform::to_base64(&Uint8Array::from(canonical.as_slice())),
    };
    let whole = JsString::from(envelope.before.as_str());
    whole.concat(&content).concat(&envelope.after.into())
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
    let answer = answer::unavailable(&request_id).for_request(&request_id);
    answer.to_lines()
}

fn stage(head: &Head, live: Option<&LiveSource>, state: &State, env: &Env) -> Stage {
    if head.path == "/healthz" {
        return Stage::Health {
            sound: is_sound(state, env),
        };
    }
    if head.path.starts_with("/admin/") {
        return Stage::Administrate;
    }
    if state.gate.is_none() {
        return Stage::Decided(Verdict::Unavailable(Trouble::ConfigurationBroken));
    }
    match live.map(|live| admission::open(live, head)) {
        None => Stage::Decided(Verdict::Refused(Reject::UnknownSource)),
        Some(Ok(opening)) => Stage::Read(opening),
        Some(Err(verdict)) => Stage::Decided(verdict),
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
