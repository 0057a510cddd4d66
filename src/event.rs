//! What is held between the answer and the backend: a CloudEvents 1.0 message in JSON.
//!
//! The body travels as `data_base64`, byte for byte. The format is pinned by `tests/formats.rs`:
//! messages of one version may be read by a Worker of another, before and after a deploy.
//!
//! An [`Event`] comes out of [`crate::admission::admit`] and nowhere else; what is read back from
//! the queue is a [`Held`], which can be delivered and run again, but not admitted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::gate::LiveSource;
use crate::keys::encode_hex;
use crate::request::Inbound;
use crate::scheme::Place;
use crate::time;
use crate::verify::Verified;

pub use crate::config::MESSAGE_BYTES_MAX;

/// Carried headers may take this much of the encoded message, where the body leaves it.
const HEADERS_BYTES_MAX: usize = 16_000;
/// Labels are cut to this length; the largest values that providers document are far shorter.
const LABEL_BYTES_MAX: usize = 200;
/// A multipart boundary alone may be 70 characters (RFC 2046, section 5.1.1).
const CONTENT_TYPE_BYTES_MAX: usize = 1_000;
/// Enough to notice by: 128 bits.
const CONTENT_DIGEST_BYTES: usize = 16;
/// The version of the message format.
pub const FORMAT_VERSION: &str = "1";

/// Carried whatever the scheme says: without them the body cannot be read.
const ALWAYS_CARRIED: [&str; 2] = ["content-type", "content-encoding"];
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
const REDACTED: &str = "hookgate-redacted";

/// A verified event, not yet held.
#[derive(Debug)]
pub struct Event {
    message: Message,
    headers: Vec<(String, String)>,
    content_digest: String,
}

/// What [`Event::admitted`] is made of.
pub(crate) struct EventParts<'a> {
    pub live: &'a LiveSource,
    pub inbound: &'a Inbound<'a>,
    /// The proof: without one there is no event.
    pub verified: Verified,
    pub received_ms: i64,
    pub dedup_key: String,
}

/// The message on the queue. CloudEvents attribute names are lower-case letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Message {
    pub specversion: String,
    /// The provider's event id, or the key where there is none.
    pub id: String,
    /// The source's name.
    pub source: String,
    /// The provider's event type, or `webhook` where there is none.
    #[serde(rename = "type")]
    pub kind: String,
    /// The signed time, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datacontenttype: Option<String>,
    /// [`FORMAT_VERSION`].
    pub hookgateversion: String,
    pub tenant: String,
    pub scheme: String,
    /// The name of the secret that matched.
    pub keyid: String,
    /// When the gate had read the request, RFC 3339.
    pub receivedtime: String,
    /// The key under which the event is remembered: 64 hex digits.
    pub dedupkey: String,
    /// 0 for the event as it came; each operator's redrive is the next run.
    pub run: u32,
    pub requestid: String,
    pub traceparent: String,
    /// A JSON array of name and value pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub originalheaders: Option<String>,
    /// How many carried headers did not fit.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub headersdropped: u32,
    /// The body as received, where `data_base64` is the verified canonical form of it and differs.
    /// Not verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unverifiedbody: Option<String>,
    pub data_base64: String,
    /// What a later version may add: handed on unchanged by one that does not know it.
    #[serde(flatten)]
    pub more: serde_json::Map<String, serde_json::Value>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Event {
    pub(crate) fn admitted(parts: EventParts<'_>) -> Self {
        let EventParts {
            live,
            inbound,
            verified,
            received_ms,
            dedup_key,
        } = parts;
        let key = live.keys.get(verified.key());
        let time_ms = verified.time_ms();
        let content_digest = encode_hex(&verified.digest()[..CONTENT_DIGEST_BYTES]);
        let canonical = verified.into_canonical();
        let label = |places: &[Place]| {
            places
                .iter()
                .find_map(|place| {
                    inbound
                        .value_at(place)
                        .ok()
                        .filter(|value| !value.is_empty())
                })
                .map(|value| cut(&value, LABEL_BYTES_MAX))
        };
        let datacontenttype = match (&canonical, live.scheme.content_is_query()) {
            (Some(_), true) => Some("application/x-www-form-urlencoded".to_owned()),
            _ => inbound
                .head
                .header("content-type")
                .map(|kind| cut(kind, CONTENT_TYPE_BYTES_MAX)),
        };
        let (data, unverified) = match canonical {
            None => (STANDARD.encode(inbound.body), None),
            Some(canonical) => {
                let differs = canonical != inbound.body && !inbound.body.is_empty();
                (
                    STANDARD.encode(canonical),
                    differs.then(|| STANDARD.encode(inbound.body)),
                )
            }
        };
        Event {
            headers: carried(live, inbound),
            content_digest,
            message: Message {
                specversion: "1.0".to_owned(),
                id: label(&live.scheme.event_id).unwrap_or_else(|| dedup_key.clone()),
                source: live.name.clone(),
                kind: label(&live.scheme.event_type).unwrap_or_else(|| "webhook".to_owned()),
                time: time_ms.map(time::rfc3339),
                datacontenttype,
                hookgateversion: FORMAT_VERSION.to_owned(),
                tenant: live.source.tenant.clone(),
                scheme: live.source.scheme.clone(),
                keyid: key.map(|key| key.name.clone()).unwrap_or_default(),
                receivedtime: time::rfc3339(received_ms),
                dedupkey: dedup_key,
                run: 0,
                requestid: String::new(),
                traceparent: String::new(),
                originalheaders: None,
                headersdropped: 0,
                unverifiedbody: unverified,
                data_base64: data,
                more: serde_json::Map::new(),
            },
        }
    }

    /// The key under which the event is remembered.
    pub fn dedup_key(&self) -> &str {
        &self.message.dedupkey
    }

    /// Tells whether another event under the same key was signed over the same content.
    pub fn content_digest(&self) -> &str {
        &self.content_digest
    }

    /// The provider's id and type, for the record.
    pub fn labels(&self) -> (&str, &str) {
        (&self.message.id, &self.message.kind)
    }

    /// The text for the queue, at most [`MESSAGE_BYTES_MAX`] long. What may be left out when it
    /// would be longer: headers, counted in `headersdropped`, and the unverified body.
    /// `None`: it does not fit all the same.
    pub fn into_message(mut self, request_id: &str, traceparent: &str) -> Option<String> {
        self.message.requestid = request_id.to_owned();
        self.message.traceparent = traceparent.to_owned();
        let mut bytes = encoded_len(&self.message)?;
        if bytes > MESSAGE_BYTES_MAX && self.message.unverifiedbody.take().is_some() {
            bytes = encoded_len(&self.message)?;
        }
        // `"originalheaders":"[]",` and `"headersdropped":NNNN,`
        let room = MESSAGE_BYTES_MAX
            .checked_sub(bytes + 64)?
            .min(HEADERS_BYTES_MAX);
        let mut kept = Vec::new();
        let mut used = 0;
        for pair in &self.headers {
            // Encoded twice: as JSON, and again as a string inside the message.
            let once = serde_json::to_string(pair).ok()?;
            let cost = serde_json::to_string(&once).ok()?.len() + 1;
            if used + cost <= room {
                used += cost;
                kept.push(pair);
            } else {
                self.message.headersdropped += 1;
            }
        }
        if !kept.is_empty() {
            self.message.originalheaders = Some(serde_json::to_string(&kept).ok()?);
        }
        let text = serde_json::to_string(&self.message).ok()?;
        (text.len() <= MESSAGE_BYTES_MAX).then_some(text)
    }
}

/// The length without copying the body once more.
fn encoded_len(message: &Message) -> Option<usize> {
    struct Counter(usize);
    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, message).ok()?;
    Some(counter.0)
}

/// At most `bytes_max` bytes, without control characters.
fn cut(text: &str, bytes_max: usize) -> String {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].replace(|character: char| character.is_control(), "?")
}

/// The headers that the backend is given: by allow-list, credentials replaced.
fn carried(live: &LiveSource, inbound: &Inbound<'_>) -> Vec<(String, String)> {
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
    let credential = |name: &str| {
        ALWAYS_CREDENTIALS.contains(&name)
            || live.scheme.credentials.iter().any(|known| known == name)
    };
    let mut headers: Vec<(String, String)> = inbound
        .head
        .headers()
        .iter()
        .filter(|(name, _)| allowed(name) && !platform(name))
        .map(|(name, value)| {
            let value = if credential(name) { REDACTED } else { value };
            (name.clone(), value.to_owned())
        })
        .collect();
    // The last are dropped first: what the body cannot be read without, and what the provider's
    // signature consists of, must not be among them.
    let scheme = &live.scheme;
    let time = scheme.time.as_ref().map(|time| &time.at);
    let claims = [Some(&scheme.signature.at), time, scheme.id.as_ref()];
    let claims: Vec<&Place> = claims.into_iter().flatten().collect();
    headers.sort_by_key(|(name, _)| {
        let place = Place::Header(name.clone());
        if ALWAYS_CARRIED.contains(&name.as_str()) {
            0
        } else if claims.contains(&&place) {
            1
        } else if scheme.event_id.contains(&place) || scheme.event_type.contains(&place) {
            2
        } else {
            3
        }
    });
    headers
}

/// A message that was read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub message: Message,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// The same message as another run of its event.
pub fn at_run(text: &str, run: u32) -> Option<String> {
    let mut message: Message = serde_json::from_str(text).ok()?;
    message.run = run;
    serde_json::to_string(&message).ok()
}

/// Why a message cannot be delivered by this Worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    NotAMessage,
    UnknownVersion,
}

impl Held {
    /// # Errors
    /// [`Unreadable`]: the message is to be kept as it is, never thrown away.
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        let message: Message = serde_json::from_str(text).map_err(|_| {
            let version = serde_json::from_str::<serde_json::Value>(text)
                .ok()
                .and_then(|value| Some(value.get("hookgateversion")?.as_str()? != FORMAT_VERSION));
            if version == Some(true) {
                Unreadable::UnknownVersion
            } else {
                Unreadable::NotAMessage
            }
        })?;
        if message.hookgateversion != FORMAT_VERSION {
            return Err(Unreadable::UnknownVersion);
        }
        let body = STANDARD
            .decode(&message.data_base64)
            .map_err(|_| Unreadable::NotAMessage)?;
        let headers = match &message.originalheaders {
            None => Vec::new(),
            Some(text) => serde_json::from_str(text).map_err(|_| Unreadable::NotAMessage)?,
        };
        Ok(Held {
            message,
            headers,
            body,
        })
    }
}
