//! Thin bindings to the platform, each as far as it is needed here. The `worker` crate gives `env` its type, and has an
//! instance that died replaced; its other bindings bring along what nobody calls, and convert what we hand on as it is.

use std::cell::RefCell;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::Poll;

use js_sys::{Array, JsString, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Headers;
use worker::Env;

use super::bucket::Bucket;
use super::queue::Queue;
use super::timer::Timer;
use crate::audit::{self, Notice};

/// Names of the bindings in wrangler.toml; `tests/tidy.rs` holds the two together.
pub mod binding {
    /// KV: the memory of events.
    pub const SEEN: &str = "SEEN";
    /// Object: the ledger, one for each source.
    pub const LEDGER: &str = "LEDGER";
    /// Object: the log of the record, one for each tenant.
    pub const AUDIT_LOG: &str = "AUDIT_LOG";
    /// Queue: events on their way to the backend.
    pub const EVENTS: &str = "EVENTS";
    /// Queue: events whose backend does not take them at once.
    pub const EVENTS_SLOW: &str = "EVENTS_SLOW";
    /// Queue: events that were given up, on their way to the archive.
    pub const DEAD_LETTERS: &str = "DEAD_LETTERS";
    /// Queue: what goes into the record, one by one and as numbers.
    pub const AUDIT: &str = "AUDIT";
    /// D1: the record of refusals.
    pub const RECORD: &str = "RECORD";
    /// R2: dead letters, the spool, and contents that are too long for a message.
    pub const ARCHIVE: &str = "ARCHIVE";
    /// Variable: development, test, staging or production.
    pub const ENVIRONMENT: &str = "ENVIRONMENT";
    /// Variable: the only host name on which `/admin` answers, where it is set.
    pub const ADMIN_HOST: &str = "ADMIN_HOST";
    /// Variable: the team whose Cloudflare Access may say who an operator is, where that is used.
    pub const ACCESS_TEAM: &str = "ACCESS_TEAM";
    /// Variable: the tag of its application.
    pub const ACCESS_AUD: &str = "ACCESS_AUD";
    /// Secret: who may use `/admin`, one line an operator.
    pub const ADMINS: &str = "ADMINS";
    /// Secret: signs the checkpoints of the logs. What providers hand over is kept under a key made of it.
    pub const AUDIT_LOG_KEY: &str = "AUDIT_LOG_KEY";
    /// Secret: what is kept of refused requests is encrypted under it.
    pub const QUARANTINE_KEY: &str = "QUARANTINE_KEY";
}

/// What came of something that `entry.mjs` waited for.
pub enum Outcome {
    Fulfilled(JsValue),
    Rejected(JsValue),
    /// Its slice ended first: it may still take effect.
    Expired,
}

#[wasm_bindgen]
extern "C" {
    type Bindings;
    #[wasm_bindgen(method, getter, js_name = SEEN)]
    fn seen(this: &Bindings) -> Kv;
    #[wasm_bindgen(method, getter, js_name = EVENTS)]
    fn events(this: &Bindings) -> Queue;
    #[wasm_bindgen(method, getter, js_name = LEDGER)]
    fn ledger(this: &Bindings) -> Namespace;
    #[wasm_bindgen(method, getter, js_name = AUDIT_LOG)]
    fn audit_log(this: &Bindings) -> Namespace;
    #[wasm_bindgen(method, getter, js_name = ARCHIVE)]
    fn archive(this: &Bindings) -> Bucket;

    /// A KV namespace.
    pub type Kv;
    #[wasm_bindgen(method, catch)]
    pub fn get(this: &Kv, key: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn put(this: &Kv, key: &str, value: &str, options: &Object) -> Result<Promise, JsValue>;

    /// The objects of a class.
    pub type Namespace;
    #[wasm_bindgen(method, catch, js_name = getByName)]
    pub fn get_by_name(this: &Namespace, name: &str, options: &Object) -> Result<Stub, JsValue>;

    /// One of the ledger's objects, or of the logs'.
    pub type Stub;
    #[wasm_bindgen(method, catch)]
    pub fn ask(this: &Stub, request: &str, message: Option<&JsString>) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn wake(this: &Stub) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn append(this: &Stub, tenant: &str, bundle: &Uint8Array) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn entry(this: &Stub, id: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn newest(this: &Stub) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub fn prove(this: &Stub, id: &str, expected: &str) -> Result<Promise, JsValue>;

    /// The second argument of a handler.
    pub type ExecutionContext;
    #[wasm_bindgen(method, js_name = waitUntil)]
    fn wait_until(this: &ExecutionContext, promise: &Promise);

    #[wasm_bindgen(js_namespace = console, js_name = log)]
    fn console_log(line: &str);

    #[wasm_bindgen(js_name = String, catch)]
    fn in_words(value: &JsValue) -> Result<String, JsValue>;
}

#[wasm_bindgen(module = "/src/edge/crossings.mjs")]
extern "C" {
    #[wasm_bindgen(js_name = listOf)]
    pub fn list_of(lines: &str) -> Array;
    /// The names are the schemes' and ours, so asking for them cannot throw.
    #[wasm_bindgen(js_name = linesOfNamed)]
    pub fn lines_of_named(headers: &Headers, names: &Array) -> String;
    #[wasm_bindgen(js_name = linesOfMatching)]
    pub fn lines_of_matching(headers: &Headers, names: &Array, prefixes: &Array) -> String;
    #[wasm_bindgen(js_name = encloseBase64)]
    pub fn enclose_base64(before: &str, bytes: &Uint8Array, after: &str) -> JsString;
}

/// `env`, by the names above. The crate looks a binding up by its name and then at its kind, which costs more than the call
/// that follows. Of what is not bound these are `undefined`, and every call of it fails.
pub trait Bound {
    fn seen(&self) -> Kv;
    fn events(&self) -> Queue;
    fn ledger(&self) -> Namespace;
    fn audit_log(&self) -> Namespace;
    fn archive(&self) -> Bucket;
}

impl Bound for Env {
    fn seen(&self) -> Kv {
        self.unchecked_ref::<Bindings>().seen()
    }

    fn events(&self) -> Queue {
        self.unchecked_ref::<Bindings>().events()
    }

    fn ledger(&self) -> Namespace {
        self.unchecked_ref::<Bindings>().ledger()
    }

    fn audit_log(&self) -> Namespace {
        self.unchecked_ref::<Bindings>().audit_log()
    }

    fn archive(&self) -> Bucket {
        self.unchecked_ref::<Bindings>().archive()
    }
}

impl ExecutionContext {
    /// Keeps the invocation alive for `future`, after the answer if need be.
    pub fn keep_alive(&self, future: impl Future<Output = ()> + 'static) {
        self.wait_until(&promise(async move {
            future.await;
            Ok(JsValue::UNDEFINED)
        }));
    }
}

/// What is under way, behind a pointer. Where no request waits for it, that costs less code than one type that holds all the
/// steps of what it waits for.
pub type Effect<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Hands a future to the runtime. A panic inside rejects the promise and nothing of the future is
/// used again; what isolates share is never changed after it was made. So unwinding is safe, which
/// the bindings' own types cannot say of themselves.
pub fn promise(future: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> Promise {
    promise_of(Box::pin(future))
}

/// Apart, so that there is one and not one for each future.
fn promise_of(effect: Effect<'static, Result<JsValue, JsValue>>) -> Promise {
    wasm_bindgen_futures::future_to_promise(AssertUnwindSafe(effect))
}

/// Waits for `effect`, but not longer than `slice_ms`: nothing of the platform has a time-out of its
/// own. `None`: the slice ended first, and what the effect began may still take place.
pub fn within<'a, T: 'a>(slice_ms: u32, mut effect: Effect<'a, T>) -> Effect<'a, Option<T>> {
    let mut timer = None;
    Box::pin(poll_fn(move |context| {
        let timer = timer.get_or_insert_with(|| Timer::of(slice_ms));
        match effect.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => timer.poll(context).map(|()| None),
        }
    }))
}

/// The same for a call of the platform that was begun.
pub fn in_time(
    slice_ms: u32,
    begun: Result<Promise, JsValue>,
) -> Effect<'static, Option<Result<JsValue, JsValue>>> {
    within(
        slice_ms,
        Box::pin(async move { JsFuture::from(begun?).await }),
    )
}

/// Waits for all of these, `at_once` beside each other. What an effect does before it is first waited for is not held back.
pub fn all<'a>(effects: Vec<Effect<'a, ()>>, at_once: usize) -> Effect<'a, ()> {
    let mut waiting = effects.into_iter();
    let mut running: Vec<Effect<'a, ()>> = Vec::new();
    Box::pin(poll_fn(move |context| {
        loop {
            running.extend(waiting.by_ref().take(at_once - running.len()));
            let begun = running.len();
            running.retain_mut(|effect| effect.as_mut().poll(context).is_pending());
            match running.len() {
                0 if begun == 0 => return Poll::Ready(()),
                left if left == begun => return Poll::Pending,
                _ => {}
            }
        }
    }))
}

/// Does nothing, and that is enough. A trap (out of memory, stack overflow) leaves a dead instance;
/// the bindings put a new one in its place at the next call, but only after they have copied the
/// call's strings into the dead one, where the new one would read them at stray addresses and die as
/// well. So `entry.mjs` makes this call, which has no arguments, first.
#[wasm_bindgen(js_name = replaceDeadInstance)]
pub fn replace_dead_instance() {}

/// A variable or a secret: both are strings of `env`.
pub fn variable(env: &Env, name: &str) -> Option<String> {
    Reflect::get(env.as_ref(), &name.into()).ok()?.as_string()
}

/// Whether something is bound under this name.
pub fn is_bound(env: &Env, name: &str) -> bool {
    Reflect::get(env.as_ref(), &name.into()).is_ok_and(|value| value.is_object())
}

/// Milliseconds since 1970. On the platform the clock stands still between two inputs or outputs.
pub fn now_ms() -> i64 {
    js_sys::Date::now() as i64
}

/// Fresh random bytes. The platform's generator does not fail; if it ever does, ids repeat and
/// nothing else: no decision depends on them.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let _ = getrandom::fill(&mut bytes);
    bytes
}

/// A fresh id for a request: what a sender may ask about.
pub fn request_id() -> String {
    request_id_and_random().0
}

/// What the next requests are given: asking for it all at once costs hardly more than for one of them.
const REQUESTS_AHEAD: usize = 32;

/// The same, and more fresh bytes.
pub fn request_id_and_random() -> (String, [u8; 24]) {
    thread_local!(static AHEAD: RefCell<Vec<[u8; 40]>> = const { RefCell::new(Vec::new()) });
    let bytes = AHEAD.with_borrow_mut(|ahead| {
        if ahead.is_empty() {
            let fresh = random::<{ REQUESTS_AHEAD * 40 }>();
            ahead.extend_from_slice(fresh.as_chunks().0);
        }
        ahead.pop().unwrap_or_else(random)
    });
    let mut rest = [0; 24];
    rest.copy_from_slice(&bytes[16..]);
    let id = crate::hex::encode(&bytes[..16]);
    (["req_", &id].concat(), rest)
}

/// Setting a property of a plain object cannot fail.
pub fn set(object: &Object, name: &str, value: &JsValue) {
    let _ = Reflect::set(object, &name.into(), value);
}

/// What a promise was rejected with, in a few words. They are the platform's own: it never sees a secret of ours.
pub fn describe_value(error: &JsValue) -> String {
    let mut text = in_words(error).unwrap_or_default();
    text.retain(|character| !character.is_control());
    text.chars().take(200).collect()
}

/// Writes one line to the log.
pub fn notice(notice: &Notice<'_>) {
    console_log(&notice.line());
}

/// Writes one line to the log, and gives it back.
pub fn log(record: &impl serde::Serialize) -> String {
    let line = audit::line(record);
    console_log(&line);
    line
}
