//! What an operator is told of without asking, and where.

use serde::{Deserialize, Serialize};

use super::names::is_secret_name;
use super::{Config, Destination, SecretRef, is_private};

/// What the cron looks at. `docs/alerts.md` has a section for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    AllRefused,
    GoneQuiet,
    RefusalSpike,
    SkewNearTolerance,
    DeadLetters,
    LedgerBacklog,
    SpoolBacklog,
    QueueBacklog,
    SlowQueueBacklog,
    DeadLetterQueueBacklog,
    AuditQueueBacklog,
    RecordFull,
    RecordUnreachable,
    LogUnsigned,
    LogContradicted,
}

impl Rule {
    pub const ALL: [Rule; 15] = [
        Rule::AllRefused,
        Rule::GoneQuiet,
        Rule::RefusalSpike,
        Rule::SkewNearTolerance,
        Rule::DeadLetters,
        Rule::LedgerBacklog,
        Rule::SpoolBacklog,
        Rule::QueueBacklog,
        Rule::SlowQueueBacklog,
        Rule::DeadLetterQueueBacklog,
        Rule::AuditQueueBacklog,
        Rule::RecordFull,
        Rule::RecordUnreachable,
        Rule::LogUnsigned,
        Rule::LogContradicted,
    ];

    /// In the file, in messages, and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Rule::AllRefused => "all_refused",
            Rule::GoneQuiet => "gone_quiet",
            Rule::RefusalSpike => "refusal_spike",
            Rule::SkewNearTolerance => "skew_near_tolerance",
            Rule::DeadLetters => "dead_letters",
            Rule::LedgerBacklog => "ledger_backlog",
            Rule::SpoolBacklog => "spool_backlog",
            Rule::QueueBacklog => "queue_backlog",
            Rule::SlowQueueBacklog => "slow_queue_backlog",
            Rule::DeadLetterQueueBacklog => "dead_letter_queue_backlog",
            Rule::AuditQueueBacklog => "audit_queue_backlog",
            Rule::RecordFull => "record_full",
            Rule::RecordUnreachable => "record_unreachable",
            Rule::LogUnsigned => "log_unsigned",
            Rule::LogContradicted => "log_contradicted",
        }
    }
}

/// Thresholds, and who is told. Without a `webhook` alerts are lines of the log, and `GET /admin/v1/alerts`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Alerts {
    /// Where messages are posted: an https URL, or `$NAME` for the Worker variable of that name.
    pub webhook: Option<String>,
    /// The Worker secret that signs them (`whsec_` and base64).
    pub secret: Option<SecretRef>,
    /// Rules that are not looked at.
    pub off: Vec<Rule>,
    /// Requests of a source that were turned away in a quarter of an hour without one that was taken.
    pub all_refused_min: u32,
    /// However regular a source is, it is not quiet before this.
    pub quiet_seconds_min: u32,
    /// Refusals of a source in a quarter of an hour that are no spike, however few it has as a rule.
    pub refusal_spike_min: u32,
    /// How much of its tolerance a source's skew may take.
    pub skew_percent: u32,
    /// Dead letters of a source in an hour.
    pub dead_letters_per_hour: u32,
    /// How long anything may wait in a queue, the ledger or the spool.
    pub backlog_seconds: u32,
}

impl Default for Alerts {
    fn default() -> Self {
        Alerts {
            webhook: None,
            secret: None,
            off: Vec::new(),
            // A provider's first retries: fewer are somebody who tries something out.
            all_refused_min: 5,
            quiet_seconds_min: 3_600,
            // What a scanner sends while it passes by.
            refusal_spike_min: 100,
            skew_percent: 80,
            dead_letters_per_hour: 5,
            // As backlog::OLD_SECONDS: two crons have come by in vain.
            backlog_seconds: 600,
        }
    }
}

pub(super) fn alerts_faults(config: &Config) -> Vec<String> {
    let alerts = &config.alerts;
    let mut faults = Vec::new();
    if let Some(url) = &alerts.webhook {
        let is_variable = url.strip_prefix('$').is_some_and(is_secret_name);
        if !is_variable && (!Destination::is_url(url) || is_private(url)) {
            faults.push(format!(
                "webhook = \"{url}\": write an https URL that is not on a private network, or $NAME for the Worker variable NAME"
            ));
        }
    }
    if alerts.webhook.is_some() != alerts.secret.is_some() {
        faults.push(
            "webhook and secret belong together: whoever is told must be able to check who tells"
                .into(),
        );
    }
    if let Some(secret) = &alerts.secret
        && !is_secret_name(secret.name())
    {
        faults.push(format!(
            "secret = \"{}\": use A-Z, 0-9 and _, beginning with a letter",
            secret.name()
        ));
    }
    let mut destinations = config.destinations.values();
    if destinations.any(|destination| Some(&destination.secret) == alerts.secret.as_ref()) {
        faults.push("secret is a destination's: a backend would take an alert for an event; give alerts a secret of their own".into());
    }
    for (name, number) in [
        ("all_refused_min", alerts.all_refused_min),
        ("refusal_spike_min", alerts.refusal_spike_min),
        ("dead_letters_per_hour", alerts.dead_letters_per_hour),
    ] {
        if number == 0 {
            faults.push(format!(
                "{name} = 0 would always hold: use 1 or more, or name the rule in off"
            ));
        }
    }
    if !(1..=100).contains(&alerts.skew_percent) {
        faults.push(format!(
            "skew_percent = {}: use 1 to 100",
            alerts.skew_percent
        ));
    }
    // The cron looks every five minutes: what is shorter is seen by chance.
    for (name, seconds) in [
        ("quiet_seconds_min", alerts.quiet_seconds_min),
        ("backlog_seconds", alerts.backlog_seconds),
    ] {
        if seconds < 300 {
            faults.push(format!(
                "{name} = {seconds}: use at least 300, the time between two looks"
            ));
        }
    }
    faults
}
