//! Under which key an event is remembered.

use sha2::{Digest as _, Sha256};

use super::Findings;
use crate::gate::LiveSource;
use crate::hex;
use crate::request::Inbound;
use crate::scheme::{BearerRule, IdentityRule, Place};
use crate::verify::{Verified, digest_part};

/// The key under which the event is remembered: SHA-256 over a version, the tenant, the source (or
/// the group it shares its secret with) and the identity, each with its length in front.
pub(super) fn dedup_key(
    live: &LiveSource,
    verified: &Verified<'_>,
    inbound: &Inbound<'_, '_>,
    now_ms: i64,
    findings: &mut Findings,
) -> String {
    let mut digest = of_source(live);
    findings.identity = Some(identify(
        live,
        verified,
        inbound,
        now_ms,
        &mut digest,
        findings,
    ));
    hex::encode(&digest.finalize())
}

/// The keys that an event with this id may have, by each rule whose identity is one value. None where the
/// scheme knows its events by several values, or by their content.
pub fn keys_of_id(live: &LiveSource, id: &str) -> Vec<String> {
    let rules = live.scheme.identity.iter();
    rules
        .filter_map(only_place)
        .map(|place| {
            let mut digest = of_source(live);
            digest_value(&mut digest, place, id);
            hex::encode(&digest.finalize())
        })
        .collect()
}

fn only_place(rule: &IdentityRule) -> Option<&Place> {
    match rule {
        IdentityRule::SignedId(place) => Some(place),
        IdentityRule::Fields(places) | IdentityRule::Bearer(BearerRule { fields: places, .. }) => {
            match places.as_slice() {
                [place] => Some(place),
                _ => None,
            }
        }
        IdentityRule::Digest(_) | IdentityRule::Ping(_) => None,
    }
}

/// What stands in front of an identity: whose it is.
fn of_source(live: &LiveSource) -> Sha256 {
    let mut digest = Sha256::new();
    digest_part(&mut digest, b"hookgate event key 1");
    digest_part(&mut digest, live.source.tenant.as_bytes());
    match &live.source.shared_secret {
        Some(group) => {
            digest_part(&mut digest, b"group");
            digest_part(&mut digest, group.as_bytes());
        }
        None => {
            digest_part(&mut digest, b"source");
            digest_part(&mut digest, live.name.as_bytes());
        }
    }
    digest
}

/// The place belongs to the identity: two rules of one scheme never collide.
fn digest_value(digest: &mut Sha256, place: &Place, value: &str) {
    digest_part(digest, place.to_string().as_bytes());
    digest_part(digest, value.as_bytes());
}

/// Digests the identity by the first rule whose places are all present. A genuine event is never
/// turned away for lacking an id: the digest of what was signed always exists.
fn identify(
    live: &LiveSource,
    verified: &Verified<'_>,
    inbound: &Inbound<'_, '_>,
    now_ms: i64,
    digest: &mut Sha256,
    findings: &mut Findings,
) -> &'static str {
    let values_at = |places: &[Place]| -> Option<Vec<String>> {
        places
            .iter()
            .map(|place| {
                inbound
                    .value_at(place)
                    .ok()
                    .filter(|value| !value.is_empty())
            })
            .collect()
    };
    for rule in &live.scheme.identity {
        let (kind, places) = match rule {
            IdentityRule::SignedId(place) => ("signed-id", std::slice::from_ref(place)),
            IdentityRule::Fields(places) => ("fields", places.as_slice()),
            IdentityRule::Bearer(rule) => {
                let several = rule.unless.as_ref();
                if several.is_some_and(|place| inbound.value_at(place).is_ok()) {
                    continue;
                }
                ("bearer", rule.fields.as_slice())
            }
            IdentityRule::Digest(rule) => {
                digest_content(digest, live, verified, inbound);
                if let Some(time_ms) = verified.time_ms().filter(|_| rule.time) {
                    digest_part(digest, &time_ms.to_be_bytes());
                }
                for place in &rule.with {
                    let value = inbound.value_at(place).unwrap_or_default();
                    digest_part(digest, value.as_bytes());
                }
                if let Some(place) = &rule.discriminator {
                    let value = inbound.value_at(place).unwrap_or_default();
                    // Another path than the scheme's would have found no source.
                    let listed = *place == Place::LastSegment
                        || live.source.discriminator_values.contains(&value);
                    findings.discriminator_unlisted = !listed;
                    // All that are not listed are one: the header is not signed.
                    digest_part(digest, if listed { value.as_bytes() } else { b"" });
                }
                return "digest";
            }
            IdentityRule::Ping(_) => {
                digest_content(digest, live, verified, inbound);
                let window = live.scheme.ping_ms().map(|ms| now_ms.div_euclid(ms));
                digest_part(digest, &window.unwrap_or(now_ms).to_be_bytes());
                return "ping";
            }
        };
        if let Some(values) = values_at(places) {
            for (place, value) in places.iter().zip(&values) {
                digest_value(digest, place, value);
            }
            return kind;
        }
    }
    digest_content(digest, live, verified, inbound);
    "fallback-digest"
}

fn digest_content(
    digest: &mut Sha256,
    live: &LiveSource,
    verified: &Verified<'_>,
    inbound: &Inbound<'_, '_>,
) {
    digest_part(digest, b"digest");
    digest_part(digest, &verified.digest());
    // The body is not among the signed parts where a token is all that is signed, and where it is
    // covered by a digest of its own.
    if live.scheme.bears_token() || live.scheme.body_md5.is_some() {
        digest_part(digest, inbound.body);
    }
}
