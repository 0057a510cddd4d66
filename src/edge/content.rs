//! Contents that do not travel in their message: put into the archive, and read back by the consumer.

use js_sys::{Array, Object, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::Env;

use super::archive::Failed;
use super::bucket::Bucket;
use super::fetch::Upload;
use super::platform::{self, Bound, describe_value, set, within};
use crate::audit::Notice;
use crate::event::ClaimCheck;
use crate::hex;
use crate::retry::Attempt;

#[wasm_bindgen(module = "/src/edge/content.mjs")]
extern "C" {
    fn measure(bucket: &Bucket, key: &str, before: &Uint8Array) -> Promise;
    fn open(bucket: &Bucket, key: &str, etag: &JsValue) -> Promise;
    fn copy(bucket: &Bucket, from: &str, to: &str) -> Promise;
    #[wasm_bindgen(js_name = stream)]
    fn stream_of(bucket: &Bucket, key: &str) -> Promise;
}

/// A content to be put into the archive.
#[derive(Clone)]
pub enum Deposit {
    Whole {
        check: ClaimCheck,
        bytes: Uint8Array,
    },
    /// All of it but its last chunk is on its way.
    Streamed(Upload),
}

impl Deposit {
    /// Begins to put it there. What arrives otherwise than it was hashed is refused by the archive.
    ///
    /// # Errors
    /// There is no archive.
    pub fn begin(&self, env: &Env) -> Result<Promise, JsValue> {
        match self {
            Deposit::Whole { check, bytes } => {
                let options = Object::new();
                set(&options, "sha256", &hex::encode(&check.sha256).into());
                env.archive().put(&check.key, bytes, &options)
            }
            Deposit::Streamed(upload) => Ok(upload.commit()),
        }
    }
}

/// To read a content before it is delivered: shorter than what a lease lasts beyond an attempt.
const READ_MS: u32 = 20_000;

/// Reads a content to its end, and then opens it anew for the backend, as a stream. With it comes the
/// SHA-256 of `before` and it: the inner hash of the delivery's signature. Nothing is opened that is
/// not what the message says.
///
/// # Errors
/// What came of the attempt at the backend: there was none.
pub async fn fetch(
    env: &Env,
    check: &ClaimCheck,
    before: &[u8],
) -> Result<(JsValue, Vec<u8>), Attempt> {
    let bucket = env.archive();
    let reading = Box::pin(async move {
        let measured = JsFuture::from(measure(&bucket, &check.key, &before.into())).await?;
        if measured.is_undefined() {
            return Ok(Err(Attempt::ContentMissing));
        }
        let measured: Array = measured.unchecked_into();
        let hash = |index| measured.get(index).unchecked_into::<Uint8Array>().to_vec();
        if hash(1) != check.sha256 {
            return Ok(Err(Attempt::ContentAltered));
        }
        let stream = JsFuture::from(open(&bucket, &check.key, &measured.get(0))).await?;
        Ok(Ok((stream, hash(2))))
    });
    match within(READ_MS, reading).await {
        Some(Ok(done)) => done,
        Some(Err(error)) => {
            failed(&describe_value(&error));
            Err(Attempt::ContentUnread)
        }
        None => {
            failed("no answer in time");
            Err(Attempt::ContentUnread)
        }
    }
}

/// Copies a content within the archive. False: it is not there.
///
/// # Errors
/// The archive did not do it. The log says why.
pub async fn duplicate(env: &Env, from: &str, to: &str) -> Result<bool, Failed> {
    let copied = JsFuture::from(copy(&env.archive(), from, to)).await;
    copied
        .map(|copied| copied.is_truthy())
        .map_err(archive_failed)
}

/// A content as a stream of bytes. `None`: it is not there.
///
/// # Errors
/// The archive did not give it. The log says why.
pub async fn stream(env: &Env, key: &str) -> Result<Option<JsValue>, Failed> {
    let found = JsFuture::from(stream_of(&env.archive(), key)).await;
    let found = found.map_err(archive_failed)?;
    Ok((!found.is_undefined()).then_some(found))
}

fn archive_failed(error: JsValue) -> Failed {
    failed(&describe_value(&error));
    Failed
}

fn failed(detail: &str) {
    platform::notice(&Notice::ArchiveFailed { detail });
}
