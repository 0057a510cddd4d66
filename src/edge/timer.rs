//! One timer for one wait.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

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
    fire: Function,
    fired: JsFuture,
}

impl Timer {
    pub fn of(ms: u32) -> Timer {
        let mut fire = JsValue::UNDEFINED;
        // Nothing panics in between.
        let mut place = AssertUnwindSafe(&mut fire);
        let fired = Promise::new(&mut move |resolve, _| **place = resolve.into());
        let fire: Function = fire.unchecked_into();
        let id = set_timeout(&fire, ms);
        let fired = fired.into();
        Timer { id, fire, fired }
    }

    /// Ready once it has fired.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.fired).poll(context).map(|_| ())
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.id);
        // What waits for a promise is only let go of when it settles. It hears of it, and nobody else does.
        let _ = self.fire.call0(&JsValue::UNDEFINED);
    }
}
