//! What an operator is told of without asking: a source whose every request is refused, one that fell silent, letters
//! that die, work that waits.
//!
//! The cron brings what is known, [`evaluate`] says what follows, and `edge/alerts.rs` writes it down and tells of it.
//! [`rhythm`] is what is usual of a source, [`hysteresis`] when an alert begins and ends, [`message`] what is sent,
//! [`store`] the statements for the database, and [`without`] what is told while that does not answer. What a rule means and what to do then: `docs/alerts.md`.

pub mod hysteresis;
pub mod message;
pub mod rhythm;
pub mod store;
pub mod without;

use crate::audit::health::Skew;
use crate::audit::{NO_TENANT, line};
use crate::backlog::Backlog;
use crate::config::{Alerts, Rule};
use crate::gate::LiveSource;

pub use hysteresis::{Alert, Turn};
use rhythm::Rhythm;
pub use store::Row;

/// The audit queue is behind by so much: nobody knows then how the sources are.
const UNKNOWN_SECONDS: i64 = 300;
/// Fewer events say nothing about a clock.
const SKEW_EVENTS_MIN: u64 = 20;

/// A rule's number, now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading<'a> {
    pub rule: Rule,
    /// `_`: it is not about one tenant.
    pub tenant: &'a str,
    /// Empty: it is not about one source.
    pub source: &'a str,
    pub value: i64,
    /// From this on the rule holds.
    pub threshold: i64,
}

/// How long something has waited somewhere, in seconds; 0 where nothing waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub rule: Rule,
    pub tenant: String,
    pub source: String,
    pub seconds: i64,
}

impl Waiting {
    /// `None`: the place is none that is looked at.
    pub fn of(backlog: &Backlog<'_>) -> Option<Self> {
        let rule = match backlog.at {
            "ledger" => Rule::LedgerBacklog,
            "spool" => Rule::SpoolBacklog,
            "queue" => Rule::QueueBacklog,
            "slow_queue" => Rule::SlowQueueBacklog,
            "dead_letter_queue" => Rule::DeadLetterQueueBacklog,
            "audit_queue" => Rule::AuditQueueBacklog,
            _ => return None,
        };
        Some(Waiting {
            rule,
            tenant: backlog.tenant.unwrap_or(NO_TENANT).to_owned(),
            source: backlog.source.unwrap_or_default().to_owned(),
            seconds: backlog.oldest_seconds.unwrap_or_default(),
        })
    }
}

/// What the gate knows of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ours {
    pub is_log_unsigned: bool,
    /// How much of its bound the record's database has.
    pub record_percent: i64,
    /// It did not answer.
    pub is_record_unreachable: bool,
}

/// From this on the record is about to be full: as far as `record_filling` is said in the log.
const RECORD_PERCENT: i64 = 80;

/// What follows from one look.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Alerts that are otherwise than before, and all that fire.
    pub alerts: Vec<Alert>,
    /// What is known of each source now, as an entry of [`store::KEEP_RHYTHMS`].
    pub rhythms: Vec<String>,
    /// What there is to tell, by the place in `alerts`.
    pub turns: Vec<(usize, Turn)>,
}

/// The tenants of these sources that somebody sees, as a JSON list: nothing of another one is looked for.
pub fn tenants<'a>(
    sources: impl Iterator<Item = &'a LiveSource>,
    sees: impl Fn(&str) -> bool,
) -> String {
    let tenants = sources.map(|live| live.source.tenant.as_str());
    let mut tenants: Vec<&str> = tenants.filter(|tenant| sees(tenant)).collect();
    tenants.sort_unstable();
    tenants.dedup();
    line(&tenants)
}

/// One look. `rows` is what [`store::KNOWN`] found, `waiting` what waits, as far as it could be asked.
pub fn evaluate<'a>(
    settings: &Alerts,
    sources: &[&'a LiveSource],
    rows: &'a [Row<'a>],
    waiting: &'a [Waiting],
    ours: Ours,
    now_ms: i64,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut readings = Vec::new();
    let mut audit = waiting
        .iter()
        .filter(|waiting| waiting.rule == Rule::AuditQueueBacklog);
    if audit.all(|waiting| waiting.seconds < UNKNOWN_SECONDS) {
        for live in sources {
            let known = Known { rows, live };
            let rhythm = known.rhythm(settings, now_ms);
            known.read(settings, &rhythm, now_ms, &mut readings);
            outcome.rhythms.push(rhythm.to_entry(live));
        }
    }
    for waiting in waiting {
        let reading = Reading {
            rule: waiting.rule,
            tenant: &waiting.tenant,
            source: &waiting.source,
            value: waiting.seconds,
            threshold: i64::from(settings.backlog_seconds),
        };
        let is_same = |known: &&mut Reading<'_>| {
            known.rule == reading.rule
                && (known.tenant, known.source) == (reading.tenant, reading.source)
        };
        // A source may have several objects.
        match readings.iter_mut().find(is_same) {
            Some(known) => known.value = known.value.max(reading.value),
            None => readings.push(reading),
        }
    }
    let incidents = rows.iter().filter(|row| row.kind == "incident");
    readings.extend(incidents.filter_map(|row| {
        let (rule, threshold) = match row.name {
            "dead_letters" => (Rule::DeadLetters, settings.dead_letters_per_hour),
            "log_contradicted" => (Rule::LogContradicted, 1),
            _ => return None,
        };
        Some(Reading {
            rule,
            tenant: row.tenant,
            source: row.source,
            value: row.number(0),
            threshold: i64::from(threshold),
        })
    }));
    for (rule, value, threshold) in [
        (Rule::LogUnsigned, i64::from(ours.is_log_unsigned), 1),
        (Rule::RecordFull, ours.record_percent, RECORD_PERCENT),
        (
            Rule::RecordUnreachable,
            i64::from(ours.is_record_unreachable),
            1,
        ),
    ] {
        readings.push(Reading {
            rule,
            tenant: NO_TENANT,
            source: "",
            value,
            threshold,
        });
    }
    readings.retain(|reading| !settings.off.contains(&reading.rule));

    let mut known: Vec<Alert> = rows.iter().filter_map(Alert::of_row).collect();
    for alert in &mut known {
        let at = readings.iter().position(|reading| alert.is_about(reading));
        let value = match at.map(|at| readings.swap_remove(at)) {
            Some(reading) => {
                alert.threshold = reading.threshold;
                reading.value
            }
            // Of a source that is gone, a rule that is off, or something that has not happened lately.
            None if is_over(alert, settings, sources) => 0,
            // Nobody could say.
            None => continue,
        };
        let before = alert.clone();
        let turn = alert.step(value, now_ms);
        if *alert != before {
            outcome
                .turns
                .extend(turn.map(|turn| (outcome.alerts.len(), turn)));
            outcome.alerts.push(alert.clone());
        }
    }
    for reading in readings
        .iter()
        .filter(|reading| reading.value >= reading.threshold)
    {
        let mut alert = Alert::new(reading);
        let turn = alert.step(reading.value, now_ms);
        outcome
            .turns
            .extend(turn.map(|turn| (outcome.alerts.len(), turn)));
        outcome.alerts.push(alert);
    }
    outcome
}

fn is_over(alert: &Alert, settings: &Alerts, sources: &[&LiveSource]) -> bool {
    let is_configured =
        |live: &&LiveSource| live.name == alert.source && live.source.tenant == alert.tenant;
    settings.off.contains(&alert.rule)
        || matches!(alert.rule, Rule::DeadLetters | Rule::LogContradicted)
        || !alert.source.is_empty() && !sources.iter().any(is_configured)
}

/// What the database has of one source.
#[derive(Debug)]
pub struct Known<'a> {
    pub rows: &'a [Row<'a>],
    pub live: &'a LiveSource,
}

impl<'a> Known<'a> {
    /// Its rows of one kind.
    pub fn of(&self, kind: &'static str) -> impl Iterator<Item = &'a Row<'a>> {
        let live = self.live;
        self.rows.iter().filter(move |row| {
            row.kind == kind && row.source == live.name && row.tenant == live.source.tenant
        })
    }

    /// How many of its requests ended so.
    pub fn ends(&self, verdicts: &[&str]) -> i64 {
        let ends = self.of("end").filter(|row| verdicts.contains(&row.name));
        ends.map(|row| row.number(0)).sum()
    }

    /// How far its sender's clock is from ours.
    pub fn skew(&self) -> Skew {
        let mut skew = Skew::default();
        for row in self.of("skew") {
            let place = row.name.parse().unwrap_or(usize::MAX);
            skew.add_stored(place, u32::try_from(row.number(0)).unwrap_or(u32::MAX));
        }
        skew
    }

    /// What was known of it, and what has come since.
    pub fn rhythm(&self, settings: &Alerts, now_ms: i64) -> Rhythm {
        let mut rhythm = self.stored_rhythm();
        if let Some(taken) = self.of("taken").next() {
            rhythm.took(taken.number(0), taken.number(1), now_ms);
        }
        rhythm.refused(self.ends(&["refused"]), settings);
        rhythm
    }

    pub fn stored_rhythm(&self) -> Rhythm {
        self.of("rhythm")
            .next()
            .map(Rhythm::of_row)
            .unwrap_or_default()
    }

    fn read(
        &self,
        settings: &Alerts,
        rhythm: &Rhythm,
        now_ms: i64,
        readings: &mut Vec<Reading<'a>>,
    ) {
        let (tenant, source): (&'a str, &'a str) = (&self.live.source.tenant, &self.live.name);
        let mut add = |rule, value, threshold: i64| {
            readings.push(Reading {
                rule,
                tenant,
                source,
                value,
                threshold: threshold.max(1),
            });
        };
        let refused = self.ends(&["refused"]);
        let turned_away = refused + self.ends(&["unavailable"]);
        let ends: i64 = self.of("end").map(|row| row.number(0)).sum();
        let all_refused = if ends == turned_away { turned_away } else { 0 };
        add(
            Rule::AllRefused,
            all_refused,
            settings.all_refused_min.into(),
        );
        add(Rule::RefusalSpike, refused, rhythm.spike(settings));
        let quiet_after = rhythm.quiet_after_seconds(settings, now_ms);
        let silent = rhythm.silent_seconds(now_ms);
        let (silent, quiet_after) = quiet_after.map_or((0, 1), |after| (silent, after));
        add(Rule::GoneQuiet, silent, quiet_after);
        if let Some(limits) = Limits::of(self.live) {
            let (value, limit) = limits.nearest(&self.skew());
            add(
                Rule::SkewNearTolerance,
                value,
                limit * i64::from(settings.skew_percent) / 100,
            );
        }
    }
}

/// How old and how far ahead a signed time may be, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub tolerance: i64,
    pub future: i64,
}

impl Limits {
    /// `None`: its scheme signs no time.
    pub fn of(live: &LiveSource) -> Option<Self> {
        let form = live.scheme.time.as_ref()?;
        let own = live.source.tolerance_seconds;
        Some(Limits {
            tolerance: own.unwrap_or(form.tolerance_seconds).into(),
            future: form.future_seconds.into(),
        })
    }

    /// How far the outermost hundredth is, on the side where it is nearer to the limit; and that limit.
    fn nearest(self, skew: &Skew) -> (i64, i64) {
        let seconds = |of_thousand| skew.quantile_ms(of_thousand).unwrap_or_default() / 1_000;
        if skew.events() < SKEW_EVENTS_MIN {
            return (0, self.tolerance);
        }
        let (late, ahead) = (seconds(990), -seconds(10));
        if ahead.saturating_mul(self.tolerance) > late.saturating_mul(self.future) {
            (ahead, self.future)
        } else {
            (late, self.tolerance)
        }
    }
}
