//! Verified messages that bring no event, but ask for something.

use super::{Admission, Echo};
use crate::gate::LiveSource;
use crate::request::Inbound;
use crate::scheme::Place;
use crate::uses;
use crate::verdict::{Reject, Verdict};

/// What the message asks for, if it asks. An echo is given only if it cannot do harm: short and
/// printable. A visit is made only where the entry and the pins allow it.
pub(super) fn challenge<'b>(
    live: &LiveSource,
    inbound: &Inbound<'_, '_>,
) -> Result<Option<Admission<'b>>, Verdict> {
    let Some(challenge) = &live.scheme.challenge else {
        return Ok(None);
    };
    if inbound.value_at(&challenge.at).ok().as_ref() != Some(&challenge.equals) {
        return Ok(None);
    }
    if uses::PUBLIC_KEYS
        && let Some(confirm) = &challenge.confirm
    {
        let value_at = |place: &Place| inbound.value_at(place).ok();
        let url = value_at(&confirm.at)
            .and_then(|url| confirm.rebuild(&url, &live.pins, value_at))
            .ok_or(Verdict::Refused(Reject::UrlNotAllowed))?;
        return Ok(Some(Admission::Confirm(url)));
    }
    let echo = challenge
        .echo
        .as_ref()
        .and_then(|place| inbound.value_at(place).ok());
    let harmless =
        |echo: &String| echo.len() <= 512 && echo.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    Ok(echo.filter(harmless).map(|text| {
        let member = challenge.member.clone();
        Admission::Challenge(Echo { text, member })
    }))
}

/// The message's type, if it is the one that asks. The type is signed, or it would be no question.
pub(super) fn question(live: &LiveSource, inbound: &Inbound<'_, '_>) -> Option<String> {
    let asking = live.scheme.question.as_ref()?;
    let place = live.scheme.event_type.first()?.place()?;
    let kind = inbound.value_at(place).ok()?;
    (kind == *asking).then_some(kind)
}
