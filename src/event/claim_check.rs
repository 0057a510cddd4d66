//! The claim check of a content that does not travel in its message: where it is kept, and how to
//! tell that it is still the same.
//!
//! The field's name for this pattern; in `CloudEvents` the reference is the extension `dataref`
//! (<https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/dataref.md>).

use super::Message;
use crate::hex;

/// The prefix of every content in the archive. A lifecycle rule ends its objects: see
/// `scripts/cloud-setup.mjs`, which says for how long they have to live.
const PREFIX: &str = "claim/";

/// A content in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimCheck {
    /// The object's name. Random, never made of the content: two events with one content must not
    /// share an object, whose life would be the first one's, and R2 takes one write a second a name.
    pub key: String,
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
    /// Its length.
    pub bytes: u32,
}

/// A fresh name for a content of this source. `date` begins with `yyyy-mm-dd`.
pub fn fresh_key(tenant: &str, source: &str, date: &str, random: [u8; 16]) -> String {
    let mut day = date.get(..10).unwrap_or_default().to_owned();
    day.retain(|character| character != '-');
    format!("{PREFIX}{tenant}/{source}/{day}/{}", hex::encode(&random))
}

impl ClaimCheck {
    /// What the message says of it. `None`: it says nothing that can be used.
    pub(super) fn of(message: &Message) -> Option<Self> {
        let key = message.dataref.clone()?;
        // A message may not point at what else is in the archive.
        let is_content = key.starts_with(PREFIX);
        let sha256 = hex::decode(message.datasha256.as_deref()?.as_bytes())?;
        is_content.then_some(ClaimCheck {
            key,
            sha256: sha256.try_into().ok()?,
            bytes: message.databytes?,
        })
    }

    pub(super) fn write(&self, message: &mut Message) {
        message.dataref = Some(self.key.clone());
        message.datasha256 = Some(hex::encode(&self.sha256));
        message.databytes = Some(self.bytes);
        message.data_base64 = None;
    }
}
