//! MACs by WebCrypto: of a large body several times as fast as in wasm, and the body of a forged
//! request is never copied. What it makes is compared in [`crate::verify`], like any other.

use js_sys::{ArrayBuffer, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::platform::{self, Outcome};
use super::state;
use crate::admission::Opening;
use crate::gate::LiveSource;
use crate::scheme::Algorithm;
use crate::verify::AroundBody;

/// From this size on a promise costs less than the bytes. Measured: docs/performance.md.
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
    around: AroundBody,
    key: usize,
    keys: usize,
}

impl NativeMac {
    /// `None`: the signed string of this source is not a body with something around it.
    pub fn of(live: &LiveSource, opening: &Opening) -> Option<Self> {
        Some(NativeMac {
            around: opening.around_body(live)?,
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
    pub fn begin(&self, live: &LiveSource, body: &Uint8Array) -> Option<Promise> {
        let text = self.signed_string(body);
        let name = live.keys.get(self.key)?.name.clone();
        if let Some(key) = state::crypto_key(&live.name, &name) {
            return sign("HMAC", &key, &text).ok();
        }
        let imported = self.import(live)?;
        let source = live.name.clone();
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
        (tag.len() == live.scheme.algorithm.tag_bytes()).then_some(tag)
    }

    /// The body itself where nothing stands around it; otherwise the one copy that there is of it.
    fn signed_string(&self, body: &Uint8Array) -> Uint8Array {
        let AroundBody { before, after } = &self.around;
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

    fn import(&self, live: &LiveSource) -> Option<Promise> {
        let hash = match live.scheme.algorithm {
            Algorithm::HmacSha1 => "SHA-1",
            Algorithm::HmacSha256 => "SHA-256",
            Algorithm::HmacSha512 => "SHA-512",
        };
        let algorithm = Object::new();
        // Setting a property of a plain object cannot fail.
        let _ = Reflect::set(&algorithm, &"name".into(), &"HMAC".into());
        let _ = Reflect::set(&algorithm, &"hash".into(), &hash.into());
        let bytes = Uint8Array::from(live.keys.get(self.key)?.bytes());
        import_key("raw", &bytes, &algorithm, false, vec!["sign".to_owned()]).ok()
    }
}
