//! What is told of an alert, and to whom: as [Standard Webhooks](https://www.standardwebhooks.com/) has it.

use serde::Serialize;

use super::{Alert, Turn};
use crate::audit::line;
use crate::config::Rule;
use crate::time;

/// A message for the webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Of one turn of one alert: whoever is told twice knows by it.
    pub id: String,
    pub body: String,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    timestamp: &'a str,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    rule: &'static str,
    /// `_`: it is not about one tenant.
    tenant: &'a str,
    /// Empty: it is not about one source.
    source: &'a str,
    value: i64,
    threshold: i64,
    since: &'a str,
    what_to_do: &'static str,
}

impl Message {
    /// Names and numbers, nothing that a sender wrote.
    pub fn new(alert: &Alert, turn: Turn, now_ms: i64) -> Self {
        let Alert {
            rule,
            tenant,
            source,
            ..
        } = alert;
        let name = rule.name();
        Message {
            id: format!("alr_{name}_{tenant}_{source}_{now_ms}"),
            body: line(&Body {
                r#type: match turn {
                    Turn::Firing | Turn::StillFiring => "alert.firing",
                    Turn::Resolved => "alert.resolved",
                },
                timestamp: &time::rfc3339(now_ms),
                data: Data {
                    rule: name,
                    tenant,
                    source,
                    value: alert.value,
                    threshold: alert.threshold,
                    since: &time::rfc3339(alert.since_ms),
                    what_to_do: what_to_do(*rule),
                },
            }),
        }
    }
}

/// What became of messages that were sent one after the other.
#[derive(Debug, Default)]
pub struct Round<'a> {
    /// Their ids: taken, or known to the receiver already.
    pub told: Vec<&'a str>,
    /// Their ids: the receiver takes no such message. They are given up sooner ([`super::store::TOLD`]).
    pub refused: Vec<&'a str>,
    /// Of the first that was not taken.
    pub failed: Option<String>,
}

impl<'a> Round<'a> {
    /// Notes the status with which a message was answered, or why there was none. Whether the next one is to be sent: one
    /// that is never taken must not stand before all newer ones, but without an answer they would wait as long in vain.
    pub fn goes_on(&mut self, id: &'a str, answered: Result<u16, String>) -> bool {
        let (detail, goes_on) = match answered {
            // A conflict is with itself: it came before under this id, and only our knowledge of it was lost.
            Ok(200..300 | 409) => {
                self.told.push(id);
                return true;
            }
            Ok(status) => {
                if matches!(status, 400 | 413 | 415 | 422) {
                    self.refused.push(id);
                }
                // Too many requests (RFC 6585, section 4): one more would be too many as well.
                (format!("status {status}"), status != 429)
            }
            Err(detail) => (detail, false),
        };
        self.failed.get_or_insert(detail);
        goes_on
    }
}

/// Where to begin; `docs/alerts.md` has the rest under the rule's name.
pub fn what_to_do(rule: Rule) -> &'static str {
    match rule {
        Rule::AllRefused => {
            "docs/alerts.md#all_refused: look at the reason and the diagnosis of its last refusals"
        }
        Rule::GoneQuiet => {
            "docs/alerts.md#gone_quiet: ask the sender whether it still sends, and where to"
        }
        Rule::RefusalSpike => "docs/alerts.md#refusal_spike: look who is refused, and why",
        Rule::SkewNearTolerance => {
            "docs/alerts.md#skew_near_tolerance: have the sender's clock looked at before it is refused"
        }
        Rule::DeadLetters => {
            "docs/alerts.md#dead_letters: ./scripts/dead list, mend the backend, and send them again"
        }
        Rule::LedgerBacklog | Rule::SpoolBacklog => {
            "docs/alerts.md#backlogs: look whether the queue takes messages"
        }
        Rule::QueueBacklog | Rule::SlowQueueBacklog => {
            "docs/alerts.md#backlogs: look whether the backend takes events, and the consumer runs"
        }
        Rule::DeadLetterQueueBacklog => {
            "docs/alerts.md#backlogs: look whether the archive takes letters"
        }
        Rule::AuditQueueBacklog => {
            "docs/alerts.md#backlogs: look whether the record's database takes batches"
        }
        Rule::RecordFull => {
            "docs/alerts.md#record_full: shorten audit_days, or raise record_bytes_max"
        }
        Rule::RecordUnreachable => {
            "docs/alerts.md#record_unreachable: look whether D1 answers, and whether its migrations are applied"
        }
        Rule::LogUnsigned => "docs/alerts.md#log_unsigned: set the secret AUDIT_LOG_KEY",
        Rule::LogContradicted => {
            "docs/alerts.md#log_contradicted: the log was rewritten, or the witness was: look at once"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::Reading;

    /// Receivers parse it, and know a repeat by its id.
    #[test]
    fn a_message_says_what_and_since_when() {
        let alert = Alert {
            since_ms: 1_800_000_000_000,
            value: 9,
            ..Alert::new(&Reading {
                rule: Rule::AllRefused,
                tenant: "acme",
                source: "shop",
                value: 9,
                threshold: 5,
            })
        };
        let message = Message::new(&alert, Turn::StillFiring, 1_800_000_600_000);
        assert_eq!(message.id, "alr_all_refused_acme_shop_1800000600000");
        assert_eq!(
            message.body,
            concat!(
                r#"{"type":"alert.firing","timestamp":"2027-01-15T08:10:00.000Z","data":{"rule":"all_refused","tenant":"acme","#,
                r#""source":"shop","value":9,"threshold":5,"since":"2027-01-15T08:00:00.000Z","#,
                r#""what_to_do":"docs/alerts.md#all_refused: look at the reason and the diagnosis of its last refusals"}}"#
            )
        );
    }

    fn round<'a>(answers: &[(&'a str, Result<u16, String>)]) -> (Round<'a>, usize) {
        let mut round = Round::default();
        let sent = answers
            .iter()
            .take_while(|(id, answered)| round.goes_on(id, answered.clone()));
        let sent = sent.count();
        (round, sent)
    }

    /// A receiver that answers one message with an error for ever, as it may for an id that it knows, must hear the others.
    #[test]
    fn a_message_that_is_never_taken_stands_before_no_other() {
        for status in [302, 400, 401, 404, 408, 410, 413, 415, 422, 500, 503] {
            let (round, sent) = round(&[("a", Ok(status)), ("b", Ok(204)), ("c", Ok(200))]);
            assert_eq!((sent, &round.told[..]), (3, &["b", "c"][..]), "{status}");
            assert_eq!(round.failed, Some(format!("status {status}")));
            let is_refused = matches!(status, 400 | 413 | 415 | 422);
            assert_eq!(round.refused, ["a"][..usize::from(is_refused)], "{status}");
        }
        let (round, _) = round(&[("a", Ok(409)), ("b", Ok(299))]);
        assert_eq!((round.told, round.failed), (vec!["a", "b"], None));
    }

    #[test]
    fn without_an_answer_the_others_wait() {
        for answered in [Err("no answer".to_owned()), Ok(429)] {
            let (round, sent) = round(&[("a", Ok(500)), ("b", answered), ("c", Ok(204))]);
            assert_eq!((sent, round.told.len(), round.refused.len()), (1, 0, 0));
            assert_eq!(round.failed.as_deref(), Some("status 500"));
        }
    }

    #[test]
    fn every_rule_is_described_where_its_message_says() {
        let text = include_str!("../../docs/alerts.md");
        for rule in Rule::ALL {
            let place = what_to_do(rule).strip_prefix("docs/alerts.md#");
            let (heading, _) = place
                .and_then(|place| place.split_once(": "))
                .unwrap_or_default();
            assert!(
                text.contains(&format!("\n### {heading}\n")),
                "{rule:?}: {heading}"
            );
            assert!(text.contains(rule.name()), "{rule:?}");
        }
    }
}
