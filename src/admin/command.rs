//! What an operator asks for, by method and path.

use super::door::SESSION;
use super::is_request_id;
use super::reading::Reading;
use crate::dead::is_letter_id;
use crate::request::Head;
use crate::scheme::Place;
use crate::tlog::tile::{CHECKPOINT, File};
use crate::tlog::{NEWEST, is_tenant};

const ALL: &str = "/admin/v1/";
const DEAD_LETTERS: &str = "/admin/v1/dead-letters";
/// Below it, behind a tenant's name, its log as <https://c2sp.org/tlog-tiles> lays it out.
const LOG: &str = "/admin/v1/log/";
const FORGET: &str = "/admin/v1/forget";
const RECORDS: &str = "/admin/v1/records/";
const OFFERS: &str = "/admin/v1/offers/";
const SOURCES: &str = "/admin/v1/sources";
const ALERTS: &str = "/admin/v1/alerts";
const WHOAMI: &str = "/admin/v1/whoami";

/// What the record has of a command ([`super::action`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// A change, or the attempt: each one, however it ended.
    Each,
    /// A look at something, where there was something: once a minute for each operator and thing. The console looks
    /// at the same lists every few seconds.
    OnceAMinute,
    Never,
}

/// Something an operator asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Who he is to the gate.
    WhoAmI,
    /// The browser's session ends. How one begins is the door's matter.
    SignOut,
    /// A page of dead letters, after a cursor.
    List {
        cursor: Option<String>,
    },
    Show {
        id: String,
    },
    /// The content of a letter whose message only refers to it.
    Content {
        id: String,
    },
    Redrive {
        id: String,
    },
    /// A part of the record.
    Read(Reading),
    /// Records of a tenant's log that are still there, behind one of them.
    Records {
        tenant: String,
        after_ms: i64,
        after_id: String,
    },
    /// A file of a tenant's log, by its path below the log; or [`NEWEST`].
    Log {
        tenant: String,
        path: String,
    },
    /// The secret that the source's provider handed over, which is kept no longer then.
    TakeOffer {
        source: String,
    },
    /// The next resend of an event is delivered once more: see [`super::Wish`].
    Forget,
    /// How each source is.
    Sources,
    /// What fires, and what did lately.
    Alerts,
    /// A refusal that was kept is judged again.
    Readmit {
        id: String,
    },
}

impl Command {
    /// The command of a request, by its method and path.
    pub fn parse(head: &Head) -> Option<Command> {
        if let Some(rest) = head.path.strip_prefix(LOG) {
            return Command::of_log(head, rest);
        }
        if let Some(source) = head.path.strip_prefix(OFFERS) {
            let source = source.to_owned();
            return (head.method == "POST").then_some(Command::TakeOffer { source });
        }
        if head.path == FORGET {
            return (head.method == "POST").then_some(Command::Forget);
        }
        let refusal = head.path.strip_prefix(RECORDS);
        if let Some(id) = refusal.and_then(|rest| rest.strip_suffix("/readmit")) {
            let id = Some(id).filter(|id| is_request_id(id))?.to_owned();
            return (head.method == "POST").then_some(Command::Readmit { id });
        }
        if let Some(reading) = Reading::parse(head, head.path.strip_prefix(ALL)?) {
            return Some(Command::Read(reading));
        }
        match (head.method.as_str(), head.path.as_str()) {
            ("GET", SOURCES) => return Some(Command::Sources),
            ("GET", ALERTS) => return Some(Command::Alerts),
            ("GET", WHOAMI) => return Some(Command::WhoAmI),
            ("DELETE", SESSION) => return Some(Command::SignOut),
            _ => {}
        }
        let rest = head.path.strip_prefix(DEAD_LETTERS)?;
        let cursor = || head.value_at(&Place::Query("cursor".to_owned())).ok();
        let id = |text: &str| is_letter_id(text).then(|| text.to_owned());
        match (head.method.as_str(), rest) {
            ("GET", "") => Some(Command::List { cursor: cursor() }),
            ("GET", rest) => {
                let rest = rest.strip_prefix('/')?;
                Some(match rest.strip_suffix("/content") {
                    Some(rest) => Command::Content { id: id(rest)? },
                    None => Command::Show { id: id(rest)? },
                })
            }
            ("POST", rest) => Some(Command::Redrive {
                id: id(rest.strip_prefix('/')?.strip_suffix("/redrive")?)?,
            }),
            _ => None,
        }
    }

    fn of_log(head: &Head, rest: &str) -> Option<Command> {
        let (tenant, path) = rest.split_once('/')?;
        (head.method == "GET" && is_tenant(tenant)).then_some(())?;
        let tenant = tenant.to_owned();
        if path == "records" {
            // The time in milliseconds, a dash, and the id of the last one that is known.
            let after = head.value_at(&Place::Query("after".to_owned()));
            let after = after.unwrap_or_default();
            let (after_ms, after_id) = after.split_once('-').unwrap_or(("-1", ""));
            return Some(Command::Records {
                tenant,
                after_ms: after_ms.parse().ok()?,
                after_id: after_id.to_owned(),
            });
        }
        let path = path.to_owned();
        (path == CHECKPOINT || path == NEWEST || File::parse(&path).is_some())
            .then_some(Command::Log { tenant, path })
    }

    /// The name of the command, for the record.
    pub fn name(&self) -> &'static str {
        match self {
            Command::WhoAmI => "whoami",
            Command::SignOut => "signed_out",
            Command::List { .. } => "dead_letters_listed",
            Command::Show { .. } => "dead_letter_shown",
            Command::Content { .. } => "dead_letter_content_shown",
            Command::Redrive { .. } => "dead_letter_redriven",
            Command::Read(reading) => reading.name(),
            Command::Records { .. } => "records_shown",
            Command::Log { .. } => "log_shown",
            Command::TakeOffer { .. } => "offer_taken",
            Command::Forget => "event_forgotten",
            Command::Sources => "sources_shown",
            Command::Alerts => "alerts_shown",
            Command::Readmit { .. } => "refusal_readmitted",
        }
    }

    /// Whether it changes something, which takes an operator who may.
    pub fn operates(&self) -> bool {
        match self {
            Command::Redrive { .. } | Command::TakeOffer { .. } => true,
            Command::Forget | Command::Readmit { .. } => true,
            // His own session is nobody else's matter.
            Command::WhoAmI | Command::SignOut => false,
            Command::List { .. } | Command::Show { .. } | Command::Content { .. } => false,
            Command::Records { .. } | Command::Log { .. } => false,
            Command::Read(_) | Command::Sources | Command::Alerts => false,
        }
    }

    /// What of it goes into the record.
    pub fn recorded(&self) -> Recorded {
        match self {
            Command::Redrive { .. } | Command::TakeOffer { .. } | Command::SignOut => {
                Recorded::Each
            }
            Command::List { .. } | Command::Show { .. } | Command::Content { .. } => {
                Recorded::OnceAMinute
            }
            Command::Forget => Recorded::Each,
            Command::Records { .. } => Recorded::OnceAMinute,
            Command::Read(reading) => reading.recorded(),
            // Once it is judged, with what came of it: `Arrival::readmitted`.
            Command::Readmit { .. } => Recorded::Each,
            // Numbers.
            Command::Sources | Command::Alerts => Recorded::Never,
            // Hashes and ids: who has them has read nothing.
            Command::WhoAmI | Command::Log { .. } => Recorded::Never,
        }
    }

    /// The one thing that it is about, as the request names it; empty where it is about many.
    pub fn about(&self) -> &str {
        match self {
            Command::Show { id } | Command::Content { id } | Command::Redrive { id } => id,
            Command::TakeOffer { source } => source,
            Command::Records { tenant, .. } | Command::Log { tenant, .. } => tenant,
            Command::Readmit { id } => id,
            Command::Read(reading) => reading.about(),
            Command::WhoAmI | Command::SignOut | Command::List { .. } => "",
            Command::Forget | Command::Sources | Command::Alerts => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(method: &str, target: &str, headers: &[(&str, &str)]) -> Head {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Head::new(method, target, headers)
    }

    #[test]
    fn only_exact_paths_are_commands() {
        let parse = |method, target| Command::parse(&head(method, target, &[]));
        let id = || "raw-0123".to_owned();
        assert_eq!(
            parse("GET", "/admin/v1/dead-letters?cursor=a%2Bb"),
            Some(Command::List {
                cursor: Some("a+b".to_owned())
            })
        );
        assert_eq!(
            parse("GET", "/admin/v1/dead-letters/raw-0123"),
            Some(Command::Show { id: id() })
        );
        assert_eq!(
            parse("POST", "/admin/v1/dead-letters/raw-0123/redrive"),
            Some(Command::Redrive { id: id() })
        );
        for path in [
            "checkpoint",
            "newest",
            "tile/0/x001/067",
            "tile/entries/000.p/7",
        ] {
            let head = head("GET", &format!("/admin/v1/log/acme/{path}"), &[]);
            let (tenant, path) = ("acme".to_owned(), path.to_owned());
            let command = Command::parse(&head);
            assert_eq!(command, Some(Command::Log { tenant, path }));
        }
        assert_eq!(
            parse("GET", "/admin/v1/log/_/records?after=17-req_1"),
            Some(Command::Records {
                tenant: "_".to_owned(),
                after_ms: 17,
                after_id: "req_1".to_owned()
            })
        );
        assert_eq!(parse("POST", "/admin/v1/forget"), Some(Command::Forget));
        assert_eq!(parse("GET", "/admin/v1/sources?x"), Some(Command::Sources));
        assert_eq!(parse("GET", "/admin/v1/alerts"), Some(Command::Alerts));
        let refusal = format!("req_{}", "0f".repeat(16));
        let target = format!("/admin/v1/records/{refusal}/readmit");
        let readmit = Some(Command::Readmit { id: refusal });
        assert_eq!(parse("POST", &target), readmit);
        for (method, target) in [
            ("POST", "/admin/v1/records/req_0/readmit"),
            ("POST", "/admin/v1/records//readmit"),
            ("GET", "/admin/v1/forget"),
            ("POST", "/admin/v1/forget/x"),
            ("POST", "/admin/v1/sources"),
            ("GET", "/admin/v1/alerts/"),
            ("POST", "/admin/v1/log/acme/records"),
            ("GET", "/admin/v1/log/acme/records?after=x-y"),
            ("POST", "/admin/v1/dead-letters"),
            ("DELETE", "/admin/v1/dead-letters/raw-0123"),
            ("GET", "/admin/v1/dead-letters/"),
            ("GET", "/admin/v1/dead-letters/..%2Fx"),
            ("GET", "/admin/v1/dead-letters/raw-0123/redrive"),
            ("GET", "/admin/v2/dead-letters"),
            ("POST", "/admin/v1/log/acme/checkpoint"),
            ("GET", "/admin/v1/log/acme"),
            ("GET", "/admin/v1/log/acme/"),
            ("GET", "/admin/v1/log//checkpoint"),
            ("GET", "/admin/v1/log/../checkpoint"),
            ("GET", "/admin/v1/log/acme/tile/0/1"),
            ("GET", "/admin/v1/log/acme/../../dead/x"),
            ("GET", "/admin/v1/log/acme%2Ftile/checkpoint"),
        ] {
            assert_eq!(parse(method, target), None, "{method} {target}");
        }
    }
}
