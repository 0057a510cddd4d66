//! From the queue to the backend: where an event goes, and what is sent.
//!
//! A delivery is signed by us as Standard Webhooks has it. `webhook-id` is the same for every
//! attempt at an event and for every copy of it: a backend that must not act twice keys on it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::config::{Destination, SignAs};
use crate::event::{Held, HeldContent, Unreadable};
use crate::gate::{Gate, LiveDestination, LiveSource};
use crate::keys::{LiveKey, NotAKey};
use crate::retry::DeathCause;
use crate::scheme::{Algorithm, KeyEncoding, KeyForm};
use crate::split_mac::MacHash;
use crate::time;

/// What is to be done with a message of the events queue.
#[derive(Debug)]
pub enum Plan<'a> {
    Deliver {
        held: Box<Held>,
        source: &'a Arc<LiveSource>,
        route: &'a LiveDestination,
    },
    GiveUp(DeathCause),
    /// Its destination has no address or no secret here: our trouble, which may pass.
    Wait {
        destination: String,
    },
}

/// Reads a message and finds its way. A source that is gone, or has changed hands, gets nothing
/// delivered in its name.
pub fn plan<'a>(text: &str, gate: &'a Gate) -> Plan<'a> {
    let held = match Held::read(text) {
        Ok(held) => Box::new(held),
        Err(Unreadable::NotAMessage) => return Plan::GiveUp(DeathCause::Unreadable),
        Err(Unreadable::UnknownVersion) => return Plan::GiveUp(DeathCause::UnknownVersion),
    };
    let Some(source) = gate.source_of(&held.message.tenant, &held.message.source) else {
        return Plan::GiveUp(DeathCause::UnknownSource);
    };
    let destination = &source.source.destination;
    match gate.destination(destination) {
        Some(route) => Plan::Deliver {
            held,
            source,
            route,
        },
        None => Plan::Wait {
            destination: destination.clone(),
        },
    }
}

/// The key that signs deliveries to one destination.
#[derive(Debug)]
pub struct DeliveryKey(LiveKey);

impl DeliveryKey {
    /// # Errors
    /// The secret is empty or not `whsec_` and base64.
    pub fn new(name: &str, secret: &str) -> Result<Self, NotAKey> {
        let form = KeyForm {
            encoding: KeyEncoding::Base64,
            strip: vec!["whsec_".to_owned()],
            append: None,
        };
        LiveKey::new(name, secret, &form, Algorithm::HmacSha256).map(DeliveryKey)
    }

    /// The headers of a message of ours that is no delivery, by the names of Standard Webhooks.
    pub fn headers_of(&self, id: &str, body: &str, now_ms: i64) -> Vec<(String, String)> {
        let timestamp = timestamp(now_ms);
        let mut mac = self.0.mac(Algorithm::HmacSha256, None);
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        let signature = format!("v1,{}", STANDARD.encode(mac.tag()));
        let headers = [
            ("webhook-id", id),
            ("webhook-timestamp", &timestamp),
            ("webhook-signature", &signature),
            ("content-type", "application/json"),
            ("user-agent", "hookgate"),
        ];
        let owned = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        owned.into()
    }

    /// See [`LiveKey::fingerprint`].
    pub fn fingerprint(&self) -> [u8; 32] {
        self.0.fingerprint()
    }
}

/// The public form of an event's key: the idempotency key of every delivery of it.
pub fn webhook_id(held: &Held) -> String {
    public_id(&held.message.dedupkey)
}

/// What an event is called outside the gate.
pub fn public_id(dedup_key: &str) -> String {
    format!("hg_{}", dedup_key.get(..40).unwrap_or(dedup_key))
}

/// What the signature's inner hash is made of in front of a content that is not here (see
/// [`crate::split_mac`]).
pub fn before_content(held: &Held, key: &DeliveryKey, now_ms: i64) -> Vec<u8> {
    let mut before = key.0.inner_block(MacHash::Sha256);
    before.extend(signed_head(held, now_ms).into_bytes());
    before
}

/// The signed string up to the content, as Standard Webhooks has it.
fn signed_head(held: &Held, now_ms: i64) -> String {
    format!("{}.{}.", webhook_id(held), timestamp(now_ms))
}

fn timestamp(now_ms: i64) -> String {
    time::format(now_ms, crate::scheme::TimeUnit::Seconds)
}

/// The headers of a delivery. `attempt` counts from 1. `inner_hash` is that over [`before_content`] at
/// the same time and the content, where the content is not here.
pub fn headers(
    held: &Held,
    destination: &Destination,
    key: &DeliveryKey,
    attempt: u32,
    now_ms: i64,
    inner_hash: &[u8],
) -> Vec<(String, String)> {
    let id = webhook_id(held);
    let timestamp = timestamp(now_ms);
    let tag = match &held.content {
        HeldContent::Here(content) => {
            let mut mac = key.0.mac(Algorithm::HmacSha256, None);
            mac.update(signed_head(held, now_ms).as_bytes());
            mac.update(content);
            mac.tag()
        }
        HeldContent::Apart(_) => key.0.tag_of(MacHash::Sha256, inner_hash),
    };
    let signature = format!("v1,{}", STANDARD.encode(tag));
    let prefix = match destination.sign {
        SignAs::Gate => "webhook",
        SignAs::Original => "hookgate",
    };
    let message = &held.message;
    let mut ours = vec![
        (format!("{prefix}-id"), id.clone()),
        (format!("{prefix}-timestamp"), timestamp),
        (format!("{prefix}-signature"), signature),
        ("hookgate-event-id".to_owned(), header_text(&message.id)),
        ("hookgate-event-type".to_owned(), header_text(&message.kind)),
        ("hookgate-source".to_owned(), message.source.clone()),
        ("hookgate-tenant".to_owned(), message.tenant.clone()),
        ("hookgate-scheme".to_owned(), message.scheme.clone()),
        ("hookgate-received".to_owned(), message.receivedtime.clone()),
        ("hookgate-request-id".to_owned(), message.requestid.clone()),
        ("hookgate-attempt".to_owned(), attempt.to_string()),
        ("hookgate-run".to_owned(), message.run.to_string()),
        ("traceparent".to_owned(), message.traceparent.clone()),
    ];
    if message.readmitted.is_some() {
        ours.push(("hookgate-readmitted".to_owned(), "true".to_owned()));
    }
    let mut all: Vec<(String, String)> = held
        .headers
        .iter()
        .map(|(name, value)| {
            // A sender must not be able to speak in our name, even in headers we do not send yet.
            let taken =
                name.starts_with("hookgate-") || ours.iter().any(|(known, _)| known == name);
            let name = if taken {
                format!("hookgate-original-{name}")
            } else {
                name.clone()
            };
            (name, header_text(value))
        })
        .collect();
    if let Some(kind) = &message.datacontenttype {
        all.retain(|(name, _)| name != "content-type");
        all.push(("content-type".to_owned(), header_text(kind)));
    }
    all.append(&mut ours);
    all
}

/// A field value in visible ASCII (RFC 9110, section 5.5); anything else is percent-encoded.
fn header_text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' => safe.push(byte as char),
            other => safe.push_str(&format!("%{other:02X}")),
        }
    }
    safe
}

/// What a queue carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueRole {
    Events,
    /// Events whose backend does not take them at once.
    Slow,
    DeadLetters,
    /// What goes into the record.
    Audit,
}

/// The role of a queue, by its name in wrangler.toml: a prefix, and the environment behind it.
pub fn queue_role(name: &str) -> Option<QueueRole> {
    if name.starts_with("hookgate-dead-letters") {
        Some(QueueRole::DeadLetters)
    } else if name.starts_with("hookgate-events") {
        Some(QueueRole::Events)
    } else if name.starts_with("hookgate-slow") {
        Some(QueueRole::Slow)
    } else if name.starts_with("hookgate-audit") {
        Some(QueueRole::Audit)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queues_name_says_what_it_carries() {
        assert_eq!(queue_role("hookgate-events"), Some(QueueRole::Events));
        assert_eq!(
            queue_role("hookgate-dead-letters-staging"),
            Some(QueueRole::DeadLetters)
        );
        assert_eq!(
            queue_role("hookgate-slow-production"),
            Some(QueueRole::Slow)
        );
        assert_eq!(queue_role("hookgate-audit-test"), Some(QueueRole::Audit));
        assert_eq!(queue_role("orders"), None);
    }
}
