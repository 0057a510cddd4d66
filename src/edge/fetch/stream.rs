//! A body that goes by as a stream: `upload.mjs` hashes it and has it on its way into R2, and what it
//! was is judged here.

use js_sys::{Array, Object, Promise, Uint8Array};
use wasm_bindgen::prelude::*;

use super::{Arrival, Arrived, Stage};
use crate::admission;
use crate::edge::platform::{self, now_ms, set};
use crate::event::{ClaimCheck, fresh_key};
use crate::request::Inbound;
use crate::time;
use crate::verdict::{Trouble, Verdict};
use crate::verify::{AroundBody, Streaming};

#[wasm_bindgen]
extern "C" {
    /// A body on its way into R2, without its last chunk.
    #[derive(Clone)]
    pub type Upload;
    #[wasm_bindgen(method)]
    pub fn commit(this: &Upload) -> Promise;
}

#[wasm_bindgen]
impl Arrival {
    /// The body is to go by, as [`Arrival::stream_plan`] says, and [`Arrival::check_stream`] called then.
    #[wasm_bindgen(getter, js_name = wantsStream)]
    pub fn wants_stream(&self) -> bool {
        matches!(&self.stage, Stage::Read(opening) if opening.stream_bytes.is_some())
    }

    /// Where the body goes (`key`), how long it is (`length`), and what is to be hashed of it: `texts`,
    /// each a hash's name and what stands before and behind the body.
    #[wasm_bindgen(js_name = streamPlan)]
    pub fn stream_plan(&self) -> Option<Object> {
        let (Some(live), Stage::Read(opening)) = (&self.live, &self.stage) else {
            return None;
        };
        let streaming = opening.streaming(live)?;
        let date = time::rfc3339(now_ms());
        let key = fresh_key(&live.source.tenant, &live.name, &date, platform::random());
        let plan = Object::new();
        set(&plan, "key", &key.into());
        set(&plan, "length", &opening.stream_bytes?.into());
        set(&plan, "texts", &texts(&streaming));
        Some(plan)
    }

    /// Judges what went by. `hashes` are those of the plan.
    #[wasm_bindgen(js_name = checkStream)]
    pub fn check_stream(&mut self, upload: Upload, key: String, hashes: Vec<Uint8Array>) {
        let (Some(live), Stage::Read(opening)) = (self.live.clone(), self.take_stage()) else {
            return;
        };
        let bytes = opening.stream_bytes.unwrap_or_default();
        self.record.body_bytes = Some(bytes as usize);
        let hashes: Vec<Vec<u8>> = hashes.iter().map(Uint8Array::to_vec).collect();
        let known = |index: usize| <[u8; 32]>::try_from(hashes.get(index)?.as_slice()).ok();
        let (Some(sha256), Some(identity), Some(macs)) = (known(0), known(1), hashes.get(2..))
        else {
            return;
        };
        // As with a body that was read whole: after it.
        let now_ms = now_ms();
        let check = ClaimCheck { key, sha256, bytes };
        let inbound = Inbound::streamed_to(&self.head, check.clone());
        let findings = &mut self.record.findings;
        let checked = opening
            .matched_stream(&live, macs, identity, now_ms)
            .and_then(|matched| {
                admission::check(&live, &opening, &inbound, Some(matched), now_ms, findings)
            });
        self.stage = match checked {
            Err(verdict) => Stage::Decided(verdict),
            Ok(matched) => Stage::Verified {
                opening,
                arrived: Arrived::Streamed { check, upload },
                matched,
                now_ms,
            },
        };
    }

    /// The archive did not take the body.
    #[wasm_bindgen(js_name = contentUnkept)]
    pub fn content_unkept(&mut self) {
        self.stage = Stage::Decided(Verdict::Unavailable(Trouble::ContentUnkept));
    }
}

fn texts(streaming: &Streaming) -> Array {
    let text = |name: &str, before: &[u8], after: &[u8]| -> Array {
        let parts: [JsValue; 3] = [
            name.into(),
            Uint8Array::from(before).into(),
            Uint8Array::from(after).into(),
        ];
        parts.into_iter().collect()
    };
    let around = |name, around: &AroundBody| text(name, &around.before, &around.after);
    let content = text("SHA-256", &[], &[]);
    let identity = around("SHA-256", &streaming.identity);
    let macs = streaming.macs.iter();
    let macs = macs.map(|mac| around(streaming.hash.name(), mac));
    [content, identity].into_iter().chain(macs).collect()
}
