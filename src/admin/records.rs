//! Searching the record: newest first, page by page, in bounded work.
//!
//! The indices lead with the tenant, so each tenant's newest rows are looked at, and what of them matches is a page.
//! Behind the newest [`LOOKED_AT`] of a tenant nobody looks in one call: a page of a rare kind may come back
//! short, with a cursor to go on. No row is written to make searches faster.

use super::Operator;
use super::cursor::{self, Cursor};
use super::parameters::{Parameters, Unfit};
use super::query::{Asked, EVERYBODY_RECORDED, Query, Value, of_list};
use crate::audit::shown;
use crate::request::Head;

/// Of each tenant, where something else than tenant, source and time is asked for. A row of 2 kB takes some 10
/// microseconds to look into.
const LOOKED_AT: u32 = 2_000;
const LIMIT: u32 = 50;
const LIMIT_MAX: u32 = 200;
/// A line of an export is at most 10 kB.
const EXPORT_LIMIT: u32 = 500;
/// What is searched where nothing is said.
const DAY_MS: i64 = 86_400_000;
/// Behind every time that there is.
const END_MS: i64 = 9_000_000_000_000_000;

const FILTERS: [&str; 11] = [
    "tenant",
    "source",
    "verdict",
    "reason",
    "key_id",
    "event_id",
    "ray_id",
    "request_id",
    "client_address",
    "from",
    "to",
];

/// A text that somebody else than the gate wrote into the database may be no JSON, and must not end a search.
pub const READABLE: &str =
    "CASE WHEN json_valid(text) THEN iif(json_type(text) = 'object', text, NULL) END";
/// A record as it is answered, of a row with its `readable` text. Whoever writes the database may have invented the tenant, whose log
/// nobody checks then: so it says of each whether it is configured ([`CONFIGURED`](super::query::CONFIGURED)).
pub const ITEM: &str = "\
json_object('id', id, 'tenant', tenant, 'source', source,
  'at', strftime('%Y-%m-%dT%H:%M:%fZ', at_ms / 1000.0, 'unixepoch'), 'verdict', verdict, 'reason', reason,
  'leaf_hash', leaf_hash, 'expired', json(iif(text IS NULL, 'true', 'false')), 'record', json(readable),
  'client_address', address,
  'configured', json(iif(tenant IN (SELECT value FROM json_each(?CONFIGURED)), 'true', 'false')))";

/// A search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    tenant: Option<String>,
    /// Conditions of a row, each with the value that it is compared with.
    source: Option<String>,
    conditions: Vec<(&'static str, String)>,
    request_id: Option<String>,
    from_ms: Option<i64>,
    to_ms: Option<i64>,
    pub limit: u32,
    cursor: Option<Cursor>,
    /// What its cursors are known by.
    name: String,
}

impl Search {
    /// The one tenant that is asked about, if it is one that the operator sees.
    pub fn of_one(&self, operator: &Operator) -> Option<String> {
        self.tenant.clone().filter(|tenant| operator.sees(tenant))
    }

    /// # Errors
    /// A parameter that is unknown, or has a value that it cannot have.
    pub fn list(head: &Head) -> Result<Search, Unfit> {
        let known = [&FILTERS[..], &["limit", "cursor"]].concat();
        let parameters = Parameters::of(head, &known)?;
        let limit = parameters.number("limit", LIMIT_MAX)?;
        Search::of(&parameters, limit.unwrap_or(LIMIT))
    }

    /// The same for an export, and the name of its format.
    ///
    /// # Errors
    /// As [`Search::list`].
    pub fn export(head: &Head) -> Result<(Search, Parameters), Unfit> {
        let known = [&FILTERS[..], &["format", "limit", "cursor"]].concat();
        let parameters = Parameters::of(head, &known)?;
        let limit = parameters.number("limit", EXPORT_LIMIT)?;
        let search = Search::of(&parameters, limit.unwrap_or(EXPORT_LIMIT))?;
        Ok((search, parameters))
    }

    fn of(parameters: &Parameters, limit: u32) -> Result<Search, Unfit> {
        let text = |name| parameters.text(name).map(str::to_owned);
        let mut conditions = Vec::new();
        for (name, condition) in [
            ("verdict", "verdict = "),
            ("reason", "reason = "),
            ("key_id", "readable ->> 'key_id' = "),
            ("event_id", "readable ->> 'event_id' = "),
            ("ray_id", "readable ->> 'ray_id' = "),
        ] {
            conditions.extend(text(name).map(|value| (condition, value)));
        }
        if let Some(address) = parameters.text("client_address") {
            conditions.push(client(address).ok_or_else(|| {
                let allowed = "an address, or a network of 24 bits, 48 of IPv6, as 203.0.113.0/24";
                Unfit::value("client_address", allowed)
            })?);
        }
        let name = cursor::search(parameters, &FILTERS);
        let cursor = parameters.text("cursor");
        let cursor = cursor.map(|cursor| Cursor::parse(cursor, &name));
        Ok(Search {
            tenant: parameters.tenant()?,
            source: text("source"),
            conditions,
            request_id: text("request_id"),
            from_ms: parameters.time("from")?,
            to_ms: parameters.time("to")?,
            limit,
            cursor: cursor.transpose()?,
            name,
        })
    }

    /// Where it begins and ends. Whoever names a request has no need to know its day.
    fn span(&self, now_ms: i64) -> Cursor {
        self.cursor.clone().unwrap_or_else(|| {
            let to_ms = self.to_ms.unwrap_or(END_MS);
            let a_day = match self.request_id {
                Some(_) => i64::MAX,
                None => DAY_MS,
            };
            let day_before = to_ms.min(now_ms).saturating_sub(a_day).max(0);
            Cursor {
                from_ms: self.from_ms.unwrap_or(day_before),
                at_ms: to_ms,
                id: String::new(),
            }
        })
    }

    /// The statement. It finds the place of the next page, as [`Search::next`] reads it, a line feed, and `what` of
    /// the page's rows, which may have [`ITEM`] in it.
    pub fn query(&self, operator: &Operator, what: &str, now_ms: i64) -> Query {
        let Cursor { from_ms, at_ms, id } = self.span(now_ms);
        let mut query = Query::default();
        let looked_at = match self.conditions.len() {
            0 => self.limit,
            _ => LOOKED_AT.max(self.limit),
        };
        let from = query.bind(Value::Number(from_ms));
        let at = query.bind(Value::Number(at_ms));
        let id = query.bind(Value::Text(id));
        let limit = query.bind(Value::Number(i64::from(self.limit)));
        let looked_at = query.bind(Value::Number(i64::from(looked_at)));
        let asked = Asked::of(self.tenant.as_deref(), operator);
        let everybody = asked == Asked::Everybody;
        let asked = match asked {
            Asked::Everybody => EVERYBODY_RECORDED.to_owned(),
            Asked::These(list) => of_list(&query.bind(Value::Text(list))),
        };
        let before = ["(at_ms, id) < (", &at, ", ", &id, ")"].concat();
        let mut of_source = String::new();
        if let Some(source) = &self.source {
            let source = query.bind(Value::Text(source.clone()));
            of_source = [" AND source = ", &source].concat();
        }
        let mut conditions = of_source.clone();
        for (condition, value) in &self.conditions {
            let value = query.bind(Value::Text(value.clone()));
            // Of the text as far as it is JSON.
            let condition = condition.replace("readable", &["(", READABLE, ")"].concat());
            conditions += &[" AND ", &condition, &value].concat();
        }
        let (horizon, rows) = match &self.request_id {
            // One row at most, by its name. It is found when its text is gone, too.
            Some(request_id) => {
                let request_id = query.bind(Value::Text(request_id.clone()));
                let seen = match everybody {
                    true => "",
                    false => " AND tenant IN (SELECT tenant FROM asked)",
                };
                let rows = [
                    "records WHERE id = ",
                    &request_id,
                    seen,
                    " AND at_ms >= ",
                    &from,
                ];
                ("SELECT NULL".to_owned(), rows.concat())
            }
            None => {
                let horizon = [
                    "SELECT max((SELECT at_ms FROM records WHERE tenant = asked.tenant AND text IS NOT NULL",
                    &of_source,
                    " AND at_ms >= ",
                    &from,
                    " AND ",
                    &before,
                    " ORDER BY at_ms DESC, id DESC LIMIT 1 OFFSET ",
                    &looked_at,
                    ")) FROM asked",
                ];
                let rows = [
                    "asked CROSS JOIN records ON records.tenant = asked.tenant WHERE text IS NOT NULL AND at_ms >= ifnull((SELECT ms FROM horizon), ",
                    &from,
                    ")",
                ];
                (horizon.concat(), rows.concat())
            }
        };
        query.sql = [
            "WITH RECURSIVE asked(tenant) AS (", &asked, "),\nhorizon(ms) AS MATERIALIZED (", &horizon,
            "),\npage(page_id, page_ms) AS MATERIALIZED (SELECT id, at_ms FROM ", &rows, " AND ", &before, &conditions,
            " ORDER BY at_ms DESC, id DESC LIMIT ", &limit,
            "),\nshown AS (SELECT records.*, ", READABLE, " AS readable FROM page CROSS JOIN records ON id = page_id ORDER BY page_ms DESC, page_id DESC)\n\
             SELECT CASE WHEN (SELECT count(*) FROM page) = ", &limit,
            " THEN (SELECT page_ms || ' ' || page_id FROM page ORDER BY page_ms, page_id LIMIT 1)\
             \n  ELSE ifnull((SELECT ms || ' ' FROM horizon), '') END || char(10) || ifnull((SELECT ", what,
            " FROM shown), '') AS found",
        ]
        .concat();
        query
    }

    /// What a statement found, and the cursor of the next page.
    pub fn next<'a>(&self, found: &'a str, now_ms: i64) -> (&'a str, Option<String>) {
        let (place, rest) = found.split_once('\n').unwrap_or_default();
        let next = place.split_once(' ').and_then(|(at_ms, id)| {
            let cursor = Cursor {
                from_ms: self.span(now_ms).from_ms,
                at_ms: at_ms.parse().ok()?,
                id: id.to_owned(),
            };
            Some(cursor.to_text(&self.name))
        });
        (rest, next)
    }
}

/// A condition for a client's address, while it is kept and as the platform writes it; or for its network.
fn client(text: &str) -> Option<(&'static str, String)> {
    let text = text.to_ascii_lowercase();
    let (address, is_network) = match text.split_once('/') {
        Some((address, _)) => (address, true),
        None => (text.as_str(), false),
    };
    let network = shown::network(address)?;
    match is_network {
        true if network == text => Some(("readable ->> 'client_network' = ", text)),
        true => None,
        false => Some(("address = ", text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(query: &str) -> Head {
        Head::new("GET", &format!("/admin/v1/records?{query}"), [])
    }

    fn query(text: &str) -> Query {
        let search = Search::list(&head(text)).unwrap();
        search.query(&Operator::of_everything("one"), "1", 10 * DAY_MS)
    }

    #[test]
    fn values_are_bound_and_never_a_part_of_the_statement() {
        let hostile = "%27%29%3B+DROP+TABLE+records%3B--";
        for name in &FILTERS[1..8] {
            let Query { sql, values } = query(&format!("{name}={hostile}"));
            assert!(!sql.contains("DROP"), "{sql}");
            let bound = |value: &Value| matches!(value, Value::Text(text) if text.contains("DROP"));
            assert_eq!(
                values.iter().filter(|value| bound(value)).count(),
                1,
                "{name}"
            );
        }
    }

    #[test]
    fn a_search_is_of_the_last_day_unless_it_says_otherwise() {
        let from = |text: &str| query(text).values[0].clone();
        assert_eq!(from(""), Value::Number(9 * DAY_MS));
        assert_eq!(from("from=1970-01-02T00:00:00Z"), Value::Number(DAY_MS));
        assert_eq!(from("to=1970-01-03T00:00:00Z"), Value::Number(DAY_MS));
        assert_eq!(from("to=1970-01-01T00:00:00Z"), Value::Number(0));
        assert_eq!(from("request_id=req_1"), Value::Number(0));
    }

    #[test]
    fn the_next_page_is_of_the_same_day() {
        let search = Search::list(&head("reason=stale")).unwrap();
        let (rest, next) = search.next("777 req_9\n[1]", 10 * DAY_MS);
        assert_eq!(rest, "[1]");
        let next = format!("reason=stale&cursor={}", next.unwrap());
        let search = Search::list(&head(&next)).unwrap();
        let later = search.query(&Operator::of_everything("one"), "1", 20 * DAY_MS);
        let values = [
            Value::Number(9 * DAY_MS),
            Value::Number(777),
            Value::Text("req_9".to_owned()),
        ];
        assert_eq!(later.values[..3], values);
        assert_eq!(search.next("\n[]", 0), ("[]", None));
        assert!(Search::list(&head(&next.replace("stale", "pin_mismatch"))).is_err());
    }

    #[test]
    fn a_client_is_an_address_or_its_network() {
        let network = "readable ->> 'client_network' = ";
        for (text, condition) in [
            ("203.0.113.9", Some("address = ")),
            ("203.0.113.0/24", Some(network)),
            ("2001:DB8::1", Some("address = ")),
            ("2001:db8:0::/48", Some(network)),
            ("203.0.113.9/24", None),
            ("203.0.113.0/25", None),
            ("203.0.113", None),
            ("%", None),
        ] {
            let found = client(text).map(|(condition, _)| condition);
            assert_eq!(found, condition, "{text}");
        }
    }
}
