//! The rules of this house. Each message says what to do instead.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use support::tree::{code, files, read, report};

const LINES_MAX: usize = 400;

#[test]
fn files_are_short_enough_to_read_at_once() {
    let mut wrong = Vec::new();
    for file in files("src", &["rs", "mjs", "toml"])
        .iter()
        .chain(&files("tests", &["rs"]))
    {
        let lines = file.text.lines().count();
        if lines > LINES_MAX {
            wrong.push(format!(
                "{}: {lines} lines; split it by topic, {LINES_MAX} are enough",
                file.path
            ));
        }
    }
    report(&wrong);
}

#[test]
fn nothing_stops_the_worker() {
    let banned = [
        (
            ".unwrap()",
            "return an error, or `let … else` with a verdict",
        ),
        (
            ".expect(",
            "return an error; where it cannot fail, #[allow(clippy::expect_used, reason = …)] just above",
        ),
        ("panic!(", "return an error"),
        ("unreachable!(", "make the case impossible in the type"),
        ("unimplemented!(", "write it"),
        ("todo!(", "write it"),
        ("dbg!(", "use audit::line"),
        ("println!(", "use audit::line"),
    ];
    let mut wrong = Vec::new();
    for file in files("src", &["rs"])
        .iter()
        .filter(|file| !file.path.starts_with("src/bin/"))
    {
        let mut allowed = false;
        // An exception covers the item below it: up to a blank line, or the end of the item.
        for (number, line) in code(file) {
            let text = line.trim();
            if text.starts_with("#[allow(") || text.starts_with("#[expect(") {
                allowed = true;
                if text.ends_with(")]") && !text.contains("reason = ") {
                    wrong.push(format!(
                        "{}:{number}: say why: #[allow(…, reason = \"…\")]",
                        file.path
                    ));
                }
            } else if text.is_empty() {
                allowed = false;
            }
            // On purpose, for the end-to-end tests, and never deployed.
            allowed |= text == "#[cfg(feature = \"test-hooks\")]";
            for (word, remedy) in &banned {
                if text.contains(word) && !text.starts_with("//") && !allowed {
                    wrong.push(format!("{}:{number}: `{word}`: {remedy}", file.path));
                }
            }
        }
    }
    report(&wrong);
}

#[test]
fn nothing_is_left_for_later() {
    let mut wrong = Vec::new();
    // Put together, so that this file does not find itself.
    let words = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["XX", "X:"].concat(),
        ["HA", "CK"].concat(),
    ];
    for directory in ["src", "tests", "scripts"] {
        for file in files(directory, &["rs", "mjs", "toml", "md", "sh"]) {
            for (index, line) in file.text.lines().enumerate() {
                for word in words.iter().filter(|word| line.contains(word.as_str())) {
                    wrong.push(format!(
                        "{}:{}: {word}: do it, or open an issue and say the limit in plain words",
                        file.path,
                        index + 1
                    ));
                }
            }
        }
    }
    report(&wrong);
}

#[test]
fn the_platform_is_known_in_the_edge_only() {
    let mut wrong = Vec::new();
    for file in files("src", &["rs"])
        .iter()
        .filter(|file| !file.path.starts_with("src/edge/"))
    {
        for (number, line) in file.text.lines().enumerate() {
            let text = line.trim();
            if text.starts_with("//") {
                continue;
            }
            for name in [
                "worker::",
                "wasm_bindgen",
                "js_sys",
                "web_sys",
                "extern crate worker",
            ] {
                if text.contains(name) {
                    wrong.push(format!(
                        "{}:{}: `{name}` belongs into src/edge; pass in what you need from it",
                        file.path,
                        number + 1
                    ));
                }
            }
        }
    }
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    for table in ["dependencies", "build-dependencies", "dev-dependencies"] {
        let names = manifest[table].as_table().unwrap();
        for name in [
            "worker",
            "wasm-bindgen",
            "wasm-bindgen-futures",
            "js-sys",
            "web-sys",
            "getrandom",
        ] {
            if names.contains_key(name) {
                wrong.push(format!(
                    "Cargo.toml: {name} belongs under target.'cfg(target_arch = \"wasm32\")'"
                ));
            }
        }
    }
    report(&wrong);
}

#[test]
fn clocks_and_chance_are_arguments() {
    let mut wrong = Vec::new();
    for file in files("src", &["rs"]) {
        if file.path.starts_with("src/edge/") || file.path.starts_with("src/bin/") {
            continue;
        }
        for (number, line) in code(&file) {
            for name in [
                "SystemTime",
                "Instant::now",
                "getrandom",
                "thread_rng",
                "std::env::var",
            ] {
                if line.contains(name) && !line.trim().starts_with("//") {
                    wrong.push(format!(
                        "{}:{number}: `{name}`: take it as an argument",
                        file.path
                    ));
                }
            }
        }
    }
    report(&wrong);
}

/// The strings in the arms of the `name` functions of one file, by type.
fn names_in(path: &str) -> BTreeMap<String, Vec<String>> {
    let text = read(path);
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if let Some((left, right)) = line.split_once(" => \"")
            && let Some((kind, _)) = left.trim_start_matches("| ").split_once("::")
            && let Some(name) = right.strip_suffix("\",")
        {
            names
                .entry(kind.to_owned())
                .or_default()
                .push(name.to_owned());
        }
    }
    names
}

#[test]
fn reasons_are_unique_words_in_snake_case() {
    let verdicts = names_in("src/verdict.rs");
    let text = read("src/verdict.rs");
    for kind in ["Reject", "Trouble", "Shape", "Verdict"] {
        let variants = text
            .split_once(&format!("pub enum {kind} {{\n"))
            .and_then(|(_, rest)| rest.split_once("\n}"))
            .map(|(variants, _)| variants.lines().filter(|line| is_variant(line)).count());
        let names = verdicts.get(kind).map(Vec::len);
        assert_eq!(
            names, variants,
            "src/verdict.rs: each {kind} has one name, written as `{kind}::… => \"name\",`"
        );
    }
    // A reason is looked up in the records by its name alone.
    let all: Vec<&String> = verdicts
        .iter()
        .filter(|(kind, _)| *kind != "Shape")
        .flat_map(|(_, names)| names)
        .collect();
    let mut seen = BTreeSet::new();
    for name in all {
        assert!(
            seen.insert(name),
            "{name}: two ends have this name; call one of them otherwise"
        );
        assert!(
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
                && !name.contains("__"),
            "{name}: write it in snake_case"
        );
    }
}

fn is_variant(line: &str) -> bool {
    line.strip_prefix("    ")
        .is_some_and(|text| text.starts_with(|first: char| first.is_ascii_uppercase()))
}

/// The rightmost cell names files in backticks; one without a directory stands in that of the one before.
#[test]
fn every_promise_names_tests_that_are_there() {
    let root = support::root();
    let text = read("docs/guarantees.md");
    let mut promised = Vec::new();
    let mut wrong = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| G")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let (promise, shown_by) = (cells[0].trim(), cells[cells.len() - 1]);
        promised.push(promise.to_owned());
        let mut directory = "";
        let names: Vec<&str> = shown_by.split('`').skip(1).step_by(2).collect();
        if names.is_empty() {
            wrong.push(format!("{promise}: name the test that shows it"));
        }
        for name in names {
            let file = name.split(' ').next().unwrap_or_default();
            let file = file.trim_start_matches("./");
            let path = match file.rsplit_once('/') {
                Some((above, _)) => {
                    directory = above;
                    file.to_owned()
                }
                None => format!("{directory}/{file}"),
            };
            let there = root.join(&path);
            if !there.exists() {
                wrong.push(format!("{promise}: there is no {path}"));
            } else if path.starts_with("src/") && !read(&path).contains("#[cfg(test)]") {
                wrong.push(format!("{promise}: {path} has no tests"));
            }
        }
    }
    let expected: Vec<String> = (1..=13).map(|number| format!("G{number}")).collect();
    assert_eq!(promised, expected, "docs/guarantees.md: the promises");
    report(&wrong);
}
