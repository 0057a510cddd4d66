//! What an operator did, into the log and into the record: see [`crate::admin::action`].

use std::cell::RefCell;
use std::future::ready;

use super::Asking;
use crate::admin::action::{Action, Looks};
use crate::admin::{Command, Recorded};
use crate::audit::Notice;
use crate::edge::platform::{self, Effect, binding, now_ms, within};
use crate::edge::queue;

/// The operator waits for it, and is not kept for long: see [`crate::admin::action`].
const SEND_MS: u32 = 3_000;

thread_local! {
    static LOOKS: RefCell<Looks> = RefCell::default();
}

/// A browser was signed in, or was told why not.
pub fn signed_in(asking: &Asking<'_>, status: u16) -> Effect<'static, ()> {
    record(asking, "signed_in", "", status, Recorded::Each)
}

/// A command was carried out.
pub fn answered(asking: &Asking<'_>, command: &Command, status: u16) -> Effect<'static, ()> {
    let about = match command.about() {
        "" => asking.about.borrow().clone(),
        about => about.to_owned(),
    };
    record(asking, command.name(), &about, status, command.recorded())
}

fn record(
    asking: &Asking<'_>,
    name: &str,
    about: &str,
    status: u16,
    recorded: Recorded,
) -> Effect<'static, ()> {
    let tenant = asking.tenant.borrow().clone();
    let action = Action {
        request_id: asking.request_id,
        operator: &asking.operator,
        way: asking.way,
        name,
        about,
        tenant: tenant.as_deref(),
        status,
        address: asking.head.header("cf-connecting-ip").unwrap_or_default(),
        at_ms: now_ms(),
    };
    platform::notice(&Notice::AdminAnswered {
        request_id: action.request_id,
        operator: &action.operator.name,
        action: name,
        status,
    });
    let is_recorded = match recorded {
        Recorded::Each => true,
        Recorded::OnceAMinute => {
            status == 200 && LOOKS.with_borrow_mut(|looks| looks.is_first(&action))
        }
        Recorded::Never => false,
    };
    if !is_recorded {
        return Box::pin(ready(()));
    }
    let entry = action.entry();
    let message = entry.message(platform::random());
    let sent = queue::send(asking.env, binding::AUDIT, &message);
    let sent = within(SEND_MS, sent);
    Box::pin(async move {
        let sent = sent.await;
        if let Err(detail) = sent.unwrap_or_else(|| Err("no answer in time".to_owned())) {
            platform::notice(&Notice::AdminUnrecorded {
                detail: &detail,
                text: &entry.text,
            });
        }
    })
}
