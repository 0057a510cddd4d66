//! Who is an operator.

use ctutils::CtEq as _;

use crate::keys::Mac;
use crate::request::Head;
use crate::scheme::Algorithm;

/// Shorter tokens could be guessed.
const TOKEN_CHARACTERS_MIN: usize = 32;

/// Who asks, and what he may. Whatever of the gate belongs to a tenant, an operator whom [`Operator::sees`] does not
/// let see it is told of it what he would be told if it were not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// For the record.
    pub name: String,
    /// May change something, not only look.
    pub operates: bool,
    /// `None`: all of them, and what belongs to none.
    tenants: Option<Vec<String>>,
}

impl Operator {
    /// Who may do everything.
    pub fn of_everything(name: &str) -> Operator {
        Operator {
            name: name.to_owned(),
            operates: true,
            tenants: None,
        }
    }

    /// Who sees only these tenants.
    #[cfg(test)]
    pub fn of_tenants(name: &str, tenants: &[&str]) -> Operator {
        let tenants = tenants.iter().map(|tenant| (*tenant).to_owned()).collect();
        Operator {
            tenants: Some(tenants),
            ..Operator::of_everything(name)
        }
    }

    /// Whose things are there for him. `None`: everybody's.
    pub fn tenants(&self) -> Option<&[String]> {
        self.tenants.as_deref()
    }

    /// Whether what belongs to this tenant is there for him.
    pub fn sees(&self, tenant: &str) -> bool {
        let among = |tenants: &Vec<String>| tenants.iter().any(|name| name == tenant);
        self.tenants.as_ref().is_none_or(among)
    }
}

/// How a request under `/admin/` is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admitted {
    Operator(Operator),
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
        Admitted::Operator(Operator::of_everything("admin"))
    } else {
        Admitted::Refused
    }
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
        let operator = Admitted::Operator(Operator::of_everything("admin"));
        assert_eq!(knock(&right, None), operator);
        assert_eq!(knock(&right, Some("Admin.Example")), operator);
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
}
