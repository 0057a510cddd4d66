//! The only code that knows Workers.
//!
//! `entry.mjs` calls in; [`fetch`] receives, [`drive`] carries out what [`crate::road`] says,
//! [`consume`] delivers, [`admin`] serves the operator, [`platform`] wraps what the `worker` crate
//! leaves out. Nothing here decides about an event.

mod admin;
mod archive;
mod consume;
mod drive;
mod fetch;
mod platform;
mod respond;
mod state;

use wasm_bindgen::prelude::wasm_bindgen;

/// Runs once, when the isolate loads the module.
#[wasm_bindgen(start)]
fn start() {
    // A panic's text may quote the request, so only its place is written down.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(|at| format!("{}:{}", at.file(), at.line()));
        platform::log(&crate::audit::NoticeLine {
            event: "alarm",
            what: "panicked",
            detail: place.as_deref(),
            ..Default::default()
        });
    }));
}
