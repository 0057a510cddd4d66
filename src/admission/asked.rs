//! Requests that bring no event, but ask for something.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ctutils::CtEq as _;
use sha2::{Digest as _, Sha256};

use super::{Findings, Opening};
use crate::gate::LiveSource;
use crate::keys::{LiveKey, encode_hex};
use crate::request::{Absent, Head, Inbound};
use crate::scheme::{Algorithm, ECHO_HEADERS, Echoed, Handshake, Member, Place, Trust, is_token};
use crate::uses;
use crate::verdict::{Reject, Trouble, Verdict};
use crate::verify::Claims;

/// What a stranger says is not read beyond this. The longest that is documented is a few hundred bytes.
const GREETING_BYTES_MAX: usize = 4_096;
/// The longest text that is echoed.
const ECHO_BYTES_MAX: usize = 512;

/// What a handshake is answered with.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub content_type: Option<&'static str>,
    /// A header besides.
    pub header: Option<(&'static str, String)>,
    pub body: String,
    /// A secret that was handed over, to be kept for the operator before this is answered.
    pub keep: Option<String>,
    /// Of the secret that was handed over, for the record: the first half of its SHA-256 in hex.
    pub fingerprint: Option<String>,
}

/// A header may be a secret, and so may what is to be kept.
impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reply({}, {:?})", self.status, self.body)
    }
}

/// What a verified request asks for.
pub(super) enum Asked {
    Reply(Reply),
    Visit(String),
}

/// What the verified message asks for, if it asks. A visit is made only where the entry and the pins
/// allow it; a question that cannot be answered safely is an event.
pub(super) fn asked(
    live: &LiveSource,
    inbound: &Inbound<'_, '_>,
    findings: &Findings,
) -> Result<Option<Asked>, Verdict> {
    let mut verified = live.scheme.handshakes.iter();
    let Some(shake) = verified.find(|shake| shake.is_verified() && is_marked(shake, inbound))
    else {
        return Ok(None);
    };
    let value_at = |place: &Place| inbound.value_at(place).ok();
    if uses::PUBLIC_KEYS
        && let Some(confirm) = &shake.confirm
    {
        let url = value_at(&confirm.at)
            .and_then(|url| confirm.rebuild(&url, &live.pins, value_at))
            .ok_or(Verdict::Refused(Reject::UrlNotAllowed))?;
        return Ok(Some(Asked::Visit(url)));
    }
    let mut keys = live.keys.iter();
    let key = keys.find(|key| Some(&key.name) == findings.key_id.as_ref());
    Ok(reply(live, shake, inbound, key).map(Asked::Reply))
}

/// The message's type, if it is the one that asks. The type is signed, or it would be no question.
pub(super) fn question(live: &LiveSource, inbound: &Inbound<'_, '_>) -> Option<String> {
    let asking = live.scheme.question.as_ref()?;
    let place = live.scheme.event_type.first()?.place()?;
    let kind = inbound.value_at(place).ok()?;
    (kind == *asking).then_some(kind)
}

/// Allows a sender to send, if it asks as CloudEvents has it and is one of those that may. The rate
/// is only a number; whoever asks for none may send as it likes.
pub(super) fn permission(live: &LiveSource, head: &Head) -> Option<Verdict> {
    if !uses::CLOUDEVENTS || head.method != "OPTIONS" || live.allowed_origins.is_empty() {
        return None;
    }
    let asking = head.header("webhook-request-origin")?;
    let mut allowed = live.allowed_origins.iter();
    let origin = allowed.position(|allowed| allowed == asking)?;
    let rate = match head.header("webhook-request-rate") {
        None => None,
        Some(rate) => Some(rate.parse().ok().filter(|rate| *rate > 0)?),
    };
    Some(Verdict::Permitted { origin, rate })
}

/// A request that cannot be an event may be a handshake with a sender that has proved nothing. A little
/// of its body is read then, and [`greet`] tells.
///
/// # Errors
/// `otherwise`, which is why it is no event.
pub(super) fn greeting(
    live: &LiveSource,
    head: &Head,
    otherwise: Verdict,
) -> Result<Opening, Verdict> {
    let declared = head.header("content-length");
    let declared = declared.and_then(|text| text.parse::<usize>().ok());
    let declared = declared.unwrap_or_default();
    let mut greetings = live.scheme.greetings();
    let may_be = greetings.find(|shake| {
        is_in_time(shake, otherwise)
            && shake.has_method(&head.method, &live.scheme.methods)
            && (shake.is_marked_in_body() || is_marked(shake, &Inbound::new(head, &[], &[])))
            && !(shake.without_body && declared > 0)
    });
    let signs = live.scheme.credential_places();
    let mut signatures = signs.map(|place| head.value_at(place));
    // What has another method is no event, signed or not: Okta brings its secret with the GET, and X signs it.
    // Without a secret nobody can tell a signature from none.
    let is_unsigned = otherwise != Verdict::Refused(Reject::MissingSignature)
        || signatures.all(|value| value == Err(Absent::Missing));
    let Some(shake) = may_be.filter(|_| is_unsigned && declared <= GREETING_BYTES_MAX) else {
        return Err(otherwise);
    };
    Ok(Opening {
        // Whoever sends a body of no declared length may be sending an event.
        or_event: shake.without_body && live.scheme.has_body_signature(),
        claims: Claims::default(),
        body_bytes_max: live.source.body_bytes_max.min(GREETING_BYTES_MAX),
        over_length: otherwise,
        stream_bytes: None,
        unless_greeting: Some(otherwise),
        stated: OnceLock::new(),
    })
}

/// A provider may hand a secret over before the source has one. Any other source must be in order.
fn is_in_time(shake: &Handshake, otherwise: Verdict) -> bool {
    match otherwise {
        Verdict::Refused(Reject::MethodNotAllowed | Reject::MissingSignature) => true,
        Verdict::Unavailable(Trouble::SecretMissing) => shake.trust == Trust::Window,
        _ => false,
    }
}

/// The end of a request that [`greeting`] let through.
pub(super) fn greet(
    live: &LiveSource,
    inbound: &Inbound<'_, '_>,
    otherwise: Verdict,
    now_ms: i64,
    findings: &mut Findings,
) -> Verdict {
    let mut greetings = live.scheme.greetings();
    let fits = |shake: &&Handshake| {
        is_in_time(shake, otherwise)
            && shake.has_method(&inbound.head.method, &live.scheme.methods)
            && is_marked(shake, inbound)
    };
    let Some(shake) = greetings.find(fits) else {
        return otherwise;
    };
    // A secret that is missing is about events. Everything else about the source concerns this too.
    let ours = live
        .trouble
        .filter(|trouble| *trouble != Trouble::SecretMissing);
    if let Some(trouble) = ours.or(live.trouble.filter(|_| shake.trust != Trust::Window)) {
        return Verdict::Unavailable(trouble);
    }
    // A MAC under another key than the first would be a wrong answer, for which X ends the webhook at once.
    if shake.members.iter().any(Member::is_mac)
        && let Some(trouble) = live.incomplete
    {
        return Verdict::Unavailable(trouble);
    }
    if let Err(verdict) = trust(live, shake, inbound, now_ms) {
        return verdict;
    }
    match reply(live, shake, inbound, live.keys.first()) {
        None => Verdict::Refused(Reject::HandshakeRefused),
        Some(reply) => {
            findings.reply = Some(reply);
            Verdict::Challenged
        }
    }
}

fn trust(
    live: &LiveSource,
    shake: &Handshake,
    inbound: &Inbound<'_, '_>,
    now_ms: i64,
) -> Result<(), Verdict> {
    match shake.trust {
        Trust::AsEvent => Err(Verdict::Refused(Reject::HandshakeRefused)),
        Trust::Anyone => Ok(()),
        Trust::Token => {
            let Some(token) = &live.handshake_token else {
                return Err(Verdict::Unavailable(Trouble::SecretMissing));
            };
            let given = shake.token.as_ref();
            let given = given.and_then(|place| inbound.value_at(place).ok());
            // Digests are compared, so that the time says nothing about a length either.
            let given = Sha256::digest(given.unwrap_or_default().as_bytes());
            let tag = token.mac(Algorithm::Credential, None).tag();
            let is_same = tag.as_slice().ct_eq(given.as_slice()).to_bool();
            is_same
                .then_some(())
                .ok_or(Verdict::Refused(Reject::HandshakeRefused))
        }
        Trust::Window => {
            let window = live.handshake_window_ms;
            let is_open = window.is_some_and(|(from, until)| (from..until).contains(&now_ms));
            is_open
                .then_some(())
                .ok_or(Verdict::Refused(Reject::HandshakeClosed))
        }
    }
}

fn is_marked(shake: &Handshake, inbound: &Inbound<'_, '_>) -> bool {
    let value = |place: &Place| inbound.value_at(place).ok();
    let at = shake.at.as_ref().map(value);
    let has_mark = match (at, &shake.equals) {
        (None, _) => true,
        (Some(value), Some(expected)) => value.as_ref() == Some(expected),
        (Some(value), None) => value.is_some_and(|value| !value.is_empty()),
    };
    has_mark
        && (!shake.without_body || inbound.body.is_empty())
        && shake.unless.as_ref().and_then(value).is_none()
}

/// `None`: the request says something that is neither echoed nor signed.
fn reply(
    live: &LiveSource,
    shake: &Handshake,
    inbound: &Inbound<'_, '_>,
    key: Option<&LiveKey>,
) -> Option<Reply> {
    let harmless = |place: &Place| {
        let text = inbound.value_at(place).ok()?;
        let printable = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        (text.len() <= ECHO_BYTES_MAX && printable).then_some(text)
    };
    let mut reply = Reply {
        status: shake.status,
        content_type: None,
        header: None,
        body: String::new(),
        keep: None,
        fingerprint: None,
    };
    if let Some(place) = &shake.echo {
        reply.content_type = Some("text/plain; charset=utf-8");
        reply.body = harmless(place)?;
    }
    if let Some(json) = &shake.json {
        reply.body.clone_from(json);
    }
    for member in &shake.members {
        let value = match &member.value {
            Echoed::Plain(place) => harmless(place)?,
            Echoed::MacHex(place) => encode_hex(&mac(live, key?, &harmless(place)?)?),
            Echoed::MacBase64(place) => STANDARD.encode(mac(live, key?, &harmless(place)?)?),
        };
        let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
        let between = if reply.body.is_empty() { '{' } else { ',' };
        reply.body.push(between);
        reply.body.push_str(&quoted(&member.name));
        reply.body.push(':');
        reply
            .body
            .push_str(&quoted(&format!("{}{value}", member.prefix)));
    }
    if !shake.members.is_empty() {
        reply.body.push('}');
    }
    if shake.json.is_some() || !shake.members.is_empty() || shake.status == 204 {
        reply.content_type = Some("application/json");
    }
    if uses::GREETINGS {
        hand_over(shake, harmless, &mut reply)?;
    }
    Some(reply)
}

/// What is a secret of the provider's, and no echo.
fn hand_over(
    shake: &Handshake,
    harmless: impl Fn(&Place) -> Option<String>,
    reply: &mut Reply,
) -> Option<()> {
    let mut names = ECHO_HEADERS.iter();
    let header = names.find(|name| Some(**name) == shake.echo_header.as_deref());
    let echoed = match header {
        None => None,
        Some(name) => Some(harmless(&Place::Header((*name).to_owned()))?),
    };
    let kept = match &shake.keep {
        None => None,
        Some(place) => Some(harmless(place).filter(|secret| !secret.is_empty())?),
    };
    let secret = kept.as_ref().or(echoed.as_ref());
    reply.fingerprint = secret.map(|secret| encode_hex(&Sha256::digest(secret)[..16]));
    reply.header = header.copied().zip(echoed);
    reply.keep = kept;
    Some(())
}

/// The MAC of what cannot be an event.
fn mac(live: &LiveSource, key: &LiveKey, text: &str) -> Option<Vec<u8>> {
    if !is_token(text) {
        return None;
    }
    let mut mac = key.mac(live.scheme.algorithm, None);
    mac.update(text.as_bytes());
    Some(mac.tag())
}
