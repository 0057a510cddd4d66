//! What an operator may read of the record.

use super::Recorded;
use super::counts::Counting;
use super::export::Export;
use super::one_record::is_record_id;
use super::parameters::Unfit;
use super::records::Search;
use crate::request::Head;

/// A part of the record that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    List(Search),
    One {
        id: String,
    },
    Counts(Counting),
    Export(Export),
    /// The description of everything under `/admin/v1`, as OpenAPI 3.1.
    Description,
    Unfit(Unfit),
}

impl Reading {
    /// By the method and the path below `/admin/v1/`.
    pub fn parse(head: &Head, path: &str) -> Option<Reading> {
        if head.method != "GET" {
            return None;
        }
        let read = match path {
            "records" => Search::list(head).map(Reading::List),
            "counts" => Counting::of(head).map(Reading::Counts),
            "export" => Export::of(head).map(Reading::Export),
            "openapi.json" => Ok(Reading::Description),
            _ => {
                let id = path.strip_prefix("records/")?;
                let id = is_record_id(id).then(|| id.to_owned())?;
                Ok(Reading::One { id })
            }
        };
        Some(read.unwrap_or_else(Reading::Unfit))
    }

    /// The name of the action, for the record.
    pub fn name(&self) -> &'static str {
        match self {
            Reading::List(_) => "record_searched",
            Reading::One { .. } => "record_shown",
            Reading::Counts(_) => "counts_shown",
            Reading::Export(_) => "record_exported",
            Reading::Description => "description_shown",
            Reading::Unfit(_) => "parameter_refused",
        }
    }

    /// What of it goes into the record.
    pub fn recorded(&self) -> Recorded {
        match self {
            Reading::List(_) | Reading::One { .. } | Reading::Export(_) => Recorded::OnceAMinute,
            // Numbers, and what everybody may know.
            Reading::Counts(_) | Reading::Description | Reading::Unfit(_) => Recorded::Never,
        }
    }

    /// The one thing that it is about; empty where it is about many.
    pub fn about(&self) -> &str {
        match self {
            Reading::One { id } => id,
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_paths_are_readings() {
        let parse = |method, path: &str| {
            let head = Head::new(method, &format!("/admin/v1/{path}"), []);
            Reading::parse(&head, head.path.strip_prefix("/admin/v1/").unwrap())
        };
        let id = "req_0123".to_owned();
        assert_eq!(parse("GET", "records/req_0123"), Some(Reading::One { id }));
        assert!(matches!(
            parse("GET", "records?limit=7"),
            Some(Reading::List(_))
        ));
        assert!(matches!(parse("GET", "counts"), Some(Reading::Counts(_))));
        assert!(matches!(
            parse("GET", "export?format=csv"),
            Some(Reading::Export(_))
        ));
        assert!(matches!(
            parse("GET", "records?limt=7"),
            Some(Reading::Unfit(_))
        ));
        assert_eq!(parse("GET", "openapi.json"), Some(Reading::Description));
        for (method, path) in [
            ("POST", "records"),
            ("GET", "records/"),
            ("GET", "records/a/b"),
            ("GET", "records/..%2Fx"),
            ("GET", "record"),
            ("GET", "openapi.json/"),
            ("GET", ""),
        ] {
            assert_eq!(parse(method, path), None, "{method} {path}");
        }
    }
}
