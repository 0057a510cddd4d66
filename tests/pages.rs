//! The pages: what they link to is there, what they name exists, and no key of the configuration is left out.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use support::root;
use support::tree::{File, files, read, report};

fn pages() -> Vec<File> {
    let mut pages: Vec<File> = [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
    ]
    .map(|path| File {
        path: path.to_owned(),
        text: read(path),
    })
    .into();
    for directory in ["docs", "tests", "fuzz"] {
        pages.extend(files(directory, &["md"]));
    }
    pages
}

/// The lines outside of blocks of code, numbered from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        (!in_code && !is_fence).then_some((index + 1, line))
    })
}

/// The anchors that GitHub makes of the headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let headings = prose(text).filter_map(|(_, line)| line.strip_prefix('#'));
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = |char: &char| char.is_alphanumeric() || " -_".contains(*char);
            let anchor: String = title.chars().filter(kept).collect();
            let anchor = anchor.replace(' ', "-");
            let count = seen.entry(anchor.clone()).or_default();
            *count += 1;
            match *count {
                1 => anchor,
                again => format!("{anchor}-{}", again - 1),
            }
        })
        .collect()
}

/// `path` with its `..` taken out.
fn plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn links_lead_to_what_is_there() {
    let mut wrong = Vec::new();
    for page in pages() {
        let above = page.path.rsplit_once('/').map_or("", |(above, _)| above);
        for (number, line) in prose(&page.text) {
            for link in line.split("](").skip(1) {
                let link = link.split(')').next().unwrap_or_default();
                if link.contains("://") {
                    continue;
                }
                let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
                let target = match file {
                    "" => page.path.clone(),
                    file => plain(&format!("{above}/{file}")),
                };
                if !root().join(&target).exists() {
                    wrong.push(format!("{}:{number}: there is no {target}", page.path));
                } else if !anchor.is_empty() && !anchors(&read(&target)).contains(anchor) {
                    wrong.push(format!("{}:{number}: {target} has no #{anchor}", page.path));
                }
            }
        }
    }
    report(&wrong);
}

/// Programs and files of this repository, where they stand in backticks or in a block of code.
#[test]
fn what_is_named_exists() {
    let places = [
        "src/",
        "tests/",
        "scripts/",
        "docs/",
        "fuzz/",
        "migrations/",
    ];
    let ends = |char: char| !(char.is_ascii_alphanumeric() || "/._-".contains(char));
    let mut wrong = Vec::new();
    for page in pages() {
        for (index, line) in page.text.lines().enumerate() {
            for word in line.split(['`', ' ', '(', '"']) {
                let word = word.strip_prefix("./").unwrap_or(word);
                let end = word.find(ends).unwrap_or(word.len());
                // What is left out is a pattern, a placeholder, or what docs/add-a-scheme.md has one make.
                let is_whole = word[end..].is_empty()
                    || word[end..].starts_with([',', ';', ':', ')', '\'', '?']);
                let path = word[..end].trim_end_matches(['.', '/']);
                let is_here = places.iter().any(|place| path.starts_with(place))
                    && !["NAME", "acme-parcels"]
                        .iter()
                        .any(|made| path.contains(made));
                if is_here && is_whole && !root().join(path).exists() {
                    wrong.push(format!("{}:{}: there is no {path}", page.path, index + 1));
                }
            }
        }
    }
    report(&wrong);
}

#[test]
fn every_page_is_in_the_index_and_says_what_it_is_for() {
    let index = read("docs/README.md");
    let mut wrong = Vec::new();
    for page in files("docs", &["md"]) {
        let name = page.path.trim_start_matches("docs/");
        if name != "README.md" && !index.contains(&format!("]({name})")) {
            wrong.push(format!("{}: give it a line in docs/README.md", page.path));
        }
        let mut lines = page.text.lines();
        let title = lines.next().unwrap_or_default();
        let first = lines.find(|line| !line.is_empty()).unwrap_or_default();
        if !title.starts_with("# ") || !first.starts_with(|first: char| first.is_alphabetic()) {
            wrong.push(format!(
                "{}: begin with a title, and a sentence on what the page is for",
                page.path
            ));
        }
    }
    report(&wrong);
}

/// The members that a struct of `src/config` has, which are the keys of its table.
fn keys(path: &str, name: &str) -> BTreeSet<String> {
    let source = read(path);
    let (_, rest) = source
        .split_once(&format!("pub struct {name} {{"))
        .unwrap_or_else(|| panic!("{path}: there is no struct {name}"));
    let (members, _) = rest.split_once("\n}").unwrap();
    let names = members.lines().filter_map(|line| {
        let (name, _) = line.trim().strip_prefix("pub ")?.split_once(':')?;
        Some(name.to_owned())
    });
    names.collect()
}

/// What stands in backticks in the first cells of the tables below a heading, as far as the next of its kind.
fn rows(page: &str, heading: &str) -> BTreeSet<String> {
    let (_, rest) = page
        .split_once(&format!("\n## {heading}"))
        .unwrap_or_else(|| panic!("docs/configuration.md: there is no ## {heading}"));
    let section = rest.split("\n## ").next().unwrap_or_default();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `"));
    cells
        .filter_map(|line| line.split(" | ").next())
        .flat_map(|cell| cell.split('`').step_by(2).map(str::to_owned))
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn the_configuration_page_has_every_key() {
    let page = read("docs/configuration.md");
    for (heading, path, name) in [
        ("The file itself", "src/config/mod.rs", "Config"),
        ("`[sources.NAME]`", "src/config/mod.rs", "Source"),
        ("`[destinations.NAME]`", "src/config/mod.rs", "Destination"),
        ("`[tenants.NAME]`", "src/config/tenant.rs", "Tenant"),
        ("`[audit]`", "src/config/audit.rs", "Audit"),
        ("`[alerts]`", "src/config/alerts.rs", "Alerts"),
    ] {
        assert_eq!(
            rows(&page, heading),
            keys(path, name),
            "docs/configuration.md, {heading}: a row for each key, and for nothing else"
        );
    }
}

#[test]
fn the_page_of_the_api_has_every_call() {
    let page = read("docs/api.md");
    let described: serde_json::Value =
        serde_json::from_str(&read("src/console/openapi.json")).unwrap();
    let mut wrong = Vec::new();
    for (path, calls) in described["paths"].as_object().unwrap() {
        // `/records/{id}` is `records/ID` for people.
        let words = path.trim_start_matches('/').split('/').map(|word| {
            let name = word
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'));
            name.map_or_else(|| word.to_owned(), str::to_uppercase)
        });
        let path = words.collect::<Vec<_>>().join("/");
        for method in ["get", "post", "put", "delete"] {
            let call = format!("`{} {path}`", method.to_uppercase());
            if calls.get(method).is_some() && !page.contains(&call) {
                wrong.push(format!("docs/api.md: say what {call} gives"));
            }
        }
    }
    report(&wrong);
}
