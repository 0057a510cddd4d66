//! MACs by WebCrypto: of a large body several times as fast as in wasm, and the body of a forged
//! request is never copied. What it makes is compared in [`crate::verify`], like any other.

use js_sys::{ArrayBuffer, Object, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::platform::{self, Outcome, set};
use super::state;
use crate::admission::Opening;
use crate::gate::LiveSource;
use crate::scheme::Algorithm;
use crate::verify::AroundBody;

/// From about here on a promise costs less than the bytes. Where exactly has not been measured.
pub const NATIVE_BYTES_MIN: u32 = 2_048;

#[wasm_bindgen]
extern "C" {
    /// The crate knows nothing of WebCrypto.
    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = importKey, catch)]
    fn import_key(
        format: &str,
        bytes: &Uint8Array,
        algorithm: &Object,
        extractable: bool,
        usages: Vec<String>,
    ) -> Result<Promise, JsValue>;
    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], catch)]
    fn sign(algorithm: &str, key: &JsValue, bytes: &Uint8Array) -> Result<Promise, JsValue>;
}

/// The MACs of one body, under one key of its source after the other.
pub struct NativeMac {
    signed_string: Uint8Array,
    key: usize,
    keys: usize,
}

impl NativeMac {
    /// `None`: the signed string of this source is not a body with something around it.
    pub fn of(live: &LiveSource, opening: &Opening, body: &Uint8Array) -> Option<Self> {
        Some(NativeMac {
            signed_string: signed_string(&opening.around_body(live)?, body),
            key: 0,
            keys: live.keys.len(),
        })
    }

    /// The number of the key.
    pub fn key(&self) -> usize {
        self.key
    }

    /// Goes on to the next key, if there is one.
    pub fn next(&mut self) -> Option<()> {
        self.key += 1;
        (self.key < self.keys).then_some(())
    }

    /// Begins to make the MAC under this key. `None`: WebCrypto does not.
    pub fn begin(&self, live: &LiveSource) -> Option<Promise> {
        let name = live.keys.get(self.key)?.name.clone();
        if let Some(key) = state::crypto_key(&live.name, &name) {
            return sign("HMAC", &key, &self.signed_string).ok();
        }
        let imported = self.import(live)?;
        let (source, text) = (live.name.clone(), self.signed_string.clone());
        Some(platform::promise(async move {
            let key = JsFuture::from(imported).await?;
            state::keep_crypto_key(&source, &name, key.clone());
            JsFuture::from(sign("HMAC", &key, &text)?).await
        }))
    }

    /// What came of it. `None`: WebCrypto failed.
    pub fn tag(&self, live: &LiveSource, outcome: Outcome) -> Option<Vec<u8>> {
        let Outcome::Fulfilled(buffer) = outcome else {
            return None;
        };
        let tag = Uint8Array::new(buffer.dyn_ref::<ArrayBuffer>()?).to_vec();
        (Some(tag.len()) == live.scheme.algorithm.tag_bytes()).then_some(tag)
    }

    fn import(&self, live: &LiveSource) -> Option<Promise> {
        let hash = match live.scheme.algorithm {
            Algorithm::HmacSha1 => "SHA-1",
            Algorithm::HmacSha256 => "SHA-256",
            Algorithm::HmacSha512 => "SHA-512",
            // Nothing is signed, or by a public key: `signed_string` found nothing.
            _ => return None,
        };
        let algorithm = Object::new();
        set(&algorithm, "name", &"HMAC".into());
        set(&algorithm, "hash", &hash.into());
        let bytes = Uint8Array::from(live.keys.get(self.key)?.bytes());
        import_key("raw", &bytes, &algorithm, false, vec!["sign".to_owned()]).ok()
    }
}

/// The body itself where nothing stands around it; otherwise the one copy that there is of it.
fn signed_string(AroundBody { before, after }: &AroundBody, body: &Uint8Array) -> Uint8Array {
    if before.is_empty() && after.is_empty() {
        return body.clone();
    }
    let (start, length) = (before.len() as u32, body.length());
    let text = Uint8Array::new_with_length(start + length + after.len() as u32);
    text.subarray(0, start).copy_from(before);
    text.set(body, start);
    text.subarray(start + length, text.length())
        .copy_from(after);
    text
}
