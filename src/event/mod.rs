//! What is held between the answer and the backend: a CloudEvents 1.0 message in JSON.
//!
//! The body travels as `data_base64`, byte for byte. The format is pinned by `tests/formats.rs`:
//! messages of one version may be read by a Worker of another, before and after a deploy.
//!
//! An [`Event`] comes out of [`crate::admission::admit`] and nowhere else; what is read back from
//! the queue is a [`Held`], which can be delivered and run again, but not admitted.

mod carried;
mod message;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::gate::LiveSource;
use crate::request::Inbound;
use crate::scheme::{Label, Place};
use crate::time;
use crate::verify::Verified;

pub use crate::config::MESSAGE_BYTES_MAX;
pub use message::{Message, at_run};

/// Carried headers may take this much of the encoded message, where the body leaves it.
const HEADERS_BYTES_MAX: usize = 16_000;
/// Labels are cut to this length; the largest values that providers document are far shorter.
const LABEL_BYTES_MAX: usize = 200;
/// A multipart boundary alone may be 70 characters (RFC 2046, section 5.1.1).
const CONTENT_TYPE_BYTES_MAX: usize = 1_000;
/// The version of the message format.
pub const FORMAT_VERSION: &str = "1";

/// A verified event, not yet held.
#[derive(Debug)]
pub struct Event<'b> {
    /// Without its content.
    message: Message,
    headers: Vec<(String, String)>,
    content: Content<'b>,
    fingerprint: u64,
}

/// What the backend is given.
#[derive(Debug)]
enum Content<'b> {
    Body(&'b [u8]),
    /// The verified form of the body, and the body where it differs from it.
    Canonical(Vec<u8>, Option<&'b [u8]>),
}

/// A message for the queue, at most [`MESSAGE_BYTES_MAX`] long: these two texts with the content in
/// base64 between them. So the longest part needs no escaping, and can be encoded by whoever does it
/// fastest.
#[derive(Debug)]
pub struct Envelope {
    pub before: String,
    /// `None`: the body as received.
    pub canonical: Option<Vec<u8>>,
    pub after: &'static str,
}

/// What [`Event::admitted`] is made of.
pub(crate) struct EventParts<'a, 'b> {
    pub live: &'a LiveSource,
    pub inbound: &'a Inbound<'a, 'b>,
    /// The proof: without one there is no event.
    pub verified: Verified<'a>,
    pub received_ms: i64,
    pub dedup_key: String,
}

impl<'b> Event<'b> {
    pub(crate) fn admitted(parts: EventParts<'_, 'b>) -> Self {
        let EventParts {
            live,
            inbound,
            verified,
            received_ms,
            dedup_key,
        } = parts;
        let keyid = verified.key_name(&live.keys).unwrap_or_default().to_owned();
        let time_ms = verified.time_ms();
        let fingerprint = verified.fingerprint();
        let canonical = verified.into_canonical();
        let value_at = |place: &Place| {
            let value = inbound.value_at(place).ok()?;
            (!value.is_empty()).then_some(value)
        };
        let label = |labels: &[Label]| {
            let text = labels.iter().find_map(|label| label.read(value_at))?;
            Some(cut(&text, LABEL_BYTES_MAX))
        };
        let is_query = live.scheme.content_is_query() || live.scheme.signs_headers();
        let datacontenttype = match (&canonical, is_query) {
            (Some(_), true) => Some("application/x-www-form-urlencoded".to_owned()),
            _ => inbound
                .head
                .header("content-type")
                .map(|kind| cut(kind, CONTENT_TYPE_BYTES_MAX)),
        };
        let content = match canonical {
            None => Content::Body(inbound.body),
            Some(canonical) => {
                let differs = canonical != inbound.body && !inbound.body.is_empty();
                Content::Canonical(canonical, differs.then_some(inbound.body))
            }
        };
        Event {
            headers: carried::headers(live, inbound.head),
            content,
            fingerprint,
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
                keyid,
                receivedtime: time::rfc3339(received_ms),
                dedupkey: dedup_key,
                run: 0,
                requestid: String::new(),
                traceparent: String::new(),
                originalheaders: None,
                headersdropped: 0,
                unverifiedbody: None,
                data_base64: String::new(),
                more: serde_json::Map::new(),
            },
        }
    }

    /// The key under which the event is remembered.
    pub fn dedup_key(&self) -> &str {
        &self.message.dedupkey
    }

    /// Tells whether another event under the same key was signed over the same content.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// The provider's id and type, for the record.
    pub fn labels(&self) -> (&str, &str) {
        (&self.message.id, &self.message.kind)
    }

    /// The message for the queue. What may be left out when it would be too long: headers, counted in
    /// `headersdropped`, and the unverified body. `None`: it does not fit all the same.
    pub fn into_envelope(mut self, request_id: &str, traceparent: &str) -> Option<Envelope> {
        self.message.requestid = request_id.to_owned();
        self.message.traceparent = traceparent.to_owned();
        let (content_bytes, unverified) = match &self.content {
            Content::Body(body) => (body.len(), None),
            Content::Canonical(canonical, body) => (canonical.len(), *body),
        };
        let attributes_bytes = self.message.to_text()?.len();
        let room = MESSAGE_BYTES_MAX
            .checked_sub(attributes_bytes)?
            .checked_sub(base64_len(content_bytes))?;
        let body_bytes = unverified.map_or(0, |body| base64_len(body.len()) + UNVERIFIED_BYTES);
        let room = match room.checked_sub(body_bytes) {
            Some(rest) => {
                self.message.unverifiedbody = unverified.map(|body| STANDARD.encode(body));
                rest
            }
            None => room,
        };
        self.carry_what_fits(room.checked_sub(HEADERS_BYTES)?.min(HEADERS_BYTES_MAX))?;
        let mut before = self.message.to_text()?;
        // The content is the last attribute, and still empty.
        before.truncate(before.strip_suffix(AFTER_CONTENT)?.len());
        Some(Envelope {
            before,
            canonical: match self.content {
                Content::Body(_) => None,
                Content::Canonical(canonical, _) => Some(canonical),
            },
            after: AFTER_CONTENT,
        })
    }

    /// Keeps headers for as long as there is room for what they take in the message.
    fn carry_what_fits(&mut self, room: usize) -> Option<()> {
        let mut used = 0;
        let mut kept = Vec::new();
        for pair in &self.headers {
            // Encoded twice: as JSON, and again as a string inside the message.
            let once = serde_json::to_string(pair).ok()?;
            let escaped = once.bytes().filter(|byte| matches!(byte, b'"' | b'\\'));
            let cost = once.len() + escaped.count() + ",".len();
            if used + cost <= room {
                used += cost;
                kept.push(once);
            } else {
                self.message.headersdropped += 1;
            }
        }
        if !kept.is_empty() {
            self.message.originalheaders = Some(format!("[{}]", kept.join(",")));
        }
        Some(())
    }

    /// The message for the queue in one text.
    pub fn into_message(self, request_id: &str, traceparent: &str) -> Option<String> {
        let body = match self.content {
            Content::Body(body) => Some(body),
            Content::Canonical(..) => None,
        };
        let envelope = self.into_envelope(request_id, traceparent)?;
        let content = envelope.canonical.as_deref().or(body)?;
        Some(envelope.before + &STANDARD.encode(content) + envelope.after)
    }
}

/// What stands behind the content.
const AFTER_CONTENT: &str = "\"}";
/// `"originalheaders":"[]",` and `"headersdropped":NNNN,`
const HEADERS_BYTES: usize = 64;
/// `"unverifiedbody":"",`
const UNVERIFIED_BYTES: usize = 20;

fn base64_len(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// At most `bytes_max` bytes, without control characters.
fn cut(text: &str, bytes_max: usize) -> String {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].replace(|character: char| character.is_control(), "?")
}

/// A message that was read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub message: Message,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
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
        let message = Message::from_text(text)?;
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
