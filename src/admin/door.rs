//! The door: which host it is on, what a request brings, and from where a browser may ask.

use super::access::{Access, HEADER};
use super::operators::{Line, Operators, is_of_random_bytes};
use super::session::{cookie, digest};
use crate::request::Head;
use crate::uses;

/// Where a browser signs in and out.
pub const SESSION: &str = "/admin/v1/session";
/// A token in its JSON has some seventy bytes. What is longer is not read, because nobody has shown who he is.
const SIGN_IN_BYTES_MAX: u64 = 1_024;

/// Who is let in, and where.
#[derive(Debug, Default)]
pub struct Door {
    pub operators: Operators,
    host: OwnHost,
    /// Whether a browser may be signed in here.
    pub takes_browsers: bool,
    /// Whether Cloudflare Access stands before it.
    pub access: Option<Access>,
}

/// The operators' own host, `ADMIN_HOST`. Where there is one, there is no door anywhere else.
#[derive(Clone, Debug, Default)]
pub struct OwnHost(Option<String>);

impl OwnHost {
    pub fn of(host: Option<String>) -> Self {
        OwnHost(host.filter(|host| !host.is_empty()))
    }

    fn allows(&self, host: &str) -> bool {
        let only = self.0.as_ref();
        only.is_none_or(|only| only.eq_ignore_ascii_case(host))
    }

    /// Whether a request, by its head as [`Head::from_lines`] reads it, is for it. Nothing is taken
    /// from senders there: what is answered to them would share an origin with the console.
    pub fn is_asked_by(&self, lines: &str) -> bool {
        self.0.as_ref().is_some_and(|only| {
            let url = lines
                .split('\n')
                .nth(1)
                .and_then(|url| url.split_once("://"));
            let host = url.and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
            host.is_some_and(|host| only.eq_ignore_ascii_case(host))
        })
    }
}

/// What the Worker's variables and secrets say of the door.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `ADMINS`, which is a secret.
    pub admins: Option<String>,
    pub host: OwnHost,
    /// `ACCESS_TEAM`.
    pub access_team: Option<String>,
    /// `ACCESS_AUD`.
    pub access_audience: Option<String>,
}

/// What a request under `/admin/` brings.
#[derive(Debug, PartialEq, Eq)]
pub enum Knock<'a> {
    /// There is no door here: 404 for everyone.
    Nothing,
    /// 401. How he tried, for the log.
    Refused(&'static str),
    Token(&'a Line),
    /// What only a browser brings, one of the two at least.
    Browser {
        /// The digest of its cookie, by which its session is found.
        session: Option<String>,
        /// The token in which Access says whose it is.
        assertion: Option<&'a str>,
    },
    /// A browser that would like to have one. The body has a token.
    SignIn,
}

/// How an operator showed who he is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Token,
    Session,
    Access,
}

impl Way {
    /// For the record.
    pub fn name(self) -> &'static str {
        match self {
            Way::Token => "token",
            Way::Session => "session",
            Way::Access => "access",
        }
    }
}

impl Door {
    /// In production the door has a host name of its own, or is
    /// closed to browsers: what senders are answered on the gate's own host must not share an origin with who may change
    /// something. A bearer token is sent by no browser by itself.
    pub fn bring_up(environment: &str, settings: Settings) -> Door {
        let named = settings.access_team.zip(settings.access_audience);
        Door {
            operators: Operators::read(&settings.admins.unwrap_or_default()),
            access: named
                .filter(|_| uses::ACCESS)
                .and_then(|(team, audience)| Access::of(&team, &audience)),
            takes_browsers: settings.host.0.is_some()
                || matches!(environment, "development" | "test"),
            host: settings.host,
        }
    }

    /// Whether there is a door where this request was sent to.
    pub fn is_at(&self, head: &Head) -> bool {
        let host = head.header("host").unwrap_or_default();
        !self.operators.is_empty() && self.host.allows(host)
    }

    /// Whether the console's pages are there.
    pub fn has_console(&self, head: &Head) -> bool {
        self.takes_browsers && self.is_at(head)
    }

    /// Judges a request by what it brings. Nothing of it depends on the path, but where a browser signs in.
    pub fn knock<'a>(&'a self, head: &'a Head) -> Knock<'a> {
        if !self.is_at(head) {
            return Knock::Nothing;
        }
        if head.method == "POST" && head.path == SESSION {
            let length = head
                .header("content-length")
                .and_then(|text| text.parse().ok());
            let is_short = length.is_some_and(|length: u64| length <= SIGN_IN_BYTES_MAX);
            // Or another site could sign a browser in as somebody else.
            return match is_short && comes_from_the_console(head) {
                true => Knock::SignIn,
                false => Knock::Refused("sign_in"),
            };
        }
        if let Some(authorization) = head.header("authorization") {
            let token = authorization.strip_prefix("Bearer ").unwrap_or_default();
            let line = self.operators.by_token(token);
            return line.map_or(Knock::Refused("token"), Knock::Token);
        }
        let cookie = cookie(head);
        // What we never gave anyone is not looked up: it would be a read of the database for every stranger's guess.
        let session = cookie.filter(|cookie| is_of_random_bytes(cookie));
        let session = session.map(digest);
        let assertion = head.header(HEADER).filter(|_| self.access.is_some());
        match (&session, assertion) {
            (None, None) if cookie.is_some() => Knock::Refused("session"),
            (None, None) => Knock::Refused("nothing"),
            _ if self.takes_browsers => Knock::Browser { session, assertion },
            (Some(_), _) => Knock::Refused("session"),
            (None, Some(_)) => Knock::Refused("access"),
        }
    }
}

/// Whether a request that a browser may have sent by itself was meant by who sits before it: a change comes from
/// our own page; and no other site's page looks at anything. (<https://www.w3.org/TR/fetch-metadata/>)
pub fn is_meant(head: &Head) -> bool {
    match head.method.as_str() {
        "GET" | "HEAD" => matches!(
            head.header("sec-fetch-site"),
            None | Some("same-origin" | "none")
        ),
        _ => comes_from_the_console(head),
    }
}

/// The header is one that no form can send, and no other origin without being asked for it first.
fn comes_from_the_console(head: &Head) -> bool {
    head.header("sec-fetch-site") == Some("same-origin")
        && head.header("hookgate-console") == Some("1")
}

#[cfg(test)]
mod tests {
    use super::super::operators::{line_of, token};
    use super::*;

    const CONSOLE: [(&str, &str); 2] =
        [("sec-fetch-site", "same-origin"), ("hookgate-console", "1")];

    fn head(method: &str, target: &str, headers: &[(&str, &str)]) -> Head {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Head::new(method, target, headers)
    }

    fn door(environment: &str, host: Option<&str>) -> Door {
        let settings = Settings {
            admins: line_of("ana", "operate", "*", &token([1; 32])),
            host: OwnHost::of(host.map(str::to_owned)),
            ..Settings::default()
        };
        Door::bring_up(environment, settings)
    }

    #[test]
    fn without_an_operator_there_is_no_door() {
        let bearer = format!("Bearer {}", token([1; 32]));
        let knock = head("GET", "/admin/v1/whoami", &[("authorization", &bearer)]);
        for admins in [
            None,
            Some(""),
            Some("# nobody"),
            Some("ana operate * sha256:00"),
        ] {
            let settings = Settings {
                admins: admins.map(str::to_owned),
                ..Settings::default()
            };
            let door = Door::bring_up("test", settings);
            assert_eq!(door.knock(&knock), Knock::Nothing, "{admins:?}");
        }
    }

    #[test]
    fn only_the_token_opens_and_only_on_its_host() {
        let right = format!("Bearer {}", token([1; 32]));
        let knocks = |authorization: &str, host| {
            let door = door("production", host);
            let headers = [("authorization", authorization), ("host", "admin.example")];
            match door.knock(&head("GET", "/admin/v1/anything", &headers)) {
                Knock::Token(line) => line.operator.name.clone(),
                other => format!("{other:?}"),
            }
        };
        assert_eq!(knocks(&right, None), "ana");
        assert_eq!(knocks(&right, Some("")), "ana");
        assert_eq!(knocks(&right, Some("Admin.Example")), "ana");
        assert_eq!(knocks(&right, Some("gate.example")), "Nothing");
        for wrong in [
            "",
            "Bearer ",
            &right[7..],
            &right[..right.len() - 1],
            &format!("{right}0"),
            &format!("{right}, {right}"),
            &format!("Bearer {}", token([2; 32])),
        ] {
            assert_eq!(knocks(wrong, None), r#"Refused("token")"#, "{wrong:?}");
        }
    }

    #[test]
    fn a_host_of_their_own_is_known_by_the_url() {
        let is_theirs = |host: Option<&str>, url: &str| {
            OwnHost::of(host.map(str::to_owned))
                .is_asked_by(&format!("POST\n{url}\nhost\nadmin.example"))
        };
        for rest in ["", "/", "/hooks/a?b=://c", "?a"] {
            let url = format!("https://Admin.example{rest}");
            assert!(is_theirs(Some("admin.example"), &url), "{url}");
            assert!(!is_theirs(Some("gate.example"), &url), "{url}");
            assert!(
                !is_theirs(None, &url) && !is_theirs(Some(""), &url),
                "{url}"
            );
        }
        for url in ["https://gate.example/://admin.example/", "/hooks/a", ""] {
            assert!(!is_theirs(Some("admin.example"), url), "{url}");
        }
    }

    #[test]
    fn browsers_are_let_in_where_the_door_has_a_host_of_its_own() {
        let right = "-_0aZ".repeat(9)[..43].to_owned();
        let with_cookie = [
            ("cookie", &*format!("a=b; __Host-hookgate={right}; c")),
            ("host", "admin.example"),
        ];
        let knock = head("GET", "/admin/v1/whoami", &with_cookie);
        let session = Knock::Browser {
            session: Some(digest(&right)),
            assertion: None,
        };
        for (environment, host, expected) in [
            ("development", None, &session),
            ("test", None, &session),
            ("production", Some("admin.example"), &session),
            ("staging", Some("admin.example"), &session),
            ("production", None, &Knock::Refused("session")),
            ("staging", None, &Knock::Refused("session")),
            ("", None, &Knock::Refused("session")),
            ("production", Some("other.example"), &Knock::Nothing),
        ] {
            assert_eq!(
                door(environment, host).knock(&knock),
                *expected,
                "{environment} {host:?}"
            );
        }
        for cookie in [
            &format!("hookgate={right}"),
            "__Host-hookgate",
            &format!("x__Host-hookgate={right}"),
            "",
        ] {
            let knock = head("GET", "/admin/v1/whoami", &[("cookie", cookie)]);
            assert_eq!(
                door("test", None).knock(&knock),
                Knock::Refused("nothing"),
                "{cookie}"
            );
        }
    }

    /// A stranger's guess would otherwise be a read of the database.
    #[test]
    fn only_what_has_the_form_of_our_cookie_is_looked_up() {
        for cookie in ["x", "", &"a".repeat(42), &"a".repeat(44), &"+".repeat(43)] {
            let cookie = format!("__Host-hookgate={cookie}");
            let knock = head("GET", "/admin/v1/whoami", &[("cookie", &cookie)]);
            let refused = Knock::Refused("session");
            assert_eq!(door("test", None).knock(&knock), refused, "{cookie}");
        }
    }

    #[test]
    fn a_browser_signs_in_from_our_own_page_and_with_few_bytes() {
        let knock = |method, headers: &[(&str, &str)]| {
            let head = head(method, SESSION, headers);
            matches!(door("test", None).knock(&head), Knock::SignIn)
        };
        let [site, header] = CONSOLE;
        let short = ("content-length", "70");
        assert!(knock("POST", &[site, header, short]));
        assert!(!knock("GET", &[site, header, short]));
        for headers in [
            &[site, header][..],
            &[site, header, ("content-length", "1025")],
            &[site, header, ("content-length", "-1")],
            &[site, short],
            &[header, short],
            &[("sec-fetch-site", "same-site"), header, short],
            &[("sec-fetch-site", "none"), header, short],
            &[site, ("hookgate-console", "0"), short],
        ] {
            assert!(!knock("POST", headers), "{headers:?}");
        }
    }

    #[test]
    fn what_a_browser_sends_by_itself_changes_nothing() {
        let [site, header] = CONSOLE;
        let meant = |method, headers: &[(&str, &str)]| is_meant(&head(method, "/", headers));
        for method in ["POST", "DELETE", "PUT"] {
            assert!(meant(method, &[site, header]));
            for headers in [
                &[][..],
                &[site],
                &[header],
                &[("sec-fetch-site", "cross-site"), header],
                &[("sec-fetch-site", "same-site"), header],
                &[("sec-fetch-site", "none"), header],
                &[("sec-fetch-site", "same-origin, same-origin"), header],
                &[site, ("hookgate-console", "")],
            ] {
                assert!(!meant(method, headers), "{method} {headers:?}");
            }
        }
        assert!(meant("GET", &[]) && meant("GET", &[site]));
        assert!(meant("GET", &[("sec-fetch-site", "none")]));
        assert!(!meant("GET", &[("sec-fetch-site", "cross-site")]));
        assert!(!meant("GET", &[("sec-fetch-site", "same-site")]));
    }
}
