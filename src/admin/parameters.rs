//! What stands behind the question mark of an operator's request.
//!
//! **A parameter that is not understood is refused**, never left out: without it a search finds more than was asked
//! for, and a typo would look like an answer.

use crate::answer::{Answer, problem};
use crate::request::Head;
use crate::scheme::TimeUnit;
use crate::time;
use crate::tlog::is_tenant;

/// No name or id of a record is longer.
const VALUE_BYTES_MAX: usize = 256;
/// A cursor has times and an id in it.
const CURSOR_BYTES_MAX: usize = 512;

/// Why a request is not carried out: 400. Constant words and names of parameters, nothing of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit(pub String);

impl Unfit {
    /// A parameter's value is not one that is allowed.
    pub fn value(name: &str, allowed: &str) -> Unfit {
        Unfit([name, ": ", allowed].concat())
    }

    pub fn answer(&self, request_id: &str) -> Answer {
        let title = "A parameter cannot be used";
        problem(400, "bad-parameter", title, Some(&self.0), request_id)
    }
}

/// The pairs of a query, each name known and there once.
#[derive(Debug)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// # Errors
    /// A name that is not among `known`, one that is repeated, or a value that is empty or too long.
    pub fn of(head: &Head, known: &[&str]) -> Result<Parameters, Unfit> {
        let pairs = head.query_pairs().map_err(|_| {
            Unfit("The query is percent-encoded UTF-8; a plus sign is written %2B.".to_owned())
        })?;
        for (index, (name, value)) in pairs.iter().enumerate() {
            let Some(known) = known.iter().find(|known| *known == name) else {
                let names = known.join(", ");
                return Err(Unfit(
                    ["A parameter is not known here. Known are: ", &names].concat(),
                ));
            };
            if pairs[..index].iter().any(|(before, _)| before == name) {
                return Err(Unfit::value(known, "may be there once"));
            }
            let bytes_max = match *known {
                "cursor" => CURSOR_BYTES_MAX,
                _ => VALUE_BYTES_MAX,
            };
            if value.is_empty() || value.len() > bytes_max {
                return Err(Unfit::value(
                    known,
                    "neither empty nor longer than anything of that name",
                ));
            }
        }
        Ok(Parameters(pairs))
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        pairs
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The tenant that is asked about.
    ///
    /// # Errors
    /// No tenant is called so. It could be found in nothing that the gate wrote.
    pub fn tenant(&self) -> Result<Option<String>, Unfit> {
        match self.text("tenant") {
            Some(name) if !is_tenant(name) => {
                let allowed = "1 to 64 characters of a-z, 0-9 and -, or _ for what is no tenant's";
                Err(Unfit::value("tenant", allowed))
            }
            name => Ok(name.map(str::to_owned)),
        }
    }

    /// A time in milliseconds since 1970.
    ///
    /// # Errors
    /// It is none of RFC 3339, section 5.6.
    pub fn time(&self, name: &str) -> Result<Option<i64>, Unfit> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let parse = |unit| time::parse(text, unit);
        let ms = parse(TimeUnit::Rfc3339).or_else(|| parse(TimeUnit::Rfc3339Seconds));
        let allowed = "a time of RFC 3339, as 2026-11-22T10:00:00Z; a plus sign is written %2B";
        ms.map(Some).ok_or_else(|| Unfit::value(name, allowed))
    }

    /// A number from one to `most`.
    ///
    /// # Errors
    /// It is none.
    pub fn number(&self, name: &str, most: u32) -> Result<Option<u32>, Unfit> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let number = text.parse().ok();
        let number = number.filter(|number| (1..=most).contains(number));
        let allowed = ["a whole number from 1 to ", &most.to_string()].concat();
        number.map(Some).ok_or_else(|| Unfit::value(name, &allowed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str) -> Result<Parameters, Unfit> {
        let head = Head::new("GET", &format!("/admin/v1/records?{query}"), []);
        Parameters::of(&head, &["source", "from", "limit", "cursor", "tenant"])
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (query, named) in [
            (
                "sorce=github",
                "Known are: source, from, limit, cursor, tenant",
            ),
            ("SOURCE=github", "Known are"),
            ("source=a&source=b", "source: "),
            ("source=", "source: "),
            ("source", "source: "),
            ("source=%zz", "percent-encoded"),
            ("source=%ff", "percent-encoded"),
        ] {
            let Unfit(detail) = of(query).unwrap_err();
            assert!(detail.contains(named), "{query}: {detail}");
        }
        assert!(of(&format!("source={}", "x".repeat(257))).is_err());
        assert!(of(&format!("cursor={}", "x".repeat(512))).is_ok());
        assert_eq!(of("source=a%2Bb").unwrap().text("source"), Some("a+b"));
        assert_eq!(of("").unwrap().text("source"), None);
    }

    #[test]
    fn a_tenant_is_a_name_that_a_tenant_can_have() {
        let tenant = |text: &str| of(&format!("tenant={text}")).unwrap().tenant();
        assert_eq!(tenant("acme-1"), Ok(Some("acme-1".to_owned())));
        assert_eq!(tenant("_"), Ok(Some("_".to_owned())));
        assert_eq!(of("").unwrap().tenant(), Ok(None));
        for text in ["Acme", "acme%0A7%0Ax", "acme%2Fx", "%27%29%3B", "__"] {
            let Unfit(detail) = tenant(text).unwrap_err();
            assert!(detail.starts_with("tenant: "), "{text}: {detail}");
        }
    }

    #[test]
    fn times_and_numbers_have_one_reading() {
        let time = |text: &str| of(&format!("from={text}")).unwrap().time("from");
        assert_eq!(time("1970-01-01T00:00:01Z"), Ok(Some(1_000)));
        assert_eq!(time("1970-01-01T00:00:01.5Z"), Ok(Some(1_500)));
        assert_eq!(time("1970-01-01T02:00:01%2B02:00"), Ok(Some(1_000)));
        for text in ["1970-01-01", "1", "1970-01-01T02:00:01+02:00", "now"] {
            assert!(time(text).is_err(), "{text}");
        }
        let number = |text: &str| of(&format!("limit={text}")).unwrap().number("limit", 200);
        assert_eq!(number("200"), Ok(Some(200)));
        for text in ["0", "201", "-1", "1.5", "x", "99999999999"] {
            assert!(number(text).is_err(), "{text}");
        }
    }
}
