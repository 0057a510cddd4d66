//! The message on the queue, written and read.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{FORMAT_VERSION, FORMAT_VERSION_APART, Unreadable};
use crate::json::Members;

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
        let mut members = Members::read(text).ok_or(not_a_message)?;
        match members.left.get("hookgateversion").and_then(Value::as_str) {
            None => return Err(not_a_message),
            Some(FORMAT_VERSION | FORMAT_VERSION_APART) => {}
            Some(_) => return Err(Unreadable::UnknownVersion),
        }
        let message = Self::from_members(&mut members);
        members.are_sound.then_some(message).ok_or(not_a_message)
    }

    fn from_members(members: &mut Members) -> Self {
        Message {
            specversion: members.text("specversion"),
            id: members.text("id"),
            source: members.text("source"),
            kind: members.text("type"),
            time: members.text_or_none("time"),
            datacontenttype: members.text_or_none("datacontenttype"),
            hookgateversion: members.text("hookgateversion"),
            tenant: members.text("tenant"),
            scheme: members.text("scheme"),
            keyid: members.text("keyid"),
            receivedtime: members.text("receivedtime"),
            dedupkey: members.text("dedupkey"),
            run: members.number("run"),
            readmitted: members.text_or_none("readmitted"),
            requestid: members.text("requestid"),
            traceparent: members.text("traceparent"),
            originalheaders: members.text_or_none("originalheaders"),
            headersdropped: members.number_or_none("headersdropped").unwrap_or(0),
            unverifiedbody: members.text_or_none("unverifiedbody"),
            dataref: members.text_or_none("dataref"),
            datasha256: members.text_or_none("datasha256"),
            databytes: members.number_or_none("databytes"),
            data_base64: members.text_or_none("data_base64"),
            more: std::mem::take(&mut members.left),
        }
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
