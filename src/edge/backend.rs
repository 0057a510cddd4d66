//! One attempt at a backend.

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestInit, RequestRedirect, Response};
use worker::Env;

use super::content;
use super::platform::{self, now_ms};
use crate::delivery;
use crate::event::{Held, HeldContent};
use crate::gate::LiveDestination;
use crate::retry::{self, Attempt};

/// One attempt at the backend.
pub async fn post(held: &Held, route: &LiveDestination, attempt: u32, env: &Env) -> Attempt {
    let now_ms = now_ms();
    let (body, inner_hash) = match &held.content {
        HeldContent::Here(bytes) => (Uint8Array::from(bytes.as_slice()).into(), Vec::new()),
        HeldContent::Apart(check) => {
            let before = delivery::before_content(held, &route.key, now_ms);
            match content::fetch(env, check, &before).await {
                Ok(opened) => opened,
                Err(attempt) => return attempt,
            }
        }
    };
    let headers = delivery::headers(
        held,
        &route.destination,
        &route.key,
        attempt,
        now_ms,
        &inner_hash,
    );
    let timeout_ms = route.destination.timeout_seconds.saturating_mul(1_000);
    let signal = AbortSignal::timeout_with_u32(timeout_ms);
    match send(&route.url, &headers, &body, &signal).await {
        Ok(response) => {
            discard(&response).await;
            let header = response.headers().get("retry-after").ok().flatten();
            Attempt::Answered {
                status: response.status(),
                retry_after_seconds: header
                    .and_then(|header| retry::retry_after_seconds(&header, platform::now_ms())),
            }
        }
        Err(_) if signal.aborted() => Attempt::TimedOut,
        Err(_) => Attempt::Unreachable,
    }
}

/// An unread body would keep its connection; its content is of no interest.
pub(super) async fn discard(response: &Response) {
    if let Some(body) = response.body() {
        let _ = JsFuture::from(body.cancel()).await;
    }
}

/// A POST that follows no redirect.
pub(super) async fn send(
    url: &str,
    names_and_values: &[(String, String)],
    body: &JsValue,
    signal: &AbortSignal,
) -> Result<Response, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in names_and_values {
        headers.set(name, value)?;
    }
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_headers(&headers);
    init.set_body(body);
    init.set_signal(Some(signal));
    // A redirect would carry the event to a host that nobody configured.
    init.set_redirect(RequestRedirect::Manual);
    let global: web_sys::WorkerGlobalScope = js_sys::global().unchecked_into();
    let response = JsFuture::from(global.fetch_with_str_and_init(url, &init)).await?;
    response.dyn_into()
}
