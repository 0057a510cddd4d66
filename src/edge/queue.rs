//! Queues: texts go in, and batches of them come out.
//! <https://developers.cloudflare.com/queues/configuration/javascript-apis/>

use js_sys::{Array, JsString, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::Env;

use super::platform::{Effect, describe_value, set};

#[wasm_bindgen]
extern "C" {
    /// A queue to send to.
    pub type Queue;
    #[wasm_bindgen(method, catch)]
    fn send(this: &Queue, text: &JsString, options: &Object) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = sendBatch)]
    fn send_batch(this: &Queue, messages: &Array) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn metrics(this: &Queue) -> Result<Promise, JsValue>;

    /// A batch of messages.
    pub type Batch;
    #[wasm_bindgen(method, getter)]
    pub fn queue(this: &Batch) -> String;
    #[wasm_bindgen(method, getter)]
    pub fn messages(this: &Batch) -> Vec<QueueMessage>;

    #[derive(Clone)]
    pub type QueueMessage;
    #[wasm_bindgen(method, getter)]
    pub fn id(this: &QueueMessage) -> String;
    #[wasm_bindgen(method, getter)]
    fn body(this: &QueueMessage) -> JsValue;
    #[wasm_bindgen(method, getter)]
    pub fn attempts(this: &QueueMessage) -> u32;
    #[wasm_bindgen(method)]
    pub fn ack(this: &QueueMessage);
    #[wasm_bindgen(method, js_name = retry)]
    fn retry_with(this: &QueueMessage, options: &JsValue);
}

impl QueueMessage {
    /// The message's text; of anything else, which we never send, its JSON.
    pub fn text(&self) -> String {
        let body = self.body();
        body.as_string()
            .or_else(|| js_sys::JSON::stringify(&body).ok()?.as_string())
            .unwrap_or_default()
    }

    pub fn retry_in(&self, seconds: u32) {
        let options = Object::new();
        set(&options, "delaySeconds", &seconds.into());
        self.retry_with(&options);
    }
}

/// Puts a text on a queue.
///
/// # Errors
/// What the platform said, for the log.
pub fn send(env: &Env, queue: &str, text: &str) -> Effect<'static, Result<(), String>> {
    settled(begin_send(&queue_of(env, queue), &text.into()))
}

/// Puts a text on a queue, to be seen after a while.
///
/// # Errors
/// What the platform said, for the log.
pub fn send_later(
    env: &Env,
    queue: &str,
    text: &str,
    seconds: u32,
) -> Effect<'static, Result<(), String>> {
    let options = as_text();
    set(&options, "delaySeconds", &seconds.into());
    settled(queue_of(env, queue).send(&text.into(), &options))
}

/// Puts several texts on a queue, all or none.
///
/// # Errors
/// What the platform said, for the log.
pub fn send_batch(env: &Env, queue: &str, texts: &[&str]) -> Effect<'static, Result<(), String>> {
    let message = |text: &&str| {
        let message = as_text();
        set(&message, "body", &(*text).into());
        message
    };
    let messages: Array = texts.iter().map(message).collect();
    settled(queue_of(env, queue).send_batch(&messages))
}

/// Begins to put a text on a queue.
///
/// # Errors
/// There is no such queue.
pub fn begin_send(queue: &Queue, text: &JsString) -> Result<Promise, JsValue> {
    thread_local!(static AS_TEXT: Object = as_text());
    AS_TEXT.with(|options| queue.send(text, options))
}

/// Messages are texts. As JSON, the platform's default, each would be encoded once more.
fn as_text() -> Object {
    let options = Object::new();
    set(&options, "contentType", &"text".into());
    options
}

/// The queue of this name.
pub fn queue_of(env: &Env, name: &str) -> Queue {
    // Of a name that is not bound this is `undefined`, and every call of it fails.
    Reflect::get(env.as_ref(), &name.into())
        .unwrap_or_default()
        .unchecked_into()
}

fn settled(begun: Result<Promise, JsValue>) -> Effect<'static, Result<(), String>> {
    Box::pin(async move {
        let failed = |error: JsValue| describe_value(&error);
        let settled = JsFuture::from(begun.map_err(failed)?).await;
        settled.map(|_| ()).map_err(failed)
    })
}
