//! What must agree with each other: the code, the schemes, wrangler.toml, Cargo.toml and the README.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hookgate::schemes::BUILT_IN;
use support::root;
use support::tree::{File, code, files, read, report};

#[test]
fn every_scheme_file_is_built_in_and_says_where_it_comes_from() {
    let files: BTreeMap<String, String> = files("src/schemes", &["toml"])
        .into_iter()
        .map(|file| {
            (
                Path::new(&file.path)
                    .file_stem()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned(),
                file.text,
            )
        })
        .collect();
    let built_in: BTreeSet<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        built_in.len(),
        BUILT_IN.len(),
        "a scheme stands twice in schemes::BUILT_IN"
    );
    assert!(
        BUILT_IN.is_sorted(),
        "keep schemes::BUILT_IN in the order of the names"
    );
    for (name, text) in &files {
        assert!(
            built_in.contains(name.as_str()),
            "src/schemes/{name}.toml: add it to schemes::BUILT_IN"
        );
        assert!(
            text.starts_with("# "),
            "src/schemes/{name}.toml: begin with what is special about the provider"
        );
        let page = text
            .lines()
            .find_map(|line| line.strip_prefix("page = \"https://"));
        assert!(
            page.is_some(),
            "src/schemes/{name}.toml: page = \"https://…\", the provider's page that defines the scheme"
        );
        assert!(
            root().join("tests/vectors").join(name).is_dir(),
            "{name}: add vectors, as tests/vectors/README.md says"
        );
    }
    for name in built_in {
        assert!(
            files.contains_key(name),
            "schemes::BUILT_IN names {name}, but src/schemes/{name}.toml is not there"
        );
    }
}

/// Constants of `binding` in the platform's file, with the word that begins their comment.
fn bindings() -> Vec<(String, String)> {
    let text = read("src/edge/platform.rs");
    let block = text
        .split_once("pub mod binding {")
        .expect("src/edge/platform.rs: `pub mod binding` is gone; adapt tests/tidy.rs")
        .1;
    let block = block.split_once("\n}").unwrap().0;
    let mut kind = String::new();
    let mut found = Vec::new();
    for line in block.lines().map(str::trim) {
        if let Some((word, _)) = line
            .strip_prefix("/// ")
            .and_then(|text| text.split_once(':'))
        {
            word.clone_into(&mut kind);
        } else if let Some((_, value)) = line
            .strip_prefix("pub const ")
            .and_then(|text| text.split_once("= \""))
        {
            found.push((kind.clone(), value.trim_end_matches("\";").to_owned()));
        }
    }
    found
}

#[test]
fn bindings_in_the_code_are_bindings_of_every_environment() {
    let wrangler: toml::Table = read("wrangler.toml").parse().unwrap();
    let names = |environment: &toml::Table, kind: &str| -> BTreeSet<String> {
        let named = |table: Option<&toml::Value>| -> BTreeSet<String> {
            // Objects call it a name, everything else a binding.
            let own = if kind == "Object" { "name" } else { "binding" };
            let list = table
                .and_then(toml::Value::as_array)
                .cloned()
                .unwrap_or_default();
            list.iter()
                .filter_map(|item| Some(item.get(own)?.as_str()?.to_owned()))
                .collect()
        };
        match kind {
            "KV" => named(environment.get("kv_namespaces")),
            "R2" => named(environment.get("r2_buckets")),
            "D1" => named(environment.get("d1_databases")),
            "Object" => named(
                environment
                    .get("durable_objects")
                    .and_then(|objects| objects.get("bindings")),
            ),
            "Queue" => named(
                environment
                    .get("queues")
                    .and_then(|queues| queues.get("producers")),
            ),
            _ => environment
                .get("vars")
                .and_then(toml::Value::as_table)
                .map(|vars| vars.keys().cloned().collect())
                .unwrap_or_default(),
        }
    };
    let mut environments = vec![("development", &wrangler)];
    for (name, table) in wrangler["env"].as_table().unwrap() {
        environments.push((name, table.as_table().unwrap()));
    }
    for expected in ["development", "test", "staging", "production"] {
        assert!(
            environments.iter().any(|(name, _)| *name == expected),
            "wrangler.toml: [env.{expected}] is missing"
        );
    }
    let bindings = bindings();
    assert!(bindings.len() >= 5, "{bindings:?}");
    for (kind, name) in &bindings {
        assert!(
            ["KV", "R2", "D1", "Queue", "Object", "Variable", "Secret"].contains(&kind.as_str()),
            "src/edge/platform.rs: {name}: begin its comment with KV:, R2:, D1:, Queue:, Object:, Variable: or Secret:"
        );
        for (environment, table) in &environments {
            let is_there = names(table, kind).contains(name);
            if kind == "Secret" {
                assert!(
                    !names(table, "Variable").contains(name),
                    "wrangler.toml: {name} is a secret; never write it there"
                );
            } else if !["ADMIN_HOST", "ACCESS_TEAM", "ACCESS_AUD"].contains(&name.as_str()) {
                assert!(
                    is_there,
                    "wrangler.toml, {environment}: {kind} {name} is missing; bindings are not inherited"
                );
            }
        }
    }
    // And the other way: what is bound is used.
    for (environment, table) in &environments {
        for kind in ["KV", "R2", "D1", "Queue", "Object"] {
            for name in names(table, kind) {
                assert!(
                    bindings.iter().any(|(_, known)| *known == name),
                    "wrangler.toml, {environment}: nothing uses {name}; remove it"
                );
            }
        }
        let own = table
            .get("vars")
            .and_then(|vars| vars.get("ENVIRONMENT"))
            .and_then(toml::Value::as_str);
        assert_eq!(
            own,
            Some(*environment),
            "wrangler.toml: vars.ENVIRONMENT of {environment}"
        );
    }
    // Variables that the demo's destinations name.
    for url in toml::from_str::<toml::Table>(&read("sources.toml")).unwrap()["destinations"]
        .as_table()
        .unwrap()
        .values()
    {
        if let Some(name) = url
            .get("url")
            .and_then(toml::Value::as_str)
            .and_then(|url| url.strip_prefix('$'))
        {
            for (environment, table) in &environments {
                assert!(
                    names(table, "Variable").contains(name),
                    "wrangler.toml, {environment}: [vars] {name} is missing, sources.toml uses it"
                );
            }
        }
    }
}

#[test]
fn bindings_are_named_in_one_place() {
    let mut wrong = Vec::new();
    for file in files("src/edge", &["rs"])
        .iter()
        .filter(|file| file.path != "src/edge/platform.rs")
    {
        for (number, line) in code(file) {
            for call in [
                ".kv(\"",
                ".queue(\"",
                ".bucket(\"",
                ".var(\"",
                ".secret(\"",
                "variable(env, \"",
            ] {
                if line.contains(call) {
                    wrong.push(format!(
                        "{}:{number}: name it in platform::binding",
                        file.path
                    ));
                }
            }
        }
    }
    report(&wrong);
}

#[test]
fn the_hooks_for_tests_are_not_deployed() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let features = manifest["features"].as_table().unwrap();
    assert!(
        features.contains_key("test-hooks"),
        "Cargo.toml: the feature test-hooks is gone; adapt tests/tidy.rs"
    );
    let reaches = |from: &str| {
        let mut open = vec![from.to_owned()];
        let mut seen = BTreeSet::new();
        while let Some(name) = open.pop() {
            let next = features
                .get(&name)
                .and_then(toml::Value::as_array)
                .cloned()
                .unwrap_or_default();
            if seen.insert(name) {
                open.extend(
                    next.iter()
                        .filter_map(|name| name.as_str().map(str::to_owned)),
                );
            }
        }
        seen.contains("test-hooks")
    };
    assert!(
        !reaches("default"),
        "Cargo.toml: test-hooks must not be a default feature"
    );
    for file in files("src", &["toml"]).iter().chain(&[File {
        path: "wrangler.toml".into(),
        text: read("wrangler.toml"),
    }]) {
        assert!(
            !file.text.contains("test-hooks"),
            "{}: test-hooks must not be part of a deployment",
            file.path
        );
    }
}
