//! What a source says of its answers, and of fields that only some senders encrypt.

use super::names::is_secret_name;
use super::{Destination, Source};
use crate::scheme::{AnswerStyle, IdentityRule, Part, Scheme, Trust};

pub(super) fn answering_faults(source: &Source, scheme: &Scheme) -> Vec<String> {
    let mut faults = Vec::new();
    if let Some(url) = &source.front_end_url {
        if scheme.answer != AnswerStyle::Koogallery {
            faults.push(format!(
                "front_end_url is set, but the scheme \"{}\" answers no newInstance",
                source.scheme
            ));
        }
        if !url.starts_with("https://") || !Destination::is_url(url) {
            faults.push(format!("front_end_url = \"{url}\": write an https URL"));
        }
    }
    if source.decrypt_fields && scheme.encrypted_fields.is_empty() {
        faults.push(format!(
            "decrypt_fields is set, but the scheme \"{}\" encrypts no fields",
            source.scheme
        ));
    }
    if !source.allowed_origins.is_empty() && !scheme.reads_cloudevents() {
        faults.push(format!(
            "allowed_origins is set, but senders of the scheme \"{}\" do not ask for permission",
            source.scheme
        ));
    }
    let in_body = scheme.is_bearer() && scheme.has_body_signature();
    if in_body && !source.accept_credential_in_body {
        faults.push(format!(
            "the credential of \"{}\" stands in the body, so everything that holds an event holds the credential: set accept_credential_in_body = true if that is accepted",
            source.scheme
        ));
    } else if !in_body && source.accept_credential_in_body {
        faults.push(
            "accept_credential_in_body is for schemes whose credential stands in the body".into(),
        );
    }
    faults.extend(handshake_faults(source, scheme));
    for origin in &source.allowed_origins {
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
        if origin.is_empty() || !origin.bytes().all(is_host) {
            faults.push(format!(
                "allowed_origins: \"{origin}\" is not an origin: write the host name that the sender gives, in full"
            ));
        }
    }
    faults
}

fn handshake_faults(source: &Source, scheme: &Scheme) -> Vec<String> {
    let mut faults = Vec::new();
    let has = |trust: Trust| scheme.handshakes.iter().any(|shake| shake.trust == trust);
    match (&source.handshake_token, has(Trust::Token)) {
        (None, true) => faults.push(format!(
            "handshake_token is missing: the scheme \"{}\" shows a token in its handshake: name a Worker secret of that value",
            source.scheme
        )),
        (Some(_), false) => faults.push(format!(
            "handshake_token is set, but the scheme \"{}\" shows none",
            source.scheme
        )),
        (Some(token), true) if !is_secret_name(token.name()) => faults.push(format!(
            "handshake_token = \"{}\": use A-Z, 0-9 and _, beginning with a letter",
            token.name()
        )),
        (Some(token), true) if source.secrets.contains(token) => faults.push(
            "handshake_token travels in a URL: use another secret than those of `secrets`".into(),
        ),
        _ => {}
    }
    if let Some(opens) = &source.handshake_opens {
        if !has(Trust::Window) {
            faults.push(format!(
                "handshake_opens is set, but the scheme \"{}\" hands no secret over",
                source.scheme
            ));
        }
        let form = b"dddd-dd-ddTdd:dd:ddZ";
        let fits =
            |(byte, form): (u8, &u8)| byte == *form || (*form == b'd' && byte.is_ascii_digit());
        let is_time = opens.len() == form.len() && opens.bytes().zip(form).all(fits);
        if !is_time && !opens.strip_prefix('$').is_some_and(is_secret_name) {
            faults.push(format!(
                "handshake_opens = \"{opens}\": write a time in UTC, as in 2026-01-31T09:00:00Z, or $NAME for a Worker variable"
            ));
        }
    }
    faults
}

/// What an operator should know who takes a sender that does not sign the event.
pub(super) fn bearer_warning(name: &str, scheme_name: &str, scheme: &Scheme) -> String {
    // By anything else the rest of the request, which is not signed, makes another event of it.
    let by_what_is_signed = |rule: &IdentityRule| {
        matches!(rule, IdentityRule::SignedId(_) | IdentityRule::Fields(_))
            || scheme.signed.contains(&Part::FirstItem)
    };
    let what = if scheme.is_bearer() {
        "signs nothing: whoever has seen one request can send any other, and a copy with another id is another event"
    } else if scheme.identity.iter().all(by_what_is_signed) {
        "proves who sends and not all that is sent: whoever has seen one request can write another in its place, and what comes first is the event"
    } else {
        "proves who sends and not what is sent: whoever has seen one request can send others under its signature, and each is another event"
    };
    format!("[sources.{name}]: the scheme \"{scheme_name}\" {what}")
}
