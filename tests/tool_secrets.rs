//! `hookgate lint --secret-file`: mix-ups of secrets are found when the gate is configured, without printing one.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use support::tool::{Bench, SECRET, source};
use support::{SourceText, sources_toml};

fn lint(bench: &Bench, files: &[&str]) -> (i32, String) {
    let mut arguments = vec!["lint"];
    for file in files {
        arguments.extend(["--secret-file", file]);
    }
    let ended = bench.run(&arguments);
    (ended.code, ended.errors)
}

#[test]
fn mix_ups_of_secrets_are_sentences_without_the_secrets() {
    let bench = Bench::new("lint-secrets");
    assert_eq!(lint(&bench, &["vars"]), (0, String::new()));
    let delivery = "DELIVERY_SECRET=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx\n";
    for (name, text, sentences) in [
        (
            "shared",
            format!("HUB={SECRET}\nSTRIPE={SECRET}\n{delivery}"),
            &[
                "[sources.hub]: HUB is also another source's",
                "[sources.pay]: STRIPE is also another source's",
            ][..],
        ),
        (
            "missing",
            format!("HUB={SECRET}\n{delivery}"),
            &["[sources.pay]: STRIPE is missing"],
        ),
        (
            "example",
            format!("HUB=It's a Secret to Everybody\nSTRIPE={SECRET}\n{delivery}"),
            &["HUB is known to everybody"],
        ),
        (
            "prefixed",
            format!("HUB=MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\nSTRIPE={SECRET}\n{delivery}"),
            &["HUB is known to everybody"],
        ),
    ] {
        bench.write(name, text);
        let (code, said) = lint(&bench, &[name]);
        assert_eq!(code, 1, "{name}");
        assert_eq!(said.lines().count(), sentences.len(), "{name}: {said}");
        for sentence in sentences {
            assert!(said.contains(sentence), "{name}: {said}");
        }
    }
    // Two environments: under another name as well.
    bench.write(
        "staging",
        format!("HUB={SECRET}-staging\nSTRIPE={SECRET}\n{delivery}").replace("LaSx", "LaSz"),
    );
    let (code, said) = lint(&bench, &["vars", "staging"]);
    assert_eq!((code, said.lines().count()), (1, 1), "{said}");
    assert!(
        said.contains("staging: STRIPE is the same as HUB in vars"),
        "{said}"
    );
    assert_eq!(lint(&bench, &["nowhere"]).0, 1);
}

#[test]
fn a_delivery_secret_of_two_tenants_is_a_sentence_for_each_destination() {
    let bench = Bench::new("lint-deliveries");
    let hub = |name, tenant| SourceText {
        tenant,
        ..source(
            name,
            "github",
            if name == "hub" { &["HUB"] } else { &["OTHER"] },
            "",
        )
    };
    let text = sources_toml(&[hub("another", "other"), hub("hub", "acme")], "").replacen(
        "destination = \"backend\"",
        "destination = \"theirs\"",
        1,
    );
    let theirs = "[destinations.theirs]\nurl = \"https://theirs.example/\"\nsecret = \"THEIRS\"\n";
    bench.write("sources.toml", text + theirs);
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx";
    let vars = |theirs: &str| {
        format!("HUB={SECRET}\nOTHER={SECRET}-2\nDELIVERY_SECRET={key}\nTHEIRS={theirs}\n")
    };
    bench.write("vars", vars(key));
    let (code, said) = lint(&bench, &["vars"]);
    assert_eq!((code, said.lines().count()), (1, 2), "{said}");
    for sentence in [
        "destination backend: DELIVERY_SECRET is also another backend's",
        "destination theirs: THEIRS is also another backend's",
    ] {
        assert!(said.contains(sentence), "{said}");
    }
    bench.write("vars", vars(&key.replace("LaSx", "LaSz")));
    assert_eq!(lint(&bench, &["vars"]), (0, String::new()));
}

#[test]
fn the_runbook_has_what_is_tried() {
    let bench = Bench::new("runbook");
    let ended = bench.run(&["diagnose", "--list"]);
    assert_eq!(ended.code, 0);
    let runbook = support::tree::read("docs/runbook.md");
    let (_, rest) = runbook.split_once("<!-- hypotheses -->\n").unwrap();
    let (table, _) = rest.split_once("<!-- /hypotheses -->").unwrap();
    assert!(
        table == ended.output,
        "put it between the marks of docs/runbook.md: cargo run --bin hookgate -- diagnose --list"
    );
}
