//! One request, from its head to its answer.
//!
//! Everything here is synchronous: [`Arrival`] begins an effect and hands its promise out, and
//! `entry.mjs` waits for it and comes back with what it brought. A promise that is awaited in wasm
//! costs several times as much, and hangs when the instance dies.
//!
//! Of the head only what is asked for crosses over, until the request has proved that it is the
//! source's: a flood of forgeries pays for few headers.

mod readmit;
mod steps;
mod stream;

use std::sync::Arc;

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::Headers;

pub use stream::Upload;

use worker::Env;

use super::drive::Drive;
use super::health::{healthy, is_sound};
use super::inquire::{Asking, VISIT_MS, visit};
use super::load::Load;
use super::native_mac::{NATIVE_BYTES_MIN, NativeMac};
use super::platform::{ExecutionContext, Outcome, now_ms};
use super::record::Record;
use super::state::{State, asked};
use crate::admission::{self, Admission, Opening};
use crate::answer;
use crate::event::ClaimCheck;
use crate::gate::LiveSource;
use crate::request::{Head, Inbound};
use crate::uses;
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
    /// There where a public key checks the signature, or a secret may be handed over.
    env: Option<Env>,
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
    /// A public key checks the signature.
    Ask {
        opening: Opening,
        body: Uint8Array,
        asking: Box<Asking>,
    },
    /// The source's, and fresh: more of the head is wanted.
    Verified {
        opening: Opening,
        arrived: Arrived,
        matched: Matched,
        now_ms: i64,
    },
    /// A URL is visited, as the message asked.
    Visit,
    /// A secret that was handed over is being kept.
    Keep,
    /// What was admitted is on its way to a place that holds it.
    Hold(Drive),
    Decided(Verdict),
    Health {
        sound: bool,
    },
    Administrate,
}

/// A body that was verified.
pub enum Arrived {
    /// As received, and the same bytes here.
    Whole { body: Uint8Array, bytes: Vec<u8> },
    /// On its way into the archive.
    Streamed { check: ClaimCheck, upload: Upload },
}

#[wasm_bindgen]
impl Arrival {
    /// Looks at the head, as far as it must.
    /// `lines` is what is wanted of every head, as [`Head::from_lines`] reads it; `headers` has the rest.
    pub fn open(
        lines: &str,
        headers: &Headers,
        colo: String,
        country: String,
        env: &Env,
    ) -> Arrival {
        let record = Record {
            started_ms: now_ms(),
            colo,
            country,
            ..Record::default()
        };
        Arrival::begin(lines, headers, env, record)
    }

    /// The body is to be read, and [`Arrival::check`] called with it.
    #[wasm_bindgen(getter, js_name = wantsBody)]
    pub fn wants_body(&self) -> bool {
        matches!(&self.stage, Stage::Read(opening) if opening.stream_bytes.is_none())
    }

    /// [`Arrival::admit`] comes next.
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

    /// How many bytes are wanted before and after the body, where what is signed can be put around it.
    #[wasm_bindgen(getter, js_name = roomAround)]
    pub fn room_around(&self) -> Vec<u32> {
        let around = match (&self.stage, &self.live) {
            (Stage::Read(opening), Some(live)) => opening.around_body(live),
            _ => None,
        };
        let around = around.unwrap_or_default();
        vec![around.before.len() as u32, around.after.len() as u32]
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

    /// The body took too long.
    #[wasm_bindgen(js_name = bodyTooSlow)]
    pub fn body_too_slow(&mut self) {
        self.stage = Stage::Decided(Verdict::Unavailable(Trouble::BodyTooSlow));
    }

    /// There was no room for it among those that are not verified.
    #[wasm_bindgen(js_name = noRoom)]
    pub fn no_room(&mut self) {
        self.stage = Stage::Decided(Verdict::Unavailable(Trouble::NoRoom));
    }

    /// Tells the source from every other of this isolate.
    #[wasm_bindgen(getter, js_name = sourceNumber)]
    pub fn source_number(&self) -> usize {
        self.live
            .as_ref()
            .map_or(0, |live| Arc::as_ptr(live).addr())
    }

    /// Begins to check the body. `undefined`: that is over. Otherwise the effect that was begun: wait
    /// for it, and say what came of it.
    pub fn check(&mut self, body: Uint8Array) -> Option<Promise> {
        #[cfg(feature = "test-hooks")]
        super::test_hooks::panic_on_purpose(&self.head);
        self.record.body_bytes = Some(body.length() as usize);
        let (Some(live), Stage::Read(opening)) = (self.live.clone(), self.take_stage()) else {
            return None;
        };
        if uses::PUBLIC_KEYS
            && live.scheme.is_public()
            && let Some(env) = self.env.take()
        {
            return self.ask(live, opening, body, env);
        }
        if body.length() >= NATIVE_BYTES_MIN
            && let Some(mac) = NativeMac::of(&live, &opening, &body)
            && let Some(effect) = mac.begin(&live)
        {
            self.stage = Stage::Check { opening, body, mac };
            return Some(effect);
        }
        self.conclude(&live, opening, body, None);
        self.keep_offer(&live)
    }

    /// Takes what was verified, and begins to hold it. What is returned is as with [`Arrival::check`],
    /// to be waited for within [`Arrival::slice_ms`].
    pub fn admit(
        &mut self,
        headers: &Headers,
        env: &Env,
        ctx: &ExecutionContext,
    ) -> Option<Promise> {
        let live = self.live.clone()?;
        let Stage::Verified {
            opening,
            arrived,
            matched,
            now_ms,
        } = self.take_stage()
        else {
            return None;
        };
        self.head.precede(&asked(&live).of_event(headers));
        let inbound = match &arrived {
            Arrived::Whole { bytes, .. } => Inbound::new(&self.head, bytes, &live.json_pointers),
            Arrived::Streamed { check, .. } => Inbound::streamed_to(&self.head, check.clone()),
        };
        let findings = &mut self.record.findings;
        let verdict = match admission::admit(&live, &opening, &inbound, matched, now_ms, findings) {
            Err(verdict) => verdict,
            Ok(Admission::Challenge(reply)) => {
                self.record.findings.reply = Some(reply);
                Verdict::Challenged
            }
            Ok(Admission::Confirm(url)) if uses::PUBLIC_KEYS => {
                self.stage = Stage::Visit;
                return Some(visit(&url, VISIT_MS));
            }
            Ok(Admission::Question(kind)) => self.record.asked(kind),
            Ok(Admission::Confirm(_)) => Verdict::Unavailable(Trouble::ConfigurationBroken),
            Ok(Admission::Event(event)) => match Load::pack(*event, &arrived, &mut self.record) {
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
            Stage::Visit => VISIT_MS,
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

    /// Records the verdict, and gives the answer as [`Answer::to_json`](crate::answer::Answer::to_json) writes it,
    /// with a member more if something is to be done after it: `audit`, for `audit.mjs`. `asn` is the number of the network
    /// operator that it came from, or 0.
    pub fn answer(mut self, asn: u32) -> String {
        self.record.asn = asn;
        let answer = match self.take_stage() {
            Stage::Decided(verdict) => {
                let live = self.live.as_deref();
                let after = self.record.write(verdict, &self.head, live);
                let mut json = self.record.answer(verdict, live).to_json();
                if let Some(after) = after {
                    // In the place of the brace that ends it.
                    json.pop();
                    json.push_str(&after);
                }
                return json;
            }
            Stage::Health { sound: true } => healthy().for_request(&self.record.request_id),
            _ => answer::unavailable(&self.record.request_id).for_request(&self.record.request_id),
        };
        answer.to_json()
    }
}

fn stage(
    head: &Head,
    live: Option<&LiveSource>,
    state: &State,
    env: &Env,
    is_readmitted: bool,
) -> Stage {
    if head.path == "/healthz" {
        return Stage::Health {
            sound: is_sound(state, env),
        };
    }
    if head.path == "/admin" || head.path.starts_with("/admin/") {
        return Stage::Administrate;
    }
    let opened = live.map(|live| match is_readmitted {
        true => admission::open(live, head),
        false => admission::open_unless_flooded(live, head, now_ms),
    });
    match opened {
        None => Stage::Decided(Verdict::Refused(Reject::UnknownSource)),
        Some(Ok(opening)) => Stage::Read(opening),
        Some(Err(verdict)) => Stage::Decided(verdict),
    }
}
