//! Dead letters: events that were accepted and could not be delivered.
//!
//! They are kept in the archive until an operator decides, with the reason and the attempts, the
//! message byte for byte. A letter's id follows from its event, its run and its bytes: the copies
//! that a queue may bring fold into one letter, and nothing else does. (Letters outlive the memory
//! of events, so an event's key and run alone could come again years later.)
//!
//! A message of the record that could not be stored is a letter too. It is kept without the client's address, because
//! nothing here would remove that when its time is over.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::audit::queued::{Queued, without_address};
use crate::event::{ClaimCheck, Held, HeldContent, at_run, with_content_at};
use crate::hex;
use crate::json::Members;
use crate::retry::DeathCause;
use crate::time;

/// The prefix of every dead letter in the archive.
pub const PREFIX: &str = "dead/";
/// The prefix of the contents that do not travel in their letter's message. They are copied here when
/// the letter is kept, because where they came from their life ends by itself.
const CONTENT_PREFIX: &str = "dead-content/";

/// What is sent to the dead-letter queue, and what the archive keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// The version of this format: "1".
    pub deadletterversion: String,
    pub id: String,
    pub reason: String,
    pub attempts: u32,
    /// The backend's last status, where it answered.
    pub last_status: Option<u16>,
    /// RFC 3339.
    pub died_at: String,
    /// The queue's message, byte for byte; of one of the record, without the client's address.
    pub message: String,
    /// When an operator last sent it again, RFC 3339. Marked before it is sent.
    pub redriven_at: Option<String>,
    pub redriven_run: Option<u32>,
}

impl DeadLetter {
    pub fn new(
        message: &str,
        cause: DeathCause,
        attempts: u32,
        last_status: Option<u16>,
        now_ms: i64,
    ) -> Self {
        let of_record = without_address(message);
        let message = of_record.as_deref().unwrap_or(message);
        DeadLetter {
            deadletterversion: "1".to_owned(),
            id: letter_id(message),
            reason: cause.name().to_owned(),
            attempts,
            last_status,
            died_at: time::rfc3339(now_ms),
            message: message.to_owned(),
            redriven_at: None,
            redriven_run: None,
        }
    }

    /// Reads what the archive keeps.
    pub fn from_archive(text: &str) -> Option<Self> {
        let mut members = Members::read(text)?;
        let last_status = members.number_or_none("last_status");
        let last_status = last_status.map(u16::try_from).transpose().ok()?;
        let letter = DeadLetter {
            deadletterversion: members.text("deadletterversion"),
            id: members.text("id"),
            reason: members.text("reason"),
            attempts: members.number("attempts"),
            last_status,
            died_at: members.text("died_at"),
            message: members.text("message"),
            redriven_at: members.text_or_none("redriven_at"),
            redriven_run: members.number_or_none("redriven_run"),
        };
        (members.are_sound && letter.deadletterversion == "1").then_some(letter)
    }

    /// Reads a message of the dead-letter queue: one of ours, or an event that the platform moved
    /// there by itself after its own limit of retries.
    pub fn from_queue(text: &str, now_ms: i64) -> Self {
        DeadLetter::from_archive(text)
            .filter(|letter| is_letter_id(&letter.id))
            .unwrap_or_else(|| {
                DeadLetter::new(text, DeathCause::GivenUpByPlatform, 0, None, now_ms)
            })
    }

    /// Where it is kept.
    pub fn key(&self) -> String {
        format!("{PREFIX}{}", self.id)
    }

    /// Where its event's content is kept, and where it came from. `None`: it is in the message.
    pub fn content(&self) -> Option<(String, ClaimCheck)> {
        match Held::read(&self.message).ok()?.content {
            HeldContent::Here(_) => None,
            HeldContent::Apart(check) => Some((format!("{CONTENT_PREFIX}{}", self.id), check)),
        }
    }

    /// One line of a list.
    pub fn summary(&self) -> Summary {
        let held = Held::read(&self.message).ok();
        let message = held.as_ref().map(|held| &held.message);
        let recorded = || Queued::read(&self.message)?.record;
        Summary {
            id: self.id.clone(),
            tenant: message
                .map(|message| message.tenant.clone())
                .or_else(|| recorded().map(|recorded| recorded.tenant)),
            source: message.map(|message| message.source.clone()),
            event_type: message.map(|message| message.kind.clone()),
            event_id: message.map(|message| message.id.clone()),
            request_id: message.map(|message| message.requestid.clone()),
            reason: self.reason.clone(),
            attempts: self.attempts,
            last_status: self.last_status,
            died_at: self.died_at.clone(),
            body_bytes: held.as_ref().map(|held| held.content.bytes()),
            redriven_at: self.redriven_at.clone(),
        }
    }

    /// Whether its message is one of the record, which this version can store.
    pub fn is_of_record(&self) -> bool {
        Queued::read(&self.message).is_some()
    }

    /// Marks the letter as sent again as `run`, and gives the message to send, which finds a content
    /// that is not in it under `content_key`. The mark is written
    /// first: a crash between the two leaves a letter that says it was sent and was not, which
    /// `--again` mends; the other order would leave one that was sent and does not say so.
    pub fn redrive(&mut self, run: u32, content_key: Option<&str>, now_ms: i64) -> Option<String> {
        let mut text = at_run(&self.message, run)?;
        if let Some(key) = content_key {
            text = with_content_at(&text, key)?;
        }
        self.redriven_at = Some(time::rfc3339(now_ms));
        self.redriven_run = Some(run);
        Some(text)
    }
}

/// A dead letter in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub id: String,
    pub tenant: Option<String>,
    pub source: Option<String>,
    #[serde(rename = "type")]
    pub event_type: Option<String>,
    pub event_id: Option<String>,
    pub request_id: Option<String>,
    pub reason: String,
    pub attempts: u32,
    pub last_status: Option<u16>,
    pub died_at: String,
    pub body_bytes: Option<usize>,
    pub redriven_at: Option<String>,
}

/// Two parts of the id are bounded above; a run has at most ten digits.
const LETTER_ID_CHARACTERS_MAX: usize = 64;

/// Whether `text` can be the id of a dead letter, and so a part of an archive key.
pub fn is_letter_id(text: &str) -> bool {
    (4..=LETTER_ID_CHARACTERS_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

impl Summary {
    /// A letter that is there and cannot be read: of a newer version, or damaged.
    pub fn unreadable(id: &str) -> Self {
        Summary {
            id: id.to_owned(),
            tenant: None,
            source: None,
            event_type: None,
            event_id: None,
            request_id: None,
            reason: "unreadable_letter".to_owned(),
            attempts: 0,
            last_status: None,
            died_at: String::new(),
            body_bytes: None,
            redriven_at: None,
        }
    }
}

/// How much of a key and of a digest an id shows: 64 and 96 bits.
const KEY_CHARACTERS: usize = 16;
const DIGEST_CHARACTERS: usize = 24;

fn letter_id(message: &str) -> String {
    let digest = hex::encode(&Sha256::digest(message.as_bytes()));
    let digest = &digest[..DIGEST_CHARACTERS];
    let key = Held::read(message).ok().and_then(|held| {
        let key = held.message.dedupkey.get(..KEY_CHARACTERS)?.to_owned();
        is_letter_id(&key).then(|| format!("{key}-{}", held.message.run))
    });
    format!("{}-{digest}", key.as_deref().unwrap_or("raw"))
}
