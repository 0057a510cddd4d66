//! Carries out what an operator asks for: see [`crate::admin`].

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Request;
use worker::Env;

use super::archive;
use super::content;
use super::database::transact;
use super::ledger;
use super::offer;
use super::platform::{self, binding, now_ms};
use super::state::State;
use crate::admin::{Admitted, Command, authorise, insists, may_redrive, not_redriven};
use crate::answer::{Answer, problem};
use crate::audit::Notice;
use crate::audit::store::RECORDS;
use crate::dead::DeadLetter;
use crate::event::fresh_key;
use crate::ledger::{Ask, Reply};
use crate::request::Head;
use crate::time;
use crate::tlog;
use crate::uses;

/// How many dead letters a page holds: each is one read of the archive.
const PAGE: u32 = 20;
/// How many records: each has up to 8 kB.
const RECORDS_PAGE: u32 = 200;
/// An operator can wait longer than a sender.
const LEDGER_MS: u32 = 10_000;

/// Answers a request under `/admin/`. `lines` is its head, as in [`super::fetch`]. What the promise
/// brings is the answer's text, as [`Answer::to_json`] writes it, or the stream of a content.
#[wasm_bindgen]
pub fn administrate(lines: String, request: Request, env: Env) -> Promise {
    platform::promise(async move {
        let head = Head::from_lines(&lines);
        let request_id = platform::request_id();
        Ok(match told(&head, &request, &env, &request_id).await {
            Told::Answer(answer) => answer.for_request(&request_id).to_json().into(),
            Told::Content(stream) => stream,
        })
    })
}

/// What an operator is told.
enum Told {
    Answer(Answer),
    Content(JsValue),
}

async fn told(head: &Head, request: &Request, env: &Env, request_id: &str) -> Told {
    let nothing = problem(404, "not-found", "Not found", None, request_id);
    let token = platform::variable(env, binding::ADMIN_TOKEN);
    let only_host = platform::variable(env, binding::ADMIN_HOST);
    match authorise(head, token.as_deref(), only_host.as_deref()) {
        Admitted::Nothing => return Told::Answer(nothing),
        Admitted::Refused => {
            platform::notice(&Notice::AdminRefused { request_id });
            let title = "A valid admin token is needed";
            let mut answer = problem(401, "not-authorized", title, None, request_id);
            answer
                .headers
                .push(("www-authenticate", "Bearer".to_owned()));
            return Told::Answer(answer);
        }
        Admitted::Operator => {}
    }
    let Some(command) = Command::parse(head) else {
        return Told::Answer(nothing);
    };
    let done = match &command {
        Command::List { cursor } => list(cursor.as_deref(), env).await.map(Told::Answer),
        Command::Show { id } => show(id, env, request_id).await.map(Told::Answer),
        Command::Records {
            tenant,
            after_ms,
            after_id,
        } => show_records(tenant, *after_ms, after_id, env)
            .await
            .map(Told::Answer),
        Command::Log { tenant, path } => show_log(tenant, path, env, request_id).await,
        Command::Content { id } => show_content(id, env, request_id).await,
        Command::Redrive { id } => send_again(id, request, env, request_id)
            .await
            .map(Told::Answer),
        Command::TakeOffer { source } => {
            take_offer(source, env, request_id).await.map(Told::Answer)
        }
    };
    let told = done.unwrap_or_else(|_| {
        Told::Answer(problem(
            503,
            "archive-unavailable",
            "The archive did not answer",
            None,
            request_id,
        ))
    });
    platform::notice(&Notice::AdminAnswered {
        request_id,
        action: command.name(),
        status: match &told {
            Told::Answer(answer) => answer.status,
            Told::Content(_) => 200,
        },
    });
    told
}

async fn list(cursor: Option<&str>, env: &Env) -> Result<Answer, archive::Failed> {
    let page = archive::list(env, cursor, PAGE).await?;
    Ok(json(
        200,
        &serde_json::json!({ "dead_letters": page.letters, "cursor": page.cursor }),
    ))
}

async fn show(id: &str, env: &Env, request_id: &str) -> Result<Answer, archive::Failed> {
    Ok(match archive::read(env, id).await? {
        None => no_such_letter(request_id),
        Some(letter) => json(200, &serde_json::to_value(&letter).unwrap_or_default()),
    })
}

/// What a provider handed over goes to the operator and nowhere else: no log has it.
async fn take_offer(source: &str, env: &Env, request_id: &str) -> Result<Answer, archive::Failed> {
    let state = State::of(env);
    let live = state.gate.as_ref().and_then(|gate| gate.source(source));
    let taken = match live {
        Some(live) if uses::GREETINGS => offer::take(env, live).await?,
        _ => None,
    };
    Ok(match taken {
        None => problem(
            404,
            "not-found",
            "Nothing was handed over",
            None,
            request_id,
        ),
        Some(secret) => json(
            200,
            &serde_json::json!({ "source": source, "secret": secret }),
        ),
    })
}

async fn show_content(id: &str, env: &Env, request_id: &str) -> Result<Told, archive::Failed> {
    let letter = archive::read(env, id).await?;
    if let Some((key, _)) = letter.and_then(|letter| letter.content())
        && let Some(stream) = content::stream(env, &key).await?
    {
        return Ok(Told::Content(stream));
    }
    Ok(Told::Answer(no_such_letter(request_id)))
}

/// As SQLite wrote them: a list, empty behind the last one.
async fn show_records(
    tenant: &str,
    after_ms: i64,
    after_id: &str,
    env: &Env,
) -> Result<Answer, archive::Failed> {
    let after_ms = JsValue::from_f64(after_ms as f64);
    let asked = [
        tenant.into(),
        after_ms,
        after_id.into(),
        RECORDS_PAGE.into(),
    ];
    let found = transact(env, &[(RECORDS, &asked)]).await;
    let found = found.map_err(|detail| {
        platform::notice(&Notice::RecordFailed { detail: &detail });
        archive::Failed
    })?;
    Ok(Answer {
        status: 200,
        headers: vec![("content-type", "application/json".to_owned())],
        body: format!("{{\"records\":{found}}}"),
    })
}

/// A file as its bytes. Whoever checks a log looks at nothing else of an answer.
async fn show_log(
    tenant: &str,
    path: &str,
    env: &Env,
    request_id: &str,
) -> Result<Told, archive::Failed> {
    let found = content::stream(env, &tlog::key(tenant, path)).await?;
    Ok(found.map_or_else(
        || {
            let title = "The log has no such file";
            Told::Answer(problem(404, "not-found", title, None, request_id))
        },
        Told::Content,
    ))
}

async fn send_again(
    id: &str,
    request: &Request,
    env: &Env,
    request_id: &str,
) -> Result<Answer, archive::Failed> {
    let body = match request.text().map(JsFuture::from) {
        Ok(text) => text.await.ok().and_then(|text| text.as_string()),
        Err(_) => None,
    };
    let Some(mut letter) = archive::read(env, id).await? else {
        return Ok(no_such_letter(request_id));
    };
    let insist = insists(&body.unwrap_or_default());
    let held = match may_redrive(&letter, insist, request_id) {
        Ok(held) => held,
        Err(answer) => return Ok(answer),
    };
    let not_sent = |detail| {
        problem(
            503,
            "not-sent",
            "The event was not sent again",
            Some(detail),
            request_id,
        )
    };
    let state = State::of(env);
    let source = state
        .gate
        .as_ref()
        .and_then(|gate| gate.source(&held.message.source));
    let Some(source) = source else {
        let title = "Its source is not configured any more";
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
            return Ok(refused.unwrap_or_else(|| {
                not_sent("The ledger did not answer. Repeat it, with --again if it is said to be on its way.")
            }));
        }
    };
    if let Err(detail) = mark_and_send(&mut letter, run, content_key.as_deref(), env).await {
        // Nothing of this run is on its way: it is as dead as the one before.
        let ask = Ask::Dead { run, owner: None };
        let key = &held.message.dedupkey;
        let _ = ledger::ask(env, source, key, ask, LEDGER_MS).await;
        return Ok(not_sent(detail));
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
    if archive::write(env, letter).await.is_err() {
        return Err("It could not be marked as sent again. Repeat it.");
    }
    let sent = platform::send(env, binding::EVENTS, &message).await;
    sent.map_err(|failure| {
        platform::notice(&Notice::HoldFailed { detail: &failure });
        "The queue did not take it. It is marked as sent again; use --again, or again = true."
    })
}

fn no_such_letter(request_id: &str) -> Answer {
    problem(404, "not-found", "No such dead letter", None, request_id)
}

fn json(status: u16, value: &serde_json::Value) -> Answer {
    Answer {
        status,
        headers: vec![("content-type", "application/json".to_owned())],
        body: value.to_string(),
    }
}
