//! What of an event is to be held, in the form in which it travels.

use js_sys::{JsString, Uint8Array};

use super::content::Deposit;
use super::fetch::Arrived;
use super::platform;
use super::record::Record;
use crate::event::{Envelope, Event};
use crate::memory::Seen;

/// One event on its way.
#[derive(Clone)]
pub struct Load {
    /// The event's key.
    pub key: String,
    /// What the memory will keep of it.
    pub seen: Seen,
    /// What the queue is given.
    pub message: JsString,
    /// What the message only refers to.
    pub deposit: Option<Deposit>,
}

impl Load {
    /// Packs an event, and says in the record what it is. `None`: no message can hold it.
    pub fn pack(mut event: Event<'_>, arrived: &Arrived, record: &mut Record) -> Option<Self> {
        if let Some(readmission) = &record.readmission {
            event.readmit(&readmission.of);
        }
        let key = event.dedup_key().to_owned();
        let (id, kind) = event.labels();
        record.event_id = Some(id.to_owned());
        record.event_type = Some(kind.to_owned());
        record.dedup_key = Some(key.clone());
        let seen = Seen {
            request_id: record.request_id.clone(),
            fingerprint: event.fingerprint(),
        };
        let envelope =
            event.into_envelope(&record.request_id, &record.traceparent, platform::random)?;
        let bytes = match (arrived, &envelope.canonical) {
            (Arrived::Streamed { upload, .. }, _) => {
                return Some(Load {
                    key,
                    seen,
                    message: envelope.before.into(),
                    deposit: Some(Deposit::Streamed(upload.clone())),
                });
            }
            (Arrived::Whole { body, .. }, None) => body.clone(),
            (_, Some(canonical)) => Uint8Array::from(canonical.as_slice()),
        };
        Some(Load {
            key,
            seen,
            message: message(&envelope, &bytes),
            deposit: envelope.apart.map(|check| Deposit::Whole { check, bytes }),
        })
    }
}

fn message(envelope: &Envelope, content: &Uint8Array) -> JsString {
    if envelope.apart.is_some() {
        return envelope.before.as_str().into();
    }
    platform::enclose_base64(&envelope.before, content, envelope.after)
}
