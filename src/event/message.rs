//! The message on the queue, written and read.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{FORMAT_VERSION, FORMAT_VERSION_APART, Unreadable};

/// The message on the queue. CloudEvents attribute names are lower-case letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datacontenttype: Option<String>,
    /// [`FORMAT_VERSION`], or [`FORMAT_VERSION_APART`].
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
    /// Of an event that was refused first: the id of that refusal, which an operator had judged again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readmitted: Option<String>,
    pub requestid: String,
    pub traceparent: String,
    /// A JSON array of name and value pairs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub originalheaders: Option<String>,
    /// How many carried headers did not fit.
    #[serde(skip_serializing_if = "is_zero")]
    pub headersdropped: u32,
    /// The body as received, where `data_base64` is the verified canonical form of it and differs.
    /// Not verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unverifiedbody: Option<String>,
    /// Where the content is, if not here: see [`super::ClaimCheck`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datasha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub databytes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_base64: Option<String>,
    /// What a later version may add: handed on unchanged by one that does not know it.
    #[serde(skip)]
    pub more: Map<String, Value>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Message {
    /// The text for the queue. What is not known here stands behind what is.
    pub(super) fn to_text(&self) -> Option<String> {
        let mut text = serde_json::to_string(self).ok()?;
        if !self.more.is_empty() {
            text.pop();
            let more = serde_json::to_string(&self.more).ok()?;
            text.push_str(&more.replacen('{', ",", 1));
        }
        Some(text)
    }

    /// Reads the members one by one: serde's way for a structure that keeps what it does not know is
    /// twenty times this code in the Worker.
    pub(super) fn from_text(text: &str) -> Result<Self, Unreadable> {
        let not_a_message = Unreadable::NotAMessage;
        let Ok(Value::Object(mut members)) = serde_json::from_str(text) else {
            return Err(not_a_message);
        };
        match members.get("hookgateversion").and_then(Value::as_str) {
            None => return Err(not_a_message),
            Some(FORMAT_VERSION | FORMAT_VERSION_APART) => {}
            Some(_) => return Err(Unreadable::UnknownVersion),
        }
        Self::from_members(&mut members).ok_or(not_a_message)
    }

    fn from_members(members: &mut Map<String, Value>) -> Option<Self> {
        let mut maybe = |name| take(members, name);
        Some(Message {
            specversion: maybe("specversion")?.text()?,
            id: maybe("id")?.text()?,
            source: maybe("source")?.text()?,
            kind: maybe("type")?.text()?,
            time: maybe("time")?.text_or_none()?,
            datacontenttype: maybe("datacontenttype")?.text_or_none()?,
            hookgateversion: maybe("hookgateversion")?.text()?,
            tenant: maybe("tenant")?.text()?,
            scheme: maybe("scheme")?.text()?,
            keyid: maybe("keyid")?.text()?,
            receivedtime: maybe("receivedtime")?.text()?,
            dedupkey: maybe("dedupkey")?.text()?,
            run: maybe("run")?.number()?,
            readmitted: maybe("readmitted")?.text_or_none()?,
            requestid: maybe("requestid")?.text()?,
            traceparent: maybe("traceparent")?.text()?,
            originalheaders: maybe("originalheaders")?.text_or_none()?,
            headersdropped: maybe("headersdropped")?.number_or_zero()?,
            unverifiedbody: maybe("unverifiedbody")?.text_or_none()?,
            dataref: maybe("dataref")?.text_or_none()?,
            datasha256: maybe("datasha256")?.text_or_none()?,
            databytes: maybe("databytes")?.number_or_none()?,
            data_base64: maybe("data_base64")?.text_or_none()?,
            more: std::mem::take(members),
        })
    }
}

/// Not inlined: it would stand in the Worker once for each member.
#[inline(never)]
fn take(members: &mut Map<String, Value>, name: &str) -> Option<Written> {
    match members.remove(name) {
        None | Some(Value::Null) => Some(Written::Absent),
        Some(Value::String(text)) => Some(Written::Text(text)),
        Some(Value::Number(number)) => Some(Written::Number(number.as_u64()?.try_into().ok()?)),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => None,
    }
}

/// A member of a message. Each method is `None` for a member of another kind.
enum Written {
    Absent,
    Text(String),
    Number(u32),
}

impl Written {
    fn text(self) -> Option<String> {
        self.text_or_none()?
    }

    fn text_or_none(self) -> Option<Option<String>> {
        match self {
            Written::Absent => Some(None),
            Written::Text(text) => Some(Some(text)),
            Written::Number(_) => None,
        }
    }

    fn number(self) -> Option<u32> {
        match self {
            Written::Number(number) => Some(number),
            Written::Absent | Written::Text(_) => None,
        }
    }

    fn number_or_none(self) -> Option<Option<u32>> {
        match self {
            Written::Absent => Some(None),
            other => other.number().map(Some),
        }
    }

    fn number_or_zero(self) -> Option<u32> {
        self.number_or_none().map(Option::unwrap_or_default)
    }
}

/// The same message as another run of its event.
pub fn at_run(text: &str, run: u32) -> Option<String> {
    let mut message = Message::from_text(text).ok()?;
    message.run = run;
    message.to_text()
}

/// The same message, its content under another name in the archive.
pub fn with_content_at(text: &str, key: &str) -> Option<String> {
    let mut message = Message::from_text(text).ok()?;
    message.dataref = Some(key.to_owned());
    message.to_text()
}
