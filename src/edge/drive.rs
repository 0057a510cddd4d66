//! Carries out what [`Road`] says, each effect within its slice of the sender's patience.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use wasm_bindgen::JsValue;
use worker::{Delay, Env, QueueContentType, RawMessageBuilder};

use super::platform::{ExecutionContext, binding, log};
use crate::audit::NoticeLine;
use crate::gate::LiveSource;
use crate::road::{Effect, Outcome, Road, Step};
use crate::verdict::{Trouble, Verdict};

/// What the way was like, for the record.
#[derive(Default)]
pub struct Driven {
    /// How the memory of events answered.
    pub memory: Option<&'static str>,
    /// The request that brought the event first, where the memory knew.
    pub duplicate_of: Option<String>,
}

/// Drives one event of `live` along its road. `key` is the event's, `message` what the queue is given.
pub async fn drive(
    live: &LiveSource,
    key: String,
    message: String,
    request_id: &str,
    env: &Env,
    ctx: &ExecutionContext,
) -> (Verdict, Driven) {
    let memory = Memory {
        env: env.clone(),
        key,
        retention_seconds: live.source.dedup_retention_seconds,
        request_id: request_id.to_owned(),
    };
    let mut message = Some(message);
    let mut driven = Driven::default();
    let mut road = Road::new(live.scheme.answer_by_ms);
    let mut step = road.start();
    loop {
        let outcome = match step {
            Step::Do(Effect::AskSeen { slice_ms }) => {
                let (outcome, by) = ask(&memory, slice_ms).await;
                driven.memory = Some(outcome.name());
                driven.duplicate_of = by;
                outcome
            }
            Step::Do(Effect::Hold { slice_ms }) => match message.take() {
                Some(message) => hold(&memory, message, slice_ms, ctx).await,
                None => Outcome::Failed,
            },
            Step::Answer { verdict, remember } => {
                if remember {
                    let memory = memory.clone();
                    ctx.keep_alive(async move { memory.remember().await });
                }
                return (verdict, driven);
            }
        };
        step = road.next(outcome);
    }
}

/// The key-value store, as a memory of events.
#[derive(Clone)]
struct Memory {
    env: Env,
    key: String,
    retention_seconds: u32,
    request_id: String,
}

/// The version of what stands under a key, so that a later format can live beside this one.
const KEY_PREFIX: &str = "seen/1/";

impl Memory {
    async fn recall(&self) -> Result<Option<String>, Trouble> {
        let store = self
            .env
            .kv(binding::SEEN)
            .map_err(|_| Trouble::BindingMissing)?;
        let found = store.get(&format!("{KEY_PREFIX}{}", self.key)).text().await;
        found.map_err(|_| Trouble::HoldFailed)
    }

    /// A memory that could not be written costs a duplicate, never an event.
    async fn remember(&self) {
        let written = async {
            let store = self.env.kv(binding::SEEN).map_err(|_| ())?;
            let put = store.put(
                &format!("{KEY_PREFIX}{}", self.key),
                self.request_id.as_str(),
            );
            let put = put
                .map_err(|_| ())?
                .expiration_ttl(u64::from(self.retention_seconds));
            put.execute().await.map_err(|_| ())
        };
        if written.await.is_err() {
            log(&NoticeLine {
                event: "alarm",
                what: "memory_not_written",
                detail: Some(&self.request_id),
                ..NoticeLine::default()
            });
        }
    }
}

async fn ask(memory: &Memory, slice_ms: u32) -> (Outcome, Option<String>) {
    let recalled = pin!(memory.recall());
    match select(recalled, pin!(timer(slice_ms))).await {
        Either::Left((Ok(Some(by)), _)) => (Outcome::Seen, Some(by)),
        Either::Left((Ok(None), _)) => (Outcome::Unseen, None),
        Either::Left((Err(_), _)) => (Outcome::Failed, None),
        Either::Right(_) => (Outcome::Unknown, None),
    }
}

/// Puts the event on the queue. A send that outlives its slice is kept alive: if it succeeds after
/// all, the sender's retry must find the event remembered.
async fn hold(memory: &Memory, message: String, slice_ms: u32, ctx: &ExecutionContext) -> Outcome {
    let env = memory.env.clone();
    let send = Box::pin(async move {
        let queue = env.queue(binding::EVENTS).map_err(|_| ())?;
        let message = RawMessageBuilder::new(JsValue::from_str(&message))
            .build_with_content_type(QueueContentType::Text);
        queue.send_raw(message).await.map_err(|_| ())
    });
    match select(send, pin!(timer(slice_ms))).await {
        Either::Left((Ok(()), _)) => Outcome::Held,
        Either::Left((Err(()), _)) => Outcome::Failed,
        Either::Right(((), send)) => {
            let memory = memory.clone();
            ctx.keep_alive(async move {
                let landed = send.await.is_ok();
                log(&NoticeLine {
                    event: "notice",
                    what: if landed {
                        "late_hold_succeeded"
                    } else {
                        "late_hold_failed"
                    },
                    detail: Some(&memory.request_id),
                    ..NoticeLine::default()
                });
                if landed {
                    memory.remember().await;
                }
            });
            Outcome::Unknown
        }
    }
}

async fn timer(slice_ms: u32) {
    Delay::from(Duration::from_millis(u64::from(slice_ms))).await;
}
