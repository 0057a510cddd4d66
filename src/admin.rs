//! What an operator may ask of the gate, and who is one.

use ctutils::CtEq as _;

use crate::answer::{Answer, problem};
use crate::audit::NO_TENANT;
use crate::consumer::busy_seconds;
use crate::dead::{DeadLetter, is_letter_id};
use crate::event::{Held, Unreadable};
use crate::keys::Mac;
use crate::ledger::Reply;
use crate::request::Head;
use crate::scheme::{Algorithm, Place};
use crate::tlog::tile::{CHECKPOINT, File};

/// Shorter tokens could be guessed.
const TOKEN_CHARACTERS_MIN: usize = 32;
const DEAD_LETTERS: &str = "/admin/v1/dead-letters";
/// Below it, behind a tenant's name, its log as <https://c2sp.org/tlog-tiles> lays it out.
const LOG: &str = "/admin/v1/log/";
const OFFERS: &str = "/admin/v1/offers/";

/// Something an operator asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
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
    /// Records of a tenant's log that are still there, behind one of them.
    Records {
        tenant: String,
        after_ms: i64,
        after_id: String,
    },
    /// A file of a tenant's log, by its path below the log.
    Log {
        tenant: String,
        path: String,
    },
    /// The secret that the source's provider handed over, which is kept no longer then.
    TakeOffer {
        source: String,
    },
}

/// How a request under `/admin/` is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    Operator,
    /// The right door, the wrong key: 401.
    Refused,
    /// There is no door here: 404 for everyone.
    Nothing,
}

/// Judges a request by its token and its host. Without a sound `token` there is no door at all;
/// with `only_host`, only there.
pub fn authorise(head: &Head, token: Option<&str>, only_host: Option<&str>) -> Admitted {
    let Some(token) = token.filter(|token| token.len() >= TOKEN_CHARACTERS_MIN) else {
        return Admitted::Nothing;
    };
    let host = head.header("host").unwrap_or_default();
    if only_host.is_some_and(|only| !only.is_empty() && !only.eq_ignore_ascii_case(host)) {
        return Admitted::Nothing;
    }
    let authorization = head.header("authorization").unwrap_or_default();
    let given = authorization.strip_prefix("Bearer ").unwrap_or_default();
    if is_token(given, token) {
        Admitted::Operator
    } else {
        Admitted::Refused
    }
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
        (path == CHECKPOINT || File::parse(&path).is_some())
            .then_some(Command::Log { tenant, path })
    }

    /// The name of the command, for the record.
    pub fn name(&self) -> &'static str {
        match self {
            Command::List { .. } => "dead_letters_listed",
            Command::Show { .. } => "dead_letter_shown",
            Command::Content { .. } => "dead_letter_content_shown",
            Command::Redrive { .. } => "dead_letter_redriven",
            Command::Records { .. } => "records_shown",
            Command::Log { .. } => "log_shown",
            Command::TakeOffer { .. } => "offer_taken",
        }
    }
}

/// As the configuration's rules have it, and what no tenant is called: nothing that could lead out of the
/// tenant's own log.
fn is_tenant(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name == NO_TENANT || (1..=64).contains(&name.len()) && name.bytes().all(is_letter)
}

/// Whether the operator insists, by the request's body: `{"again":true}`.
pub fn insists(body: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(body)
        .is_ok_and(|body| body.get("again") == Some(&serde_json::Value::Bool(true)))
}

/// Whether a letter may be sent again, as far as it tells itself.
///
/// # Errors
/// The answer that says why not.
pub fn may_redrive(letter: &DeadLetter, insist: bool, request_id: &str) -> Result<Held, Answer> {
    if letter.redriven_at.is_some() && !insist {
        let title = "This dead letter was sent again before";
        let detail = "The backend sees the same webhook-id.";
        return Err(unless(
            "already-redriven",
            title,
            detail.to_owned(),
            request_id,
        ));
    }
    Held::read(&letter.message).map_err(|unreadable| {
        let title = match unreadable {
            Unreadable::NotAMessage => "The message is not an event",
            Unreadable::UnknownVersion => {
                "The message is of a version that this Worker cannot read"
            }
        };
        problem(422, "unreadable", title, None, request_id)
    })
}

/// What the ledger has against sending an event again. `None`: it has nothing, or did not answer.
pub fn not_redriven(reply: Reply, now_ms: i64, request_id: &str) -> Option<Answer> {
    let (kind, title, detail) = match reply {
        Reply::Busy { until_ms } => {
            let seconds = busy_seconds(until_ms, now_ms);
            let detail =
                format!("It is in the backend's hands for at most {seconds} seconds more.");
            ("being-delivered", "It is being delivered", detail)
        }
        Reply::OnItsWay => {
            let detail =
                "It is held, on the queue, or between two attempts, unless its message was lost.";
            ("on-its-way", "It is on its way", detail.to_owned())
        }
        Reply::Settled => {
            let detail = "It was delivered after it had died.".to_owned();
            ("already-delivered", "The backend has it", detail)
        }
        _ => return None,
    };
    Some(unless(kind, title, detail, request_id))
}

/// 409, and how to have it done all the same.
fn unless(kind: &str, title: &str, detail: String, request_id: &str) -> Answer {
    let detail = detail + " Use --again, or again = true, to send it all the same.";
    problem(409, kind, title, Some(&detail), request_id)
}

/// Compares in constant time: equal MACs under one key, equal tokens.
fn is_token(given: &str, expected: &str) -> bool {
    let mac_of = |text: &str| {
        let mut mac = Mac::new(Algorithm::HmacSha256, b"hookgate admin token");
        mac.update(text.as_bytes());
        mac
    };
    mac_of(given).tag().ct_eq(&mac_of(expected).tag()).to_bool()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn head(method: &str, target: &str, headers: &[(&str, &str)]) -> Head {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Head::new(method, target, headers)
    }

    #[test]
    fn without_a_sound_token_there_is_no_door() {
        let knock = head(
            "GET",
            "/admin/v1/dead-letters",
            &[("authorization", "Bearer ")],
        );
        for token in [None, Some(""), Some("short"), Some(&TOKEN[1..])] {
            assert_eq!(
                authorise(&knock, token, None),
                Admitted::Nothing,
                "{token:?}"
            );
        }
    }

    #[test]
    fn only_the_token_opens_and_only_on_its_host() {
        let knock = |authorization: &str, host| {
            let head = head(
                "GET",
                "/",
                &[("authorization", authorization), ("host", "admin.example")],
            );
            authorise(&head, Some(TOKEN), host)
        };
        let right = format!("Bearer {TOKEN}");
        assert_eq!(knock(&right, None), Admitted::Operator);
        assert_eq!(knock(&right, Some("Admin.Example")), Admitted::Operator);
        assert_eq!(knock(&right, Some("gate.example")), Admitted::Nothing);
        for wrong in [
            "",
            "Bearer ",
            TOKEN,
            &right[..right.len() - 1],
            &format!("{right}0"),
            &format!("{right}, {right}"),
        ] {
            assert_eq!(knock(wrong, None), Admitted::Refused, "{wrong:?}");
        }
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
        for path in ["checkpoint", "tile/0/x001/067", "tile/entries/000.p/7"] {
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
        for (method, target) in [
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

    #[test]
    fn an_operator_insists_in_one_way_only() {
        assert!(insists(r#"{"again":true}"#));
        for text in [
            "",
            "{}",
            r#"{"again":"true"}"#,
            r#"{"again":1}"#,
            "true",
            "[true]",
        ] {
            assert!(!insists(text), "{text}");
        }
    }

    #[test]
    fn what_the_ledger_has_against_a_redrive_is_named() {
        let told = |reply| {
            let answer = not_redriven(reply, 1_000, "req_0")?;
            assert_eq!(answer.status, 409);
            assert!(answer.body.contains("--again"), "{}", answer.body);
            Some(answer.body)
        };
        let busy = told(Reply::Busy { until_ms: 31_000 }).unwrap();
        assert!(
            busy.contains("being-delivered") && busy.contains("31 seconds"),
            "{busy}"
        );
        assert!(told(Reply::OnItsWay).unwrap().contains("on-its-way"));
        assert!(told(Reply::Settled).unwrap().contains("already-delivered"));
        assert_eq!(told(Reply::Redriven { run: 2 }), None);
        assert_eq!(told(Reply::Noted), None);
    }
}
