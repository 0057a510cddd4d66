//! Carries out what an operator asks for: see [`crate::admin`].

#[cfg(uses_access)]
mod access;
mod dead_letters;
mod entrance;
mod forget;
mod health;
mod log;
mod offers;
mod readmit;
mod record;
mod recorded;

use std::cell::RefCell;
use std::future::ready;

use js_sys::{Array, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Request;
use worker::Env;

use super::archive;
use super::platform::{self, Effect};
use super::state::State;
use crate::admin::door::is_meant;
use crate::admin::{Command, Operator, Reading, Way, console};
use crate::answer::{Answer, problem};
use crate::request::Head;
use crate::tlog::NEWEST;

pub use entrance::remove_what_is_over as remove_sessions_that_are_over;

/// Answers a request for `/admin` and below. `lines` is its head, as in [`super::fetch`]. What the promise
/// brings is the answer's text, as [`Answer::to_json`] writes it, with a member more if its body is a file of the console: `file`, by which
/// `console.mjs` has it. Or the stream of a content.
#[wasm_bindgen]
pub fn administrate(lines: String, request: Request, env: Env) -> Promise {
    platform::promise(async move {
        let head = Head::from_lines(&lines);
        let request_id = platform::request_id();
        Ok(match told(&head, &request, &env, &request_id).await {
            Told::Answer(answer) => answer.for_request(&request_id).to_json().into(),
            Told::File(name, answer) => {
                let mut json = answer.for_request(&request_id).to_json();
                // In the place of the brace that ends it.
                json.pop();
                json.push_str(&format!(",\"file\":\"{name}\"}}"));
                json.into()
            }
            Told::Content(stream) => stream,
            Told::Readmission(parts) => parts.into(),
        })
    })
}

/// What an operator is told.
enum Told {
    Answer(Answer),
    /// A file of the console, by its name, and the answer without it.
    File(&'static str, Answer),
    Content(JsValue),
    /// What is judged again, for `entry.mjs`: the way of a request is its own. It writes down the end.
    Readmission(Array),
}

impl From<Answer> for Told {
    fn from(answer: Answer) -> Self {
        Told::Answer(answer)
    }
}

impl Told {
    fn status(&self) -> u16 {
        match self {
            Told::Answer(answer) | Told::File(_, answer) => answer.status,
            Told::Content(_) => 200,
            Told::Readmission(_) => 202,
        }
    }
}

/// An operator's request, once it is known whose it is.
struct Asking<'a> {
    /// Who is told nothing of what he does not see: see [`Operator::sees`].
    operator: Operator,
    way: Way,
    /// The digest of the browser's session, where there is one.
    session: Option<String>,
    head: &'a Head,
    request: &'a Request,
    env: &'a Env,
    request_id: &'a str,
    /// For the record: whose thing it is about, once that is known.
    tenant: RefCell<Option<String>>,
    /// For the record: the one thing that it is about, where its path does not say so.
    about: RefCell<String>,
}

impl Asking<'_> {
    /// Empty too where it could not be read.
    async fn body(&self) -> String {
        text_of(self.request).await
    }

    /// For the record: what it is about, as far as it is known by now.
    fn is_about(&self, thing: &str) {
        thing.clone_into(&mut self.about.borrow_mut());
    }

    /// Whether what belongs to this tenant is there for him. If so it is what the record has this request under.
    fn sees(&self, tenant: &str) -> bool {
        let sees = self.operator.sees(tenant);
        if sees {
            *self.tenant.borrow_mut() = Some(tenant.to_owned());
        }
        sees
    }

    /// A tenant that he named, and sees, is what the record has this request under if there is such a one: it is
    /// configured, or something of it was found. Any other name would become a log of its own.
    fn named(&self, tenant: &str, was_found: bool) {
        if was_found || State::of(self.env).has_tenant(tenant) {
            *self.tenant.borrow_mut() = Some(tenant.to_owned());
        }
    }
}

async fn text_of(request: &Request) -> String {
    let text = match request.text().map(JsFuture::from) {
        Ok(text) => text.await.ok().and_then(|text| text.as_string()),
        Err(_) => None,
    };
    text.unwrap_or_default()
}

async fn told(head: &Head, request: &Request, env: &Env, request_id: &str) -> Told {
    let state = State::of(env);
    if state.door(env).has_console(head)
        && let Some((name, answer)) = console::file(head, request.url().starts_with("https:"))
    {
        return Told::File(name, answer);
    }
    let entered = match entrance::enter(state.door(env), head, request, env, request_id).await {
        Ok(entered) => entered,
        Err(answer) => return Told::Answer(answer),
    };
    let asking = Asking {
        operator: entered.operator,
        way: entered.way,
        session: entered.session,
        head,
        request,
        env,
        request_id,
        tenant: RefCell::default(),
        about: RefCell::default(),
    };
    if let Some(answer) = entered.signed_in {
        recorded::signed_in(&asking, answer.status).await;
        return Told::Answer(answer);
    }
    let refused = |kind, title, detail| problem(403, kind, title, Some(detail), request_id);
    if asking.way != Way::Token && !is_meant(head) {
        let title = "Not from the console's own page";
        let detail = "A browser's session takes requests with sec-fetch-site: same-origin and hookgate-console: 1.";
        return Told::Answer(refused("not-from-here", title, detail));
    }
    let Some(command) = Command::parse(head) else {
        return problem(404, "not-found", "Not found", None, request_id).into();
    };
    let told = if command.operates() && !asking.operator.operates {
        let title = "This operator may only look";
        Ok(refused("not-allowed", title, "It takes the role operate.").into())
    } else {
        carry_out(&command, &asking).await
    };
    let told = told.unwrap_or_else(|_| {
        Told::Answer(problem(
            503,
            "archive-unavailable",
            "The archive did not answer",
            None,
            request_id,
        ))
    });
    // What is judged again has its end, and its record, once it is judged.
    if !matches!(told, Told::Readmission(_)) {
        recorded::answered(&asking, &command, told.status()).await;
    }
    told
}

/// What comes of a command. Each is behind a pointer by itself.
fn carry_out<'a>(
    command: &'a Command,
    asking: &'a Asking<'_>,
) -> Effect<'a, Result<Told, archive::Failed>> {
    match command {
        Command::WhoAmI => Box::pin(ready(Ok(whoami(&asking.operator).into()))),
        Command::SignOut => Box::pin(entrance::sign_out(asking)),
        Command::List { cursor } => Box::pin(dead_letters::list(asking, cursor.as_deref())),
        Command::Show { id } => Box::pin(dead_letters::show(asking, id)),
        Command::Content { id } => Box::pin(dead_letters::content_of(asking, id)),
        Command::Redrive { id } => Box::pin(dead_letters::redrive(asking, id)),
        Command::Read(Reading::Description) => {
            Box::pin(ready(Ok(Told::File("openapi.json", record::json("")))))
        }
        Command::Read(reading) => Box::pin(record::read(asking, reading)),
        Command::Records {
            tenant,
            after_ms,
            after_id,
        } => Box::pin(log::show_records(asking, tenant, *after_ms, after_id)),
        Command::Log { tenant, path } if path == NEWEST => {
            Box::pin(log::show_newest(asking, tenant))
        }
        Command::Log { tenant, path } => Box::pin(log::show_file(asking, tenant, path)),
        Command::TakeOffer { source } => Box::pin(offers::take(asking, source)),
        Command::Forget => Box::pin(forget::forget(asking)),
        Command::Sources => Box::pin(health::show_sources(asking)),
        Command::Alerts => Box::pin(health::show_alerts(asking)),
        Command::Readmit { id } => Box::pin(readmit::readmit(asking, id)),
    }
}

fn whoami(operator: &Operator) -> Answer {
    let roles: &[&str] = match operator.operates {
        true => &["read", "operate"],
        false => &["read"],
    };
    let (name, tenants) = (&operator.name, operator.tenants());
    json(
        200,
        &serde_json::json!({ "name": name, "roles": roles, "tenants": tenants }),
    )
}

fn json(status: u16, value: &serde_json::Value) -> Answer {
    Answer {
        status,
        headers: vec![("content-type", "application/json".to_owned())],
        body: value.to_string(),
    }
}
