//! One timer for one wait.

use std::panic::AssertUnwindSafe;

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(then: &Function, ms: u32) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

/// Fires once, unless it is dropped before.
pub struct Timer {
    id: JsValue,
    pub fired: JsFuture,
}

impl Timer {
    pub fn of(ms: u32) -> Timer {
        let mut id = JsValue::UNDEFINED;
        // Nothing panics in between.
        let mut place = AssertUnwindSafe(&mut id);
        let fired = Promise::new(&mut move |resolve, _| **place = set_timeout(&resolve, ms));
        let fired = fired.into();
        Timer { id, fired }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.id);
    }
}
