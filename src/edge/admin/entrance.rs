//! Lets an operator in, or does not: see [`crate::admin::door`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use wasm_bindgen::JsValue;
use web_sys::Request;
use worker::Env;

#[cfg(uses_access)]
use super::access::by_access;
use super::{Asking, Told, text_of};
use crate::admin::door::Door;
use crate::admin::operators::Line;
use crate::admin::session::{
    BEGIN, CROWD_OUT, END, FIND, REMOVE, SESSION_SECONDS, SESSIONS_MAX, Session, digest,
    set_cookie, token_in,
};
use crate::admin::{Knock, Operator, Way};
use crate::answer::{Answer, problem, unavailable};
use crate::audit::Notice;
use crate::edge::archive;
use crate::edge::database::transact;
use crate::edge::platform::{self, Effect, now_ms};
use crate::request::Head;

/// Who was let in.
pub struct Entered {
    pub operator: Operator,
    pub way: Way,
    /// The digest of the browser's session, where there is one.
    pub session: Option<String>,
    /// The answer, where letting him in was all that he asked for.
    pub signed_in: Option<Answer>,
}

/// # Errors
/// The answer that says why not: 404, 401, or 503 where it could not be found out.
pub async fn enter(
    door: &Door,
    head: &Head,
    request: &Request,
    env: &Env,
    request_id: &str,
) -> Result<Entered, Answer> {
    let entered = |line: &Line, way| Entered {
        operator: line.operator.clone(),
        way,
        session: None,
        signed_in: None,
    };
    match door.knock(head) {
        Knock::Nothing => Err(problem(404, "not-found", "Not found", None, request_id)),
        Knock::Refused(tried) => Err(refused(tried, request_id)),
        Knock::Token(line) => Ok(entered(line, Way::Token)),
        Knock::Browser { session, assertion } => {
            if let Some(id) = &session
                && let Some(line) = by_session(door, id, env, request_id).await?
            {
                return Ok(Entered {
                    session,
                    ..entered(line, Way::Session)
                });
            }
            let Some(assertion) = assertion else {
                return Err(refused("session", request_id));
            };
            let line = by_access(door, assertion, request_id).await?;
            Ok(entered(line, Way::Access))
        }
        Knock::SignIn => {
            let token = token_in(&text_of(request).await).unwrap_or_default();
            let line = door.operators.by_token(&token);
            let line = line.ok_or_else(|| refused("sign_in", request_id))?;
            let answer = match door.takes_browsers {
                true => sign_in(line, env, request_id).await?,
                false => {
                    let title = "No browser is signed in here";
                    let detail = "Set ADMIN_HOST: the console has a host name of its own.";
                    problem(403, "not-allowed", title, Some(detail), request_id)
                }
            };
            Ok(Entered {
                signed_in: Some(answer),
                ..entered(line, Way::Token)
            })
        }
    }
}

async fn by_session<'a>(
    door: &'a Door,
    id: &str,
    env: &Env,
    request_id: &str,
) -> Result<Option<&'a Line>, Answer> {
    let found = transact(env, &[(FIND, &[id.into(), now()])]).await;
    let found = found.map_err(|detail| failed(&detail, request_id))?;
    let session = Session::read(&found);
    Ok(session.and_then(|session| door.operators.by_session(&session)))
}

/// The code for it was left out: see [`crate::uses::ACCESS`].
#[cfg(not(uses_access))]
async fn by_access<'a>(_: &'a Door, _: &str, request_id: &str) -> Result<&'a Line, Answer> {
    Err(refused("access", request_id))
}

async fn sign_in(line: &Line, env: &Env, request_id: &str) -> Result<Answer, Answer> {
    let cookie = URL_SAFE_NO_PAD.encode(platform::random::<32>());
    let begun = begin(line, &cookie, env).await;
    begun.map_err(|detail| failed(&detail, request_id))?;
    Ok(without_content(&cookie))
}

/// Begins the session of this cookie.
fn begin(line: &Line, cookie: &str, env: &Env) -> Effect<'static, Result<String, String>> {
    let ends_ms = now_ms() + i64::from(SESSION_SECONDS) * 1_000;
    let session = line.session(digest(cookie), ends_ms);
    let name = JsValue::from(line.operator.name.as_str());
    let kept = [
        session.id.into(),
        name.clone(),
        JsValue::from(ends_ms as f64),
        session.mac.into(),
    ];
    let statements: [(&str, &[JsValue]); 2] =
        [(BEGIN, &kept), (CROWD_OUT, &[name, SESSIONS_MAX.into()])];
    transact(env, &statements)
}

/// Ends a browser's session. The cookie is taken away whether there is one or not.
pub async fn sign_out(asking: &Asking<'_>) -> Result<Told, archive::Failed> {
    if let Some(id) = &asking.session
        && let Err(detail) = transact(asking.env, &[(END, &[id.into()])]).await
    {
        return Ok(failed(&detail, asking.request_id).into());
    }
    Ok(without_content("").into())
}

/// Removes sessions that are over. They open nothing any more, so it may fail.
pub async fn remove_what_is_over(env: &Env) {
    if let Err(detail) = transact(env, &[(REMOVE, &[now()])]).await {
        platform::notice(&Notice::RecordFailed { detail: &detail });
    }
}

fn now() -> JsValue {
    JsValue::from(now_ms() as f64)
}

fn without_content(cookie: &str) -> Answer {
    Answer {
        status: 204,
        headers: vec![("set-cookie", set_cookie(cookie))],
        body: String::new(),
    }
}

/// The same for every path, known or not.
pub(super) fn refused(tried: &str, request_id: &str) -> Answer {
    platform::notice(&Notice::AdminRefused { request_id, tried });
    let title = "A valid admin token is needed";
    let mut answer = problem(401, "not-authorized", title, None, request_id);
    answer
        .headers
        .push(("www-authenticate", "Bearer".to_owned()));
    answer
}

fn failed(detail: &str, request_id: &str) -> Answer {
    platform::notice(&Notice::RecordFailed { detail });
    unavailable(request_id)
}
