//! The alerts' statements for the record's database. What they find is one text with a line for each [`Row`]: reading
//! lists of values would be several times the code.

/// Something that the database has of a source, as `kind, tenant, source, name, numbers` with tabs in between. Names are
/// ours, or keys' ids, which have no control characters; numbers stand with commas, in brackets or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    pub kind: &'a str,
    pub tenant: &'a str,
    pub source: &'a str,
    pub name: &'a str,
    numbers: &'a str,
}

impl<'a> Row<'a> {
    /// `None`: it is no such line.
    pub fn of_line(line: &'a str) -> Option<Self> {
        let mut parts = line.split('\t');
        Some(Row {
            kind: parts.next()?,
            tenant: parts.next()?,
            source: parts.next()?,
            name: parts.next()?,
            numbers: parts.next()?,
        })
    }

    /// What is no number is 0.
    pub fn numbers(&self) -> impl Iterator<Item = i64> {
        let numbers = self.numbers.trim_matches(['[', ']']).split(',');
        numbers.map(|number| number.trim().parse().unwrap_or_default())
    }

    /// 0 where there is none.
    pub fn number(&self, index: usize) -> i64 {
        self.numbers().nth(index).unwrap_or_default()
    }
}

/// What a statement found.
pub fn rows(found: &str) -> Vec<Row<'_>> {
    found.lines().filter_map(Row::of_line).collect()
}

/// A JSON list for a statement that keeps it: of an alert's or a rhythm's names, which need no escapes, and numbers.
pub fn entry(names: [&str; 3], numbers: &[i64]) -> String {
    let mut text = String::from("[");
    for name in names {
        text.push('"');
        text.push_str(name);
        text.push_str("\",");
    }
    text.push('[');
    for (place, number) in numbers.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        text.push_str(&number.to_string());
    }
    text.push_str("]]");
    text
}

/// What a look needs, of the tenants in a list (`?1`) at a time (`?2`, in milliseconds since 1970):
///
/// - `at`: when the last look was
/// - `end`: how many requests of a source ended so, in the last quarter of an hour
/// - `taken`: of those taken since the last look, and a quarter of an hour before because counts come late, when the
///   first was that is not known of, and the last
/// - `skew`: of the last hour, by its place, how many
/// - `rhythm`, `alert`: as they were kept
/// - `incident`: how many in the last hour
pub const KNOWN: &str = "\
SELECT (SELECT printf('at\t\t\t\t%d', at_ms) FROM evaluation)
|| coalesce((SELECT group_concat(printf('\nend\t%s\t%s\t%s\t%d', tenant, source, verdict, number), '') FROM (
    SELECT tenant, source, verdict, sum(number) AS number FROM (
      SELECT counts.tenant, source, verdict, number FROM json_each(?1) AS known
        JOIN counts ON counts.tenant = known.value AND minute > ?2 / 60000 - 15
      UNION ALL
      SELECT records.tenant, source, verdict, 1 FROM json_each(?1) AS known
        JOIN records ON records.tenant = known.value AND at_ms > ?2 - 900000 AND text IS NOT NULL
          AND verdict IN ('refused', 'unavailable'))
    GROUP BY tenant, source, verdict)), '')
|| coalesce((SELECT group_concat(printf('\ntaken\t%s\t%s\t\t%d,%d', tenant, source, first_ms, last_ms), '') FROM (
    SELECT counts.tenant, counts.source, max(last_ms) AS last_ms,
      min(CASE WHEN first_ms > coalesce(numbers ->> 1, 0) THEN first_ms END) AS first_ms
    FROM json_each(?1) AS known
      JOIN counts ON counts.tenant = known.value AND minute >= (SELECT max(at_ms, ?2 - 86400000) FROM evaluation) / 60000 - 15
      LEFT JOIN rhythms ON rhythms.tenant = counts.tenant AND rhythms.source = counts.source
    WHERE verdict IN ('accepted', 'revived', 'observed') GROUP BY counts.tenant, counts.source)), '')
|| coalesce((SELECT group_concat(printf('\nskew\t%s\t%s\t%s\t%d', tenant, source, place, number), '') FROM (
    SELECT tenant, source, place.key AS place, sum(place.value) AS number
    FROM json_each(?1) AS known JOIN skews ON tenant = known.value AND minute > ?2 / 60000 - 60, json_each(histogram) AS place
    GROUP BY tenant, source, place.key)), '')
|| coalesce((SELECT group_concat(printf('\nrhythm\t%s\t%s\t\t%s', tenant, source, numbers), '') FROM rhythms), '')
|| coalesce((SELECT group_concat(printf('\nalert\t%s\t%s\t%s\t%d,%d,%d,%d,%d,%d,%d', tenant, source, rule,
    firing, streak, since_ms, told_ms, patience, value, threshold), '') FROM alerts), '')
|| coalesce((SELECT group_concat(printf('\nincident\t%s\t%s\t%s\t%d', tenant, source, rule, number), '') FROM (
    SELECT tenant, source, rule, count(*) AS number FROM incidents WHERE at_ms > ?2 - 3600000 GROUP BY tenant, source, rule)), '')
AS found";

/// Makes this look (`?2`, a token; at `?1`) the one that counts, unless another did since the last one (`?3`).
pub const CLAIM: &str = "UPDATE evaluation SET at_ms = ?1, token = ?2 WHERE at_ms = ?3";
/// Entries of alerts (`?1`), if this look (`?2`) counts.
pub const KEEP_ALERTS: &str = "\
INSERT OR REPLACE INTO alerts (rule, tenant, source, firing, streak, since_ms, told_ms, patience, value, threshold)
SELECT value ->> 0, value ->> 1, value ->> 2, value -> 3 ->> 0, value -> 3 ->> 1, value -> 3 ->> 2, value -> 3 ->> 3,
  value -> 3 ->> 4, value -> 3 ->> 5, value -> 3 ->> 6
FROM json_each(?1) WHERE (SELECT token FROM evaluation) = ?2";
/// Entries of rhythms (`?1`), if this look (`?2`) counts.
pub const KEEP_RHYTHMS: &str = "\
INSERT OR REPLACE INTO rhythms (tenant, source, numbers)
SELECT value ->> 1, value ->> 2, value -> 3 FROM json_each(?1) WHERE (SELECT token FROM evaluation) = ?2";
/// Messages (`?1`) to be sent, if this look (`?2`) counts; made at a time (`?3`).
pub const KEEP_MESSAGES: &str = "\
INSERT OR IGNORE INTO alert_messages (id, body, made_ms)
SELECT value ->> 'id', value ->> 'body', ?3 FROM json_each(?1) WHERE (SELECT token FROM evaluation) = ?2";
/// What is over for long, at a time (`?1`): incidents, alerts that have ended, and messages that nobody took for two
/// weeks, in which each cron has said so.
pub const FORGET: [&str; 4] = [
    "DELETE FROM incidents WHERE at_ms < ?1 - 604800000",
    "DELETE FROM alerts WHERE firing = 0 AND streak = 0 AND since_ms < ?1 - 604800000",
    "DELETE FROM rhythms WHERE numbers ->> 1 < ?1 - 2592000000",
    "DELETE FROM alert_messages WHERE made_ms < ?1 - 1209600000",
];
/// The look that counts.
pub const CLAIMED: &str = "SELECT token AS found FROM evaluation";

/// Messages that are not taken yet, the oldest first: a line for each, with its id, a tab, and its body, in which neither
/// stands raw. Where there are many, the oldest and the newest: those that are never taken leave room for others.
pub const UNTOLD: &str = "\
SELECT group_concat(printf('%s\t%s\n', id, body), '') AS found FROM (
  SELECT id, body, made_ms FROM (SELECT * FROM alert_messages ORDER BY made_ms, id LIMIT 10)
  UNION SELECT id, body, made_ms FROM (SELECT * FROM alert_messages ORDER BY made_ms DESC, id DESC LIMIT 10)
  ORDER BY made_ms, id)";
/// Messages (`?1`, their ids) that were taken; and of those that the receiver refuses (`?2`) what was made six hours before
/// a time (`?3`): an alert that still fires is told anew by then.
pub const TOLD: &str = "\
DELETE FROM alert_messages WHERE id IN (SELECT value FROM json_each(?1))
  OR (id IN (SELECT value FROM json_each(?2)) AND made_ms <= ?3 - 21600000)";

/// Something happened once: an id that it has for ever, a rule, a tenant, a source, and when.
pub const HAPPENED: &str = "\
INSERT OR IGNORE INTO incidents (id, rule, tenant, source, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)";

/// What the overview of sources shows, of the tenants in a list (`?1`) at a time (`?2`): of a day, and the keys.
pub const OVERVIEW: &str = "\
SELECT coalesce((SELECT group_concat(printf('end\t%s\t%s\t%s\t%d,%d\n', tenant, source, verdict, number, last_ms), '') FROM (
    SELECT tenant, source, verdict, sum(number) AS number, max(last_ms) AS last_ms FROM (
      SELECT counts.tenant, source, verdict, number, last_ms FROM json_each(?1) AS known
        JOIN counts ON counts.tenant = known.value AND minute > ?2 / 60000 - 1440
      UNION ALL
      SELECT records.tenant, source, verdict, 1, at_ms FROM json_each(?1) AS known
        JOIN records ON records.tenant = known.value AND at_ms > ?2 - 86400000 AND text IS NOT NULL
          AND verdict IN ('refused', 'unavailable'))
    GROUP BY tenant, source, verdict)), '')
|| coalesce((SELECT group_concat(printf('skew\t%s\t%s\t%s\t%d\n', tenant, source, place, number), '') FROM (
    SELECT tenant, source, place.key AS place, sum(place.value) AS number
    FROM json_each(?1) AS known JOIN skews ON tenant = known.value AND minute > ?2 / 60000 - 1440, json_each(histogram) AS place
    GROUP BY tenant, source, place.key)), '')
|| coalesce((SELECT group_concat(printf('rhythm\t%s\t%s\t\t%s\n', tenant, source, numbers), '')
    FROM json_each(?1) AS known JOIN rhythms ON tenant = known.value), '')
|| coalesce((SELECT group_concat(printf('key\t%s\t%s\t%s\t%d\n', tenant, source, key_id, last_ms), '')
    FROM json_each(?1) AS known JOIN key_uses ON tenant = known.value), '') AS found";

/// Alerts that fire or did lately: each as it is answered, behind its tenant.
pub const LISTED: &str = "\
SELECT json_group_array(json_array(tenant, json_object('rule', rule, 'source', source, 'tenant', tenant,
  'state', iif(firing, 'firing', 'ok'), 'since', strftime('%Y-%m-%dT%H:%M:%fZ', since_ms / 1000.0, 'unixepoch'),
  'value', value, 'threshold', threshold))) AS found
FROM (SELECT * FROM alerts WHERE since_ms > 0 ORDER BY firing DESC, since_ms DESC, rule, tenant, source)";
