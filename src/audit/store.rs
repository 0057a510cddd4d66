//! The rules of the record's database: what is stored of what the audit queue brings, and when it goes again.
//!
//! The consumer hands a batch of messages over as one JSON list, and the statements of [`KEEP`] take it apart, all
//! in one transaction. The global bound is enforced here and nowhere else: of one source and minute
//! [`RECORDS_A_MINUTE`] refusals are stored, from however many isolates they come, and those above it are one more in a
//! count. What comes twice is stored once, by its id, and so are counts, by their message's. Only what is
//! over the bound is counted again if the consumer dies between its write and its acknowledgement.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::line;
use super::refusal::{AUDIT_VERSION, Entry};
use crate::config::Retention;
use crate::keys::decode_hex;
use crate::time;
use crate::tlog::entry::{Entry as Logged, What};

/// Refusals of one source and minute that are stored, whichever isolates they come from. Ten isolates that
/// are flooded at once fill it.
pub const RECORDS_A_MINUTE: u32 = 60;
/// Rows are changed in lots of so many, each well within what the platform gives a statement.
pub const LOT: u32 = 1_000;
const DAY_MS: i64 = 86_400_000;

/// What is done with a batch, as one transaction. `?1` is the list of messages, `?2` is [`RECORDS_A_MINUTE`]
/// where it stands. The last one gives the leaves of the batch.
pub const KEEP: [&str; 4] = [KEEP_RECORDS, COUNT_THE_REST, KEEP_COUNTS, LEAVES];

/// Removals and what operators did are stored whatever the bound says: no stranger makes one.
const KEEP_RECORDS: &str = "\
INSERT OR IGNORE INTO records (id, tenant, source, at_ms, verdict, reason, leaf_hash, salt, text, address, address_salt)
SELECT value ->> 'id', tenant, source, at_ms, verdict, value ->> 'reason', value ->> 'leaf_hash', value ->> 'salt',
  value ->> 'text', value ->> 'address', value ->> 'address_salt'
FROM (
  SELECT value, value ->> 'tenant' AS tenant, value ->> 'source' AS source, value ->> 'at_ms' AS at_ms,
    value ->> 'verdict' AS verdict,
    row_number() OVER (PARTITION BY value ->> 'tenant', value ->> 'source', value ->> 'at_ms' / 60000 ORDER BY key) AS place
  FROM json_each(?1)
  WHERE value ->> 'text' IS NOT NULL AND NOT EXISTS (SELECT 1 FROM records WHERE id = value ->> 'id')
) AS message
WHERE verdict IN ('retention', 'admin') OR ?2 >= place + (
  SELECT count(*) FROM records
  WHERE records.tenant = message.tenant AND records.source = message.source AND text IS NOT NULL
    AND records.at_ms >= message.at_ms / 60000 * 60000 AND records.at_ms < (message.at_ms / 60000 + 1) * 60000)";

/// Of the messages with a record those that are not stored now. Each lot is one row for its kind and minute.
const COUNT_THE_REST: &str = "\
INSERT INTO counts (tenant, minute, source, verdict, reason, message, number, first_ms, last_ms)
SELECT value ->> 'tenant', value ->> 'at_ms' / 60000, value ->> 'source', value ->> 'verdict', value ->> 'reason', '',
  count(*), min(value ->> 'at_ms'), max(value ->> 'at_ms')
FROM json_each(?1)
WHERE value ->> 'text' IS NOT NULL AND NOT EXISTS (SELECT 1 FROM records WHERE id = value ->> 'id')
GROUP BY 1, 2, 3, 4, 5
ON CONFLICT DO UPDATE SET number = number + excluded.number, first_ms = min(first_ms, excluded.first_ms),
  last_ms = max(last_ms, excluded.last_ms)";

const KEEP_COUNTS: &str = "\
INSERT OR IGNORE INTO counts (tenant, minute, source, verdict, reason, message, number, first_ms, last_ms)
SELECT item.value ->> 'tenant', item.value ->> 'minute', item.value ->> 'source', item.value ->> 'verdict',
  item.value ->> 'reason', message.value ->> 'id', item.value ->> 'number', item.value ->> 'first_ms', item.value ->> 'last_ms'
FROM json_each(?1) AS message, json_each(message.value, '$.counts') AS item";

const LEAVES: &str = "\
SELECT json_group_array(json_object('tenant', tenant, 'id', id, 'at_ms', at_ms, 'leaf_hash', leaf_hash,
  'texts_before_ms', text ->> 'texts_before_ms', 'texts', text ->> 'texts')) AS found
FROM records WHERE id IN (SELECT value ->> 'id' FROM json_each(?1) WHERE value ->> 'text' IS NOT NULL)";

/// Tenants that the record has something of, those that are not configured any more among them: one step of an index
/// for each.
pub const TENANTS: &str = "\
WITH RECURSIVE recorded(tenant) AS (
  SELECT min(tenant) FROM records WHERE text IS NOT NULL
  UNION ALL
  SELECT (SELECT min(tenant) FROM records WHERE tenant > recorded.tenant AND text IS NOT NULL) FROM recorded WHERE recorded.tenant IS NOT NULL),
counted(tenant) AS (
  SELECT min(tenant) FROM counts
  UNION ALL
  SELECT (SELECT min(tenant) FROM counts WHERE tenant > counted.tenant) FROM counted WHERE counted.tenant IS NOT NULL)
SELECT json_group_array(tenant) AS found FROM (SELECT tenant FROM recorded UNION SELECT tenant FROM counted) WHERE tenant IS NOT NULL";

/// Records of a tenant (`?1`) that are still there, behind the one of this time and id (`?2`, `?3`): at most so many (`?4`).
pub const RECORDS: &str = "\
SELECT json_group_array(json_object('id', id, 'at_ms', at_ms, 'salt', salt, 'record', text)) AS found FROM (
  SELECT id, at_ms, salt, text FROM records WHERE tenant = ?1 AND text IS NOT NULL AND (at_ms, id) > (?2, ?3)
  ORDER BY at_ms, id LIMIT ?4)";
/// How many texts and how many addresses of a tenant (`?1`) are from before two times (`?2`, `?3`). What says that
/// records were removed stays.
pub const DUE: &str = "\
SELECT json_array(
  (SELECT count(*) FROM records WHERE tenant = ?1 AND at_ms < ?2 AND text IS NOT NULL AND verdict <> 'retention'),
  (SELECT count(*) FROM records WHERE tenant = ?1 AND at_ms < ?3 AND address IS NOT NULL)) AS found";
/// Removes those of the first kind, at most so many (`?3`).
pub const REMOVE_TEXTS: &str = "\
UPDATE records SET text = NULL, salt = NULL, address = NULL, address_salt = NULL WHERE id IN (
  SELECT id FROM records WHERE tenant = ?1 AND at_ms < ?2 AND text IS NOT NULL AND verdict <> 'retention' LIMIT ?3)";
/// The same of the second.
pub const REMOVE_ADDRESSES: &str = "\
UPDATE records SET address = NULL, address_salt = NULL WHERE id IN (
  SELECT id FROM records WHERE tenant = ?1 AND at_ms < ?2 AND address IS NOT NULL LIMIT ?3)";
/// A tenant's (`?1`) counts from before a minute (`?2`).
pub const REMOVE_COUNTS: &str = "DELETE FROM counts WHERE tenant = ?1 AND minute < ?2";

/// What the last statement of [`KEEP`] gives of a record.
#[derive(Deserialize)]
struct Leaf {
    tenant: String,
    id: String,
    at_ms: i64,
    leaf_hash: String,
    texts_before_ms: Option<i64>,
    texts: Option<u64>,
}

/// The entries for each tenant's log. A row whose hash is none was put there by somebody else: it gets no place in
/// a log, and so is found out.
///
/// # Errors
/// It is no such list.
pub fn leaves(list: &str) -> Result<BTreeMap<String, Vec<Logged>>, String> {
    let list: Vec<Leaf> = serde_json::from_str(list).map_err(|error| error.to_string())?;
    let mut logs: BTreeMap<String, Vec<Logged>> = BTreeMap::new();
    for leaf in list {
        let hash = decode_hex(leaf.leaf_hash.as_bytes()).and_then(|hash| hash.try_into().ok());
        let Some(commitment) = hash else {
            continue;
        };
        logs.entry(leaf.tenant).or_default().push(Logged {
            id: leaf.id,
            time_ms: leaf.at_ms,
            commitment,
            what: match (leaf.texts_before_ms, leaf.texts) {
                (Some(before_ms), Some(count)) => What::Retention { before_ms, count },
                _ => What::Record,
            },
        });
    }
    Ok(logs)
}

/// The id of a message's record.
pub fn record_id(message: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    serde_json::from_str(message).ok().map(|Named { id }| id)
}

/// Whether a message of the audit queue can be stored by this version.
pub fn is_readable(text: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Version {
        auditversion: u32,
    }
    serde_json::from_str::<Version>(text).is_ok_and(|message| message.auditversion == AUDIT_VERSION)
}

/// What is over by now, for one tenant. Whole days: a tenant's records of a day go in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    pub texts_before_ms: i64,
    pub addresses_before_ms: i64,
}

impl Over {
    pub fn at(retention: Retention, now_ms: i64) -> Self {
        let today = now_ms.div_euclid(DAY_MS) * DAY_MS;
        let before = |days: u32| today - i64::from(days) * DAY_MS;
        Over {
            texts_before_ms: before(retention.audit_days),
            addresses_before_ms: before(retention.client_address_days),
        }
    }
}

#[derive(Serialize)]
struct Removal<'a> {
    v: u32,
    record: &'static str,
    time: String,
    tenant: &'a str,
    audit_days: u32,
    client_address_days: u32,
    texts: u32,
    texts_before_ms: i64,
    addresses: u32,
    addresses_before_ms: i64,
}

/// The record of a removal that is about to be made. It is sent before: after a crash it tells of one that the next
/// run makes, and says again, and nothing goes unsaid.
pub fn removal<'a>(
    id: &'a str,
    tenant: &'a str,
    retention: Retention,
    texts: u32,
    addresses: u32,
    now_ms: i64,
) -> Entry<'a> {
    let over = Over::at(retention, now_ms);
    Entry {
        id,
        tenant,
        source: "",
        at_ms: now_ms,
        verdict: "retention",
        reason: "",
        text: line(&Removal {
            v: 1,
            record: "retention",
            time: time::rfc3339(now_ms),
            tenant,
            audit_days: retention.audit_days,
            client_address_days: retention.client_address_days,
            texts,
            texts_before_ms: over.texts_before_ms,
            addresses,
            addresses_before_ms: over.addresses_before_ms,
        }),
        address: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_days_are_over() {
        let retention = Retention {
            audit_days: 90,
            client_address_days: 1,
        };
        // 2027-01-15 08:00 UTC.
        let over = Over::at(retention, 1_800_000_000_000);
        assert_eq!(
            time::rfc3339(over.texts_before_ms),
            "2026-10-17T00:00:00.000Z"
        );
        assert_eq!(
            time::rfc3339(over.addresses_before_ms),
            "2027-01-14T00:00:00.000Z"
        );
    }

    #[test]
    fn a_leaf_is_an_entry_of_its_tenants_log() {
        let hash = "ab".repeat(32);
        let found = format!(
            r#"[{{"tenant":"one","id":"req_1","at_ms":7,"leaf_hash":"{hash}","texts_before_ms":null,"texts":null}},
               {{"tenant":"two","id":"ret_1","at_ms":8,"leaf_hash":"{hash}","texts_before_ms":5,"texts":12}},
               {{"tenant":"two","id":"req_2","at_ms":9,"leaf_hash":"none","texts_before_ms":null,"texts":null}}]"#
        );
        let entry = |id: &str, time_ms, what| Logged {
            id: id.to_owned(),
            time_ms,
            commitment: [0xab; 32],
            what,
        };
        let retention = What::Retention {
            before_ms: 5,
            count: 12,
        };
        assert_eq!(
            leaves(&found).unwrap(),
            BTreeMap::from([
                ("one".to_owned(), vec![entry("req_1", 7, What::Record)]),
                ("two".to_owned(), vec![entry("ret_1", 8, retention)]),
            ])
        );
        assert!(leaves("[]").unwrap().is_empty());
        assert!(leaves("").is_err());
    }

    #[test]
    fn only_messages_of_this_version_are_readable() {
        for (text, readable) in [
            (r#"{"auditversion":1,"id":"req_1","another":[]}"#, true),
            (r#"{"auditversion":2,"id":"req_1"}"#, false),
            (r#"{"id":"req_1"}"#, false),
            (r#"{"auditversion":1"#, false),
            (r#"{"auditversion":1} ,"#, false),
            ("", false),
        ] {
            assert_eq!(is_readable(text), readable, "{text}");
        }
    }
}
