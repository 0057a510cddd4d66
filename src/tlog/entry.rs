//! What the log says of a record: that it was there at that time, and a commitment to all else.
//!
//! The record itself is not in the log, so that it can be deleted when its time is over. The commitment is
//! [`crate::audit::leaf_hash`], with a salt that goes with the record: who has only the log cannot find out by
//! guessing what was in it.
//!
//! ```text
//! hookgate-audit/v1 record            hookgate-audit/v1 retention
//! ID                                  ID
//! TIME                                TIME
//! base64(COMMITMENT)                  base64(COMMITMENT)
//!                                     BEFORE
//!                                     COUNT
//! ```
//!
//! Each line ends with a newline; times are milliseconds since 1970 in decimal. A run of retention is an
//! entry of its own: it says that what was recorded before a time was deleted on purpose, so that a record
//! that is missing for another reason can be told from one whose time was over. What it says of itself in the record
//! stays there.

use super::Hash;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const VERSION: &str = "hookgate-audit/v1";
/// The longest id, in characters.
pub const ID_CHARACTERS_MAX: usize = 100;

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Of the record, or of the run: an entry that comes again under its id is not another one. Printable
    /// ASCII without spaces.
    pub id: String,
    /// When it was recorded, or when the run was. In milliseconds since 1970.
    pub time_ms: i64,
    /// To the record, or to what the run says of itself there.
    pub commitment: Hash,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Record,
    /// So many records from before that time are deleted.
    Retention {
        before_ms: i64,
        count: u64,
    },
}

impl What {
    /// The verdict of the record that such an entry is of; of all but runs of retention any.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn verdict(self) -> &'static str {
        match self {
            What::Record => "",
            What::Retention { .. } => "retention",
        }
    }
}

impl Entry {
    /// The bytes that are hashed. `None`: the id is none, or a time is before 1970.
    pub fn to_text(&self) -> Option<String> {
        let Entry { id, time_ms, .. } = self;
        let (kind, rest) = match self.what {
            What::Record => ("record", String::new()),
            What::Retention { before_ms, count } => {
                (before_ms >= 0).then_some(())?;
                ("retention", format!("{before_ms}\n{count}\n"))
            }
        };
        let commitment = STANDARD.encode(self.commitment);
        (is_id(id) && *time_ms >= 0)
            .then(|| format!("{VERSION} {kind}\n{id}\n{time_ms}\n{commitment}\n{rest}"))
    }

    /// Reads an entry: one spelling for each. `None`: it is none of this version.
    pub fn parse(bytes: &[u8]) -> Option<Entry> {
        let text = str::from_utf8(bytes).ok()?;
        let mut lines = text.split('\n');
        let kind = lines.next()?.strip_prefix(VERSION)?;
        let entry = Entry {
            id: lines.next()?.to_owned(),
            time_ms: lines.next()?.parse().ok()?,
            commitment: STANDARD.decode(lines.next()?).ok()?.try_into().ok()?,
            what: match kind {
                " record" => What::Record,
                " retention" => What::Retention {
                    before_ms: lines.next()?.parse().ok()?,
                    count: lines.next()?.parse().ok()?,
                },
                _ => return None,
            },
        };
        (entry.to_text()? == text).then_some(entry)
    }
}

fn is_id(id: &str) -> bool {
    (1..=ID_CHARACTERS_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}
