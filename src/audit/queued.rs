//! What the audit queue brings, read.
//!
//! The entry of the tenant's log is made of the message alone, as the gate sent it. The record's database is asked only
//! what of it is stored: whoever writes there could otherwise change a record before it is logged, and have the log vouch
//! for the change. As it is, the log has what was sent, and a row that says something else is found out: at once, by
//! [`Stored::Otherwise`], and by whoever checks the log against the rows later.

use serde::Deserialize;

use super::refusal::{AUDIT_VERSION, leaf_hash};
use crate::hex;
use crate::tlog::entry::{Entry, What};
use crate::tlog::is_tenant;

/// A message of the audit queue that this version can store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    pub id: String,
    /// `None`: it brings counts.
    pub record: Option<Recorded>,
}

/// A record's place to be: whose log, and what stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub tenant: String,
    pub entry: Entry,
}

/// What the database has of a record that a message brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    AsItCame,
    /// Somebody else wrote that row, or changed it while it was written.
    Otherwise,
    /// It was more than is stored: it is a count.
    Not,
}

/// A message of the audit queue without the client's address, for where nothing would remove it when its time is over.
/// The record is the same: its text has the network, and a hash that says nothing without its salt. `None`: it is no such
/// message.
pub fn without_address(message: &str) -> Option<String> {
    let mut members: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(message).ok()?;
    members.get("auditversion")?;
    members.remove("address");
    members.remove("address_salt");
    serde_json::to_string(&members).ok()
}

#[derive(Deserialize)]
struct Message {
    auditversion: u32,
    id: String,
    #[serde(default)]
    tenant: String,
    #[serde(default)]
    at_ms: i64,
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    leaf_hash: String,
    #[serde(default)]
    salt: String,
    text: Option<String>,
}

/// What the record of a run of retention says of itself: see [`super::store::removal`].
#[derive(Deserialize)]
struct Run {
    texts_before_ms: i64,
    texts: u64,
}

impl Queued {
    /// Reads a message. `None`: it is of another version, no tenant is called as it says, or its leaf hash is not
    /// that of its salt and text.
    pub fn read(text: &str) -> Option<Queued> {
        let message: Message = serde_json::from_str(text).ok()?;
        (message.auditversion == AUDIT_VERSION).then_some(())?;
        let Some(text) = message.text else {
            let id = message.id;
            return Some(Queued { id, record: None });
        };
        is_tenant(&message.tenant).then_some(())?;
        let salt = hex::decode(message.salt.as_bytes())?.try_into().ok()?;
        let entry = Entry {
            id: message.id,
            time_ms: message.at_ms,
            commitment: leaf_hash(&salt, &text),
            what: what_of(&message.verdict, &text)?,
        };
        let is_sound = hex::encode(&entry.commitment) == message.leaf_hash;
        (is_sound && entry.to_text().is_some()).then(|| Queued {
            id: entry.id.clone(),
            record: Some(Recorded {
                tenant: message.tenant,
                entry,
            }),
        })
    }
}

/// What an entry says besides: of a run of retention what its own record says, and nothing else.
/// `None`: it says nothing that can be read.
pub fn what_of(verdict: &str, text: &str) -> Option<What> {
    if verdict != "retention" {
        return Some(What::Record);
    }
    let run: Run = serde_json::from_str(text).ok()?;
    Some(What::Retention {
        before_ms: run.texts_before_ms,
        count: run.texts,
    })
}

/// What the last statement of [`super::store::KEEP`] tells of a record, by its id.
///
/// # Errors
/// It told nothing that can be read.
pub fn stored(told: &str) -> Result<impl Fn(&str) -> Stored + use<>, String> {
    let told: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(told).map_err(|error| error.to_string())?;
    Ok(move |id: &str| match told.get(id) {
        None => Stored::Not,
        Some(same) if same.as_i64() == Some(1) => Stored::AsItCame,
        Some(_) => Stored::Otherwise,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::store::removal;
    use crate::config::Retention;

    fn message(leaf: &str, salt: &str, version: u32) -> String {
        format!(
            r#"{{"auditversion":{version},"id":"req_1","tenant":"demo","source":"shop","at_ms":7,"verdict":"refused",
               "reason":"stale","leaf_hash":"{leaf}","salt":"{salt}","text":"{{}}"}}"#
        )
    }

    #[test]
    fn the_entry_is_made_of_the_message_alone() {
        let salt = "00".repeat(16);
        let leaf = hex::encode(&leaf_hash(&[0; 16], "{}"));
        let read = Queued::read(&message(&leaf, &salt, 1)).unwrap();
        let recorded = read.record.unwrap();
        assert_eq!((&*read.id, &*recorded.tenant), ("req_1", "demo"));
        assert_eq!(
            recorded.entry,
            Entry {
                id: "req_1".to_owned(),
                time_ms: 7,
                commitment: leaf_hash(&[0; 16], "{}"),
                what: What::Record,
            }
        );
        for (leaf, salt, version) in [
            (&*"ab".repeat(32), &*salt, 1),
            (&leaf, "00", 1),
            (&leaf, &"01".repeat(16), 1),
            (&leaf, &salt, 2),
        ] {
            assert_eq!(Queued::read(&message(leaf, salt, version)), None, "{leaf}");
        }
        let unlogged = message(&leaf, &salt, 1).replace("req_1", "req 1");
        assert_eq!(Queued::read(&unlogged), None, "no entry has such an id");
    }

    /// Its name is a part of what the log's key signs.
    #[test]
    fn nobody_elses_log_is_begun() {
        let leaf = hex::encode(&leaf_hash(&[0; 16], "{}"));
        let of = |tenant: &str| {
            let message = message(&leaf, &"00".repeat(16), 1);
            Queued::read(&message.replace("demo", tenant)).is_some()
        };
        assert!(of("acme") && of("_") && of("a-1"));
        let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
        for tenant in ["", "Acme", "acme/x", "__", &format!("acme\\n7\\n{root}")] {
            assert!(!of(tenant), "{tenant}");
        }
    }

    #[test]
    fn what_is_kept_without_an_address_is_the_same_record() {
        let leaf = hex::encode(&leaf_hash(&[0; 16], "{}"));
        let plain = message(&leaf, &"00".repeat(16), 1);
        let whole = plain.replace(
            "{\"aud",
            "{\"address\":\"203.0.113.77\",\"address_salt\":\"02\",\"aud",
        );
        assert_eq!(Queued::read(&whole), Queued::read(&plain));
        let kept = without_address(&whole).unwrap();
        assert!(
            !kept.contains("address") && !kept.contains("203.0"),
            "{kept}"
        );
        assert_eq!(Queued::read(&kept), Queued::read(&plain));
        let newer = whole.replace("\"auditversion\":1", "\"auditversion\":2");
        assert!(!without_address(&newer).unwrap().contains("203.0"));
        for other in ["", "[]", "{}", "{\"specversion\":\"1.0\",\"address\":1}"] {
            assert_eq!(without_address(other), None, "{other}");
        }
    }

    #[test]
    fn a_run_of_retention_says_in_the_log_what_its_record_says() {
        let retention = Retention {
            audit_days: 90,
            client_address_days: 30,
        };
        let run = removal("ret_1", "demo", retention, 12, 3, 1_800_000_000_000);
        let read = Queued::read(&run.message([9; 16])).unwrap();
        let what = What::Retention {
            before_ms: 1_792_195_200_000,
            count: 12,
        };
        assert_eq!(read.record.unwrap().entry.what, what);
        let silent = run.message([9; 16]).replace("texts_before_ms", "before");
        assert_eq!(Queued::read(&silent), None);
    }

    #[test]
    fn only_messages_of_this_version_are_readable() {
        for (text, readable) in [
            (r#"{"auditversion":1,"id":"cnt_1","another":[]}"#, true),
            (r#"{"auditversion":2,"id":"cnt_1"}"#, false),
            (r#"{"id":"cnt_1"}"#, false),
            (r#"{"auditversion":1"#, false),
            (r#"{"auditversion":1,"id":"cnt_1"} ,"#, false),
            ("", false),
        ] {
            let read = Queued::read(text);
            assert_eq!(read.is_some(), readable, "{text}");
            assert!(read.is_none_or(|read| read.record.is_none()));
        }
    }

    #[test]
    fn a_row_is_what_came_or_it_is_not() {
        let stored = stored(r#"{"req_1":1,"req_2":0,"req_3":null}"#).unwrap();
        let told = ["req_1", "req_2", "req_3", "req_4"].map(stored);
        let expected = [
            Stored::AsItCame,
            Stored::Otherwise,
            Stored::Otherwise,
            Stored::Not,
        ];
        assert_eq!(told, expected);
        assert!(super::stored("[]").is_err() && super::stored("").is_err());
    }
}
