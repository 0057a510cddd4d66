//! Alerts while the record's database does not answer: that it does not, and what waits where it need not be asked.
//!
//! What the database would remember of them from one look to the next stands in KV, as lines of [`Row`]. KV tells of a change
//! late, perhaps, and may fail as well: then nobody is told, or told twice under one id. Alerts that the database knows of are
//! not looked at meanwhile, and are as they were when it is back; what waits is told of by each of the two.

use super::hysteresis::REMIND_MS;
use super::message::Message;
use super::store::rows;
use super::{Alert, Ours, Turn, Waiting, evaluate};
use crate::config::{Alerts, Rule};
use crate::gate::LiveSource;

/// Where KV keeps it. The version is part of it, as of all that stands there.
pub const KEY: &str = "alerts/1";
const HOUR_MS: i64 = 3_600_000;
/// How long KV keeps it behind the last change: an alert that goes on changes every six hours at least.
pub const KEPT_SECONDS: u32 = 2 * 86_400;

/// What is remembered. `known` is what KV has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// When the last look was that found something.
    pub at_ms: i64,
    alerts: Vec<Alert>,
}

impl Memory {
    /// Whatever cannot be read is not remembered.
    pub fn parse(known: &str) -> Self {
        let rows = rows(known);
        Memory {
            at_ms: rows
                .iter()
                .find(|row| row.kind == "at")
                .map_or(0, |row| row.number(0)),
            alerts: rows.iter().filter_map(Alert::of_row).collect(),
        }
    }

    pub fn to_text(&self) -> String {
        let mut text = ["at\t\t\t\t", &self.at_ms.to_string()].concat();
        for alert in &self.alerts {
            text.push('\n');
            text.push_str(&alert.to_line());
        }
        text
    }

    /// One look at which the database did not answer.
    pub fn look(
        &mut self,
        settings: &Alerts,
        sources: &[&LiveSource],
        waiting: &[Waiting],
        now_ms: i64,
    ) -> Vec<(Alert, Turn)> {
        let ours = Ours {
            is_record_unreachable: true,
            ..Ours::default()
        };
        let text = self.to_text();
        let known = rows(&text);
        let outcome = evaluate(settings, sources, &known, waiting, ours, now_ms);
        let turns = outcome.turns.iter();
        let told =
            turns.filter_map(|&(place, turn)| Some((outcome.alerts.get(place)?.clone(), turn)));
        let told = told.collect();
        for alert in outcome.alerts {
            self.put(alert);
        }
        self.alerts.retain(|alert| {
            alert.is_firing || alert.streak > 0 || now_ms.saturating_sub(alert.since_ms) < REMIND_MS
        });
        self.at_ms = now_ms;
        told
    }

    fn put(&mut self, alert: Alert) {
        let mut known = self.alerts.iter_mut();
        match known.find(|known| is_same(known, &alert)) {
            Some(known) => *known = alert,
            None => self.alerts.push(alert),
        }
    }

    /// Nobody was told of its turn: it is as it was `before`, and turns at the next look.
    pub fn untold(&mut self, alert: &Alert, before: &Memory) {
        self.alerts.retain(|known| !is_same(known, alert));
        let was = before.alerts.iter().find(|known| is_same(known, alert));
        self.alerts.extend(was.cloned());
    }

    /// It answers again. `None`: nothing of it is remembered, or all of it is over.
    pub fn answered(&mut self, now_ms: i64) -> Option<Vec<(Alert, Turn)>> {
        // What waits is the database's matter from now on.
        self.alerts.retain(|alert| {
            alert.rule == Rule::RecordUnreachable && (alert.is_firing || alert.streak > 0)
        });
        let alert = self.alerts.first_mut()?;
        self.at_ms = now_ms;
        let turn = alert.step(0, now_ms);
        Some(turn.map(|turn| (alert.clone(), turn)).into_iter().collect())
    }
}

fn is_same(one: &Alert, other: &Alert) -> bool {
    (one.rule, &one.tenant, &one.source) == (other.rule, &other.tenant, &other.source)
}

/// What is sent of a turn. For an hour it is the same message to whoever takes each id once, also where KV has forgotten that it
/// was sent, or a second cron sends it. An alert that ended in between and fires again has another patience.
pub fn message(alert: &Alert, turn: Turn, now_ms: i64) -> Message {
    let kind = match turn {
        Turn::Firing | Turn::StillFiring => "firing",
        Turn::Resolved => "resolved",
    };
    let Alert { tenant, source, .. } = alert;
    let [hour, patience] =
        [now_ms.div_euclid(HOUR_MS), alert.patience].map(|number| number.to_string());
    let rule = alert.rule.name();
    let id = ["alr", rule, tenant, source, kind, &hour, &patience].join("_");
    let Message { body, .. } = Message::new(alert, turn, now_ms);
    Message { id, body }
}
