//! Dead letters: looked at, and sent again.

use worker::Env;

use super::{Asking, Told, json};
use crate::admin::{Operator, Redriven, insists, may_redrive, not_redriven};
use crate::answer::{Answer, problem};
use crate::audit::Notice;
use crate::dead::{DeadLetter, Summary};
use crate::edge::platform::{self, binding, now_ms};
use crate::edge::queue;
use crate::edge::state::State;
use crate::edge::{archive, content, ledger};
use crate::event::fresh_key;
use crate::ledger::{Ask, Reply};
use crate::time;

/// How many dead letters a page holds: each is one read of the archive.
const PAGE: u32 = 20;
const UNMARKED: &str = "It could not be marked as sent again. Repeat it.";
const UNSENT: &str =
    "The queue did not take it. It is marked as sent again; use --again, or again = true.";
const UNASKED: &str =
    "The ledger did not answer. Repeat it, with --again if it is said to be on its way.";
/// An operator can wait longer than a sender.
const LEDGER_MS: u32 = 10_000;

pub async fn list(asking: &Asking<'_>, cursor: Option<&str>) -> Result<Told, archive::Failed> {
    let mut page = archive::list(asking.env, cursor, PAGE).await?;
    // The cursor is the archive's: what is left out here makes a page shorter, and no other one longer.
    let is_his = |letter: &Summary| is_seen(&asking.operator, letter.tenant.as_deref());
    page.letters.retain(is_his);
    let listed = serde_json::json!({ "dead_letters": page.letters, "cursor": page.cursor });
    Ok(json(200, &listed).into())
}

pub async fn show(asking: &Asking<'_>, id: &str) -> Result<Told, archive::Failed> {
    let told = match read(asking, id).await? {
        None => no_such_letter(asking.request_id),
        Some(letter) => json(200, &serde_json::to_value(&letter).unwrap_or_default()),
    };
    Ok(told.into())
}

/// A letter that is there for who asks.
async fn read(asking: &Asking<'_>, id: &str) -> Result<Option<DeadLetter>, archive::Failed> {
    let letter = archive::read(asking.env, id).await?;
    Ok(letter.filter(|letter| match letter.summary().tenant {
        Some(tenant) => asking.sees(&tenant),
        None => is_seen(&asking.operator, None),
    }))
}

/// A letter that cannot be read may be anybody's: it is there for who sees all tenants.
fn is_seen(operator: &Operator, tenant: Option<&str>) -> bool {
    tenant.map_or(operator.tenants().is_none(), |tenant| operator.sees(tenant))
}

pub async fn content_of(asking: &Asking<'_>, id: &str) -> Result<Told, archive::Failed> {
    let Asking {
        env, request_id, ..
    } = *asking;
    let letter = read(asking, id).await?;
    if let Some((key, _)) = letter.and_then(|letter| letter.content())
        && let Some(stream) = content::stream(env, &key).await?
    {
        return Ok(Told::Content(stream));
    }
    Ok(Told::Answer(no_such_letter(request_id)))
}

pub async fn redrive(asking: &Asking<'_>, id: &str) -> Result<Told, archive::Failed> {
    let body = asking.body().await;
    let told = match read(asking, id).await? {
        None => no_such_letter(asking.request_id),
        Some(letter) => sent_again(asking, letter, insists(&body), id).await?,
    };
    Ok(told.into())
}

async fn sent_again(
    asking: &Asking<'_>,
    mut letter: DeadLetter,
    insist: bool,
    id: &str,
) -> Result<Answer, archive::Failed> {
    let Asking {
        env, request_id, ..
    } = *asking;
    let held = match may_redrive(&letter, insist, now_ms(), request_id) {
        Ok(Redriven::Event(held)) => held,
        Ok(Redriven::ForRecord) => {
            return Ok(match mark_and_record(&mut letter, env).await {
                Ok(()) => json(202, &serde_json::json!({ "status": "redriven", "id": id })),
                Err(detail) => not_sent(detail, request_id),
            });
        }
        Err(answer) => return Ok(answer),
    };
    let state = State::of(env);
    let source = state
        .gate
        .source_of(&held.message.tenant, &held.message.source);
    let Some(source) = source else {
        let title = "Its source is not configured any more, or is another tenant's";
        return Ok(problem(422, "unknown-source", title, None, request_id));
    };
    let content_key = match letter.content() {
        None => None,
        // Its life begins anew: what the letter keeps is not what a message on its way may need.
        Some((kept, _)) => {
            let (tenant, now) = (&held.message.tenant, time::rfc3339(now_ms()));
            let fresh = fresh_key(tenant, &held.message.source, &now, platform::random());
            if !content::duplicate(env, &kept, &fresh).await? {
                let title = "Its content is not in the archive";
                return Ok(problem(422, "content-missing", title, None, request_id));
            }
            Some(fresh)
        }
    };
    // The ledger gives out the runs, so that no two redrives of one event share one.
    let ask = Ask::Redrive {
        run_at_least: held.message.run,
        insist,
    };
    let run = match ledger::ask(env, source, &held.message.dedupkey, ask, LEDGER_MS).await {
        Ok(Reply::Redriven { run }) => run,
        asked => {
            let refused = asked.ok();
            let refused = refused.and_then(|reply| not_redriven(reply, now_ms(), request_id));
            return Ok(refused.unwrap_or_else(|| not_sent(UNASKED, request_id)));
        }
    };
    if let Err(detail) = mark_and_send(&mut letter, run, content_key.as_deref(), env).await {
        // Nothing of this run is on its way: it is as dead as the one before.
        let ask = Ask::Dead { run, owner: None };
        let key = &held.message.dedupkey;
        let _ = ledger::ask(env, source, key, ask, LEDGER_MS).await;
        return Ok(not_sent(detail, request_id));
    }
    Ok(json(
        202,
        &serde_json::json!({ "status": "redriven", "id": id, "run": run }),
    ))
}

/// In this order: see [`DeadLetter::redrive`]. The error says what the operator may do.
async fn mark_and_send(
    letter: &mut DeadLetter,
    run: u32,
    content_key: Option<&str>,
    env: &Env,
) -> Result<(), &'static str> {
    let Some(message) = letter.redrive(run, content_key, now_ms()) else {
        return Err("The message could not be written.");
    };
    keep_and_send(letter, &message, binding::EVENTS, env).await
}

/// The same for a message of the record: its queue is its own.
async fn mark_and_record(letter: &mut DeadLetter, env: &Env) -> Result<(), &'static str> {
    letter.redriven_at = Some(time::rfc3339(now_ms()));
    keep_and_send(letter, &letter.message, binding::AUDIT, env).await
}

async fn keep_and_send(
    letter: &DeadLetter,
    message: &str,
    queue: &str,
    env: &Env,
) -> Result<(), &'static str> {
    if archive::write(env, letter).await.is_err() {
        return Err(UNMARKED);
    }
    let sent = queue::send(env, queue, message).await;
    sent.map_err(|failure| {
        platform::notice(&Notice::HoldFailed { detail: &failure });
        UNSENT
    })
}

fn not_sent(detail: &str, request_id: &str) -> Answer {
    let title = "The event was not sent again";
    problem(503, "not-sent", title, Some(detail), request_id)
}

fn no_such_letter(request_id: &str) -> Answer {
    problem(404, "not-found", "No such dead letter", None, request_id)
}
