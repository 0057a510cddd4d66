//! The queues' consumer: events to the backend, dead letters to the archive.
//!
//! Every message ends in `ack` or `retry` by itself, whatever happens to its neighbours: an error
//! of the handler would bring the whole batch again, delivered events included.

use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt as _, StreamExt as _, stream};
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestInit, RequestRedirect, Response};
use worker::Env;

use super::archive;
use super::platform::{self, Batch, QueueMessage, binding, now_ms};
use super::state::State;
use crate::audit::{DeliveryLine, Notice};
use crate::dead::DeadLetter;
use crate::delivery::{self, Plan, QueueRole, plan, queue_role};
use crate::event::{Held, MESSAGE_BYTES_MAX};
use crate::gate::LiveDestination;
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
        Some(QueueRole::Events) => deliver(message, &text, state, env).await,
        Some(QueueRole::DeadLetters) => {
            keep(message, &DeadLetter::from_queue(&text, now_ms()), env).await;
        }
        // What nobody can deliver is kept, never thrown away.
        None => give_up(message, &text, DeathCause::UnknownQueue, None, env).await,
    }
}

/// Delivers one event, or decides what becomes of it.
async fn deliver(message: &QueueMessage, text: &str, state: &State, env: &Env) {
    let Some(gate) = &state.gate else {
        return message.retry_in(retry::wait_seconds(message.attempts()));
    };
    let (held, name, route) = match plan(text, gate) {
        Plan::Deliver { held, name, route } => (held, name, route),
        Plan::GiveUp(cause) => return give_up(message, text, cause, None, env).await,
        Plan::Wait { destination } => {
            let destination = &destination;
            platform::notice(&Notice::Waiting { destination });
            return message.retry_in(retry::wait_seconds(message.attempts()));
        }
    };
    #[cfg(feature = "test-hooks")]
    panic_on_purpose(&held);
    let started_ms = now_ms();
    let attempt = message.attempts().max(1);
    let outcome = post(&held, route, attempt).await;
    let random = u32::from_le_bytes(platform::random());
    let next = retry::next(&route.destination, attempt, outcome, random);
    let webhook_id = delivery::webhook_id(&held);
    let line = DeliveryLine::new(&held, &name, &webhook_id, attempt, outcome, next);
    platform::log(&DeliveryLine {
        duration_ms: now_ms().saturating_sub(started_ms),
        ..line
    });
    match next {
        Next::Done => message.ack(),
        Next::RetryIn { seconds } => message.retry_in(seconds),
        Next::Dead(cause) => give_up(message, text, cause, outcome.status(), env).await,
    }
}

/// Sends an event to the dead letters, then acknowledges it: a crash between the two costs a second
/// copy of the letter, which folds into the first, never an event.
async fn give_up(
    message: &QueueMessage,
    text: &str,
    cause: DeathCause,
    status: Option<u16>,
    env: &Env,
) {
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
        return message.ack();
    }
    keep(message, &letter, env).await;
}

/// Moves a dead letter into the archive.
async fn keep(message: &QueueMessage, letter: &DeadLetter, env: &Env) {
    let id = &letter.id;
    match archive::keep(env, letter).await {
        Ok(()) => {
            platform::notice(&Notice::DeadLetterKept { id });
            message.ack();
        }
        Err(archive::Failed) => {
            platform::notice(&Notice::DeadLetterUnkept { id });
            message.retry_in(retry::wait_seconds(message.attempts()));
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
