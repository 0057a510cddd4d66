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

use hookgate::admin::Command;
use hookgate::admin::explanation::{EXPLANATIONS, Explanation};
use hookgate::request::Head;
use serde_json::Value;
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

/// Names that a `fn name` gives.
fn names_in(path: &str) -> BTreeSet<String> {
    let source = read(path);
    let (_, rest) = source.split_once("pub fn name(&self)").unwrap();
    let (names, _) = rest.split_once("\n    }\n").unwrap();
    let names = names.lines().filter_map(|line| line.split('"').nth(1));
    names.map(str::to_owned).collect()
}

#[test]
fn every_command_is_described_and_nothing_else() {
    let description: Value = serde_json::from_str(&read("src/console/openapi.json")).unwrap();
    let mut described = BTreeSet::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        let target = path
            .replace("dead-letters/{id}", "dead-letters/raw-0123")
            .replace("{id}", &format!("req_{}", "0".repeat(32)))
            .replace("{level}", "0")
            .replace("{index}", "000")
            .replace(['{', '}'], "");
        for method in methods.as_object().unwrap().keys() {
            let method = method.to_uppercase();
            let head = Head::new(&method, &format!("/admin/v1{target}"), []);
            // How a session begins is the door's matter.
            if (method.as_str(), path.as_str()) == ("POST", "/session") {
                continue;
            }
            let command = Command::parse(&head);
            let command = command.unwrap_or_else(|| panic!("{method} {path} is no command"));
            described.insert(command.name().to_owned());
        }
    }
    let mut known = names_in("src/admin/command.rs");
    known.append(&mut names_in("src/admin/reading.rs"));
    // What is answered instead of a command.
    known.remove("parameter_refused");
    assert_eq!(described, known, "src/console/openapi.json");
}
