//! How each source is, for the operator's overview: from the configuration, so that silent ones are there too, and from
//! what the record has of them.

use serde::Serialize;

use super::Operator;
use crate::alerts::{Known, Limits, Row};
use crate::audit::line;
use crate::config::{Alerts, SecretRef};
use crate::gate::LiveSource;
use crate::time;

/// Whatever a scheme says of its provider's retries: what a secret signed may come again for a day.
const RETRIES_SECONDS_MIN: u32 = 86_400;

#[derive(Serialize)]
struct Overview<'a> {
    sources: Vec<SourceHealth<'a>>,
}

/// Of the last 24 hours, where nothing else is said.
#[derive(Serialize)]
struct SourceHealth<'a> {
    name: &'a str,
    tenant: &'a str,
    scheme: &'a str,
    accepted: i64,
    duplicate: i64,
    refused: i64,
    unavailable: i64,
    last_accepted_at: Option<String>,
    secrets: Vec<Secret<'a>>,
    skew: Option<SkewHealth>,
    quiet: bool,
    /// How long it must be silent to be quiet. Nothing: it is not known well enough to be judged.
    quiet_after_seconds: Option<i64>,
}

#[derive(Serialize)]
struct Secret<'a> {
    name: &'a str,
    last_matched_at: Option<String>,
    note: String,
}

/// In seconds; positive if events came after their signed time.
#[derive(Serialize)]
struct SkewHealth {
    events: u64,
    p01_seconds: f64,
    p50_seconds: f64,
    p99_seconds: f64,
    tolerance_seconds: i64,
    future_seconds: i64,
}

/// The overview of the sources that this operator sees, as JSON. `rows` is what
/// [`OVERVIEW`](crate::alerts::store::OVERVIEW) found, `audit_days` how long the record keeps what it has of a tenant.
pub fn overview<'a>(
    sources: impl Iterator<Item = &'a LiveSource>,
    operator: &Operator,
    rows: &'a [Row<'a>],
    settings: &Alerts,
    audit_days: impl Fn(&str) -> u32,
    now_ms: i64,
) -> String {
    let seen = sources.filter(|live| operator.sees(&live.source.tenant));
    let health = |live: &'a LiveSource| {
        let known = Known { rows, live };
        let rhythm = known.stored_rhythm();
        let taken = known.of("end").filter(|row| row.name == "accepted");
        let last_ms = taken.map(|row| row.number(1)).max().max(rhythm.last_ms());
        let skew = known.skew();
        let seconds =
            |of_thousand| skew.quantile_ms(of_thousand).unwrap_or_default() as f64 / 1_000.0;
        let quiet_after_seconds = rhythm.quiet_after_seconds(settings, now_ms);
        let silent = last_ms.map(|last_ms| now_ms.saturating_sub(last_ms) / 1_000);
        SourceHealth {
            name: &live.name,
            tenant: &live.source.tenant,
            scheme: &live.source.scheme,
            accepted: known.ends(&["accepted", "revived"]),
            duplicate: known.ends(&["duplicate"]),
            refused: known.ends(&["refused"]),
            unavailable: known.ends(&["unavailable"]),
            last_accepted_at: last_ms.map(time::rfc3339),
            secrets: secrets(&known, audit_days(&live.source.tenant), now_ms),
            skew: Limits::of(live)
                .filter(|_| skew.events() > 0)
                .map(|limits| SkewHealth {
                    events: skew.events(),
                    p01_seconds: seconds(10),
                    p50_seconds: seconds(500),
                    p99_seconds: seconds(990),
                    tolerance_seconds: limits.tolerance,
                    future_seconds: limits.future,
                }),
            quiet: quiet_after_seconds
                .zip(silent)
                .is_some_and(|(after, silent)| silent >= after),
            quiet_after_seconds,
        }
    };
    line(&Overview {
        sources: seen.map(health).collect(),
    })
}

/// Those of the configuration, and behind them keys that matched and are not named there.
fn secrets<'a>(known: &Known<'a>, audit_days: u32, now_ms: i64) -> Vec<Secret<'a>> {
    let live = known.live;
    let uses: Vec<(&'a str, i64)> = known
        .of("key")
        .map(|row| (row.name, row.number(0)))
        .collect();
    let latest_ms = uses
        .iter()
        .map(|(_, last_ms)| *last_ms)
        .max()
        .unwrap_or_default();
    let names = live.source.secrets.iter().map(SecretRef::name);
    let own = live.public_keys.iter().map(|(name, _)| name.as_str());
    let mut names: Vec<&'a str> = names.chain(own).collect();
    names.dedup();
    let configured = names.len();
    names.extend(
        uses.iter()
            .map(|(name, _)| *name)
            .filter(|name| !names.contains(name))
            .collect::<Vec<_>>(),
    );
    let secret = |(place, name): (usize, &'a str)| {
        let last_ms = uses
            .iter()
            .find(|(id, _)| *id == name)
            .map(|(_, last_ms)| *last_ms);
        let note = if place >= configured {
            let fetched = live.scheme.key.encoding.is_fetched();
            if fetched {
                "the provider's own"
            } else {
                "not configured any more"
            }
            .to_owned()
        } else {
            note(live, last_ms, latest_ms, audit_days, now_ms)
        };
        Secret {
            name,
            last_matched_at: last_ms.map(time::rfc3339),
            note,
        }
    };
    names.into_iter().enumerate().map(secret).collect()
}

/// What is to be done with a configured secret. Two that matched within a minute of each other are both in use: the record
/// has their times to the minute.
fn note(
    live: &LiveSource,
    last_ms: Option<i64>,
    latest_ms: i64,
    audit_days: u32,
    now_ms: i64,
) -> String {
    let Some(last_ms) = last_ms else {
        return format!("has not matched in the last {audit_days} days, or since the record began");
    };
    if latest_ms - last_ms <= 60_000 {
        return "in use".to_owned();
    }
    let tolerance = Limits::of(live).map_or(0, |limits| limits.tolerance);
    let retries = live.scheme.retry_horizon_seconds.max(RETRIES_SECONDS_MIN);
    let safe_ms = last_ms + (i64::from(retries) + tolerance) * 1_000;
    let used = minute(last_ms);
    if now_ms >= safe_ms {
        format!("the old secret was last used {used}: safe to drop")
    } else {
        let safe = minute(safe_ms);
        format!(
            "last used {used}, and another one since: safe to drop from {safe} on, unless it matches again"
        )
    }
}

/// As in `2026-11-02 11:00`; in UTC.
fn minute(ms: i64) -> String {
    let text = time::rfc3339(ms);
    text.get(..16).unwrap_or(&text).replace('T', " ")
}
