//! Carries out what [`Road`] says, one effect after the other. Each is begun here and awaited by
//! `entry.mjs`, within its slice of the sender's patience.

use std::sync::Arc;

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::Env;

use super::load::Load;
use super::platform::{self, Bound, ExecutionContext, Outcome, describe_value, notice};
use super::queue;
use super::state::asked;
use super::{ledger, spool};
use crate::audit::Notice;
use crate::gate::LiveSource;
use crate::ledger::{Ask, Reply};
use crate::memory::{Seen, seen_key};
use crate::road::{Asked, Effect, Ending, Hold, Memory, Place, Road, Step};

/// What the way was like, for the record.
#[derive(Default)]
pub struct Driven {
    /// How the memory of events answered.
    pub memory: Option<&'static str>,
    /// Where the event is held.
    pub held_at: Option<&'static str>,
    /// The request that brought the event first, where the memory knew.
    pub duplicate_of: Option<String>,
    /// It was signed over other content under the same identity.
    pub content_differs: bool,
}

/// After the answer, the ledger may take its time.
const NOTE_MS: u32 = 10_000;

/// An event of `live` on its road.
pub struct Drive {
    env: Env,
    live: Arc<LiveSource>,
    load: Load,
    road: Road,
    step: Step,
    /// What is awaited, for the case that it outlives its slice.
    under_way: Option<Promise>,
    driven: Driven,
    remembering: Option<Promise>,
}

impl Drive {
    /// Sets out, and begins the first effect.
    pub fn begin(
        live: Arc<LiveSource>,
        load: Load,
        env: &Env,
        ctx: &ExecutionContext,
    ) -> (Self, Option<Promise>) {
        let way = if load.deposit.is_some() {
            Road::apart
        } else {
            Road::new
        };
        let road = way(live.source.dedup, live.scheme.answer_by_ms);
        let mut drive = Drive {
            env: env.clone(),
            step: road.start(),
            live,
            load,
            road,
            under_way: None,
            driven: Driven::default(),
            remembering: None,
        };
        let effect = drive.go_on(ctx);
        (drive, effect)
    }

    /// How long to wait for the effect under way, in milliseconds.
    pub fn slice_ms(&self) -> u32 {
        match self.step {
            Step::Do(
                Effect::Ask { slice_ms, .. }
                | Effect::Put { slice_ms }
                | Effect::Hold { slice_ms, .. }
                | Effect::Return { slice_ms },
            ) => slice_ms,
            Step::Answer(_) => 0,
        }
    }

    /// Takes in what came of the effect, and begins the next one.
    pub fn resume(&mut self, outcome: Outcome, ctx: &ExecutionContext) -> Option<Promise> {
        self.conclude(outcome, ctx);
        self.go_on(ctx)
    }

    /// `None`: not there yet.
    pub fn ending(&self) -> Option<Ending> {
        match self.step {
            Step::Answer(ending) => Some(ending),
            Step::Do(_) => None,
        }
    }

    /// The writing of the key into KV, if it was begun.
    pub fn take_remembering(&mut self) -> Option<Promise> {
        self.remembering.take()
    }

    pub fn into_driven(self) -> Driven {
        self.driven
    }

    fn go_on(&mut self, ctx: &ExecutionContext) -> Option<Promise> {
        loop {
            let effect = match self.step {
                Step::Do(effect) => effect,
                Step::Answer(ending) => {
                    self.driven.held_at = ending.held_at.map(Place::name);
                    self.write_memories(ending, ctx);
                    return None;
                }
            };
            match self.start(effect) {
                Ok(promise) => {
                    self.under_way = Some(promise.clone());
                    return Some(promise);
                }
                Err(error) => self.conclude(Outcome::Rejected(error), ctx),
            }
        }
    }

    fn start(&self, effect: Effect) -> Result<Promise, JsValue> {
        match effect {
            Effect::Ask { of, .. } => match of {
                Memory::Kv => self.env.seen().get(&seen_key(&self.load.key)),
                Memory::Ledger => {
                    ledger::begin(&self.env, &self.live, &self.load.key, Ask::Seek, None)
                }
            },
            Effect::Put { .. } => match &self.load.deposit {
                Some(deposit) => deposit.begin(&self.env),
                None => Err(JsValue::UNDEFINED),
            },
            Effect::Return { .. } => self.bring(Ask::Return),
            Effect::Hold { at, .. } => match at {
                Place::Queue => queue::begin_send(&self.env.events(), &self.load.message),
                Place::Ledger => self.bring(Ask::Arrive),
                Place::Spool => {
                    let (env, message) = (self.env.clone(), String::from(&self.load.message));
                    Ok(platform::promise(async move {
                        spool::put(&env, &message).await?;
                        Ok(JsValue::UNDEFINED)
                    }))
                }
            },
        }
    }

    /// Brings the event to the ledger.
    fn bring(&self, ask: Ask) -> Result<Promise, JsValue> {
        let message = Some(&self.load.message);
        ledger::begin(&self.env, &self.live, &self.load.key, ask, message)
    }

    fn conclude(&mut self, outcome: Outcome, ctx: &ExecutionContext) {
        let under_way = self.under_way.take();
        let Step::Do(effect) = self.step else { return };
        self.step = match effect {
            Effect::Ask { of, .. } => {
                let asked = match of {
                    Memory::Kv => self.recall(outcome),
                    Memory::Ledger => sought(in_ledger(&outcome)),
                };
                self.driven.memory = Some(asked.name());
                self.road.asked(asked)
            }
            Effect::Put { .. } => {
                if let Outcome::Rejected(error) = &outcome {
                    let detail = &describe_value(error);
                    notice(&Notice::ArchiveFailed { detail });
                }
                self.road.put(matches!(outcome, Outcome::Fulfilled(_)))
            }
            Effect::Return { .. } => {
                if let (Outcome::Expired, Some(returning)) = (&outcome, under_way) {
                    // The platform may end what nobody waits for, and it may be held by now.
                    ctx.keep_alive(async move {
                        let _ = JsFuture::from(returning).await;
                    });
                }
                self.road.held(in_ledger(&outcome))
            }
            Effect::Hold { at, .. } => {
                let hold = match at {
                    Place::Ledger => in_ledger(&outcome),
                    Place::Queue | Place::Spool => elsewhere(at, &outcome),
                };
                if let (Place::Queue, Hold::Unknown, Some(sending)) = (at, hold, under_way) {
                    ctx.keep_alive(self.outlive(sending));
                }
                self.road.held(hold)
            }
        };
    }

    fn recall(&mut self, outcome: Outcome) -> Asked {
        match outcome {
            Outcome::Fulfilled(value) => {
                let Some(text) = value.as_string() else {
                    return Asked::Unseen;
                };
                let first = Seen::from_text(&text);
                self.driven.content_differs = first.fingerprint != self.load.seen.fingerprint;
                self.driven.duplicate_of = Some(first.request_id);
                Asked::Seen
            }
            Outcome::Rejected(error) => {
                let detail = &describe_value(&error);
                notice(&Notice::MemoryUnread { detail });
                Asked::Failed
            }
            Outcome::Expired => Asked::Unknown,
        }
    }

    /// A send that outlives its slice is kept alive: if it succeeds after all, the sender's retry
    /// must find the event remembered.
    fn outlive(&self, sending: Promise) -> impl Future<Output = ()> + use<> {
        let (env, live, load) = (self.env.clone(), self.live.clone(), self.load.clone());
        async move {
            let held = JsFuture::from(sending).await.is_ok();
            let request_id = &load.seen.request_id;
            notice(&Notice::LateHold { request_id, held });
            if held {
                let written = match remember(&env, &live, &load) {
                    Ok(promise) => JsFuture::from(promise).await.is_ok(),
                    Err(_) => false,
                };
                if !written {
                    notice(&Notice::MemoryUnwritten { request_id });
                }
            }
        }
    }

    fn write_memories(&mut self, ending: Ending, ctx: &ExecutionContext) {
        if ending.remember {
            self.remembering = match remember(&self.env, &self.live, &self.load) {
                Ok(promise) => Some(promise),
                Err(_) => {
                    let request_id = &self.load.seen.request_id;
                    notice(&Notice::MemoryUnwritten { request_id });
                    None
                }
            };
        }
        if ending.note {
            let (env, live, key) = (self.env.clone(), self.live.clone(), self.load.key.clone());
            ctx.keep_alive(async move {
                // The log says if it was not heard; the consumer asks again before the backend.
                let _ = ledger::ask(&env, &live, &key, Ask::Note, NOTE_MS).await;
            });
        }
    }
}

/// Begins to write the key into KV.
fn remember(env: &Env, live: &LiveSource, load: &Load) -> Result<Promise, JsValue> {
    let (key, seen) = (seen_key(&load.key), load.seen.to_text());
    env.seen().put(&key, &seen, &asked(live).expiration)
}

fn in_ledger(outcome: &Outcome) -> Hold {
    match outcome {
        Outcome::Expired => Hold::Unknown,
        Outcome::Rejected(error) => {
            ledger::silent(error);
            Hold::Failed
        }
        Outcome::Fulfilled(text) => match ledger::reply(text) {
            Ok(Reply::New) => Hold::Done,
            Ok(Reply::Revived { .. }) => Hold::Revived,
            Ok(Reply::Duplicate) => Hold::Conflict,
            Ok(_) => Hold::Failed,
            Err(error) => {
                ledger::silent(&error);
                Hold::Failed
            }
        },
    }
}

/// What an arrival would be told.
fn sought(hold: Hold) -> Asked {
    match hold {
        Hold::Conflict => Asked::Seen,
        Hold::Done | Hold::Revived => Asked::Unseen,
        Hold::Failed => Asked::Failed,
        Hold::Unknown => Asked::Unknown,
    }
}

fn elsewhere(at: Place, outcome: &Outcome) -> Hold {
    match outcome {
        Outcome::Fulfilled(_) => Hold::Done,
        Outcome::Expired => Hold::Unknown,
        Outcome::Rejected(error) => {
            let detail = &describe_value(error);
            notice(&if at == Place::Spool {
                Notice::SpoolFailed { detail }
            } else {
                Notice::HoldFailed { detail }
            });
            Hold::Failed
        }
    }
}
