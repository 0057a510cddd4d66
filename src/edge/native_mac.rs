//! MACs by WebCrypto: of a large body several times as fast as in wasm, and the body of a forged
//! request is never copied. What it makes is compared in [`crate::verify`], like any other.

use js_sys::{ArrayBuffer, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::platform::{self, Outcome};
use super::state::asked;
use crate::admission::Opening;
use crate::gate::LiveSource;
use crate::scheme::Algorithm;

/// From about here on a promise costs less than the bytes: in one run 4 % more at 4 and 6 KB, the same at 8, 5 % less at 16.
pub const NATIVE_BYTES_MIN: u32 = 8_192;

#[wasm_bindgen(module = "/src/edge/crossings.mjs")]
extern "C" {
    fn enclose(before: &[u8], body: &Uint8Array, after: &[u8]) -> Uint8Array;
    #[wasm_bindgen(js_name = macKeyOf, catch)]
    fn mac_key_of(hash: &str, bytes: &[u8]) -> Result<Promise, JsValue>;
    #[wasm_bindgen(js_name = macOf, catch)]
    fn mac_of(key: &JsValue, text: &Uint8Array) -> Result<Promise, JsValue>;
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
        let around = opening.around_body(live)?;
        Some(NativeMac {
            signed_string: enclose(&around.before, body, &around.after),
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
        let asked = asked(live);
        let name = &live.keys.get(self.key)?.name;
        if let Some(key) = asked.crypto_key(name) {
            return mac_of(&key, &self.signed_string).ok();
        }
        let imported = self.import(live)?;
        let (name, text) = (name.clone(), self.signed_string.clone());
        Some(platform::promise(async move {
            let key = JsFuture::from(imported).await?;
            asked.keep_crypto_key(name, key.clone());
            JsFuture::from(mac_of(&key, &text)?).await
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
            // Nothing is signed, or by a public key: there is nothing around a body.
            _ => return None,
        };
        mac_key_of(hash, live.keys.get(self.key)?.bytes()).ok()
    }
}
