//! Signed strings that only the tool tries: with other separators, and with another path or query.

use super::case::{Case, Change};
use super::signed_string::{is_separator, varied};
use crate::request::Head;
use crate::scheme::Part;

/// Separators that signed strings are known to have.
const SEPARATORS: [&str; 4] = [".", ":", "\n", "|"];

/// One and the same other separator in the place of each, or where there is none.
pub(super) fn other_separators(case: &Case<'_>, changes: &mut Vec<Change>) {
    let signed = &case.scheme.signed;
    let has_separators = signed.iter().any(is_separator);
    for separator in SEPARATORS {
        let separator = Part::Literal(separator.to_owned());
        let mut parts = Vec::new();
        for part in signed {
            if is_separator(part) {
                parts.push(separator.clone());
                continue;
            }
            if !has_separators && !parts.is_empty() {
                parts.push(separator.clone());
            }
            parts.push(part.clone());
        }
        varied(case, changes, parts);
    }
}

/// Where the path or the query is signed: as they may have been before a proxy changed them.
pub(super) fn target_otherwise(case: &Case<'_>, changes: &mut Vec<Change>) {
    let signs_target = |part: &Part| {
        matches!(
            part.innermost(),
            Part::Target | Part::Url | Part::CanonicalRequest | Part::SortedQueryExcept(_)
        )
    };
    if !case.scheme.signed.iter().any(signs_target) {
        return;
    }
    let head = &case.head;
    let query = head.query.as_deref().unwrap_or_default();
    let mut pairs: Vec<&str> = query.split('&').collect();
    pairs.sort_unstable();
    let sorted = pairs.join("&");
    pairs.reverse();
    let path = head.path.as_str();
    let slash = match path.strip_suffix('/') {
        Some(without) => without.to_owned(),
        None => [path, "/"].concat(),
    };
    // Behind the gate's own `/hooks/NAME`.
    let behind = path.splitn(4, '/').nth(3).unwrap_or_default();
    for (path, query) in [
        (path, sorted.as_str()),
        (path, &pairs.join("&")),
        (path, ""),
        (&slash, query),
        (&["/", behind].concat(), query),
        ("/", query),
    ] {
        let separator = if query.is_empty() { "" } else { "?" };
        let target = [path, separator, query].concat();
        if target != head.target() {
            let head = Head::new(&head.method, &target, head.headers().to_vec());
            changes.push(Change::Head(head));
        }
    }
}
