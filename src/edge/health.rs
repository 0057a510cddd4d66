//! `/healthz`: whether this Worker could take an event.

use worker::Env;

use super::platform::{self, binding};
use super::state::State;
use crate::answer::Answer;
use crate::audit::Notice;

/// Everything that an event needs is bound, and every destination has its address and its secret.
pub fn is_sound(state: &State, env: &Env) -> bool {
    let bindings = [
        binding::SEEN,
        binding::LEDGER,
        binding::EVENTS,
        binding::EVENTS_SLOW,
        binding::DEAD_LETTERS,
        binding::ARCHIVE,
        binding::AUDIT,
        binding::RECORD,
    ];
    let missing = bindings
        .into_iter()
        .filter(|name| !platform::is_bound(env, name));
    let missing = missing.inspect(|name| platform::notice(&Notice::BindingMissing { name }));
    state.tell_of_quarantine(env);
    missing.count() == 0 && state.gate.has_every_destination()
}

/// The answer if it could.
pub fn healthy() -> Answer {
    Answer {
        status: 200,
        headers: vec![("content-type", "application/json".to_owned())],
        body: "{\"status\":\"ok\"}".to_owned(),
    }
}
