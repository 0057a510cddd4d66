//! What becomes of events that are given up: the dead-letter queue, and the archive.

use worker::Env;

use super::alerts;
use super::archive;
use super::consume::{EFFECT_MS, LEDGER_MS};
use super::ledger;
use super::platform::{self, Effect, binding, now_ms, within};
use super::queue;
use super::state::State;
use crate::audit::{NO_TENANT, Notice};
use crate::config::Rule;
use crate::consumer::busy_seconds;
use crate::dead::DeadLetter;
use crate::event::{Held, MESSAGE_BYTES_MAX};
use crate::ledger::{Ask, Reply};
use crate::retry::DeathCause;

/// A content that travels apart is copied as well, up to 25 MB of it.
const KEEP_MS: u32 = 2 * EFFECT_MS;

/// What became of a dead letter.
pub enum Buried {
    Kept,
    /// The platform also gives up messages whose events were delivered: there is nothing to keep.
    Delivered,
    /// A later attempt is under way: whether the event died is not known before then.
    Busy {
        seconds: u32,
    },
    Unkept,
}

/// Tells the ledger of a death, and keeps the letter if it was one. When in doubt, it is kept.
pub fn keep_unless_delivered<'a>(
    letter: &'a DeadLetter,
    state: &'a State,
    env: &'a Env,
) -> Effect<'a, Buried> {
    Box::pin(async move {
        match report_dead(letter, state, env).await {
            Some(Reply::Settled) => Buried::Delivered,
            Some(Reply::Busy { until_ms }) => Buried::Busy {
                seconds: busy_seconds(until_ms, now_ms()),
            },
            _ if keep(letter, env).await => Buried::Kept,
            _ => Buried::Unkept,
        }
    })
}

async fn report_dead(letter: &DeadLetter, state: &State, env: &Env) -> Option<Reply> {
    let held = Held::read(&letter.message).ok()?;
    let gate = &state.gate;
    let source = gate.source_of(&held.message.tenant, &held.message.source)?;
    let ask = Ask::Dead {
        run: held.message.run,
        owner: None,
    };
    let key = &held.message.dedupkey;
    ledger::ask(env, source, key, ask, LEDGER_MS).await.ok()
}

/// Puts a message among the dead letters. False: it could not be kept.
pub async fn bury(
    text: &str,
    cause: DeathCause,
    attempts: u32,
    status: Option<u16>,
    env: &Env,
) -> bool {
    let letter = DeadLetter::new(text, cause, attempts, status, now_ms());
    platform::notice(&Notice::GivenUp {
        reason: cause.name(),
        id: &letter.id,
    });
    // Wrapped, an event of almost the largest size is too long for a message.
    let wrapped = serde_json::to_string(&letter)
        .ok()
        .filter(|wrapped| wrapped.len() <= MESSAGE_BYTES_MAX);
    if let Some(wrapped) = wrapped
        && let sending = queue::send(env, binding::DEAD_LETTERS, &wrapped)
        && let Some(Ok(())) = within(EFFECT_MS, sending).await
    {
        return true;
    }
    keep(&letter, env).await
}

/// Moves a dead letter into the archive.
fn keep<'a>(letter: &'a DeadLetter, env: &'a Env) -> Effect<'a, bool> {
    Box::pin(kept(letter, env))
}

async fn kept(letter: &DeadLetter, env: &Env) -> bool {
    let id = &letter.id;
    match within(KEEP_MS, archive::keep(env, letter)).await {
        Some(Ok(())) => {
            platform::notice(&Notice::DeadLetterKept { id });
            let summary = letter.summary();
            let tenant = summary.tenant.as_deref().unwrap_or(NO_TENANT);
            let source = summary.source.as_deref().unwrap_or_default();
            alerts::happened(env, Rule::DeadLetters, tenant, source, id).await;
            true
        }
        Some(Err(archive::Failed)) | None => {
            platform::notice(&Notice::DeadLetterUnkept { id });
            false
        }
    }
}
