//! The queues' consumer: events to the backend, dead letters to the archive.
//!
//! Every message ends in `ack` or `retry` by itself. Nothing here returns an error or panics for a
//! message: one would bring the whole batch again, delivered events included.

use futures_util::StreamExt as _;
use futures_util::stream;
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestInit, RequestRedirect, Response};
use worker::{Env, QueueContentType, RawMessageBuilder};

use super::archive;
use super::platform::{self, Batch, QueueMessage, binding, now_ms};
use super::state::{Route, State};
use crate::audit::{DeliveryLine, NoticeLine};
use crate::dead::DeadLetter;
use crate::delivery::{self, Attempt, DeathCause, Next};
use crate::event::{Held, Unreadable};
use crate::trace;

/// Deliveries at a time. One invocation may have six connections waiting for headers; two are left
/// for the queue and the archive.
const DELIVERIES_AT_ONCE: usize = 4;
/// After something of ours failed.
const RETRY_SECONDS: u32 = 30;
/// Queue names in wrangler.toml begin with these, followed by the environment.
const EVENTS_QUEUE: &str = "hookgate-events";
const DEAD_LETTERS_QUEUE: &str = "hookgate-dead-letters";

/// Handles a batch of either queue.
#[wasm_bindgen]
pub fn consume(batch: Batch, env: Env) -> Promise {
    platform::promise(async move {
        handle(&batch, &env).await;
        Ok(JsValue::UNDEFINED)
    })
}

async fn handle(batch: &Batch, env: &Env) {
    let queue = batch.queue();
    let messages = batch.messages();
    if queue.starts_with(DEAD_LETTERS_QUEUE) {
        for message in messages {
            bury(&message, env).await;
        }
    } else if queue.starts_with(EVENTS_QUEUE) {
        stream::iter(messages)
            .for_each_concurrent(DELIVERIES_AT_ONCE, |message| async move {
                deliver(&message, env).await;
            })
            .await;
    } else {
        alarm("unknown_queue", &queue);
        for message in messages {
            message.retry_in(RETRY_SECONDS);
        }
    }
}

/// Delivers one event, or decides what becomes of it.
async fn deliver(message: &QueueMessage, env: &Env) {
    let started_ms = now_ms();
    let Some(text) = message.body().as_string() else {
        // Only we write to this queue, and we write text.
        alarm("message_not_text", "");
        let text = format!("{:?}", message.body());
        return give_up(message, env, &text, DeathCause::Unreadable, None).await;
    };
    let held = match Held::read(&text) {
        Ok(held) => held,
        Err(unreadable) => {
            let cause = match unreadable {
                Unreadable::NotAMessage => DeathCause::Unreadable,
                Unreadable::UnknownVersion => DeathCause::UnknownVersion,
            };
            alarm(cause.name(), "");
            return give_up(message, env, &text, cause, None).await;
        }
    };
    let state = State::of(env);
    let Some(gate) = &state.gate else {
        return message.retry_in(RETRY_SECONDS);
    };
    // A source that is gone or has changed hands gets nothing delivered in its name.
    let source = gate
        .source(&held.message.source)
        .filter(|live| live.source.tenant == held.message.tenant);
    let Some(source) = source else {
        alarm(DeathCause::UnknownSource.name(), &held.message.source);
        return give_up(message, env, &text, DeathCause::UnknownSource, None).await;
    };
    let Some(route) = state.route(&source.source.destination) else {
        alarm("destination_unusable", &source.source.destination);
        return message.retry_in(RETRY_SECONDS);
    };
    let attempt = message.attempts().max(1);
    let outcome = post(&held, route, attempt).await;
    let random = u32::from_le_bytes(platform::random());
    let next = delivery::next(&route.destination, attempt, outcome, random);
    let status = match outcome {
        Attempt::Answered { status, .. } => Some(status),
        Attempt::TimedOut | Attempt::Unreachable => None,
    };
    platform::log(&DeliveryLine {
        event: "delivery",
        result: match next {
            Next::Done => "delivered",
            Next::RetryIn { .. } => "retry",
            Next::Dead(_) => "dead",
        },
        request_id: &held.message.requestid,
        trace_id: trace::trace_id(&held.message.traceparent),
        webhook_id: &delivery::webhook_id(&held),
        tenant: &held.message.tenant,
        source: &held.message.source,
        destination: &source.source.destination,
        attempt,
        run: held.message.run,
        status,
        outcome: Some(outcome.name()),
        reason: match next {
            Next::Dead(cause) => Some(cause.name()),
            Next::Done | Next::RetryIn { .. } => None,
        },
        retry_in_seconds: match next {
            Next::RetryIn { seconds } => Some(seconds),
            Next::Done | Next::Dead(_) => None,
        },
        body_bytes: held.body.len(),
        duration_ms: now_ms().saturating_sub(started_ms),
    });
    match next {
        Next::Done => message.ack(),
        Next::RetryIn { seconds } => message.retry_in(seconds),
        Next::Dead(cause) => give_up(message, env, &text, cause, status).await,
    }
}

/// Sends an event to the dead letters, then acknowledges it: a crash between the two costs a second
/// letter under the same id, never an event.
async fn give_up(
    message: &QueueMessage,
    env: &Env,
    text: &str,
    cause: DeathCause,
    status: Option<u16>,
) {
    let letter = DeadLetter::new(text, cause, message.attempts().max(1), status, now_ms());
    let sent = async {
        let letter = serde_json::to_string(&letter).map_err(|_| ())?;
        let queue = env.queue(binding::DEAD_LETTERS).map_err(|_| ())?;
        let letter = RawMessageBuilder::new(JsValue::from_str(&letter))
            .build_with_content_type(QueueContentType::Text);
        queue.send_raw(letter).await.map_err(|_| ())
    };
    if sent.await.is_ok() {
        return message.ack();
    }
    // An event of almost the largest size does not fit into a message once it is wrapped.
    match archive::keep(env, &letter).await {
        Ok(()) => message.ack(),
        Err(_) => {
            alarm("dead_letter_not_kept", &letter.id);
            message.retry_in(RETRY_SECONDS);
        }
    }
}

/// Moves a dead letter into the archive.
async fn bury(message: &QueueMessage, env: &Env) {
    let text = message.body().as_string().unwrap_or_default();
    let letter = DeadLetter::from_queue(&text, now_ms());
    match archive::keep(env, &letter).await {
        Ok(()) => {
            platform::log(&NoticeLine {
                event: "alarm",
                what: "dead_letter",
                detail: Some(&letter.id),
                ..NoticeLine::default()
            });
            message.ack();
        }
        Err(_) => {
            alarm("archive_failed", &letter.id);
            message.retry_in(RETRY_SECONDS);
        }
    }
}

/// One attempt at the backend.
async fn post(held: &Held, route: &Route, attempt: u32) -> Attempt {
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
                retry_after_seconds: header.as_deref().and_then(delivery::retry_after_seconds),
            }
        }
        Err(_) if signal.aborted() => Attempt::TimedOut,
        Err(_) => Attempt::Unreachable,
    }
}

async fn send(
    held: &Held,
    route: &Route,
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

fn alarm(what: &str, detail: &str) {
    platform::log(&NoticeLine {
        event: "alarm",
        what,
        detail: Some(detail),
        ..NoticeLine::default()
    });
}
