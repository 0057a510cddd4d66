//! What an operator did, as an entry of the record: in the log of the tenant whose thing it was about, beside the refusals.
//!
//! It is written when it is known how it ended, and before the operator is told. The invocation outlives the client, so
//! going away in between hides nothing. An audit queue that does not take it stops no operator, who may be there to mend just
//! that: the log then has an alarm with the same members.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Operator, Way};
use crate::audit::{Entry, NO_TENANT, line, shown};
use crate::time;
use crate::tlog::is_tenant;

const MINUTE_MS: i64 = 60_000;
/// Different looks in a minute that an isolate remembers. Who makes more is written down more often.
const LOOKS_MAX: usize = 1_000;
/// Ids and names of ours are shorter. What is longer is what an operator made up.
const ABOUT_CHARACTERS_MAX: usize = 128;

/// An action that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Action<'a> {
    pub request_id: &'a str,
    pub operator: &'a Operator,
    pub way: Way,
    /// [`super::Command::name`].
    pub name: &'a str,
    /// [`super::Command::about`].
    pub about: &'a str,
    /// Whose thing it was, where that is known. `None`: no tenant's, or that of many.
    pub tenant: Option<&'a str>,
    pub status: u16,
    /// The client's, as the platform says; empty where it does not.
    pub address: &'a str,
    pub at_ms: i64,
}

#[derive(Serialize)]
struct Text<'a> {
    v: u32,
    record: &'static str,
    time: String,
    request_id: &'a str,
    operator: &'a str,
    /// How he showed who he is.
    by: &'a str,
    action: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    about: &'a str,
    tenant: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_network: Option<String>,
}

impl<'a> Action<'a> {
    /// Its entry. The name of the action is what an entry has as its reason, so that one can look for it. It names no
    /// source.
    pub fn entry(&self) -> Entry<'a> {
        // A stranger may have written it into a store. No log is called so, and what was done is to be in one.
        let tenant = self.tenant.filter(|tenant| is_tenant(tenant));
        let tenant = tenant.unwrap_or(NO_TENANT);
        Entry {
            id: self.request_id,
            tenant,
            source: "",
            at_ms: self.at_ms,
            verdict: "admin",
            reason: self.name,
            text: line(&Text {
                v: 1,
                record: "admin",
                time: time::rfc3339(self.at_ms),
                request_id: self.request_id,
                operator: &self.operator.name,
                by: self.way.name(),
                action: self.name,
                about: shortened(self.about),
                tenant,
                status: self.status,
                client_network: shown::network(self.address),
            }),
            address: None,
        }
    }
}

fn shortened(about: &str) -> &str {
    let end = about.char_indices().nth(ABOUT_CHARACTERS_MAX);
    end.map_or(about, |(end, _)| &about[..end])
}

/// What was looked at in this minute.
#[derive(Debug, Default)]
pub struct Looks {
    minute: i64,
    seen: BTreeSet<String>,
}

impl Looks {
    /// Whether it is the first of its minute, of this operator at this thing. It then counts.
    pub fn is_first(&mut self, action: &Action<'_>) -> bool {
        let minute = action.at_ms.div_euclid(MINUTE_MS);
        if minute != self.minute || self.seen.len() >= LOOKS_MAX {
            self.minute = minute;
            self.seen.clear();
        }
        let tenant = action.tenant.unwrap_or_default();
        let operator = &action.operator.name;
        let look = [operator, action.name, tenant, shortened(action.about)].join("\n");
        self.seen.insert(look)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action<'a>(operator: &'a Operator, about: &'a str, at_ms: i64) -> Action<'a> {
        Action {
            request_id: "req_1",
            operator,
            way: Way::Token,
            name: "dead_letter_shown",
            about,
            tenant: Some("acme"),
            status: 200,
            address: "203.0.113.9",
            at_ms,
        }
    }

    /// Pinned: it is hashed, and checked for ever.
    #[test]
    fn an_action_is_an_entry_of_the_record() {
        let operator = Operator::of_everything("ana");
        let entry = action(&operator, "raw-0123", 1_800_000_000_000).entry();
        let text = r#"{"v":1,"record":"admin","time":"2027-01-15T08:00:00.000Z","request_id":"req_1","operator":"ana","by":"token","action":"dead_letter_shown","about":"raw-0123","tenant":"acme","status":200,"client_network":"203.0.113.0/24"}"#;
        assert_eq!(entry.text, text);
        let columns = (
            entry.id,
            entry.tenant,
            entry.source,
            entry.verdict,
            entry.reason,
        );
        assert_eq!(columns, ("req_1", "acme", "", "admin", "dead_letter_shown"));
        assert_eq!(entry.address, None);
        let nobodys = Action {
            tenant: None,
            about: "",
            address: "",
            way: Way::Session,
            ..action(&operator, "", 0)
        };
        let text = nobodys.entry().text;
        assert!(
            text.ends_with(
                r#""by":"session","action":"dead_letter_shown","tenant":"_","status":200}"#
            ),
            "{text}"
        );
    }

    /// The entry's tenant says whose log it goes to, and who writes a store may have made it up.
    #[test]
    fn what_is_no_tenant_has_no_log() {
        let operator = Operator::of_everything("ana");
        for tenant in ["acme\n7\nx", "", "Acme"] {
            let tenant = Some(tenant);
            let action = Action {
                tenant,
                ..action(&operator, "", 0)
            };
            let entry = action.entry();
            assert_eq!(entry.tenant, "_");
            assert!(entry.text.contains(r#""tenant":"_""#), "{}", entry.text);
        }
    }

    #[test]
    fn what_an_operator_made_up_is_cut() {
        let operator = Operator::of_everything("ana");
        let long = "ü".repeat(1_000);
        let text = action(&operator, &long, 0).entry().text;
        assert_eq!(text.matches('ü').count(), ABOUT_CHARACTERS_MAX);
    }

    #[test]
    fn the_same_look_counts_once_a_minute() {
        let (ana, ben) = (
            Operator::of_everything("ana"),
            Operator::of_everything("ben"),
        );
        let mut looks = Looks::default();
        for (operator, about, at_ms, first) in [
            (&ana, "a", 60_000, true),
            (&ana, "a", 60_001, false),
            (&ana, "b", 60_001, true),
            (&ben, "a", 60_002, true),
            (&ana, "a", 119_999, false),
            (&ana, "a", 120_000, true),
        ] {
            assert_eq!(
                looks.is_first(&action(operator, about, at_ms)),
                first,
                "{about} {at_ms}"
            );
        }
        for number in 0..2 * LOOKS_MAX {
            looks.is_first(&action(&ana, &number.to_string(), 120_001));
        }
        assert!(looks.seen.len() <= LOOKS_MAX);
    }
}
