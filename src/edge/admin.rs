//! The operator's door: dead letters, listed, read and sent again.
//!
//! `/admin/v1/dead-letters`, `/admin/v1/dead-letters/{id}` and `…/{id}/redrive`. With no
//! `ADMIN_TOKEN`, or on another host than `ADMIN_HOST`, the door is not there: 404 for everyone.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Request, Response};
use worker::{Env, QueueContentType, RawMessageBuilder};

use super::archive;
use super::platform::{self, binding, now_ms};
use super::respond::respond;
use crate::answer::{Answer, problem};
use crate::audit::NoticeLine;
use crate::dead::{DeadLetter, is_letter_id};
use crate::keys::{Mac, encode_hex};
use crate::request::Head;
use crate::scheme::{Algorithm, Place};

/// Shorter tokens could be guessed.
const TOKEN_BYTES_MIN: usize = 32;
const PAGE: u32 = 20;
const DEAD_LETTERS: &str = "/admin/v1/dead-letters";

/// Answers a request under `/admin/`.
#[wasm_bindgen]
pub fn administrate(request: Request, env: Env) -> Promise {
    platform::promise(async move { Ok(answer(&request, &env).await?.into()) })
}

async fn answer(request: &Request, env: &Env) -> Result<Response, JsValue> {
    let request_id = format!("req_{}", encode_hex(&platform::random::<16>()));
    let mut answer = handle(request, env, &request_id).await;
    answer.headers.push(("hookgate-request-id", request_id));
    answer
        .headers
        .push(("cache-control", "no-store".to_owned()));
    answer
        .headers
        .push(("x-content-type-options", "nosniff".to_owned()));
    respond(&answer)
}

async fn handle(request: &Request, env: &Env, request_id: &str) -> Answer {
    let not_found = || problem(404, "not-found", "Not found", None, request_id);
    let head = Head::from_lines(&format!("{}\n{}", request.method(), request.url()));
    let Some(token) = platform::variable(env, binding::ADMIN_TOKEN)
        .filter(|token| token.len() >= TOKEN_BYTES_MIN)
    else {
        return not_found();
    };
    let host = request
        .headers()
        .get("host")
        .ok()
        .flatten()
        .unwrap_or_default();
    if platform::variable(env, binding::ADMIN_HOST)
        .is_some_and(|only| !only.is_empty() && only != host)
    {
        return not_found();
    }
    let authorization = request
        .headers()
        .get("authorization")
        .ok()
        .flatten()
        .unwrap_or_default();
    if !is_token(
        authorization.strip_prefix("Bearer ").unwrap_or_default(),
        &token,
    ) {
        platform::log(&NoticeLine {
            event: "notice",
            what: "admin_refused",
            detail: Some(request_id),
            ..NoticeLine::default()
        });
        let mut answer = problem(
            401,
            "not-authorized",
            "A valid admin token is needed",
            None,
            request_id,
        );
        answer
            .headers
            .push(("www-authenticate", "Bearer".to_owned()));
        return answer;
    }
    let rest = head.path.strip_prefix(DEAD_LETTERS);
    match (head.method.as_str(), rest) {
        ("GET", Some("")) => list(&head, env, request_id).await,
        ("GET", Some(rest)) => match rest.strip_prefix('/').filter(|id| is_letter_id(id)) {
            Some(id) => show(id, env, request_id).await,
            None => not_found(),
        },
        ("POST", Some(rest)) => {
            let id = rest
                .strip_prefix('/')
                .and_then(|rest| rest.strip_suffix("/redrive"));
            match id.filter(|id| is_letter_id(id)) {
                Some(id) => redrive(request, id, env, request_id).await,
                None => not_found(),
            }
        }
        _ => not_found(),
    }
}

/// Compares in constant time: equal MACs under a fixed key, equal tokens.
fn is_token(given: &str, expected: &str) -> bool {
    let mac_of = |text: &str| {
        let mut mac = Mac::new(Algorithm::HmacSha256, b"hookgate admin token");
        mac.update(text.as_bytes());
        mac
    };
    mac_of(given).is(&mac_of(expected).tag())
}

async fn list(head: &Head, env: &Env, request_id: &str) -> Answer {
    let cursor = head.value_at(&Place::Query("cursor".to_owned())).ok();
    match archive::list(env, cursor.as_deref(), PAGE).await {
        Err(_) => archive_failed(request_id),
        Ok((letters, cursor)) => {
            let summaries: Vec<_> = letters.iter().map(DeadLetter::summary).collect();
            json(
                200,
                &serde_json::json!({ "dead_letters": summaries, "cursor": cursor }),
            )
        }
    }
}

async fn show(id: &str, env: &Env, request_id: &str) -> Answer {
    match archive::read(env, id).await {
        Err(_) => archive_failed(request_id),
        Ok(None) => problem(404, "not-found", "No such dead letter", None, request_id),
        Ok(Some(letter)) => match serde_json::to_value(&letter) {
            Ok(value) => json(200, &value),
            Err(_) => archive_failed(request_id),
        },
    }
}

async fn redrive(request: &Request, id: &str, env: &Env, request_id: &str) -> Answer {
    let again = match request.text().map(JsFuture::from) {
        Ok(text) => text
            .await
            .ok()
            .and_then(|text| text.as_string())
            .unwrap_or_default(),
        Err(_) => String::new(),
    };
    let again = serde_json::from_str::<serde_json::Value>(&again)
        .is_ok_and(|body| body.get("again") == Some(&serde_json::Value::Bool(true)));
    let mut letter = match archive::read(env, id).await {
        Err(_) => return archive_failed(request_id),
        Ok(None) => return problem(404, "not-found", "No such dead letter", None, request_id),
        Ok(Some(letter)) => letter,
    };
    if letter.redriven_at.is_some() && !again {
        return problem(
            409,
            "already-redriven",
            "This dead letter was sent again before",
            Some("Send it once more with again = true; the backend sees the same webhook-id."),
            request_id,
        );
    }
    let Ok(message) = letter.redrive(now_ms()) else {
        return problem(
            422,
            "unreadable",
            "This Worker cannot read the message",
            None,
            request_id,
        );
    };
    // Mark, then send: see DeadLetter::redrive.
    if archive::write(env, &letter).await.is_err() {
        return archive_failed(request_id);
    }
    let sent = async {
        let queue = env.queue(binding::EVENTS).map_err(|_| ())?;
        let message = RawMessageBuilder::new(JsValue::from_str(&message))
            .build_with_content_type(QueueContentType::Text);
        queue.send_raw(message).await.map_err(|_| ())
    };
    if sent.await.is_err() {
        return problem(
            503,
            "not-sent",
            "The queue did not take the event",
            Some("It is marked as sent again; repeat with again = true."),
            request_id,
        );
    }
    platform::log(&NoticeLine {
        event: "notice",
        what: "dead_letter_redriven",
        detail: Some(id),
        ..NoticeLine::default()
    });
    json(
        202,
        &serde_json::json!({ "status": "redriven", "id": id, "run": letter.redriven_run }),
    )
}

fn archive_failed(request_id: &str) -> Answer {
    problem(
        503,
        "archive-unavailable",
        "The archive did not answer",
        None,
        request_id,
    )
}

fn json(status: u16, value: &serde_json::Value) -> Answer {
    Answer {
        status,
        headers: vec![("content-type", "application/json".to_owned())],
        body: value.to_string(),
    }
}
