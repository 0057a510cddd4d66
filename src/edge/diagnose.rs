//! Diagnoses of refusals that are stored, after their answers. `audit.mjs` waits until the answer has left, and asks.

use wasm_bindgen::prelude::*;
use worker::Env;

use super::platform;
use super::state::State;
use crate::EMBEDDED_SOURCES;
use crate::audit::{DiagnosisLine, Draft};
use crate::config::Config;
use crate::diagnosis::{Case, HASHED_BYTES_MAX, diagnose, is_short, is_worthwhile};
use crate::gate::LiveSource;
use crate::request::Head;
use crate::uses;
use crate::verdict::Verdict;

/// What a diagnosis will need of the request besides its body, in one text. `None`: there is nothing to be
/// found out, or too much to be tried.
pub fn puzzle(
    verdict: Verdict,
    live: &LiveSource,
    head: &Head,
    body_bytes: Option<usize>,
) -> Option<String> {
    let fits =
        uses::DIAGNOSIS && is_worthwhile(verdict, &live.scheme) && is_short(head, body_bytes);
    fits.then(|| head.to_lines())
}

/// Tries every hypothesis on a refused request, and writes down what came of it. Its name, for the record.
#[wasm_bindgen(js_name = diagnosisOf)]
pub fn diagnosis_of(draft: &str, puzzle: &str, body: Option<Vec<u8>>, env: &Env) -> Option<String> {
    if !uses::DIAGNOSIS {
        return None;
    }
    let draft = Draft::from_lines(draft)?;
    let state = State::of(env);
    let live = state.gate.source(draft.source)?;
    #[cfg(feature = "test-hooks")]
    super::test_hooks::mark("diagnosis_begins", draft.request_id);
    // A copy of the scheme, to be varied. Reading it anew needs no code that is not here already.
    let mut config = Config::from_bytes(EMBEDDED_SOURCES);
    let scheme = config.schemes.remove(&live.source.scheme)?;
    let has_body = body.is_some();
    let mut case = Case::of(live, scheme, Head::from_lines(puzzle), body);
    let found = diagnose(&mut case, HASHED_BYTES_MAX);
    // Of a form alone, that nothing is known of it says no more than the verdict's line.
    if !has_body && found.hypothesis.is_none() {
        return None;
    }
    platform::log(&DiagnosisLine::new(&found, live, draft.request_id));
    Some(found.name().to_owned())
}
