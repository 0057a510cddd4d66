//! Publishes a tenant's log: carries out what [`crate::tlog::sequencer`] says.

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use worker::Env;

use super::alerts;
use super::inquire::verify_signature;
use super::ledger_object::{Storage, query};
use super::log_object::{Log, Tiles, commit, contents, not_a_tenant};
use super::platform::{self, Bound, binding, describe_value, in_time, now_ms, variable};
use super::state::State;
use crate::audit::Notice;
use crate::config::Rule;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::note::{Note, Signature, SigningKey, VerifierKey};
use crate::tlog::outside::Outside;
use crate::tlog::proof::consistency;
use crate::tlog::sequencer::{Means, Step};
use crate::tlog::tile::{CHECKPOINT, files};
use crate::tlog::witness::{self, ADD_CHECKPOINT, Reply};

/// No alarm fires beside a running one, so an effect that never settled would stop the log for good.
const EFFECT_MS: u32 = 10_000;
/// An answer of a witness is a line for each of its keys.
const ANSWER_BYTES_MAX: u32 = 16_384;
/// What a run writes at most, so that it stays below the thousand calls that an invocation may make: a step
/// of writing is a dozen. The next alarm goes on.
const STEPS_MAX: u32 = 48;

#[wasm_bindgen(module = "/src/edge/outside.js")]
extern "C" {
    #[wasm_bindgen(js_name = postText)]
    fn post_text(url: &str, body: &str, bytes_max: u32, ms: u32) -> Promise;
    #[wasm_bindgen(js_name = signEd25519)]
    fn sign_ed25519(pkcs8: &Uint8Array, message: &Uint8Array) -> Promise;
}

/// Who can be reached, as far as the configuration goes.
pub(super) fn means(env: &Env, period_ms: f64) -> Means {
    let state = State::of(env);
    Means {
        sign: signing_key(env).is_some(),
        witness: state.outside(env).witness.is_some(),
        post: state.outside(env).checkpoint_to.is_some(),
        period_ms: period_ms as i64,
    }
}

pub(super) fn signing_key(env: &Env) -> Option<SigningKey> {
    SigningKey::parse(&variable(env, binding::AUDIT_LOG_KEY)?)
}

/// Goes on until there is nothing more to do now. What fails is tried again with the next alarm.
#[wasm_bindgen(js_name = logRun)]
pub fn run(storage: Storage, env: Env, period_ms: f64) -> Promise {
    platform::promise(async move {
        let state = State::of(&env);
        let mut run = Run {
            means: means(&env, period_ms),
            outside: state.outside(&env),
            storage,
            env,
        };
        for _ in 0..STEPS_MAX {
            let log = Log::read(&run.storage)?;
            let step = log.progress.next(run.means, now_ms());
            let done = match step {
                Step::Rest => break,
                Step::Commit { from, to } => run.commit(&log, from, to),
                Step::Write { from, to } => run.write(&log, from, to).await,
                Step::Publish => run.publish(&log).await,
                Step::Cosign { old } => run.cosign(&log, old).await,
                Step::Post => run.post(&log).await,
            };
            if let Err(error) = done {
                let detail = &format!("{}: {}", log.tenant, describe_value(&error));
                platform::notice(&Notice::LogFailed { detail });
                match step {
                    // Others may still be reached.
                    Step::Cosign { .. } => run.means.witness = false,
                    Step::Post => run.means.post = false,
                    _ => return Err(error),
                }
            }
        }
        Ok(JsValue::UNDEFINED)
    })
}

struct Run<'a> {
    storage: Storage,
    env: Env,
    means: Means,
    outside: &'a Outside,
}

impl Run<'_> {
    fn commit(&self, log: &Log, from: u64, to: u64) -> Result<(), JsValue> {
        if !self.means.sign {
            let tenant = &log.tenant;
            platform::notice(&Notice::LogUnsigned { tenant });
        }
        for detail in &self.outside.unusable {
            platform::notice(&Notice::LogFailed { detail });
        }
        commit(&self.storage, from, to)
    }

    async fn write(&self, log: &Log, from: u64, to: u64) -> Result<(), JsValue> {
        for file in files(from, to) {
            let bytes = contents(&self.storage, &file)?;
            self.put(log, &file.path(), &bytes).await?;
        }
        self.now(log, "written", to)
    }

    async fn publish(&self, log: &Log) -> Result<(), JsValue> {
        let key = signing_key(&self.env).ok_or_else(|| failure(KEY_UNUSABLE))?;
        let root = log.root.ok_or_else(|| failure("no head"))?;
        let checkpoint = |origin: String| Checkpoint {
            origin,
            size: log.progress.size,
            root,
        };
        // The origin is the key's own name: it is signed before its public half is known.
        let origin = key.origin(&log.tenant).ok_or_else(not_a_tenant)?;
        let text = checkpoint(origin).to_text();
        let bytes = |bytes: &[u8]| Uint8Array::from(bytes);
        let signing = sign_ed25519(&bytes(&key.pkcs8()), &bytes(text.as_bytes()));
        let signed: Array = timely(signing).await?.unchecked_into();
        let part = |index| signed.get(index).unchecked_into::<Uint8Array>().to_vec();
        let public_key = part(0).try_into().ok();
        let public = public_key.and_then(|public| key.of_log(&log.tenant, public));
        let public = public.ok_or_else(|| failure(KEY_UNUSABLE))?;
        let note = Note {
            text,
            signatures: vec![Signature {
                name: public.name.clone(),
                key_id: public.id(),
                bytes: part(1),
            }],
        };
        self.keep(log, &note.to_text(), "published").await
    }

    async fn cosign(&mut self, log: &Log, old: u64) -> Result<(), JsValue> {
        let Some((url, key)) = &self.outside.witness else {
            return Ok(());
        };
        let size = log.progress.published;
        let proof = consistency(&Tiles::of(&self.storage), old, size);
        let proof = proof.ok_or_else(|| failure("no proof"))?;
        let request = witness::request(old, &proof, &log.note);
        let url = format!("{}{ADD_CHECKPOINT}", url.trim_end_matches('/'));
        let (status, body) = send(&url, &request).await?;
        match witness::reply(status, &body, old, size, key) {
            Reply::Cosigned(signature) => self.add(log, key, signature).await,
            Reply::Knows(known) if known <= size => self.now(log, "known", known),
            Reply::Knows(known) => {
                let what = format!("knows {known} entries of {size}");
                self.contradicted(log, &what).await
            }
            Reply::Contradicts => self.contradicted(log, &format!("answered {status}")).await,
            Reply::Unknown => {
                let detail = &format!("{}: the witness answered {status}", log.tenant);
                platform::notice(&Notice::LogUnwitnessed { detail });
                self.means.witness = false;
                Ok(())
            }
            Reply::Failed if status == 200 => Err(failure("witness: no signature of witness_key")),
            Reply::Failed => Err(failure(&format!("witness: status {status}"))),
        }
    }

    async fn contradicted(&mut self, log: &Log, what: &str) -> Result<(), JsValue> {
        let detail = &format!("{}: the witness {what}", log.tenant);
        platform::notice(&Notice::LogContradicted { detail });
        let id = format!("log_{}_{}", log.tenant, now_ms() / 3_600_000);
        alerts::happened(&self.env, Rule::LogContradicted, &log.tenant, "", &id).await;
        self.means.witness = false;
        Ok(())
    }

    /// The witness's signature becomes a part of the checkpoint, if it is one.
    async fn add(&self, log: &Log, key: &VerifierKey, signature: Signature) -> Result<(), JsValue> {
        let not_one = || failure("the witness's signature is none");
        let mut note = Note::parse(&log.note).ok_or_else(not_one)?;
        let (time, bytes) = witness::cosignature(&signature).ok_or_else(not_one)?;
        let text = witness::cosigned(time, &note.text);
        let (name, bytes) = (key.to_text(), Uint8Array::from(bytes));
        let spki = Uint8Array::from(&*key.spki());
        let text = Uint8Array::from(text.as_bytes());
        let verifying = verify_signature("ed25519", &name, &spki, &bytes, &text);
        if timely(verifying).await? != JsValue::TRUE {
            return Err(not_one());
        }
        witness::add(&mut note, signature);
        self.now(log, "known", log.progress.published)?;
        self.keep(log, &note.to_text(), "cosigned").await
    }

    async fn post(&self, log: &Log) -> Result<(), JsValue> {
        let Some(url) = &self.outside.checkpoint_to else {
            return Ok(());
        };
        let (status, _) = send(url, &log.note).await?;
        if !(200..300).contains(&status) {
            return Err(failure(&format!("checkpoint_to: status {status}")));
        }
        self.now(log, "posted", log.progress.published)
    }

    /// A checkpoint of the head: for everybody in R2, and here to be sent.
    async fn keep(&self, log: &Log, note: &str, column: &str) -> Result<(), JsValue> {
        self.put(log, CHECKPOINT, note.as_bytes()).await?;
        // Of this head or none: see `now`.
        let sql = "UPDATE log SET note = ? WHERE size = ?";
        let size = log.progress.size as f64;
        query(&self.storage, sql, &[note.into(), size.into()])?;
        self.now(log, column, log.progress.size)
    }

    /// So far has it come.
    fn now(&self, log: &Log, column: &str, to: u64) -> Result<(), JsValue> {
        // A run that was taken for dead may come back: it changes nothing of a later head.
        let sql = format!("UPDATE log SET {column} = ? WHERE size = ?");
        let size = log.progress.size as f64;
        query(&self.storage, &sql, &[(to as f64).into(), size.into()])?;
        Ok(())
    }

    async fn put(&self, log: &Log, path: &str, bytes: &[u8]) -> Result<(), JsValue> {
        let key = crate::tlog::key(&log.tenant, path);
        let bytes = Uint8Array::from(bytes);
        let putting = self
            .env
            .archive()
            .put(&key, &bytes, &js_sys::Object::new())?;
        timely(putting).await?;
        Ok(())
    }
}

const KEY_UNUSABLE: &str = "AUDIT_LOG_KEY is not a key: see hookgate audit keygen";

async fn send(url: &str, text: &str) -> Result<(u16, String), JsValue> {
    let sent = timely(post_text(url, text, ANSWER_BYTES_MAX, EFFECT_MS)).await?;
    let sent: Array = sent.unchecked_into();
    let status = sent.get(0).as_f64().unwrap_or_default() as u16;
    Ok((status, sent.get(1).as_string().unwrap_or_default()))
}

async fn timely(promise: Promise) -> Result<JsValue, JsValue> {
    let done = in_time(EFFECT_MS, Ok(promise)).await;
    done.unwrap_or_else(|| Err(failure("no answer in time")))
}

fn failure(text: &str) -> JsValue {
    JsValue::from_str(text)
}
