//! The rules of the record's database: what is stored of what the audit queue brings, and when it goes again.
//!
//! The consumer hands a batch of messages over as one JSON list, and the statements of [`KEEP`] take it apart, all
//! in one transaction. The global bounds are enforced here and nowhere else, from however many isolates refusals come:
//! see [`Bounds`]. Those above them are one more in a count. What comes twice is stored once, by its id, and counts are
//! added once, by their message's. Only what is over a bound is counted again if the consumer dies between its
//! write and its acknowledgement.

use serde::Serialize;
use serde_json::Value;

use super::line;
use super::refusal::Entry;
use crate::config::Retention;
use crate::time;

/// Rows are changed in lots of so many, each well within what the platform gives a statement.
pub const LOT: u32 = 1_000;
const DAY_MS: i64 = 86_400_000;
/// A message is known for so long: none comes again after that, because a queue keeps none for more than fourteen days.
const COUNTED_DAYS: i64 = 15;

/// How many refusals are stored, whichever isolates they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Of one source and minute. Ten isolates that are flooded at once fill it.
    pub minute: u32,
    /// Of one source and day. Behind it one of each minute is stored: whoever fills the day early does not get the rest
    /// of it unseen.
    pub day: u32,
    /// Of one tenant and day, all its sources together.
    pub tenant_day: u32,
}

impl Bounds {
    /// A row has 4.3 kB at most while its text is there (`docs/record.md` has the measurement), so that a
    /// tenant whose sources are flooded all day long, for 90 days, has less than 2 GB.
    pub const WITH_ROOM: Bounds = Bounds {
        minute: 60,
        day: 2_000,
        tenant_day: 5_000,
    };
    /// Refusals are counts then, and nothing else changes.
    pub const WITHOUT_ROOM: Bounds = Bounds {
        minute: 0,
        day: 0,
        tenant_day: 0,
    };
}

/// What is done with a batch, as one transaction. `?1` is the list of messages; the first one has a minute's, a day's
/// and a tenant's day's bound as `?2`, `?3` and `?4` besides. The last one tells which are stored: an object that
/// has for each id 1, or 0 where the row is not what the message says.
pub const KEEP: [&str; 5] = [
    KEEP_RECORDS,
    COUNT_THE_REST,
    KEEP_COUNTS,
    KNOW_THE_COUNTED,
    STORED,
];

/// Removals and what operators did are stored whatever the bounds say, and take no refusal's place: no stranger makes
/// one. So is a refusal whose request is kept, since without its record nobody could have it judged again; of those there are
/// never more than `edge/quarantine.mjs` has places. A day is counted once for a batch, and no further than its bound.
const KEEP_RECORDS: &str = "\
WITH message AS MATERIALIZED (
  SELECT key, value, value ->> 'tenant' AS tenant, value ->> 'source' AS source, value ->> 'at_ms' AS at_ms,
    value ->> 'at_ms' / 60000 AS minute, value ->> 'at_ms' / 86400000 AS day, value ->> 'verdict' AS verdict,
    value ->> 'verdict' IN ('retention', 'admin') AS is_ours
  FROM json_each(?1)
  WHERE value ->> 'text' IS NOT NULL AND NOT EXISTS (SELECT 1 FROM records WHERE id = value ->> 'id')),
of_source AS MATERIALIZED (
  SELECT tenant, source, day, (SELECT count(*) FROM (SELECT 1 FROM records
    WHERE records.tenant = message.tenant AND records.source = message.source AND text IS NOT NULL
      AND records.verdict NOT IN ('retention', 'admin')
      AND records.at_ms >= day * 86400000 AND records.at_ms < (day + 1) * 86400000 LIMIT ?3)) AS stored
  FROM message GROUP BY tenant, source, day),
of_tenant AS MATERIALIZED (
  SELECT tenant, day, (SELECT count(*) FROM (SELECT 1 FROM records
    WHERE records.tenant = message.tenant AND text IS NOT NULL AND records.verdict NOT IN ('retention', 'admin')
      AND records.at_ms >= day * 86400000 AND records.at_ms < (day + 1) * 86400000 LIMIT ?4)) AS stored
  FROM message GROUP BY tenant, day),
placed AS (
  SELECT message.*,
    of_source.stored + row_number() OVER (PARTITION BY tenant, source, day, is_ours ORDER BY key) AS in_day,
    of_tenant.stored + row_number() OVER (PARTITION BY tenant, day, is_ours ORDER BY key) AS in_tenant_day,
    row_number() OVER (PARTITION BY tenant, source, minute, is_ours ORDER BY key) + (SELECT count(*) FROM records
      WHERE records.tenant = message.tenant AND records.source = message.source AND text IS NOT NULL
        AND records.verdict NOT IN ('retention', 'admin')
        AND records.at_ms >= minute * 60000 AND records.at_ms < (minute + 1) * 60000) AS in_minute
  FROM message JOIN of_source USING (tenant, source, day) JOIN of_tenant USING (tenant, day))
INSERT OR IGNORE INTO records (id, tenant, source, at_ms, verdict, reason, leaf_hash, salt, text, address, address_salt)
SELECT value ->> 'id', tenant, source, at_ms, verdict, value ->> 'reason', value ->> 'leaf_hash', value ->> 'salt',
  value ->> 'text', value ->> 'address', value ->> 'address_salt'
FROM placed
WHERE is_ours OR EXISTS (SELECT 1 FROM quarantine WHERE quarantine.id = value ->> 'id')
  OR (in_minute <= CASE WHEN in_day <= ?3 THEN ?2 ELSE min(?2, 1) END AND in_tenant_day <= ?4)";

/// Of the messages with a record those that are not stored now. Each lot is one more in the row of its kind and minute.
const COUNT_THE_REST: &str = "\
INSERT INTO counts (tenant, minute, source, verdict, reason, message, number, first_ms, last_ms)
SELECT value ->> 'tenant', value ->> 'at_ms' / 60000, value ->> 'source', value ->> 'verdict', value ->> 'reason', '',
  count(*), min(value ->> 'at_ms'), max(value ->> 'at_ms')
FROM json_each(?1)
WHERE value ->> 'text' IS NOT NULL AND NOT EXISTS (SELECT 1 FROM records WHERE id = value ->> 'id')
GROUP BY 1, 2, 3, 4, 5
ON CONFLICT DO UPDATE SET number = number + excluded.number, first_ms = min(first_ms, excluded.first_ms),
  last_ms = max(last_ms, excluded.last_ms)";

/// One row for a kind and minute, from however many isolates its counts come.
const KEEP_COUNTS: &str = "\
INSERT INTO counts (tenant, minute, source, verdict, reason, message, number, first_ms, last_ms)
SELECT item.value ->> 'tenant', item.value ->> 'minute', item.value ->> 'source', item.value ->> 'verdict',
  item.value ->> 'reason', '', sum(item.value ->> 'number'), min(item.value ->> 'first_ms'), max(item.value ->> 'last_ms')
FROM json_each(?1) AS message, json_each(message.value, '$.counts') AS item
WHERE NOT EXISTS (SELECT 1 FROM counted
  WHERE day = message.value ->> '$.counts[0].minute' / 1440 AND id = message.value ->> 'id')
GROUP BY 1, 2, 3, 4, 5
ON CONFLICT DO UPDATE SET number = number + excluded.number, first_ms = min(first_ms, excluded.first_ms),
  last_ms = max(last_ms, excluded.last_ms)";

/// The day is the message's own, so that it is found where it was put.
const KNOW_THE_COUNTED: &str = "\
INSERT OR IGNORE INTO counted (day, id)
SELECT coalesce(value ->> '$.counts[0].minute', value ->> '$.health[0].minute') / 1440 AS day, value ->> 'id' FROM json_each(?1)
WHERE day IS NOT NULL";

/// All of a row is compared. A text that is not there any more was there for its time.
const STORED: &str = "\
SELECT json_group_object(records.id, records.leaf_hash = value ->> 'leaf_hash' AND records.tenant = value ->> 'tenant'
  AND records.source = value ->> 'source' AND records.at_ms = value ->> 'at_ms' AND records.verdict = value ->> 'verdict'
  AND records.reason = value ->> 'reason'
  AND (records.text IS NULL OR records.text = value ->> 'text' AND records.salt = value ->> 'salt')) AS found
FROM json_each(?1) JOIN records ON records.id = value ->> 'id' WHERE value ->> 'text' IS NOT NULL";

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
/// How many texts, addresses and rows of counts of a tenant (`?1`) are from before three times (`?2`, `?3`, and the minute
/// `?4`); of the last no more than `?5`. What says that records were removed stays.
pub const DUE: &str = "\
SELECT json_array(
  (SELECT count(*) FROM records WHERE tenant = ?1 AND at_ms < ?2 AND text IS NOT NULL AND verdict <> 'retention'),
  (SELECT count(*) FROM records WHERE tenant = ?1 AND at_ms < ?3 AND address IS NOT NULL),
  (SELECT count(*) FROM (SELECT 1 FROM counts WHERE tenant = ?1 AND minute < ?4 LIMIT ?5))) AS found";
/// Removes those of the first kind, at most so many (`?3`). What is left of a row goes to where such rows lie close to
/// each other: in its old place it would keep the page of the text that is gone.
/// That place is below all others: above it numbers are given out again once the newest row has moved away.
pub const REMOVE_TEXTS: &str = "\
UPDATE records SET rowid = moved.place, text = NULL, salt = NULL, address = NULL, address_salt = NULL
FROM (
  SELECT id, (SELECT min(rowid) FROM records) - row_number() OVER (ORDER BY at_ms, id) AS place FROM records
  WHERE tenant = ?1 AND at_ms < ?2 AND text IS NOT NULL AND verdict <> 'retention' LIMIT ?3) AS moved
WHERE records.id = moved.id";
/// The same of the second.
pub const REMOVE_ADDRESSES: &str = "\
UPDATE records SET address = NULL, address_salt = NULL WHERE id IN (
  SELECT id FROM records WHERE tenant = ?1 AND at_ms < ?2 AND address IS NOT NULL LIMIT ?3)";
/// The same of the third.
pub const REMOVE_COUNTS: &str = "\
DELETE FROM counts WHERE (tenant, minute, source, verdict, reason, message) IN (
  SELECT tenant, minute, source, verdict, reason, message FROM counts WHERE tenant = ?1 AND minute < ?2 LIMIT ?3)";
/// A tenant's (`?1`) counts of one hour become one row for each kind: of the first hour from a minute on (`?2`) and before
/// another (`?3`) that is not like that yet. Each row would otherwise be a hundred bytes a minute for as long as counts are
/// kept. The second statement removes what the first added up.
pub const FOLD_COUNTS: [&str; 2] = [
    "\
INSERT INTO counts (tenant, minute, source, verdict, reason, message, number, first_ms, last_ms)
SELECT tenant, minute / 60 * 60, source, verdict, reason, '', sum(number), min(first_ms), max(last_ms)
FROM counts, (SELECT min(minute) / 60 * 60 AS hour FROM counts
  WHERE tenant = ?1 AND minute >= ?2 AND minute < ?3 AND minute % 60 <> 0)
WHERE tenant = ?1 AND minute > hour AND minute < hour + 60
GROUP BY 1, 2, 3, 4, 5
ON CONFLICT DO UPDATE SET number = number + excluded.number, first_ms = min(first_ms, excluded.first_ms),
  last_ms = max(last_ms, excluded.last_ms)",
    "\
DELETE FROM counts WHERE tenant = ?1 AND minute >= ?2 AND minute < ?3 AND minute % 60 <> 0 AND minute / 60 = (
  SELECT min(minute) / 60 FROM counts WHERE tenant = ?1 AND minute >= ?2 AND minute < ?3 AND minute % 60 <> 0)",
];

/// The minutes between which [`FOLD_COUNTS`] looks: those of the day before which no count comes any more. What a day
/// without a cron leaves is as it was.
pub fn folded_minutes(now_ms: i64) -> (i64, i64) {
    let from = counted_from_day(now_ms) * 1_440;
    (from - 1_440, from)
}

/// Forgets messages of counts from before a day (`?1`), at most so many (`?2`).
pub const FORGET_THE_COUNTED: &str = "\
DELETE FROM counted WHERE (day, id) IN (SELECT day, id FROM counted WHERE day < ?1 LIMIT ?2)";

/// The day from which on messages of counts are known.
pub fn counted_from_day(now_ms: i64) -> i64 {
    now_ms.div_euclid(DAY_MS) - COUNTED_DAYS
}

/// Whether this is a message of counts that is not known any more if it was added.
pub fn are_forgotten(message: &str, now_ms: i64) -> bool {
    let message: Value = serde_json::from_str(message).unwrap_or_default();
    let minute = |of: &str| message.pointer(of)?.as_i64();
    minute("/counts/0/minute")
        .or_else(|| minute("/health/0/minute"))
        .is_some_and(|minute| minute.div_euclid(1_440) < counted_from_day(now_ms))
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
}
