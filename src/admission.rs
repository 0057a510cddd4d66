//! The decision: may this request come in? Pure, synchronous, without storage.
//!
//! Three steps, so that what can be refused early costs nothing of what comes later:
//!
//! 1. [`open`] sees the head: source, method, declared length, shape of the signature.
//!    Answers 404, 405, 413, 400, 401 or 503 happen here, before the body is read.
//! 2. [`check`] sees the body and the clock, read after the body: MAC (401), freshness (401). Where a
//!    public key checks the signature, [`state`] comes first, and a [`Proof`] is brought from outside.
//! 3. [`admit`] takes what was verified: identity, labels, the headers that go on. What comes out is an
//!    [`Event`], and there is no other way to get one.

mod asked;
mod identity;
mod opening;

use std::sync::{Arc, OnceLock};

use crate::cloudevents;
use crate::config::Mode;
use crate::event::{Event, EventParts};
use crate::flood::SMALL_BYTES;
use crate::gate::{Gate, LiveSource};
use crate::request::{Head, Inbound};
use crate::uses;
use crate::verdict::{Reject, Shape, Trouble, Verdict};
use crate::verify::{Claims, Matched, Statement, Verified, verify};
pub use asked::Reply;
use asked::{Asked, asked, greet, greeting, permission, question};
use identity::dedup_key;
pub use identity::keys_of_id;
pub use opening::Opening;

/// `/hooks/{source}`: this path is stable for ever.
const HOOKS: &str = "/hooks/";

/// What [`admit`] found out on its way, for the record, whether it admitted or not.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// The name of the secret that matched.
    pub key_id: Option<String>,
    pub signed_time_ms: Option<i64>,
    /// Which rule made the identity.
    pub identity: Option<&'static str>,
    /// The discriminator is none of the source's `discriminator_values`.
    pub discriminator_unlisted: bool,
    /// What a handshake is answered.
    pub reply: Option<Reply>,
}

/// What a verified request turned out to be.
#[derive(Debug)]
pub enum Admission<'b> {
    Event(Box<Event<'b>>),
    /// It asks for this answer and brings no event.
    Challenge(Reply),
    /// It asks for a visit to this URL and brings no event.
    Confirm(String),
    /// It asks a question of this type and brings no event.
    Question(String),
}

/// The source a path names. What stands behind its name must be one of its scheme's.
pub fn source_of<'a>(gate: &'a Gate, head: &Head) -> Option<&'a Arc<LiveSource>> {
    let rest = head.path.strip_prefix(HOOKS)?;
    let Some((name, behind)) = rest.split_once('/') else {
        return gate.source(rest);
    };
    let live = gate.source(name)?;
    let known = live.scheme.subpaths.iter().any(|path| path == behind);
    known.then_some(live)
}

/// Step 1. `live` is what [`source_of`] found.
///
/// # Errors
/// [`Verdict::Refused`] or [`Verdict::Unavailable`], before the body is read.
pub fn open(live: &LiveSource, head: &Head) -> Result<Opening, Verdict> {
    if let Some(permitted) = permission(live, head) {
        return Err(permitted);
    }
    match open_for_event(live, head) {
        Err(otherwise) if uses::GREETINGS => greeting(live, head, otherwise),
        // Whether it is signed is told by its body, and whether it is an event.
        Ok(opening) if uses::GREETINGS && live.scheme.has_body_signature() => {
            let unsigned = Verdict::Refused(Reject::MissingSignature);
            match greeting(live, head, unsigned) {
                Ok(greeting) if greeting.or_event => Ok(Opening {
                    unless_greeting: greeting.unless_greeting,
                    or_event: true,
                    ..opening
                }),
                Ok(greeting) => Ok(greeting),
                Err(_) => Ok(opening),
            }
        }
        opened => opened,
    }
}

fn open_for_event(live: &LiveSource, head: &Head) -> Result<Opening, Verdict> {
    if !live.scheme.methods.contains(&head.method) {
        return Err(Verdict::Refused(Reject::MethodNotAllowed));
    }
    if let Some(trouble) = live.trouble {
        return Err(Verdict::Unavailable(trouble));
    }
    let body_bytes_max = live.source.body_bytes_max;
    let declared = head
        .header("content-length")
        .and_then(|text| text.parse::<u64>().ok());
    let mut stream_bytes = None;
    if let Some(declared) = declared.filter(|declared| *declared > body_bytes_max as u64) {
        let limit = live.source.stream_bytes_max.unwrap_or_default();
        stream_bytes = u32::try_from(declared).ok().filter(|bytes| *bytes <= limit);
        if stream_bytes.is_none() {
            let body_bytes_max = body_bytes_max.max(limit as usize);
            return Err(Verdict::Refused(Reject::BodyTooLarge { body_bytes_max }));
        }
    }
    let mut claims = Claims::read(&live.scheme, head).map_err(Verdict::Refused)?;
    if live.scheme.signs_pins() {
        claims.take_pins(&live.pins);
    }
    Ok(Opening {
        claims,
        stated: OnceLock::new(),
        body_bytes_max,
        over_length: Verdict::Refused(Reject::BodyTooLarge { body_bytes_max }),
        stream_bytes,
        unless_greeting: None,
        or_event: false,
    })
}

/// [`open`], but in a flood of large forgeries only small bodies are read ([`crate::flood`]).
///
/// # Errors
/// Also [`Verdict::Unavailable`], for a body that is declared larger.
pub fn open_unless_flooded(
    live: &LiveSource,
    head: &Head,
    now_ms: impl FnOnce() -> i64,
) -> Result<Opening, Verdict> {
    let opening = open(live, head)?;
    if live.flood.is_quiet() || !live.flood.is_over(now_ms()) {
        return Ok(opening);
    }
    let flooded = Verdict::Unavailable(Trouble::Flooded);
    let declared = head.header("content-length");
    let declared = declared.and_then(|text| text.parse::<usize>().ok());
    match declared {
        Some(declared) if declared > SMALL_BYTES => Err(flooded),
        _ if opening.body_bytes_max <= SMALL_BYTES => Ok(opening),
        _ => Ok(Opening {
            stream_bytes: None,
            body_bytes_max: SMALL_BYTES,
            over_length: flooded,
            ..opening
        }),
    }
}

/// Before step 2, where a public key checks the signature: what the message says of itself. Nothing is
/// fetched before this has found its form and its pins in order. `now_ms` is read after the body.
///
/// # Errors
/// [`Verdict::Refused`].
pub fn state(
    live: &LiveSource,
    opening: &mut Opening,
    inbound: &Inbound<'_, '_>,
    now_ms: i64,
) -> Result<Statement, Verdict> {
    if inbound.body.len() > opening.body_bytes_max {
        return Err(opening.over_length);
    }
    let (statement, claims) = Statement::read(live, inbound)
        .map_err(|reject| unverified(live, reject, inbound.body.len(), now_ms))?;
    opening.claims = claims;
    Ok(statement)
}

/// Step 2: the MAC, then freshness. `now_ms` is read after the body, in milliseconds since 1970;
/// `matched` is there where the MAC was computed elsewhere. Of the head, only what [`open`] asked for
/// needs to be there.
///
/// # Errors
/// [`Verdict::Refused`]; [`Verdict::Unavailable`] for a mismatch while a configured secret is
/// missing (the sender may be right); [`Verdict::Challenged`] for a handshake with a sender that proves
/// nothing, with its answer among the findings.
pub fn check(
    live: &LiveSource,
    opening: &Opening,
    inbound: &Inbound<'_, '_>,
    matched: Option<Matched>,
    now_ms: i64,
    findings: &mut Findings,
) -> Result<Matched, Verdict> {
    let body_bytes_max = opening.body_bytes_max;
    if inbound.body.len() > body_bytes_max {
        return Err(opening.over_length);
    }
    let wrong = |reject| unverified(live, reject, inbound.body.len(), now_ms);
    if uses::GREETINGS
        && let Some(otherwise) = opening.unless_greeting
        && (!opening.or_event || inbound.body.is_empty())
    {
        return Err(greet(live, inbound, otherwise, now_ms, findings));
    }
    if live.scheme.objects_only && inbound.body.first() != Some(&b'{') {
        return Err(wrong(Reject::MalformedSignedPart(Shape::NotAJsonObject)));
    }
    let matched = match matched {
        None if live.scheme.states_mac() => Some(prove(live, opening, inbound).map_err(wrong)?),
        matched => matched,
    };
    let claims = opening.claims();
    let verified = verify(&live.scheme, &live.keys, claims, inbound, matched).map_err(wrong)?;
    findings.key_id = verified.key_name(&live.keys).map(str::to_owned);
    findings.signed_time_ms = verified.time_ms();
    judge_freshness(live, &verified, now_ms).map_err(Verdict::Refused)?;
    judge_token(live, claims, now_ms).map_err(Verdict::Refused)?;
    Ok(verified.matched())
}

/// Whether one of the source's secrets made the MAC over what the message states.
fn prove(
    live: &LiveSource,
    opening: &Opening,
    inbound: &Inbound<'_, '_>,
) -> Result<Matched, Reject> {
    let (statement, mut claims) = Statement::read(live, inbound)?;
    let (matched, reading) = statement.matched(live).ok_or(Reject::SignatureMismatch)?;
    claims.read_as(reading);
    opening.stated.get_or_init(|| claims);
    Ok(matched)
}

/// Step 3: what the request brings. `matched` is what [`check`] found of it, and the head is whole.
///
/// # Errors
/// [`Verdict::Observed`] in observe mode; [`Verdict::Refused`] for a CloudEvent with an attribute that
/// is not text, which the specification demands.
pub fn admit<'b>(
    live: &LiveSource,
    opening: &Opening,
    inbound: &Inbound<'_, 'b>,
    matched: Matched,
    now_ms: i64,
    findings: &mut Findings,
) -> Result<Admission<'b>, Verdict> {
    let claims = opening.claims();
    let verified = verify(&live.scheme, &live.keys, claims, inbound, Some(matched))
        .map_err(|reject| unverified(live, reject, inbound.body.len(), now_ms))?;
    if live.scheme.reads_cloudevents() && !cloudevents::is_text(inbound.head) {
        let reject = Reject::MalformedEvent(Shape::Undecodable);
        return Err(Verdict::Refused(reject));
    }
    match asked(live, inbound, findings)? {
        None => {}
        Some(Asked::Reply(reply)) => return Ok(Admission::Challenge(reply)),
        Some(Asked::Visit(url)) => return Ok(Admission::Confirm(url)),
    }
    if let Some(kind) = question(live, inbound) {
        return Ok(Admission::Question(kind));
    }
    let dedup_key = dedup_key(live, &verified, inbound, now_ms, findings);
    if live.source.mode == Mode::Observe {
        return Err(Verdict::Observed);
    }
    let event = Event::admitted(EventParts {
        live,
        inbound,
        verified,
        received_ms: now_ms,
        dedup_key,
    });
    Ok(Admission::Event(Box::new(event)))
}

/// The verdict on a request that does not verify; it is counted.
pub fn unverified(live: &LiveSource, reject: Reject, body_bytes: usize, now_ms: i64) -> Verdict {
    live.flood.failed(body_bytes, now_ms);
    let ours = live
        .incomplete
        .filter(|_| reject == Reject::SignatureMismatch);
    ours.map_or(Verdict::Refused(reject), Verdict::Unavailable)
}

fn judge_freshness(live: &LiveSource, verified: &Verified<'_>, now_ms: i64) -> Result<(), Reject> {
    let (Some(form), Some(time_ms)) = (&live.scheme.time, verified.time_ms()) else {
        return Ok(());
    };
    let tolerance_seconds = live
        .source
        .tolerance_seconds
        .unwrap_or(form.tolerance_seconds);
    // Whole seconds are compared where the provider stamps whole seconds: inclusive on both sides.
    let age_ms = now_ms.saturating_sub(time_ms);
    if age_ms
        > i64::from(tolerance_seconds)
            .saturating_mul(1_000)
            .saturating_add(form.unit.grain_ms())
    {
        return Err(Reject::Stale { age_ms });
    }
    let ahead_ms = time_ms.saturating_sub(now_ms);
    if ahead_ms > i64::from(form.future_seconds).saturating_mul(1_000) {
        return Err(Reject::FromFuture { ahead_ms });
    }
    Ok(())
}

/// A token holds from `nbf` to `exp`, give or take the leeway (RFC 7519, sections 4.1.4 and 4.1.5).
fn judge_token(live: &LiveSource, claims: &Claims, now_ms: i64) -> Result<(), Reject> {
    let Some((begins_ms, expires_ms)) = claims.valid_ms() else {
        return Ok(());
    };
    let form = live.scheme.token.as_ref();
    let leeway_ms = form.map_or(0, |form| i64::from(form.leeway_seconds) * 1_000);
    let age_ms = now_ms.saturating_sub(expires_ms);
    let ahead_ms = begins_ms.saturating_sub(now_ms);
    if age_ms >= leeway_ms {
        return Err(Reject::Stale { age_ms });
    }
    if ahead_ms > leeway_ms {
        return Err(Reject::FromFuture { ahead_ms });
    }
    Ok(())
}
