//! Secrets that providers handed over.

use super::{Asking, Told, json};
use crate::answer::problem;
use crate::edge::state::State;
use crate::edge::{archive, offer};
use crate::uses;

/// What a provider handed over goes to the operator and nowhere else: no log has it.
pub async fn take(asking: &Asking<'_>, source: &str) -> Result<Told, archive::Failed> {
    let Asking {
        env, request_id, ..
    } = *asking;
    let state = State::of(env);
    let taken = match state.gate.source(source) {
        Some(live) if uses::GREETINGS && asking.sees(&live.source.tenant) => {
            offer::take(env, live).await?
        }
        _ => None,
    };
    let told = match taken {
        None => {
            let title = "Nothing was handed over";
            problem(404, "not-found", title, None, request_id)
        }
        Some(secret) => json(
            200,
            &serde_json::json!({ "source": source, "secret": secret }),
        ),
    };
    Ok(told.into())
}
