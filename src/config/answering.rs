//! What a source says of its answers, and of fields that only some senders encrypt.

use super::{Destination, Source};
use crate::scheme::{AnswerStyle, Scheme};

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

/// What an operator should know who takes a sender that signs nothing.
pub(super) fn bearer_warning(name: &str, scheme: &str) -> String {
    format!(
        "[sources.{name}]: the scheme \"{scheme}\" signs nothing: whoever has seen one request can send any other, and a copy with another id is another event"
    )
}
