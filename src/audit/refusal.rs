//! A refusal as it is stored: one text, and the hash by which the log of the tenant knows it.
//!
//! The text is written once, at the gate, and is the same bytes from then on: in the queue, in the store, in an
//! export. So is its salt. A message that comes twice makes the same leaf.
//!
//! The client's whole address is personal data and is to go before the record does. So the text has its
//! network, and a salted hash of the address; the address and the hash's salt stand beside the text. While they are
//! there they can be checked against it. When they are gone, the hash says nothing: without the salt nobody can try
//! all addresses.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{line, shown};
use crate::gate::LiveSource;
use crate::hex;
use crate::time;

/// The version of the messages on the audit queue. A new member is optional for the reader; anything else is a
/// new version.
pub const AUDIT_VERSION: u32 = 1;
/// The tenant of what was sent to no source. No tenant's name can have this character.
pub const NO_TENANT: &str = "_";
/// A verdict's line is shorter: its texts are bounded, each by itself.
const LINE_BYTES_MAX: usize = 6_000;

/// What the gate knows of a refused request when it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draft<'a> {
    pub request_id: &'a str,
    pub tenant: &'a str,
    /// Empty: the path names none.
    pub source: &'a str,
    pub verdict: &'a str,
    pub reason: &'a str,
    pub at_ms: i64,
    /// As [`shown::path`] shows it.
    pub path: &'a str,
    /// The verdict's line in the log.
    pub line: &'a str,
}

/// What is asked for after the answer, and only of a request whose refusal is stored.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// As the platform says; empty where it does not.
    pub address: &'a str,
    /// Whether the tenant has addresses stored at all.
    pub keeps_address: bool,
    /// The number of the client's network operator; 0: unknown.
    pub asn: u32,
    pub user_agent: &'a str,
    /// One a line.
    pub header_names: &'a str,
    /// Of the body as it came, where it was read.
    pub body_sha256: Option<&'a [u8]>,
    /// The beginning of the body, where the source wants samples.
    pub body_start: &'a [u8],
    /// What would have made the signature right.
    pub diagnosis: Option<&'a str>,
}

/// One entry of the record: a refusal, or what was done to the record itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    pub id: &'a str,
    pub tenant: &'a str,
    pub source: &'a str,
    pub at_ms: i64,
    pub verdict: &'a str,
    pub reason: &'a str,
    /// The bytes that are hashed. JSON, `"v":1`.
    pub text: String,
    pub address: Option<(&'a str, [u8; 16])>,
}

#[derive(Serialize)]
struct Rest<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    asn: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_network: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_address_sha256: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    user_agent: String,
    header_names: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_sha256: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    body_sample: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnosis: Option<&'a str>,
}

impl<'a> Draft<'a> {
    /// The one text in which it waits for the facts: a member a line. None of them has a line feed.
    pub fn to_lines(self) -> String {
        let Draft {
            request_id,
            tenant,
            source,
            verdict,
            reason,
            at_ms,
            path,
            line,
        } = self;
        format!("{request_id}\n{tenant}\n{source}\n{verdict}\n{reason}\n{at_ms}\n{path}\n{line}")
    }

    /// Reads what [`Draft::to_lines`] wrote.
    pub fn from_lines(lines: &'a str) -> Option<Self> {
        let mut lines = lines.split('\n');
        let mut next = || lines.next();
        Some(Draft {
            request_id: next()?,
            tenant: next()?,
            source: next()?,
            verdict: next()?,
            reason: next()?,
            at_ms: next()?.parse().ok()?,
            path: next()?,
            line: next()?,
        })
    }

    /// The refusal with its facts. `address_salt` is fresh.
    pub fn entry(self, facts: Facts<'a>, address_salt: [u8; 16]) -> Entry<'a> {
        let network = shown::network(facts.address);
        let address = (facts.keeps_address && network.is_some()).then_some(facts.address);
        let rest = line(&Rest {
            path: self.path,
            asn: Some(facts.asn).filter(|asn| *asn != 0),
            client_network: network,
            client_address_sha256: address.map(|address| address_hash(&address_salt, address)),
            user_agent: shown::user_agent(facts.user_agent),
            header_names: shown::header_names(facts.header_names),
            body_sha256: facts.body_sha256.map(hex::encode),
            body_sample: shown::sample(facts.body_start),
            diagnosis: facts.diagnosis,
        });
        let rest = format!(",{}", rest.strip_prefix('{').unwrap_or_default());
        let text = text("refusal", self.at_ms, self.line, &rest);
        Entry {
            id: self.request_id,
            tenant: self.tenant,
            source: self.source,
            at_ms: self.at_ms,
            verdict: self.verdict,
            reason: self.reason,
            text,
            address: address.map(|address| (address, address_salt)),
        }
    }
}

#[derive(Serialize)]
struct EntryMessage<'a> {
    auditversion: u32,
    id: &'a str,
    tenant: &'a str,
    source: &'a str,
    at_ms: i64,
    verdict: &'a str,
    reason: &'a str,
    leaf_hash: String,
    salt: String,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_salt: Option<String>,
}

impl Entry<'_> {
    /// Its message on the audit queue. `salt` is fresh.
    pub fn message(&self, salt: [u8; 16]) -> String {
        line(&EntryMessage {
            auditversion: AUDIT_VERSION,
            id: self.id,
            tenant: self.tenant,
            source: self.source,
            at_ms: self.at_ms,
            verdict: self.verdict,
            reason: self.reason,
            leaf_hash: hex::encode(&leaf_hash(&salt, &self.text)),
            salt: hex::encode(&salt),
            text: &self.text,
            address: self.address.map(|(address, _)| address),
            address_salt: self.address.map(|(_, salt)| hex::encode(&salt)),
        })
    }
}

/// The record of a refusal that an operator had judged again: something that he did, and no end of a request. `line` is
/// the judgement's, which says how it ended, whose it was and who had it done.
pub fn readmission<'a>(id: &'a str, live: &'a LiveSource, line: &str, now_ms: i64) -> Entry<'a> {
    Entry {
        id,
        tenant: &live.source.tenant,
        source: &live.name,
        at_ms: now_ms,
        verdict: "admin",
        reason: "refusal_readmitted",
        text: text("readmission", now_ms, line, "}"),
        address: None,
    }
}

/// The bytes that are hashed: what kind it is, when, the members of the verdict's line, and more.
fn text(record: &str, at_ms: i64, line: &str, more: &str) -> String {
    let members = line.strip_prefix("{\"event\":\"verdict\",");
    let members = members.and_then(|line| line.strip_suffix('}'));
    let members = members.filter(|line| line.len() <= LINE_BYTES_MAX);
    // The line is the log's, member for member: whoever has one finds the other.
    format!(
        "{{\"v\":1,\"record\":\"{record}\",\"time\":\"{}\",{}{more}",
        time::rfc3339(at_ms),
        members.unwrap_or("\"line\":\"too long\""),
    )
}

/// What the log of the tenant has of a record: SHA-256 over a zero byte, the salt and the text. With the salt
/// gone it says nothing of the text, whatever of it can be guessed.
pub fn leaf_hash(salt: &[u8; 16], text: &str) -> [u8; 32] {
    let hash = Sha256::new_with_prefix([0]);
    hash.chain_update(salt).chain_update(text).finalize().into()
}

/// What the text has of the client's address.
fn address_hash(salt: &[u8; 16], address: &str) -> String {
    let hash = Sha256::new_with_prefix(salt).chain_update(address);
    hex::encode(&hash.finalize())
}
