//! One request, from its head to its answer.
//!
//! Everything here is synchronous: [`Arrival`] begins an effect and hands its promise out, and
//! `entry.mjs` waits for it and comes back with what it brought. A promise that is awaited in wasm
//! costs several times as much, and hangs when the instance dies.
//!
//! Of the head only what is asked for crosses over, until the request has proved that it is the
//! source's: a flood of forgeries pays for few headers.

use std::sync::Arc;

use js_sys::{JsString, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::Request;
use worker::Env;

use super::drive::{Drive, Load};
use super::health::{healthy, is_sound};
use super::native_mac::{NATIVE_BYTES_MIN, NativeMac};
use super::platform::{self, ExecutionContext, HeaderMap, Outcome, now_ms};
use super::record::Record;
use super::state::State;
use crate::admission::{self, Admission, Opening};
use crate::answer;
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
    record: Record,
    /// The writing of the key into KV, under way.
    remembering: Option<Promise>,
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
    /// The source's, and fresh: the whole head is wanted.
    Verified {
        opening: Opening,
        body: Uint8Array,
        bytes: Vec<u8>,
        matched: Matched,
        now_ms: i64,
    },
    /// What was admitted is on its way to a place that holds it.
    Hold(Drive),
    Decided(Verdict),
    Health {
        sound: bool,
    },
    Administrate,
}

#[wasm_bindgen]
impl Arrival {
    /// Looks at the head, as far as it must.
    pub fn open(request: &Request, colo: String, country: String, env: &Env) -> Arrival {
        let started_ms = now_ms();
        // First of all, because it also sees to it that a panic is not printed with its text.
        let state = State::of(env);
        let mut head = Head::of_url(&request.method(), &request.url());
        let live = state
            .gate
            .as_ref()
            .and_then(|gate| admission::source_of(gate, &head))
            .cloned();
        look_up(&mut head, &platform::headers_of(request), live.as_deref());
        let (request_id, random) = platform::request_id_and_random();
        Arrival {
            stage: stage(&head, live.as_deref(), &state, env),
            record: Record {
                traceparent: trace::continue_or_start(head.header("traceparent"), &random),
                request_id,
                started_ms,
                colo,
                country,
                ..Record::default()
            },
            head,
            live,
            remembering: None,
        }
    }

    /// The body is to be read, and [`Arrival::check`] called with it.
    #[wasm_bindgen(getter, js_name = wantsBody)]
    pub fn wants_body(&self) -> bool {
        matches!(self.stage, Stage::Read(_))
    }

    /// [`Arrival::admit`] comes next, with the whole head.
    #[wasm_bindgen(getter, js_name = isVerified)]
    pub fn is_verified(&self) -> bool {
        matches!(self.stage, Stage::Verified { .. })
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
        if let Stage::Read(opening) = &self.stage {
            self.stage = Stage::Decided(opening.over_length);
        }
    }

    /// The body could not be read to its end.
    #[wasm_bindgen(js_name = bodyUnread)]
    pub fn body_unread(&mut self) {
        self.stage = Stage::Decided(Verdict::Unavailable(Trouble::BodyUnread));
    }

    /// Begins to check the body. `undefined`: that is over. Otherwise the effect that was begun: wait
    /// for it, and say what came of it.
    pub fn check(&mut self, body: Uint8Array) -> Option<Promise> {
        #[cfg(feature = "test-hooks")]
        panic_on_purpose(&self.head);
        self.record.body_bytes = Some(body.length() as usize);
        let (Some(live), Stage::Read(opening)) = (self.live.clone(), self.take_stage()) else {
            return None;
        };
        if body.length() >= NATIVE_BYTES_MIN
            && let Some(mac) = NativeMac::of(&live, &opening, &body)
            && let Some(effect) = mac.begin(&live)
        {
            self.stage = Stage::Check { opening, body, mac };
            return Some(effect);
        }
        self.conclude(&live, opening, body, None);
        None
    }

    /// Takes what was verified, and begins to hold it. `lines` is the head as [`Head::from_lines`]
    /// reads it. What is returned is as with [`Arrival::check`], to be waited for within
    /// [`Arrival::slice_ms`].
    pub fn admit(&mut self, lines: &str, env: &Env, ctx: &ExecutionContext) -> Option<Promise> {
        let live = self.live.clone()?;
        let Stage::Verified {
            opening,
            body,
            bytes,
            matched,
            now_ms,
        } = self.take_stage()
        else {
            return None;
        };
        self.head = Head::from_lines(lines);
        let inbound = Inbound::new(&self.head, &bytes, &live.json_pointers);
        let findings = &mut self.record.findings;
        let verdict = match admission::admit(&live, &opening, &inbound, matched, now_ms, findings) {
            Err(verdict) => verdict,
            Ok(Admission::Challenge(echo)) => {
                self.record.echo = Some(echo);
                Verdict::Challenged
            }
            Ok(Admission::Event(event)) => match self.load(*event, &body) {
                Some(load) => {
                    let (drive, effect) = Drive::begin(live, load, env, ctx);
                    return self.go_on(drive, effect);
                }
                None => Verdict::Unavailable(Trouble::MessageTooLarge),
            },
        };
        self.stage = Stage::Decided(verdict);
        None
    }

    /// How long to wait for the effect under way, in milliseconds.
    #[wasm_bindgen(getter, js_name = sliceMs)]
    pub fn slice_ms(&self) -> u32 {
        match &self.stage {
            Stage::Hold(drive) => drive.slice_ms(),
            _ => 0,
        }
    }

    /// The effect brought this. The next one, if there is one.
    pub fn fulfilled(&mut self, value: JsValue, ctx: &ExecutionContext) -> Option<Promise> {
        self.resume(Outcome::Fulfilled(value), ctx)
    }

    /// The effect failed.
    pub fn rejected(&mut self, error: JsValue, ctx: &ExecutionContext) -> Option<Promise> {
        self.resume(Outcome::Rejected(error), ctx)
    }

    /// The slice ended first.
    pub fn expired(&mut self, ctx: &ExecutionContext) -> Option<Promise> {
        self.resume(Outcome::Expired, ctx)
    }

    /// What goes on after the answer, and may fail: then [`memory_unwritten`] is to be called.
    #[wasm_bindgen(getter)]
    pub fn remembering(&self) -> Option<Promise> {
        self.remembering.clone()
    }

    /// Records the verdict, and gives the answer as [`Answer::to_json`](crate::answer::Answer::to_json) writes it.
    pub fn answer(mut self) -> String {
        let answer = match self.take_stage() {
            Stage::Decided(verdict) => {
                let live = self.live.as_deref();
                self.record.write(verdict, &self.head, live);
                self.record.answer(verdict, live)
            }
            Stage::Health { sound: true } => healthy().for_request(&self.record.request_id),
            _ => answer::unavailable(&self.record.request_id).for_request(&self.record.request_id),
        };
        answer.to_json()
    }
}

impl Arrival {
    /// What stands here while the request is looked at is what it ends with if that goes wrong.
    fn take_stage(&mut self) -> Stage {
        let lost = Verdict::Unavailable(Trouble::ConfigurationBroken);
        std::mem::replace(&mut self.stage, Stage::Decided(lost))
    }

    fn resume(&mut self, outcome: Outcome, ctx: &ExecutionContext) -> Option<Promise> {
        let live = self.live.clone()?;
        match self.take_stage() {
            Stage::Check {
                opening,
                body,
                mut mac,
            } => {
                let Some(tag) = mac.tag(&live, outcome) else {
                    // WebCrypto failed. What it can do, wasm can do.
                    self.conclude(&live, opening, body, None);
                    return None;
                };
                if let Some(matched) = opening.matched(mac.key(), &tag) {
                    self.conclude(&live, opening, body, Some(matched));
                    return None;
                }
                if let Some(effect) = mac.next().and_then(|()| mac.begin(&live)) {
                    self.stage = Stage::Check { opening, body, mac };
                    return Some(effect);
                }
                let (reject, length) = (Reject::SignatureMismatch, body.length() as usize);
                let verdict = admission::unverified(&live, reject, length, now_ms());
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

    /// Judges the body, by the MAC that matched or by making one here.
    fn conclude(
        &mut self,
        live: &LiveSource,
        opening: Opening,
        body: Uint8Array,
        matched: Option<Matched>,
    ) {
        let bytes = body.to_vec();
        let inbound = Inbound::new(&self.head, &bytes, &live.json_pointers);
        // The clock is read here, after the body: a slow body must not make a stale stamp fresh.
        let now_ms = now_ms();
        let findings = &mut self.record.findings;
        let checked = admission::check(live, &opening, &inbound, matched, now_ms, findings);
        self.stage = match checked {
            Err(verdict) => Stage::Decided(verdict),
            Ok(matched) => Stage::Verified {
                opening,
                body,
                bytes,
                matched,
                now_ms,
            },
        };
    }

    /// What is to be held, and where it will be remembered. `None`: no message can hold it.
    fn load(&mut self, event: Event<'_>, body: &Uint8Array) -> Option<Load> {
        let key = event.dedup_key().to_owned();
        let (id, kind) = event.labels();
        self.record.event_id = Some(id.to_owned());
        self.record.event_type = Some(kind.to_owned());
        self.record.dedup_key = Some(key.clone());
        let seen = Seen {
            request_id: self.record.request_id.clone(),
            fingerprint: event.fingerprint(),
        };
        let envelope = event.into_envelope(&self.record.request_id, &self.record.traceparent)?;
        let message = message(&envelope, body);
        Some(Load { key, seen, message })
    }

    fn go_on(&mut self, mut drive: Drive, effect: Option<Promise>) -> Option<Promise> {
        self.stage = match drive.ending() {
            None => Stage::Hold(drive),
            Some(ending) => {
                self.remembering = drive.take_remembering();
                self.record.driven = drive.into_driven();
                Stage::Decided(ending.verdict)
            }
        };
        effect
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

/// Asks for what a head must have for [`admission::open`] and for the record.
fn look_up(head: &mut Head, headers: &HeaderMap, live: Option<&LiveSource>) {
    let wanted = live.iter().flat_map(|live| &live.claim_headers);
    let wanted = wanted.map(String::as_str);
    let always = ["content-length", "traceparent", "cf-ray"];
    #[cfg(feature = "test-hooks")]
    let wanted = wanted.chain(["x-test-hook", "x-test-secret"]);
    for name in always.into_iter().chain(wanted) {
        if let Some(value) = headers.get(name) {
            head.add(name, value);
        }
    }
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
    match live.map(|live| admission::open_unless_flooded(live, head, now_ms)) {
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
