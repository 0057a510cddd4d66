//! Encrypted fields, opened for the backend by the platform's AES.

use js_sys::{ArrayBuffer, Object, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::platform::{self, describe_value, set};
use crate::audit::Notice;
use crate::event::{Held, HeldContent};
use crate::gate::LiveSource;
use crate::koogallery::{EncryptedField, encrypted_fields, with_plain};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = importKey, catch)]
    fn import_key(
        format: &str,
        bytes: &Uint8Array,
        algorithm: &str,
        extractable: bool,
        usages: Vec<String>,
    ) -> Result<Promise, JsValue>;
    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], catch)]
    fn decrypt(algorithm: &Object, key: &JsValue, bytes: &Uint8Array) -> Result<Promise, JsValue>;
}

/// The event with its fields in plain text, where its source asks for it. `None`: there is nothing to
/// open. A field that cannot be opened stays as it came, and the log says so: the backend can refuse it,
/// and nobody would be helped by keeping the event back.
pub async fn opened(held: &Held, live: &LiveSource) -> Option<Held> {
    if !live.source.decrypt_fields {
        return None;
    }
    let closed = |detail: &str| {
        let request_id = &held.message.requestid;
        platform::notice(&Notice::FieldClosed { request_id, detail });
    };
    let mut keys = live.keys.iter();
    let Some(key) = keys.find(|key| key.name == held.message.keyid) else {
        closed("the secret that it was signed with is not configured any more");
        return None;
    };
    let HeldContent::Here(body) = &held.content else {
        closed(
            "the content is too long for a message, and goes from the archive to the backend unread",
        );
        return None;
    };
    let mut plain = Vec::new();
    for (name, field) in encrypted_fields(&live.scheme, key, body) {
        match open(&field).await {
            Ok(text) => plain.push((name, text)),
            Err(error) => closed(&describe_value(&error)),
        }
    }
    let body = with_plain(&live.scheme, body, &plain)?;
    Some(Held {
        content: HeldContent::Here(body),
        ..held.clone()
    })
}

async fn open(field: &EncryptedField) -> Result<String, JsValue> {
    let usages = vec!["decrypt".to_owned()];
    let key = import_key(
        "raw",
        &Uint8Array::from(field.key()),
        "AES-CBC",
        false,
        usages,
    )?;
    let key = JsFuture::from(key).await?;
    let algorithm = Object::new();
    set(&algorithm, "name", &"AES-CBC".into());
    set(&algorithm, "iv", &Uint8Array::from(field.iv()).into());
    let bytes = Uint8Array::from(field.ciphertext());
    let plain = JsFuture::from(decrypt(&algorithm, &key, &bytes)?).await?;
    let plain: ArrayBuffer = plain.dyn_into()?;
    String::from_utf8(Uint8Array::new(&plain).to_vec()).map_err(|_| "not UTF-8".into())
}
