//! Any request against every built-in scheme, each under a key that no input can know.

use std::sync::LazyLock;

use hookgate::admission::Admission;
use hookgate::gate::Gate;

use crate::input;
use crate::support::{a_secret, gate_for, only, run, with_secrets};

static GATES: LazyLock<Vec<(&str, Gate)>> = LazyLock::new(|| {
    let gate = |scheme| (scheme, gate_for(scheme, &[a_secret(scheme, 211)]));
    with_secrets().map(gate).collect()
});

/// An event without its signature is a forgery, and so is a visit to a URL. (An echo is neither.)
pub fn holds(bytes: &[u8]) {
    let Some(input) = input::read(bytes) else {
        return;
    };
    for (scheme, gate) in GATES.iter() {
        let admitted = matches!(
            run(only(gate), &input.request),
            Ok(Admission::Event(_) | Admission::Confirm(_))
        );
        assert!(!admitted, "{scheme} admits a forgery: {:?}", input.request);
    }
}
