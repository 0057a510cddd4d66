//! What is held between the answer and the backend: a CloudEvents 1.0 message in JSON.
//!
//! The body travels as `data_base64`, byte for byte; where that would be too long for a message, the
//! content is in the archive and the message carries its claim check. The format is pinned by
//! `tests/formats.rs`: messages of one version may be read by a Worker of another, before and after a
//! deploy.
//!
//! An [`Event`] comes out of [`crate::admission::admit`] and nowhere else; what is read back from
//! the queue is a [`Held`], which can be delivered and run again, but not admitted.

mod carried;
mod claim_check;
mod message;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::gate::LiveSource;
use crate::request::Inbound;
use crate::scheme::{Label, Place};
use crate::time;
use crate::verify::Verified;

pub use crate::config::MESSAGE_BYTES_MAX;
pub use carried::REDACTED;
pub use claim_check::{ClaimCheck, fresh_key};
pub use message::{Message, at_run, with_content_at};

/// Carried headers may take this much of the encoded message.
const HEADERS_BYTES_MAX: usize = 16_000;
/// Labels are cut to this length; the largest values that providers document are far shorter.
const LABEL_BYTES_MAX: usize = 200;
/// A multipart boundary alone may be 70 characters (RFC 2046, section 5.1.1).
const CONTENT_TYPE_BYTES_MAX: usize = 1_000;
/// The version of the message format.
pub const FORMAT_VERSION: &str = "1";
/// The version of a message whose content is in the archive: a Worker that knows nothing of claim
/// checks keeps it apart instead of delivering an event without its content.
pub const FORMAT_VERSION_APART: &str = "2";

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
    /// It is on its way into the archive.
    Streamed(ClaimCheck),
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
    /// Where the content is to be put before this message is held. Then the message is `before` alone.
    pub apart: Option<ClaimCheck>,
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
        let content = match (canonical, inbound.streamed()) {
            (None, Some(check)) => Content::Streamed(check.clone()),
            (None, None) => Content::Body(inbound.body),
            (Some(canonical), _) => {
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
                readmitted: None,
                requestid: String::new(),
                traceparent: String::new(),
                originalheaders: None,
                headersdropped: 0,
                unverifiedbody: None,
                dataref: None,
                datasha256: None,
                databytes: None,
                data_base64: Some(String::new()),
                more: serde_json::Map::new(),
            },
        }
    }

    /// It was refused first, and an operator had it judged again.
    pub fn readmit(&mut self, refusal_id: &str) {
        self.message.readmitted = Some(refusal_id.to_owned());
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

    /// The message for the queue. A content that does not leave the headers their room goes apart, under
    /// a name made of `random`. What may be left out when it would be too long all the same: headers,
    /// counted in `headersdropped`, and the unverified body. `None`: it does not fit.
    pub fn into_envelope(
        mut self,
        request_id: &str,
        traceparent: &str,
        random: impl FnOnce() -> [u8; 16],
    ) -> Option<Envelope> {
        self.message.requestid = request_id.to_owned();
        self.message.traceparent = traceparent.to_owned();
        let (content, unverified) = match &self.content {
            Content::Body(body) => (*body, None),
            Content::Canonical(canonical, body) => (canonical.as_slice(), *body),
            Content::Streamed(_) => (&[][..], None),
        };
        let mut room = self.room_beside(content.len());
        let is_short = |room| room < HEADERS_BYTES_MAX && room < self.headers_bytes();
        let apart = match &self.content {
            Content::Streamed(check) => Some(check.clone()),
            _ if room.is_none_or(is_short) => Some(self.claim_check(content, random())),
            _ => None,
        };
        if let Some(check) = &apart {
            self.message.hookgateversion = FORMAT_VERSION_APART.to_owned();
            check.write(&mut self.message);
            room = self.room_beside(0);
        }
        let mut room = room?;
        let body_bytes = unverified.map_or(0, |body| base64_len(body.len()) + UNVERIFIED_BYTES);
        if let Some(rest) = room.checked_sub(body_bytes) {
            self.message.unverifiedbody = unverified.map(|body| STANDARD.encode(body));
            room = rest;
        }
        self.carry_what_fits(room.min(HEADERS_BYTES_MAX));
        let mut before = self.message.to_text()?;
        if apart.is_none() {
            // The content is the last attribute, and still empty.
            before.truncate(before.strip_suffix(AFTER_CONTENT)?.len());
        }
        Some(Envelope {
            before,
            after: if apart.is_none() { AFTER_CONTENT } else { "" },
            canonical: match self.content {
                Content::Body(_) | Content::Streamed(_) => None,
                Content::Canonical(canonical, _) => Some(canonical),
            },
            apart,
        })
    }

    /// What a message with so long a content leaves for the headers.
    fn room_beside(&self, content_bytes: usize) -> Option<usize> {
        MESSAGE_BYTES_MAX
            .checked_sub(self.message.to_text()?.len() + HEADERS_BYTES)?
            .checked_sub(base64_len(content_bytes))
    }

    fn claim_check(&self, content: &[u8], random: [u8; 16]) -> ClaimCheck {
        let message = &self.message;
        let (tenant, source) = (&message.tenant, &message.source);
        ClaimCheck {
            key: fresh_key(tenant, source, &message.receivedtime, random),
            sha256: Sha256::digest(content).into(),
            // What is read whole is at most a mebibyte.
            bytes: content.len() as u32,
        }
    }

    /// What all headers would take in the message.
    fn headers_bytes(&self) -> usize {
        self.headers.iter().map(|pair| cost(pair).1).sum()
    }
    /// Keeps headers for as long as there is room for what they take in the message.
    fn carry_what_fits(&mut self, room: usize) {
        let mut used = 0;
        let mut kept = Vec::new();
        for pair in &self.headers {
            let (once, cost) = cost(pair);
            if used + cost <= room {
                used += cost;
                kept.push(once);
            } else {
                self.message.headersdropped += 1;
            }
        }
        if !kept.is_empty() {
            self.message.originalheaders = Some(["[", &kept.join(","), "]"].concat());
        }
    }

    /// The message for the queue in one text. A content that goes apart is put nowhere.
    pub fn into_message(self, request_id: &str, traceparent: &str) -> Option<String> {
        let body = match self.content {
            Content::Body(body) => body,
            Content::Canonical(..) | Content::Streamed(_) => &[],
        };
        let envelope = self.into_envelope(request_id, traceparent, || [0; 16])?;
        if envelope.apart.is_some() {
            return Some(envelope.before);
        }
        let content = envelope.canonical.as_deref().unwrap_or(body);
        Some(envelope.before + &STANDARD.encode(content) + envelope.after)
    }
}

/// What stands behind the content.
const AFTER_CONTENT: &str = "\"}";
/// `"originalheaders":"[]",` and `"headersdropped":NNNN,`
const HEADERS_BYTES: usize = 64;
/// `"unverifiedbody":"",`
const UNVERIFIED_BYTES: usize = 20;

/// A header as JSON, and what it takes in the message: there it is encoded again, as a part of a string.
fn cost(pair: &(String, String)) -> (String, usize) {
    // Two texts: writing them cannot fail.
    let once = serde_json::to_string(pair).unwrap_or_default();
    let escaped = once.bytes().filter(|byte| matches!(byte, b'"' | b'\\'));
    let bytes = once.len() + escaped.count() + ",".len();
    (once, bytes)
}

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
    pub content: HeldContent,
}

/// What the backend is to be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeldContent {
    Here(Vec<u8>),
    /// In the archive.
    Apart(ClaimCheck),
}

impl HeldContent {
    /// Its length in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            HeldContent::Here(bytes) => bytes.len(),
            HeldContent::Apart(check) => check.bytes as usize,
        }
    }
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
        let not_a_message = Unreadable::NotAMessage;
        let content = match &message.data_base64 {
            Some(text) => HeldContent::Here(STANDARD.decode(text).map_err(|_| not_a_message)?),
            None => HeldContent::Apart(ClaimCheck::of(&message).ok_or(not_a_message)?),
        };
        // The version says which of the two it is.
        let is_apart = matches!(content, HeldContent::Apart(_));
        if is_apart != (message.hookgateversion == FORMAT_VERSION_APART) {
            return Err(not_a_message);
        }
        let headers = match &message.originalheaders {
            None => Vec::new(),
            Some(text) => serde_json::from_str(text).map_err(|_| not_a_message)?,
        };
        Ok(Held {
            message,
            headers,
            content,
        })
    }
}
