//! Carries out what [`Road`] says, each effect within its slice of the sender's patience.

use std::rc::Rc;

use worker::Env;

use super::ledger::{self, Silence};
use super::platform::{self, ExecutionContext, binding, describe, notice, within};
use super::spool;
use super::state::State;
use crate::audit::Notice;
use crate::gate::LiveSource;
use crate::ledger::{Ask, Reply};
use crate::memory::{Seen, seen_key};
use crate::road::{Asked, Effect, Ending, Hold, Place, Road, Step};

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

/// One event on its way.
pub struct Load {
    /// The event's key.
    pub key: String,
    /// What the memory will keep of it.
    pub seen: Seen,
    /// What the queue is given.
    pub message: String,
}

/// What outlives the request, if need be.
#[derive(Clone)]
struct Carrier {
    env: Env,
    state: Rc<State>,
    source: String,
    load: Rc<Load>,
}

/// After the answer, the ledger may take its time.
const NOTE_MS: u32 = 10_000;

/// Drives an event of `live` along its road.
pub async fn drive(
    live: &LiveSource,
    state: &Rc<State>,
    load: Load,
    env: &Env,
    ctx: &ExecutionContext,
) -> (Ending, Driven) {
    let carrier = Carrier {
        env: env.clone(),
        state: state.clone(),
        source: live.name.clone(),
        load: Rc::new(load),
    };
    let mut driven = Driven::default();
    let mut road = Road::new(live.source.dedup, live.scheme.answer_by_ms);
    let mut step = road.start();
    loop {
        step = match step {
            Step::Do(Effect::Ask { slice_ms }) => {
                let (answer, first) = carrier.ask(slice_ms).await;
                driven.memory = Some(answer.name());
                if let Some(first) = first {
                    driven.content_differs =
                        first.content_digest != carrier.load.seen.content_digest;
                    driven.duplicate_of = Some(first.request_id);
                }
                road.asked(answer)
            }
            Step::Do(Effect::Hold { at, slice_ms }) => {
                let outcome = match at {
                    Place::Queue => carrier.hold_on_queue(slice_ms, ctx).await,
                    Place::Ledger => carrier.hold_in_ledger(live, slice_ms).await,
                    Place::Spool => carrier.hold_in_spool(slice_ms).await,
                };
                road.held(outcome)
            }
            Step::Answer(ending) => {
                driven.held_at = ending.held_at.map(Place::name);
                if ending.remember || ending.note {
                    ctx.keep_alive(carrier.write_memories(ending));
                }
                return (ending, driven);
            }
        };
    }
}

impl Carrier {
    async fn ask(&self, slice_ms: u32) -> (Asked, Option<Seen>) {
        match within(slice_ms, self.recall()).await {
            Some(Ok(Some(first))) => (Asked::Seen, Some(first)),
            Some(Ok(None)) => (Asked::Unseen, None),
            Some(Err(error)) => {
                let detail = &describe(&error);
                notice(&Notice::MemoryUnread { detail });
                (Asked::Failed, None)
            }
            None => (Asked::Unknown, None),
        }
    }

    async fn recall(&self) -> Result<Option<Seen>, worker::Error> {
        let store = self.env.kv(binding::SEEN)?;
        let found = store.get(&seen_key(&self.load.key)).text().await?;
        Ok(found.as_deref().map(Seen::from_text))
    }

    /// A send that outlives its slice is kept alive: if it succeeds after all, the sender's retry
    /// must find the event remembered.
    async fn hold_on_queue(&self, slice_ms: u32, ctx: &ExecutionContext) -> Hold {
        let carrier = self.clone();
        let mut send = Box::pin(async move {
            platform::send(&carrier.env, binding::EVENTS, &carrier.load.message).await
        });
        match within(slice_ms, send.as_mut()).await {
            Some(Ok(())) => Hold::Done,
            Some(Err(detail)) => {
                notice(&Notice::HoldFailed { detail: &detail });
                Hold::Failed
            }
            None => {
                let carrier = self.clone();
                ctx.keep_alive(async move {
                    let held = send.await.is_ok();
                    let request_id = &carrier.load.seen.request_id;
                    notice(&Notice::LateHold { request_id, held });
                    if held {
                        carrier.remember().await;
                    }
                });
                Hold::Unknown
            }
        }
    }

    async fn hold_in_ledger(&self, live: &LiveSource, slice_ms: u32) -> Hold {
        let message = Some(self.load.message.as_str());
        let asked = ledger::ask(
            &self.env,
            live,
            &self.load.key,
            Ask::Arrive,
            message,
            slice_ms,
        );
        match asked.await {
            Ok(Reply::New) => Hold::Done,
            Ok(Reply::Revived { .. }) => Hold::Revived,
            Ok(Reply::Duplicate) => Hold::Conflict,
            Ok(_) | Err(Silence::Failed) => Hold::Failed,
            Err(Silence::Unknown) => Hold::Unknown,
        }
    }

    async fn hold_in_spool(&self, slice_ms: u32) -> Hold {
        match within(slice_ms, spool::put(&self.env, &self.load.message)).await {
            Some(Ok(())) => Hold::Done,
            Some(Err(detail)) => {
                notice(&Notice::SpoolFailed { detail: &detail });
                Hold::Failed
            }
            None => Hold::Unknown,
        }
    }

    async fn write_memories(self, ending: Ending) {
        if ending.remember {
            self.remember().await;
        }
        let live = self
            .state
            .gate
            .as_ref()
            .and_then(|gate| gate.source(&self.source));
        if let (true, Some(live)) = (ending.note, live) {
            // The log says if it was not heard; the consumer asks again before the backend.
            let _ = ledger::ask(&self.env, live, &self.load.key, Ask::Note, None, NOTE_MS).await;
        }
    }

    /// A memory that could not be written costs a copy, never an event.
    async fn remember(&self) {
        let gate = self.state.gate.as_ref();
        let Some(live) = gate.and_then(|gate| gate.source(&self.source)) else {
            return;
        };
        let written = async {
            let store = self.env.kv(binding::SEEN)?;
            let put = store.put(&seen_key(&self.load.key), self.load.seen.to_text())?;
            let life = u64::from(live.source.dedup_retention_seconds);
            Ok::<(), worker::Error>(put.expiration_ttl(life).execute().await?)
        };
        if written.await.is_err() {
            notice(&Notice::MemoryUnwritten {
                request_id: &self.load.seen.request_id,
            });
        }
    }
}
