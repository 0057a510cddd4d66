//! One record, explained: what it means, what its sender should do, and the proof that it was logged as it stands.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Operator;
use super::explanation::explanation;
use super::query::{Query, Value};
use super::records::{ITEM, READABLE};
use crate::audit::leaf_hash;
use crate::diagnosis::Hypothesis;
use crate::hex;
use crate::quarantine::KEPT_MS;
use crate::tlog::Hash;
use crate::tlog::entry::{Entry, What};
use crate::uses;

/// Beside the text, which is hashed, stand columns by which records are searched.
const CONTRADICTS: &str = "\
(ifnull(readable ->> 'record' = 'refusal' AND readable ->> 'line' IS NULL, 0)
  AND (readable ->> 'request_id', readable ->> 'verdict', readable ->> 'reason', ifnull(readable ->> 'tenant', '_'), ifnull(readable ->> 'source', ''))
    IS NOT (id, verdict, reason, tenant, source))";

/// What is kept of its request: for as long as that may be judged again (`?2`: from this time on).
const KEPT: &str = "\
(SELECT json_object('bytes', bytes, 'kept_until', strftime('%Y-%m-%dT%H:%M:%fZ', (at_ms + ?3) / 1000.0, 'unixepoch'))
  FROM quarantine WHERE quarantine.id = ?1 AND at_ms > ?2)";

/// The statement for the record of this id. It finds what [`OneRecord::read`] reads.
pub fn query(id: &str, now_ms: i64) -> Query {
    let mut query = Query::default();
    let id = query.bind(Value::Text(id.to_owned()));
    query.bind(Value::Number(now_ms - KEPT_MS));
    query.bind(Value::Number(KEPT_MS));
    query.sql = [
        "SELECT json_array(id, tenant, at_ms || '', verdict, reason, readable ->> 'diagnosis', leaf_hash, salt, text, ",
        CONTRADICTS,
        " || '', ",
        KEPT,
        " || '', ",
        ITEM,
        " || '') AS found FROM (SELECT records.*, ",
        READABLE,
        " AS readable FROM records WHERE id = ",
        &id,
        ")",
    ]
    .concat();
    query
}

/// Whether this can be a record's id.
pub fn is_record_id(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(is_letter)
}

/// A record as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneRecord {
    pub id: String,
    pub tenant: String,
    pub at_ms: i64,
    verdict: String,
    reason: String,
    diagnosis: Option<String>,
    leaf_hash: Option<Hash>,
    /// While they are there.
    salt: Option<String>,
    text: Option<String>,
    /// The columns say otherwise than the text.
    contradicts_itself: bool,
    /// What is kept of its request, as JSON.
    kept: Option<String>,
    item: String,
}

/// What the tenant's log says of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    pub index: u64,
    /// The entry's text.
    pub entry: String,
    /// `None`: no checkpoint has it yet.
    pub proof: Option<Inclusion>,
}

/// RFC 9162, section 2.1.3: the entry is in the tree of the checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    pub size: u64,
    pub hashes: Vec<Hash>,
    pub checkpoint: String,
}

impl OneRecord {
    /// `None`: there is none, or none that the operator sees.
    pub fn read(found: &str, operator: &Operator) -> Option<OneRecord> {
        let found: Vec<Option<String>> = serde_json::from_str(found).ok()?;
        // Only the diagnosis, salt and text, and what is kept, may be missing. Asked all at once: behind each of the others it
        // would be code that takes away those before it.
        let is_there = |place: usize| found.get(place).is_some_and(Option::is_some);
        let are_there = [0, 1, 2, 3, 4, 6, 9, 11].into_iter().all(is_there);
        (are_there && found.len() == 12).then_some(())?;
        let mut columns = found.into_iter();
        let mut maybe = || columns.next().flatten();
        let leaf = |hex: String| hex::decode(hex.as_bytes())?.try_into().ok();
        let record = OneRecord {
            id: maybe().unwrap_or_default(),
            tenant: maybe().unwrap_or_default(),
            at_ms: maybe().unwrap_or_default().parse().ok()?,
            verdict: maybe().unwrap_or_default(),
            reason: maybe().unwrap_or_default(),
            diagnosis: maybe(),
            leaf_hash: maybe().and_then(leaf),
            salt: maybe(),
            text: maybe(),
            contradicts_itself: maybe().is_none_or(|contradicts| contradicts != "0"),
            kept: maybe(),
            item: maybe().unwrap_or_default(),
        };
        operator.sees(&record.tenant).then_some(record)
    }

    /// Whether text, salt and leaf hash belong together. `None`: text and salt are gone, their time was over.
    fn is_whole(&self) -> Option<bool> {
        let (Some(salt), Some(text)) = (&self.salt, &self.text) else {
            return None;
        };
        let salt: Option<[u8; 16]> =
            hex::decode(salt.as_bytes()).and_then(|salt| salt.try_into().ok());
        let leaf = salt.map(|salt| leaf_hash(&salt, text));
        Some(leaf.is_some() && leaf == self.leaf_hash)
    }

    /// The entry that the log should have of it. Of what was done to the record the entry says more: that is known by its
    /// id alone.
    pub fn expected_entry(&self) -> Option<String> {
        let entry = Entry {
            id: self.id.clone(),
            time_ms: self.at_ms,
            commitment: self.leaf_hash?,
            what: What::Record,
        };
        entry.to_text()
    }

    /// How far its log is with it. `contradicted`: what is here is not what was logged.
    fn state(&self, logged: Option<&Logged>) -> &'static str {
        let is_logged = |logged: &Logged| {
            Entry::parse(logged.entry.as_bytes()).is_some_and(|entry| {
                entry.id == self.id
                    && entry.time_ms == self.at_ms
                    && Some(entry.commitment) == self.leaf_hash
            })
        };
        if self.is_whole() == Some(false) || self.contradicts_itself {
            return "contradicted";
        }
        match logged {
            None => "unknown",
            Some(logged) if !is_logged(logged) => "contradicted",
            Some(Logged { proof: None, .. }) => "waiting",
            Some(Logged { proof: Some(_), .. }) => "logged",
        }
    }

    /// The answer's text.
    pub fn to_json(&self, logged: Option<&Logged>) -> String {
        let mut json = self.item.strip_suffix('}').unwrap_or_default().to_owned();
        let explained = explanation(&self.verdict, &self.reason);
        json += ",\"diagnosis\":";
        match self.diagnosis.as_deref() {
            None => json += "null",
            Some(name) => {
                let (title, remedy) = diagnosed(name);
                member(&mut json, "{\"name\":", name);
                member(&mut json, ",\"title\":", title);
                member(&mut json, ",\"remedy\":", remedy);
                json += "}";
            }
        }
        member(&mut json, ",\"explanation\":{\"title\":", explained.title);
        member(&mut json, ",\"detail\":", explained.detail);
        member(&mut json, ",\"what_to_do\":", explained.what_to_do);
        member(&mut json, "},\"log\":{\"tenant\":", &self.tenant);
        member(&mut json, ",\"state\":", self.state(logged));
        json += "},\"proof\":";
        match logged.and_then(|logged| Some((logged, logged.proof.as_ref()?))) {
            None => json += "null",
            Some((logged, proof)) => {
                json += &["{\"index\":", &logged.index.to_string()].concat();
                json += &[",\"size\":", &proof.size.to_string()].concat();
                json += ",\"hashes\":[";
                for (place, hash) in proof.hashes.iter().enumerate() {
                    let comma = if place > 0 { "," } else { "" };
                    member(&mut json, comma, &STANDARD.encode(hash));
                }
                member(&mut json, "],\"entry\":", &logged.entry);
                member(&mut json, ",\"checkpoint\":", &proof.checkpoint);
                for (name, value) in [(",\"salt\":", &self.salt), (",\"text\":", &self.text)] {
                    match value {
                        Some(value) => member(&mut json, name, value),
                        None => json += &[name, "null"].concat(),
                    }
                }
                json += "}";
            }
        }
        json + ",\"kept_body\":" + self.kept.as_deref().unwrap_or("null") + "}"
    }
}

/// A text as JSON, behind what stands before it.
fn member(json: &mut String, before: &str, text: &str) {
    json.push_str(before);
    // A text can be written.
    json.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// What was found, and what to do about it.
fn diagnosed(name: &str) -> (&'static str, &'static str) {
    let mut known = Hypothesis::ALL.iter();
    // A Worker that diagnoses nothing needs none of the words.
    let known = known.find(|known| uses::DIAGNOSIS && known.name() == name);
    known.map_or(
        (
            "no known mistake explains it: another secret, another text, or a forgery",
            "Compare the fingerprint of the body with the sender's, then the secrets; try hookgate diagnose with the whole request.",
        ),
        |known| (known.words(), known.remedy()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"v":1,"record":"refusal"}"#;

    fn found(text: &str, leaf: &Hash, contradicts: &str) -> String {
        let leaf = hex::encode(leaf);
        let salt = hex::encode(&[7; 16]);
        serde_json::json!([
            "req_1",
            "acme",
            "5",
            "refused",
            "stale",
            null,
            leaf,
            salt,
            text,
            contradicts,
            null,
            r#"{"id":"req_1","client_address":null}"#
        ])
        .to_string()
    }

    fn read(found: &str) -> OneRecord {
        OneRecord::read(found, &Operator::of_everything("one")).unwrap()
    }

    fn logged(id: &str, time_ms: i64, commitment: Hash) -> Logged {
        let (id, what) = (id.to_owned(), What::Record);
        let entry = Entry {
            id,
            time_ms,
            commitment,
            what,
        };
        Logged {
            index: 3,
            entry: entry.to_text().unwrap(),
            proof: Some(Inclusion {
                size: 9,
                hashes: vec![[1; 32], [2; 32]],
                checkpoint: "gate/acme\n9\n".to_owned(),
            }),
        }
    }

    #[test]
    fn what_is_not_as_it_was_logged_is_said_to_be() {
        let leaf = leaf_hash(&[7; 16], TEXT);
        let whole = read(&found(TEXT, &leaf, "0"));
        let right = logged("req_1", 5, leaf);
        assert_eq!(whole.state(Some(&right)), "logged");
        assert_eq!(whole.state(None), "unknown");
        assert_eq!(whole.expected_entry(), Some(right.entry.clone()));
        let waiting = Logged {
            proof: None,
            ..right.clone()
        };
        assert_eq!(whole.state(Some(&waiting)), "waiting");
        for other in [
            logged("req_2", 5, leaf),
            logged("req_1", 6, leaf),
            logged("req_1", 5, [0; 32]),
        ] {
            assert_eq!(whole.state(Some(&other)), "contradicted");
        }
        let altered = TEXT.replace("refusal", "refusam");
        assert_eq!(
            read(&found(&altered, &leaf, "0")).state(Some(&right)),
            "contradicted"
        );
        assert_eq!(
            read(&found(TEXT, &leaf, "1")).state(Some(&right)),
            "contradicted"
        );
    }

    #[test]
    fn a_record_of_somebody_else_is_none() {
        let found = found(TEXT, &[0; 32], "0");
        let of = |tenant| OneRecord::read(&found, &Operator::of_tenants("two", &[tenant]));
        assert!(of("acme").is_some());
        assert_eq!(of("globex"), None);
        let everything = Operator::of_everything("one");
        for none in ["", "[]", "[null]"] {
            assert_eq!(OneRecord::read(none, &everything), None, "{none}");
        }
    }

    #[test]
    fn an_answer_is_one_object() {
        let leaf = leaf_hash(&[7; 16], TEXT);
        let json = read(&found(TEXT, &leaf, "0")).to_json(Some(&logged("req_1", 5, leaf)));
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["log"]["state"], "logged");
        assert_eq!(json["explanation"]["title"], "The signature is too old");
        assert_eq!(json["proof"]["hashes"].as_array().unwrap().len(), 2);
        assert_eq!(json["proof"]["text"], TEXT);
        assert!(json["diagnosis"].is_null() && json["kept_body"].is_null());
        for name in Hypothesis::ALL.iter().map(|known| known.name()) {
            let (title, remedy) = diagnosed(name);
            assert!(!title.is_empty() && !remedy.is_empty());
        }
    }
}
