//! Carries out what an operator asks for: see [`crate::admin`].

mod dead_letters;
mod forget;
mod health;
mod log;
mod offers;
mod readmit;
mod record;

use js_sys::{Array, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Request;
use worker::Env;

use super::archive;
use super::platform::{self, binding};
use crate::admin::{Admitted, Command, Operator, Reading, authorise, console};
use crate::answer::{Answer, problem};
use crate::audit::Notice;
use crate::request::Head;
use crate::tlog::NEWEST;

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

/// An operator's request, once it is known whose it is.
struct Asking<'a> {
    /// Who is told nothing of what he does not see: see [`Operator::sees`].
    operator: Operator,
    request: &'a Request,
    env: &'a Env,
    request_id: &'a str,
}

impl Asking<'_> {
    /// What only somebody may do who operates.
    fn may_operate(&self) -> Result<(), Answer> {
        let title = "This needs the role operate";
        let refused = || problem(403, "not-permitted", title, None, self.request_id);
        self.operator.operates.then_some(()).ok_or_else(refused)
    }

    /// Empty too where it could not be read.
    async fn body(&self) -> String {
        let text = match self.request.text().map(JsFuture::from) {
            Ok(text) => text.await.ok().and_then(|text| text.as_string()),
            Err(_) => None,
        };
        text.unwrap_or_default()
    }
}

async fn told(head: &Head, request: &Request, env: &Env, request_id: &str) -> Told {
    let nothing = problem(404, "not-found", "Not found", None, request_id);
    let token = platform::variable(env, binding::ADMIN_TOKEN);
    let only_host = platform::variable(env, binding::ADMIN_HOST);
    let admitted = authorise(head, token.as_deref(), only_host.as_deref());
    if admitted != Admitted::Nothing
        && let Some((name, answer)) = console::file(head, request.url().starts_with("https:"))
    {
        return Told::File(name, answer);
    }
    let operator = match admitted {
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
        Admitted::Operator(operator) => operator,
    };
    let Some(command) = Command::parse(head) else {
        return Told::Answer(nothing);
    };
    let asking = Asking {
        operator,
        request,
        env,
        request_id,
    };
    let told = carry_out(&command, &asking).await;
    let told = told.unwrap_or_else(|_| {
        Told::Answer(problem(
            503,
            "archive-unavailable",
            "The archive did not answer",
            None,
            request_id,
        ))
    });
    let status = match &told {
        Told::Answer(answer) | Told::File(_, answer) => answer.status,
        Told::Content(_) => 200,
        Told::Readmission(_) => return told,
    };
    platform::notice(&Notice::AdminAnswered {
        request_id,
        action: command.name(),
        status,
    });
    told
}

async fn carry_out(command: &Command, asking: &Asking<'_>) -> Result<Told, archive::Failed> {
    Ok(match command {
        Command::List { cursor } => dead_letters::list(asking, cursor.as_deref()).await?.into(),
        Command::Show { id } => dead_letters::show(asking, id).await?.into(),
        Command::Content { id } => dead_letters::content_of(asking, id).await?,
        Command::Redrive { id } => dead_letters::redrive(asking, id).await?.into(),
        Command::Read(Reading::Description) => Told::File("openapi.json", record::json("")),
        Command::Read(reading) => record::read(asking, reading).await.into(),
        Command::Records {
            tenant,
            after_ms,
            after_id,
        } => log::show_records(asking, tenant, *after_ms, after_id)
            .await?
            .into(),
        Command::Log { tenant, path } if path == NEWEST => log::show_newest(asking, tenant).await?,
        Command::Log { tenant, path } => log::show_file(asking, tenant, path).await?,
        Command::TakeOffer { source } => offers::take(asking, source).await?.into(),
        Command::Forget => forget::forget(asking).await.into(),
        Command::Sources => health::show_sources(asking).await?.into(),
        Command::Alerts => health::show_alerts(asking).await?.into(),
        Command::Readmit { id } => readmit::readmit(asking, id).await?,
    })
}

fn json(status: u16, value: &serde_json::Value) -> Answer {
    Answer {
        status,
        headers: vec![("content-type", "application/json".to_owned())],
        body: value.to_string(),
    }
}
