//! Which headers of the provider go on to the backend.

use crate::gate::LiveSource;
use crate::request::Head;
use crate::scheme::{ALWAYS_CARRIED, CONTENT_ENCODING, Label, Place};

/// Live credentials whatever the scheme says.
const ALWAYS_CREDENTIALS: [&str; 7] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "x-api-key",
    "x-auth-token",
    "x-gitlab-token",
    "x-telegram-bot-api-secret-token",
];
/// Belongs to the connection or to the platform, not to the event.
const NEVER_CARRIED: [&str; 12] = [
    "connection",
    "content-length",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "true-client-ip",
    "upgrade",
    "x-real-ip",
];
/// What stands in the place of a credential.
pub const REDACTED: &str = "hookgate-redacted";

/// The headers that the backend is given: by allow-list, credentials replaced.
pub(super) fn headers(live: &LiveSource, head: &Head) -> Vec<(String, String)> {
    let allowed = |name: &str| {
        ALWAYS_CARRIED.contains(&name)
            || live
                .scheme
                .carry
                .iter()
                .any(|pattern| match pattern.strip_suffix('*') {
                    Some(prefix) => name.starts_with(prefix),
                    None => pattern == name,
                })
    };
    let platform = |name: &str| {
        NEVER_CARRIED.contains(&name) || name.starts_with("cf-") || name.starts_with("x-forwarded-")
    };
    // A canonical form is made here, and never compressed. Nothing signs the header.
    let misleads = |name: &str| name == CONTENT_ENCODING && live.scheme.is_canonicalised();
    let is_credential = |name: &str| {
        let mut places = live.scheme.credential_places();
        places.any(|place| matches!(place, Place::Header(known) if known == name))
    };
    let credential = |name: &str| {
        ALWAYS_CREDENTIALS.contains(&name)
            || live.scheme.credentials.iter().any(|known| known == name)
            || live.scheme.is_bearer() && is_credential(name)
    };
    let mut headers: Vec<(String, String)> = head
        .headers()
        .iter()
        .filter(|(name, _)| allowed(name) && !platform(name) && !misleads(name))
        .map(|(name, value)| {
            let value = if credential(name) { REDACTED } else { value };
            (name.clone(), value.to_owned())
        })
        .collect();
    // The last are dropped first: what the body cannot be read without, and what the provider's
    // signature consists of, must not be among them.
    let scheme = &live.scheme;
    let time = scheme.time.as_ref().map(|time| &time.at);
    let claims = [time, scheme.id.as_ref()].into_iter().flatten();
    let claims: Vec<&Place> = scheme.credential_places().chain(claims).collect();
    let labels = scheme.event_id.iter().chain(&scheme.event_type);
    let labels: Vec<&Place> = labels.flat_map(Label::places).collect();
    let is_among = |places: &[&Place], name: &str| {
        let mut places = places.iter();
        places.any(|place| matches!(place, Place::Header(known) if known == name))
    };
    headers.sort_by_key(|(name, _)| {
        if ALWAYS_CARRIED.contains(&name.as_str()) {
            0
        } else if is_among(&claims, name) {
            1
        } else if is_among(&labels, name) {
            2
        } else {
            3
        }
    });
    headers
}
