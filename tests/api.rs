//! The operator's API against what describes it: every reason is explained, in the Worker and in the runbook, and every
//! command is in the OpenAPI document.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use std::collections::BTreeSet;

use hookgate::admin::explanation::{EXPLANATIONS, Explanation};
use support::tree::read;

/// The names in the two matches of `src/verdict.rs` that give reasons theirs.
fn reasons() -> Vec<String> {
    let source = read("src/verdict.rs");
    let of = |kind: &str| {
        let (_, rest) = source.split_once(&format!("impl {kind} {{")).unwrap();
        let (_, rest) = rest.split_once("pub fn name(self)").unwrap();
        let (names, _) = rest.split_once("\n    }\n").unwrap();
        let lines = names.lines().filter_map(|line| {
            let (_, name) = line.split_once("=> \"")?;
            Some(name.split('"').next()?.to_owned())
        });
        lines.collect::<Vec<_>>()
    };
    [of("Reject"), of("Trouble")].concat()
}

#[test]
fn every_reason_is_explained_once_and_in_words() {
    let known = reasons();
    assert!(known.len() > 40, "{known:?}");
    let explained: Vec<&str> = EXPLANATIONS.iter().map(|known| known.reason).collect();
    let mut expected: Vec<&str> = known.iter().map(String::as_str).collect();
    // What is no request's end.
    expected.extend(["retention", "admin"]);
    assert_eq!(
        explained, expected,
        "src/admin/explanation.rs, in this order"
    );
    let mut titles = BTreeSet::new();
    for Explanation {
        reason,
        title,
        detail,
        what_to_do,
    } in EXPLANATIONS
    {
        assert!(titles.insert(title), "{reason}: the title of another");
        assert!(
            !title.ends_with('.') && title.len() < 60,
            "{reason}: {title}"
        );
        for text in [detail, what_to_do] {
            assert!(text.ends_with('.'), "{reason}: {text}");
            assert!(!text.contains(['|', '"', '\n']), "{reason}: {text}");
        }
    }
}

#[test]
fn the_runbook_explains_them_in_the_same_words() {
    let mut table = String::from("| reason | what it means | what to do |\n| --- | --- | --- |\n");
    for known in EXPLANATIONS {
        let Explanation {
            reason,
            title,
            detail,
            what_to_do,
        } = known;
        table += &format!("| `{reason}` | **{title}.** {detail} | {what_to_do} |\n");
    }
    let runbook = read("docs/runbook.md");
    let (_, rest) = runbook.split_once("<!-- reasons -->\n").unwrap();
    let (found, _) = rest.split_once("<!-- /reasons -->").unwrap();
    assert!(
        found == table,
        "put this between the marks of docs/runbook.md:\n{table}"
    );
}
