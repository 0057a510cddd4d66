//! How many requests ended how, over time: the record's counts and its stored refusals, added together.
//!
//! The numbers are exact for what was recorded. An invocation that the platform ended has no verdict, and an isolate
//! that ended took at most 25 s of its counts with it, so the platform's own number of invocations may be larger
//! (docs/record.md).

use super::Operator;
use super::parameters::{Parameters, Unfit};
use super::query::{Asked, EVERYBODY_RECORDED, Query, Value, of_list};
use crate::answer::{Answer, problem};
use crate::request::Head;
use crate::time;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// A day of minutes, two months of hours, four years of days.
pub const STEPS_MAX: i64 = 1_500;
/// Rows of the database that are added up in one call: a second or two of its time.
pub const ROWS_MAX: i64 = 500_000;
/// Numbers in one answer.
pub const NUMBERS_MAX: i64 = 10_000;

/// Tenants that have a count.
const EVERYBODY_COUNTED: &str = "\
  SELECT min(tenant) FROM counts
  UNION ALL
  SELECT (SELECT min(tenant) FROM counts WHERE tenant > counted.tenant) FROM counted WHERE counted.tenant IS NOT NULL";

/// The length of time that each number is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Minute,
    Hour,
    Day,
}

impl Step {
    fn of(name: &str) -> Option<Step> {
        Some(match name {
            "minute" => Step::Minute,
            "hour" => Step::Hour,
            "day" => Step::Day,
            _ => return None,
        })
    }

    fn ms(self) -> i64 {
        match self {
            Step::Minute => MINUTE_MS,
            Step::Hour => HOUR_MS,
            Step::Day => DAY_MS,
        }
    }
}

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counting {
    tenant: Option<String>,
    source: Option<String>,
    from_ms: Option<i64>,
    to_ms: Option<i64>,
    step: Step,
    by_source: bool,
    by_verdict: bool,
    by_reason: bool,
}

impl Counting {
    /// # Errors
    /// A parameter that is unknown, or has a value that it cannot have.
    pub fn of(head: &Head) -> Result<Counting, Unfit> {
        let known = ["tenant", "source", "from", "to", "step", "by"];
        let parameters = Parameters::of(head, &known)?;
        let text = |name| parameters.text(name).map(str::to_owned);
        let step = Step::of(parameters.text("step").unwrap_or("hour"));
        let (mut by_source, mut by_verdict, mut by_reason) = (false, false, false);
        for name in parameters.text("by").unwrap_or("reason,source").split(',') {
            match name {
                "source" => by_source = true,
                "verdict" => by_verdict = true,
                // What has no reason is told apart by its verdict.
                "reason" => (by_verdict, by_reason) = (true, true),
                _ => {
                    let allowed = "verdict, reason, source, or several of them with commas";
                    return Err(Unfit::value("by", allowed));
                }
            }
        }
        Ok(Counting {
            tenant: parameters.tenant()?,
            source: text("source"),
            from_ms: parameters.time("from")?,
            to_ms: parameters.time("to")?,
            step: step.ok_or_else(|| Unfit::value("step", "minute, hour or day"))?,
            by_source,
            by_verdict,
            by_reason,
        })
    }

    /// Whole minutes, because counts are of minutes: those that the times asked for are in.
    fn span(&self, now_ms: i64) -> (i64, i64) {
        let minute = |ms: i64| ms.div_euclid(MINUTE_MS) * MINUTE_MS;
        let to_ms = minute(self.to_ms.unwrap_or(now_ms).saturating_add(MINUTE_MS - 1));
        let from_ms = self.from_ms.unwrap_or(to_ms.saturating_sub(DAY_MS));
        (minute(from_ms), to_ms)
    }

    /// The statement. It finds `-` where there is too much to add up; otherwise a list.
    ///
    /// # Errors
    /// More steps than an answer may have.
    pub fn query(&self, operator: &Operator, now_ms: i64) -> Result<Query, Unfit> {
        let (from_ms, to_ms) = self.span(now_ms);
        if to_ms.saturating_sub(from_ms) / self.step.ms() > STEPS_MAX {
            let allowed = "at most 1500 of them between from and to";
            return Err(Unfit::value("step", allowed));
        }
        let mut query = Query::default();
        let from = query.bind(Value::Number(from_ms));
        let to = query.bind(Value::Number(to_ms));
        let rows_max = query.bind(Value::Number(ROWS_MAX + 1));
        let numbers_max = query.bind(Value::Number(NUMBERS_MAX + 1));
        let asked = Asked::of(self.tenant.as_deref(), operator);
        let (asked, counted) = match asked {
            Asked::Everybody => (EVERYBODY_RECORDED.to_owned(), EVERYBODY_COUNTED.to_owned()),
            Asked::These(list) => {
                let list = of_list(&query.bind(Value::Text(list)));
                (list.clone(), list)
            }
        };
        let mut of_source = String::new();
        if let Some(source) = &self.source {
            let source = query.bind(Value::Text(source.clone()));
            of_source = [" AND source = ", &source].concat();
        }
        let counts = [
            "counted CROSS JOIN counts ON counts.tenant = counted.tenant WHERE minute >= ",
            &from,
            " / 60000 AND minute < ",
            &to,
            " / 60000",
            &of_source,
        ]
        .concat();
        // What was done to the record itself is no end of a request.
        let records = [
            "asked CROSS JOIN records ON records.tenant = asked.tenant WHERE text IS NOT NULL AND at_ms >= ",
            &from,
            " AND at_ms < ",
            &to,
            &of_source,
        ]
        .concat();
        let only = |wanted: bool, column: &'static str| if wanted { column } else { "NULL" };
        let (source, verdict, reason) = (
            only(self.by_source, "source"),
            only(self.by_verdict, "verdict"),
            only(self.by_reason, "reason"),
        );
        let step = self.step.ms().to_string();
        query.sql = [
            "WITH RECURSIVE asked(tenant) AS (", &asked, "),\ncounted(tenant) AS (", &counted,
            "),\nsize(n) AS MATERIALIZED (SELECT (SELECT count(*) FROM (SELECT 1 FROM ", &counts, " LIMIT ", &rows_max,
            ")) + (SELECT count(*) FROM (SELECT 1 FROM ", &records, " LIMIT ", &rows_max,
            "))),\nends(ms, source, verdict, reason, number, first_ms, last_ms) AS NOT MATERIALIZED (\n  SELECT minute * 60000, source, verdict, reason, number, first_ms, last_ms FROM ",
            &counts, "\n  UNION ALL SELECT at_ms, source, verdict, reason, 1, at_ms, at_ms FROM ", &records,
            " AND verdict IN ('refused', 'unavailable')),\nfound(ms, source, verdict, reason, number, first_ms, last_ms) AS MATERIALIZED (\n  SELECT ms / ", &step, " * ", &step, ", ",
            source, ", ", verdict, ", ", reason, ", sum(number), min(first_ms), max(last_ms)\n  FROM ends WHERE (SELECT n FROM size) < ", &rows_max,
            " GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4 LIMIT ", &numbers_max,
            ")\nSELECT CASE WHEN (SELECT n FROM size) >= ", &rows_max, " OR (SELECT count(*) FROM found) >= ", &numbers_max,
            " THEN '-' ELSE (SELECT json_group_array(json_object('at', strftime('%Y-%m-%dT%H:%M:%fZ', ms / 1000.0, 'unixepoch'), 'source', source, 'verdict', verdict, 'reason', reason, 'number', number,\n  'first', strftime('%Y-%m-%dT%H:%M:%fZ', first_ms / 1000.0, 'unixepoch'), 'last', strftime('%Y-%m-%dT%H:%M:%fZ', last_ms / 1000.0, 'unixepoch'))) FROM found) END AS found",
        ]
        .concat();
        Ok(query)
    }

    /// What the statement found, with the times that it is of.
    pub fn answer(&self, found: &str, now_ms: i64, request_id: &str) -> Answer {
        if found == "-" {
            let title = "Too much to add up in one call";
            let detail = "Ask for a shorter time, a tenant or a source, or by fewer of verdict, reason and source.";
            return problem(422, "too-much", title, Some(detail), request_id);
        }
        let (from_ms, to_ms) = self.span(now_ms);
        let (from, to) = (time::rfc3339(from_ms), time::rfc3339(to_ms));
        Answer {
            status: 200,
            headers: vec![("content-type", "application/json".to_owned())],
            body: [
                "{\"from\":\"",
                &from,
                "\",\"to\":\"",
                &to,
                "\",\"counts\":",
                found,
                "}",
            ]
            .concat(),
        }
    }
}
