//! From one stage of a request to the next.

use std::sync::Arc;

use js_sys::{Promise, Uint8Array};
use web_sys::Headers;
use worker::Env;

use super::{Arrival, Arrived, Stage, stage};
use crate::admission::{self, Opening};
use crate::edge::drive::Drive;
use crate::edge::head::look_up;
use crate::edge::inquire::{Asking, Next};
use crate::edge::offer;
use crate::edge::platform::{self, ExecutionContext, Outcome, now_ms};
use crate::edge::record::Record;
use crate::edge::state::State;
use crate::gate::LiveSource;
use crate::request::{Head, Inbound};
use crate::trace;
use crate::uses;
use crate::verdict::{Reject, Trouble, Verdict};
use crate::verify::Matched;

impl Arrival {
    pub(super) fn begin(lines: &str, headers: &Headers, env: &Env, record: Record) -> Arrival {
        // First of all, because it also sees to it that a panic is not printed with its text.
        let state = State::of(env);
        let mut head = Head::from_lines(lines);
        let is_readmitted = record.readmission.is_some();
        // What was kept may be of a time when the host was the senders' too.
        let is_theirs = is_readmitted || !state.own_host.is_asked_by(lines);
        let live = admission::source_of(&state.gate, &head).cloned();
        if let Some(live) = &live {
            look_up(&mut head, live, headers);
        }
        let (request_id, random) = platform::request_id_and_random();
        let stage = if is_theirs || live.is_none() {
            stage(&head, live.as_deref(), &state, env, is_readmitted)
        } else {
            // Whoever gave a sender the operators' host mends it; until then the event is the sender's to repeat.
            Stage::Decided(Verdict::Unavailable(Trouble::ConfigurationBroken))
        };
        Arrival {
            stage,
            record: Record {
                traceparent: trace::continue_or_start(head.header("traceparent"), &random),
                request_id,
                ..record
            },
            head,
            env: live
                .as_ref()
                .filter(|live| live.scheme.is_public() || live.scheme.keeps_offers())
                .map(|_| env.clone()),
            live,
            remembering: None,
        }
    }

    /// The time at which it is judged: now, unless it was refused before.
    fn judged_ms(&self) -> i64 {
        let readmission = self.record.readmission.as_ref();
        readmission.map_or_else(now_ms, |readmission| readmission.at_ms)
    }

    /// What stands here while the request is looked at is what it ends with if that goes wrong.
    pub(super) fn take_stage(&mut self) -> Stage {
        let lost = Verdict::Unavailable(Trouble::ConfigurationBroken);
        std::mem::replace(&mut self.stage, Stage::Decided(lost))
    }

    pub(super) fn resume(&mut self, outcome: Outcome, ctx: &ExecutionContext) -> Option<Promise> {
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
                let verdict = admission::unverified(&live, reject, length, self.judged_ms());
                self.stage = Stage::Decided(verdict);
                None
            }
            Stage::Ask {
                opening,
                body,
                mut asking,
            } if uses::PUBLIC_KEYS => {
                let next = asking.resume(outcome, ctx);
                self.go_on_asking(&live, opening, body, asking, next)
            }
            Stage::Visit => {
                let visited = matches!(outcome, Outcome::Fulfilled(status)
                    if status.as_f64().is_some_and(|status| (200.0..300.0).contains(&status)));
                self.stage = Stage::Decided(if visited {
                    Verdict::Challenged
                } else {
                    Verdict::Unavailable(Trouble::ConfirmationFailed)
                });
                None
            }
            Stage::Keep if uses::GREETINGS => {
                self.stage = Stage::Decided(match outcome {
                    Outcome::Fulfilled(kept) if kept.is_truthy() => Verdict::Challenged,
                    Outcome::Fulfilled(_) => Verdict::Refused(Reject::HandshakeTaken),
                    Outcome::Rejected(_) | Outcome::Expired => {
                        Verdict::Unavailable(Trouble::OfferUnkept)
                    }
                });
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

    /// Reads what the message says of itself, and begins to prove it.
    pub(super) fn ask(
        &mut self,
        live: Arc<LiveSource>,
        mut opening: Opening,
        body: Uint8Array,
        env: Env,
    ) -> Option<Promise> {
        let bytes = body.to_vec();
        let inbound = Inbound::new(&self.head, &bytes, &live.json_pointers);
        match admission::state(&live, &mut opening, &inbound, self.judged_ms()) {
            Ok(statement) => {
                let (asking, next) = Asking::begin(live.clone(), statement, env);
                self.go_on_asking(&live, opening, body, Box::new(asking), next)
            }
            Err(verdict) => {
                self.stage = Stage::Decided(verdict);
                None
            }
        }
    }

    fn go_on_asking(
        &mut self,
        live: &LiveSource,
        mut opening: Opening,
        body: Uint8Array,
        asking: Box<Asking>,
        next: Next,
    ) -> Option<Promise> {
        match next {
            Next::Wait(effect) => {
                self.stage = Stage::Ask {
                    opening,
                    body,
                    asking,
                };
                Some(effect)
            }
            Next::Done(Ok(proof)) => {
                let matched = opening.signed(proof);
                self.conclude(live, opening, body, Some(matched));
                None
            }
            Next::Done(Err(verdict)) => {
                self.stage = Stage::Decided(verdict);
                None
            }
        }
    }

    /// Judges the body, by the MAC that matched or by making one here.
    pub(super) fn conclude(
        &mut self,
        live: &LiveSource,
        opening: Opening,
        body: Uint8Array,
        matched: Option<Matched>,
    ) {
        let bytes = body.to_vec();
        let inbound = Inbound::new(&self.head, &bytes, &live.json_pointers);
        // The clock is read here, after the body: a slow body must not make a stale stamp fresh.
        let now_ms = self.judged_ms();
        let findings = &mut self.record.findings;
        let checked = admission::check(live, &opening, &inbound, matched, now_ms, findings);
        self.stage = match checked {
            Err(verdict) => Stage::Decided(verdict),
            Ok(matched) => Stage::Verified {
                opening,
                arrived: Arrived::Whole { body, bytes },
                matched,
                now_ms,
            },
        };
    }

    /// A secret that was handed over is kept before that is answered.
    pub(super) fn keep_offer(&mut self, live: &LiveSource) -> Option<Promise> {
        if !uses::GREETINGS {
            return None;
        }
        let secret = self.record.findings.reply.as_mut()?.keep.take()?;
        let env = self.env.take()?;
        self.stage = Stage::Keep;
        Some(offer::keep(&env, live, &secret))
    }

    pub(super) fn go_on(&mut self, mut drive: Drive, effect: Option<Promise>) -> Option<Promise> {
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
