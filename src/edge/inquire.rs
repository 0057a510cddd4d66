//! Carries out what an [`Inquiry`] says: KV, the provider, WebCrypto. Each is begun here and awaited
//! by `entry.mjs`; each ends by itself, so that nothing here waits for ever.

use std::cell::RefCell;
use std::sync::Arc;

use js_sys::{Array, Object, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::Env;

use super::platform::{self, Bound, ExecutionContext, Outcome, describe_value, notice, now_ms};
use crate::audit::Notice;
use crate::gate::LiveSource;
use crate::public_key::document::{DOCUMENT_BYTES_MAX, Document, KEPT_SECONDS, kept_key};
use crate::public_key::inquiry::{Fetched, Inquiry, Step};
use crate::public_key::memory::KeyMemory;
use crate::public_key::{KeyKind, Method, Question, SignatureHash};
use crate::uses;
use crate::verdict::Verdict;
use crate::verify::{Proof, Statement};

/// A read of KV and a fetch come before what the scheme's `answer_by_ms` is divided into: together
/// they must leave the sender's patience whole (SMN's 5 s are the shortest).
const RECALL_MS: u32 = 400;
pub const FETCH_MS: u32 = 1_500;
/// As long as a hold of an event may take.
pub const VISIT_MS: u32 = 3_000;

#[wasm_bindgen(module = "/src/edge/outside.js")]
extern "C" {
    #[wasm_bindgen(js_name = withinMs)]
    fn within_ms(promise: &Promise, ms: u32) -> Promise;
    #[wasm_bindgen(js_name = fetchDocument)]
    pub fn fetch_document(url: &str, bytes_max: u32, ms: u32, body: Option<&str>) -> Promise;
    /// Visits a URL; brings the status.
    pub fn visit(url: &str, ms: u32) -> Promise;
    #[wasm_bindgen(js_name = verifySignature)]
    pub fn verify_signature(
        algorithm: &str,
        key_id: &str,
        spki: &Uint8Array,
        signature: &Uint8Array,
        message: &Uint8Array,
    ) -> Promise;
}

thread_local! {
    /// Never borrowed over an await.
    static MEMORY: RefCell<KeyMemory> = RefCell::default();
}

/// Forgets every key that was fetched.
#[cfg(feature = "test-hooks")]
pub fn forget_keys() {
    MEMORY.take();
}

/// A statement on its way to a proof.
pub struct Asking {
    env: Env,
    live: Arc<LiveSource>,
    statement: Statement,
    inquiry: Inquiry,
    step: Step,
}

/// What to do next.
pub enum Next {
    Wait(Promise),
    Done(Result<Proof, Verdict>),
}

impl Asking {
    pub fn begin(live: Arc<LiveSource>, statement: Statement, env: Env) -> (Self, Next) {
        let begun = |memory: &mut KeyMemory| Inquiry::begin(&live, &statement, memory, now_ms());
        let (inquiry, step) = MEMORY.with_borrow_mut(begun);
        let mut asking = Asking {
            env,
            live,
            statement,
            inquiry,
            step,
        };
        let next = asking.go_on();
        (asking, next)
    }

    /// Takes in what came of the effect, and begins the next one.
    pub fn resume(&mut self, outcome: Outcome, ctx: &ExecutionContext) -> Next {
        let (live, statement) = (&self.live, &self.statement);
        let inquiry = &mut self.inquiry;
        self.step = match &self.step {
            Step::Recall { .. } => {
                let kept = match outcome {
                    Outcome::Fulfilled(text) => text.as_string(),
                    Outcome::Rejected(_) | Outcome::Expired => None,
                };
                MEMORY.with_borrow_mut(|memory| {
                    inquiry.recalled(live, statement, memory, kept.as_deref(), now_ms())
                })
            }
            Step::Fetch { url, .. } => {
                let fetched = fetched(url, outcome);
                let (step, document) = MEMORY.with_borrow_mut(|memory| {
                    inquiry.fetched(live, statement, memory, fetched, now_ms())
                });
                if let Some(document) = document {
                    keep(&self.env, url, &document, ctx);
                }
                step
            }
            Step::Ask(_) => {
                let answer = match outcome {
                    Outcome::Fulfilled(answer) => answer.as_bool(),
                    Outcome::Rejected(_) | Outcome::Expired => None,
                };
                let (step, document) = MEMORY.with_borrow_mut(|memory| {
                    inquiry.answered(live, statement, memory, answer, now_ms())
                });
                if let Some(document) = document {
                    keep(&self.env, statement.key.url(), &document, ctx);
                }
                step
            }
            Step::Done(end) => Step::Done(end.clone()),
        };
        if uses::CERTIFICATES
            && let Some(flaw) = inquiry.flaw.take()
        {
            let detail = &[statement.key.url(), ": ", flaw.words()].concat();
            notice(&Notice::ChainBroken { detail });
        }
        self.go_on()
    }

    fn go_on(&mut self) -> Next {
        match &self.step {
            Step::Recall { url } => {
                let get = self.env.seen().get(&kept_key(url));
                let get = get.unwrap_or_else(|error| Promise::reject(&error));
                Next::Wait(within_ms(&get, RECALL_MS))
            }
            Step::Fetch { url, body } => {
                let body = body.as_ref().map(|secret| secret.0.as_str());
                Next::Wait(fetch_document(url, DOCUMENT_BYTES_MAX, FETCH_MS, body))
            }
            Step::Ask(question) => Next::Wait(ask(question)),
            Step::Done(end) => Next::Done(end.clone()),
        }
    }
}

/// Begins to check a signature; brings whether it is right.
pub fn ask(question: &Question) -> Promise {
    let Some(signature) = question.raw_signature() else {
        return Promise::resolve(&JsValue::FALSE);
    };
    let name = match (question.method, question.key.kind) {
        (Method::Rsa(SignatureHash::Sha1), _) => "rsa-sha1",
        (Method::Rsa(SignatureHash::Sha256), _) => "rsa-sha256",
        (Method::Rsa(SignatureHash::Sha384), _) => "rsa-sha384",
        (Method::Rsa(SignatureHash::Sha512), _) => "rsa-sha512",
        (Method::RsaPss, _) => "rsa-pss-sha512",
        (
            Method::Ecdsa(SignatureHash::Sha256) | Method::EcdsaDer(SignatureHash::Sha256),
            KeyKind::P384,
        ) => "ecdsa-p384-sha256",
        (
            Method::Ecdsa(SignatureHash::Sha384) | Method::EcdsaDer(SignatureHash::Sha384),
            KeyKind::P384,
        ) => "ecdsa-p384-sha384",
        (Method::Ecdsa(SignatureHash::Sha384) | Method::EcdsaDer(SignatureHash::Sha384), _) => {
            "ecdsa-p256-sha384"
        }
        (Method::Ecdsa(_) | Method::EcdsaDer(_), _) => "ecdsa-p256",
        (Method::Ed25519, _) => "ed25519",
    };
    // Copies, because what is here may move before WebCrypto reads it.
    let bytes = |bytes: &[u8]| Uint8Array::from(bytes);
    let key = &question.key;
    verify_signature(
        name,
        &key.id,
        &bytes(&key.spki),
        &bytes(&signature),
        &bytes(&question.message),
    )
}

/// What [`fetch_document`] brought. `None`: it was not answered with 200 and a text of the right length.
pub fn fetched(url: &str, outcome: Outcome) -> Option<Fetched> {
    let detail = match &outcome {
        Outcome::Fulfilled(parts) => {
            let parts: &Array = parts.unchecked_ref();
            if let Some(text) = parts.get(2).as_string() {
                let cache_control = parts.get(1).as_string();
                return Some(Fetched {
                    text,
                    cache_control,
                });
            }
            format!(
                "status {}",
                parts.get(0).as_f64().unwrap_or_default() as u16
            )
        }
        Outcome::Rejected(error) => describe_value(error),
        Outcome::Expired => String::new(),
    };
    let detail = &format!("{url}: {detail}");
    notice(&Notice::KeyUnfetched { detail });
    None
}

/// Other isolates need not fetch it then. What comes of it is of no interest to this request.
fn keep(env: &Env, url: &str, document: &Document, ctx: &ExecutionContext) {
    let life = Object::new();
    platform::set(&life, "expirationTtl", &KEPT_SECONDS.into());
    if let Ok(put) = env.seen().put(&kept_key(url), &document.to_text(), &life) {
        ctx.keep_alive(async move {
            let _ = JsFuture::from(put).await;
        });
    }
}
