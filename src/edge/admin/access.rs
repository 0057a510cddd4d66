//! Has Cloudflare Access vouch for an operator: see [`crate::admin::access`].

use std::cell::RefCell;

use wasm_bindgen_futures::JsFuture;

use super::entrance::refused;
use crate::admin::access::Step;
use crate::admin::door::Door;
use crate::admin::operators::Line;
use crate::answer::{Answer, problem, unavailable};
use crate::audit::Notice;
use crate::edge::inquire::{FETCH_MS, ask, fetch_document, fetched};
use crate::edge::platform::{self, Outcome, now_ms};
use crate::public_key::document::DOCUMENT_BYTES_MAX;
use crate::public_key::memory::KeyMemory;

thread_local! {
    /// Keys of Access. Never borrowed over an await.
    static KEYS: RefCell<KeyMemory> = RefCell::default();
}

/// Whose line has the address that Access vouches for.
///
/// # Errors
/// The answer that says why not: 401, 403, or 503 where it could not be found out.
pub async fn by_access<'a>(
    door: &'a Door,
    assertion: &str,
    request_id: &str,
) -> Result<&'a Line, Answer> {
    let email = vouched_for(door, assertion, request_id).await?;
    let line = door.operators.by_email(&email);
    line.ok_or_else(|| nobody(request_id))
}

/// The address that Access vouches for.
async fn vouched_for(door: &Door, assertion: &str, request_id: &str) -> Result<String, Answer> {
    let Some(access) = &door.access else {
        return Err(refused("access", request_id));
    };
    let mut step = KEYS.with_borrow_mut(|keys| access.begin(assertion, keys, now_ms()));
    if let Step::Fetch { url } = &step {
        let document = fetch_document(url, DOCUMENT_BYTES_MAX, FETCH_MS, None);
        let outcome = match JsFuture::from(document).await {
            Ok(parts) => Outcome::Fulfilled(parts),
            Err(error) => Outcome::Rejected(error),
        };
        let document = fetched(url, outcome);
        step = KEYS.with_borrow_mut(|keys| access.fetched(assertion, document, keys, now_ms()));
    }
    match step {
        Step::Ask { question, email } => match JsFuture::from(ask(&question)).await {
            Ok(answer) if answer.is_truthy() => Ok(email),
            Ok(_) => Err(refused("access", request_id)),
            Err(_) => Err(unavailable(request_id)),
        },
        Step::Refused => Err(refused("access", request_id)),
        Step::Fetch { .. } | Step::Unavailable => Err(unavailable(request_id)),
    }
}

/// Access knows him, and no line of `ADMINS` does.
fn nobody(request_id: &str) -> Answer {
    let tried = "access";
    platform::notice(&Notice::AdminRefused { request_id, tried });
    let title = "This account is no operator's";
    problem(403, "not-allowed", title, None, request_id)
}
