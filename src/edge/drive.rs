//! Carries out what [`Road`] says, each effect within its slice of the sender's patience.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use worker::{Delay, Env};

use super::platform::{self, ExecutionContext, binding, describe, notice};
use crate::audit::Notice;
use crate::gate::LiveSource;
use crate::road::{Effect, Outcome, Road, Seen, Step, seen_key};
use crate::verdict::Verdict;

/// What the way was like, for the record.
#[derive(Default)]
pub struct Driven {
    /// How the memory of events answered.
    pub memory: Option<&'static str>,
    /// The request that brought the event first, where the memory knew.
    pub duplicate_of: Option<String>,
    /// It was signed over other content under the same identity.
    pub content_differs: bool,
}

/// Drives one event of `live` along its road. `key` is the event's, `seen` what the memory will keep
/// of it, `message` what the queue is given.
pub async fn drive(
    live: &LiveSource,
    key: String,
    seen: Seen,
    message: String,
    env: &Env,
    ctx: &ExecutionContext,
) -> (Verdict, Driven) {
    let memory = Memory {
        env: env.clone(),
        key,
        retention_seconds: live.source.dedup_retention_seconds,
        seen,
    };
    let mut message = Some(message);
    let mut driven = Driven::default();
    let mut road = Road::new(live.scheme.answer_by_ms);
    let mut step = road.start();
    loop {
        let outcome = match step {
            Step::Do(Effect::AskSeen { slice_ms }) => {
                let (outcome, first) = ask(&memory, slice_ms).await;
                driven.memory = Some(outcome.name());
                if let Some(first) = first {
                    driven.content_differs = first.content_digest != memory.seen.content_digest;
                    driven.duplicate_of = Some(first.request_id);
                }
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
    /// What is written under the key.
    seen: Seen,
}

impl Memory {
    async fn recall(&self) -> Result<Option<Seen>, worker::Error> {
        let store = self.env.kv(binding::SEEN)?;
        let found = store.get(&seen_key(&self.key)).text().await?;
        Ok(found.as_deref().map(Seen::from_text))
    }

    /// A memory that could not be written costs a duplicate, never an event.
    async fn remember(&self) {
        let written = async {
            let store = self.env.kv(binding::SEEN)?;
            let put = store.put(&seen_key(&self.key), self.seen.to_text())?;
            let life = u64::from(self.retention_seconds);
            Ok::<(), worker::Error>(put.expiration_ttl(life).execute().await?)
        };
        if written.await.is_err() {
            notice(&Notice::MemoryUnwritten {
                request_id: &self.seen.request_id,
            });
        }
    }
}

async fn ask(memory: &Memory, slice_ms: u32) -> (Outcome, Option<Seen>) {
    let recalled = pin!(memory.recall());
    match select(recalled, pin!(timer(slice_ms))).await {
        Either::Left((Ok(Some(first)), _)) => (Outcome::Seen, Some(first)),
        Either::Left((Ok(None), _)) => (Outcome::Unseen, None),
        Either::Left((Err(error), _)) => {
            let detail = &describe(&error);
            notice(&Notice::MemoryUnread { detail });
            (Outcome::Failed, None)
        }
        Either::Right(_) => (Outcome::Unknown, None),
    }
}

/// Puts the event on the queue. A send that outlives its slice is kept alive: if it succeeds after
/// all, the sender's retry must find the event remembered.
async fn hold(memory: &Memory, message: String, slice_ms: u32, ctx: &ExecutionContext) -> Outcome {
    let env = memory.env.clone();
    let send = Box::pin(async move { platform::send(&env, binding::EVENTS, &message).await });
    match select(send, pin!(timer(slice_ms))).await {
        Either::Left((Ok(()), _)) => Outcome::Held,
        Either::Left((Err(detail), _)) => {
            notice(&Notice::HoldFailed { detail: &detail });
            Outcome::Failed
        }
        Either::Right(((), send)) => {
            let memory = memory.clone();
            ctx.keep_alive(async move {
                let held = send.await.is_ok();
                let request_id = &memory.seen.request_id;
                notice(&Notice::LateHold { request_id, held });
                if held {
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
