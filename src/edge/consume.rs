//! The queues' consumer: events to the backend, dead letters to the archive.
//!
//! Every message ends in `ack` or `retry` by itself, whatever happens to its neighbours: an error
//! of the handler would bring the whole batch again, delivered events included.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::{FutureExt as _, StreamExt as _, stream};
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestInit, RequestRedirect, Response};
use worker::Env;

use super::archive;
use super::ledger;
use super::platform::{self, Batch, QueueMessage, binding, now_ms};
use super::state::State;
use crate::audit::{DeliveryLine, Notice};
use crate::consumer::{Action, End, Errand, Report, Step, busy_seconds, lease_ms};
use crate::dead::DeadLetter;
use crate::delivery::{self, Plan, QueueRole, plan, queue_role};
use crate::event::{Held, MESSAGE_BYTES_MAX};
use crate::gate::{LiveDestination, LiveSource};
use crate::ledger::{Ask, Claim, Owner, Reply};
use crate::retry::{self, Attempt, DeathCause, Next};

/// Deliveries at a time. One invocation may have six connections waiting for headers; two are left
/// for the queue and the archive.
const DELIVERIES_AT_ONCE: usize = 4;

/// Handles a batch of either queue.
#[wasm_bindgen]
pub fn consume(batch: Batch, env: Env) -> Promise {
    platform::promise(async move {
        // First of all, because it also sees to it that a panic is not printed with its text.
        let state = State::of(&env);
        let role = queue_role(&batch.queue());
        if role.is_none() {
            let name = batch.queue();
            platform::notice(&Notice::QueueUnknown { name: &name });
        }
        stream::iter(batch.messages())
            .for_each_concurrent(DELIVERIES_AT_ONCE, |message| {
                let (state, env) = (&state, &env);
                async move {
                    let handled = AssertUnwindSafe(handle(&message, role, state, env));
                    if handled.catch_unwind().await.is_err() {
                        message.retry_in(retry::wait_seconds(message.attempts()));
                    }
                }
            })
            .await;
        Ok(JsValue::UNDEFINED)
    })
}

async fn handle(message: &QueueMessage, role: Option<QueueRole>, state: &State, env: &Env) {
    let text = message.text();
    match role {
        Some(QueueRole::Events) => run(message, &text, state, env).await,
        Some(QueueRole::DeadLetters) => {
            let letter = DeadLetter::from_queue(&text, now_ms());
            match keep_unless_delivered(&letter, state, env).await {
                Buried::Kept | Buried::Delivered => message.ack(),
                Buried::Busy { seconds } => message.retry_in(seconds),
                Buried::Unkept => finish(message, false),
            }
        }
        // What nobody can deliver is kept, never thrown away.
        None => {
            let buried = bury(message, &text, DeathCause::UnknownQueue, None, env).await;
            finish(message, buried);
        }
    }
}

fn finish(message: &QueueMessage, kept: bool) {
    if kept {
        message.ack();
    } else {
        message.retry_in(retry::wait_seconds(message.attempts()));
    }
}

/// Delivers one event, or decides what becomes of it.
async fn run(message: &QueueMessage, text: &str, state: &State, env: &Env) {
    let wait = || message.retry_in(retry::wait_seconds(message.attempts()));
    let Some(gate) = &state.gate else {
        return wait();
    };
    match plan(text, gate) {
        Plan::Deliver {
            held,
            source,
            route,
        } => {
            let delivery = Delivery {
                message,
                text,
                held,
                source,
                route,
                env,
            };
            delivery.run().await;
        }
        Plan::GiveUp(cause) => {
            let buried = bury(message, text, cause, None, env).await;
            finish(message, buried);
        }
        Plan::Wait { destination } => {
            let destination = &destination;
            platform::notice(&Notice::Waiting { destination });
            wait();
        }
    }
}

/// One event on its way to its backend.
struct Delivery<'a> {
    message: &'a QueueMessage,
    text: &'a str,
    held: Box<Held>,
    source: &'a Arc<LiveSource>,
    route: &'a LiveDestination,
    env: &'a Env,
}

impl Delivery<'_> {
    /// Carries out what [`Errand`] says.
    async fn run(&self) {
        #[cfg(feature = "test-hooks")]
        panic_on_purpose(&self.held);
        let owner = Owner::from_le_bytes(platform::random());
        let mut errand = Errand::new(owner, self.message.attempts().max(1));
        let mut status = None;
        let mut step = errand.start();
        loop {
            step = match step {
                Step::Do(Action::Claim) => {
                    let claim = self.claim(errand.owner).await;
                    errand.claimed(claim, now_ms())
                }
                Step::Do(Action::Deliver { attempt }) => {
                    let (outcome, next) = self.attempt(attempt).await;
                    status = outcome.status();
                    errand.delivered(next)
                }
                Step::Do(Action::Bury(cause)) => {
                    let kept = bury(self.message, self.text, cause, status, self.env).await;
                    errand.buried(kept)
                }
                Step::Do(Action::Report(report)) => {
                    self.report(report, errand.owner).await;
                    errand.reported()
                }
                Step::End(end) => return self.end(end).await,
            };
        }
    }

    async fn ask(&self, ask: Ask) -> Option<Reply> {
        let key = &self.held.message.dedupkey;
        ledger::ask(self.env, self.source, key, ask, LEDGER_MS)
            .await
            .ok()
    }

    async fn claim(&self, owner: Owner) -> Option<Claim> {
        let ask = Ask::Claim {
            run: self.held.message.run,
            owner,
            lease_ms: lease_ms(self.route.destination.timeout_seconds),
        };
        match self.ask(ask).await? {
            Reply::Go { attempt } => Some(Claim::Go { attempt }),
            Reply::Busy { until_ms } => Some(Claim::Busy { until_ms }),
            Reply::Settled => {
                let request_id = &self.held.message.requestid;
                platform::notice(&Notice::CopyRemoved { request_id });
                Some(Claim::Settled)
            }
            _ => None,
        }
    }

    async fn report(&self, report: Report, owner: Owner) {
        let run = self.held.message.run;
        let ask = match report {
            Report::Done => Ask::Done { run },
            Report::Dead => Ask::Dead {
                run,
                owner: Some(owner),
            },
            Report::Release => Ask::Release { run, owner },
        };
        // Unheard, `done` leaves a lease that runs out; the log has the ledger's failure.
        let _ = self.ask(ask).await;
    }

    async fn attempt(&self, attempt: u32) -> (Attempt, Next) {
        let started_ms = now_ms();
        let held = &self.held;
        // A condition would leave the code of the effect in: it is awaited.
        #[cfg(uses_decryption)]
        let opened = super::decrypt::opened(held, self.source).await;
        #[cfg(not(uses_decryption))]
        let opened: Option<Held> = None;
        let outcome = post(opened.as_ref().unwrap_or(held), self.route, attempt).await;
        let random = u32::from_le_bytes(platform::random());
        let next = retry::next(&self.route.destination, attempt, outcome, random);
        let destination = &self.source.source.destination;
        let webhook_id = delivery::webhook_id(held);
        let line = DeliveryLine::new(held, destination, &webhook_id, attempt, outcome, next);
        platform::log(&DeliveryLine {
            duration_ms: now_ms().saturating_sub(started_ms),
            ..line
        });
        (outcome, next)
    }

    async fn end(&self, end: End) {
        match end {
            End::Acknowledge => self.message.ack(),
            End::Retry { seconds } => self.message.retry_in(seconds),
            End::SendAgain { seconds } => {
                let sent = platform::send_later(self.env, binding::EVENTS, self.text, seconds);
                match sent.await {
                    Ok(()) => self.message.ack(),
                    Err(_) => self.message.retry_in(seconds),
                }
            }
        }
    }
}

/// The ledger is near; the queue brings the message again if it does not answer.
const LEDGER_MS: u32 = 5_000;

/// What became of a dead letter.
pub enum Buried {
    Kept,
    /// The platform also gives up messages whose events were delivered: there is nothing to keep.
    Delivered,
    /// A later attempt is under way: whether the event died is not known before then.
    Busy {
        seconds: u32,
    },
    Unkept,
}

/// Tells the ledger of a death, and keeps the letter if it was one. When in doubt, it is kept.
pub async fn keep_unless_delivered(letter: &DeadLetter, state: &State, env: &Env) -> Buried {
    match report_dead(letter, state, env).await {
        Some(Reply::Settled) => Buried::Delivered,
        Some(Reply::Busy { until_ms }) => Buried::Busy {
            seconds: busy_seconds(until_ms, now_ms()),
        },
        _ if keep(letter, env).await => Buried::Kept,
        _ => Buried::Unkept,
    }
}

async fn report_dead(letter: &DeadLetter, state: &State, env: &Env) -> Option<Reply> {
    let held = Held::read(&letter.message).ok()?;
    let source = state.gate.as_ref()?.source(&held.message.source)?;
    let ask = Ask::Dead {
        run: held.message.run,
        owner: None,
    };
    let key = &held.message.dedupkey;
    ledger::ask(env, source, key, ask, LEDGER_MS).await.ok()
}

/// Puts a message among the dead letters. False: it could not be kept.
async fn bury(
    message: &QueueMessage,
    text: &str,
    cause: DeathCause,
    status: Option<u16>,
    env: &Env,
) -> bool {
    let letter = DeadLetter::new(text, cause, message.attempts().max(1), status, now_ms());
    platform::notice(&Notice::GivenUp {
        reason: cause.name(),
        id: &letter.id,
    });
    // Wrapped, an event of almost the largest size is too long for a message.
    let wrapped = serde_json::to_string(&letter)
        .ok()
        .filter(|wrapped| wrapped.len() <= MESSAGE_BYTES_MAX);
    if let Some(wrapped) = wrapped
        && platform::send(env, binding::DEAD_LETTERS, &wrapped)
            .await
            .is_ok()
    {
        return true;
    }
    keep(&letter, env).await
}

/// Moves a dead letter into the archive.
async fn keep(letter: &DeadLetter, env: &Env) -> bool {
    let id = &letter.id;
    match archive::keep(env, letter).await {
        Ok(()) => {
            platform::notice(&Notice::DeadLetterKept { id });
            true
        }
        Err(archive::Failed) => {
            platform::notice(&Notice::DeadLetterUnkept { id });
            false
        }
    }
}

/// One attempt at the backend.
async fn post(held: &Held, route: &LiveDestination, attempt: u32) -> Attempt {
    let timeout_ms = route.destination.timeout_seconds.saturating_mul(1_000);
    let signal = AbortSignal::timeout_with_u32(timeout_ms);
    match send(held, route, attempt, &signal).await {
        Ok(response) => {
            // An unread body would keep its connection; its content is of no interest.
            if let Some(body) = response.body() {
                let _ = JsFuture::from(body.cancel()).await;
            }
            let header = response.headers().get("retry-after").ok().flatten();
            Attempt::Answered {
                status: response.status(),
                retry_after_seconds: header
                    .and_then(|header| retry::retry_after_seconds(&header, now_ms())),
            }
        }
        Err(_) if signal.aborted() => Attempt::TimedOut,
        Err(_) => Attempt::Unreachable,
    }
}

async fn send(
    held: &Held,
    route: &LiveDestination,
    attempt: u32,
    signal: &AbortSignal,
) -> Result<Response, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in delivery::headers(held, &route.destination, &route.key, attempt, now_ms())
    {
        headers.set(&name, &value)?;
    }
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_headers(&headers);
    init.set_body(&Uint8Array::from(held.body.as_slice()));
    init.set_signal(Some(signal));
    // A redirect would carry the event to a host that nobody configured.
    init.set_redirect(RequestRedirect::Manual);
    let global: web_sys::WorkerGlobalScope = js_sys::global().unchecked_into();
    let response = JsFuture::from(global.fetch_with_str_and_init(&route.url, &init)).await?;
    response.dyn_into()
}

/// Only in builds for the end-to-end tests: a poison message must not disturb its neighbours.
#[cfg(feature = "test-hooks")]
#[allow(clippy::panic, reason = "on purpose")]
fn panic_on_purpose(held: &Held) {
    if held.message.kind == "test.panic" {
        panic!("on purpose, quoting {:?}", held.body);
    }
}
