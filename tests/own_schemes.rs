//! What is asked of a scheme that a user writes: each fault refuses it, each doubt is a warning, and the
//! sentences say what to do. `docs/add-a-scheme.md` is walked as it stands.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

#[path = "own_schemes/holes.rs"]
mod holes;
mod support;

use std::process::Command;

use hookgate::config::{Findings, from_toml};
use support::{root, tree};

const SOURCES: &str = r#"
version = 1
queue_retention_seconds = 345600
[destinations.backend]
url = "https://backend.example/"
secret = "DELIVERY_SECRET"
[sources.shop]
tenant = "t"
scheme = "own"
secrets = ["KEY"]
destination = "backend"
dedup_retention_seconds = 2592000
"#;

/// A scheme with nothing to say against it.
const GOOD: &str = r#"
[schemes.own]
provider = "Own"
page = "https://example.com/"
algorithm = "hmac-sha256"
key = { encoding = "base64", strip = ["v1,key_", "key_"] }
signature = { at = "header:x-signature", split = ",", pair = "=", take = ["v1", "v2"], encoding = "hex" }
signed = ["time", "literal:.", "body"]
time = { at = "signature:t", unit = "seconds", tolerance_seconds = 300, future_seconds = 300 }
identity = [{ signed-id = "json:/id" }, { fields = ["json:/a", "json:/b"] }, { digest = {} }]
event_id = ["json:/id", "{json:/a}|{json:/b}"]
event_type = ["json:/type"]
carry = ["x-own-*"]
answer_by_ms = 3000
retry_horizon_seconds = 86400
"#;

fn read(scheme: &str) -> Result<Vec<String>, Vec<String>> {
    let read = from_toml(&format!("{SOURCES}{scheme}"));
    read.map(|(_, Findings { warnings, .. })| warnings)
}

/// The good one with the line of this word written otherwise; an empty line removes it.
fn with(word: &str, line: &str) -> String {
    let mut found = false;
    let lines = GOOD.lines().map(|known| {
        let is_it = known.starts_with(&format!("{word} ="));
        found |= is_it;
        if is_it { line } else { known }
    });
    let text: Vec<&str> = lines.collect();
    assert!(found, "{word}");
    text.join("\n")
}

#[test]
fn a_good_scheme_has_neither_fault_nor_doubt() {
    assert_eq!(read(GOOD), Ok(Vec::new()));
    let (_, findings) = from_toml(&tree::read("sources.toml")).unwrap();
    assert_eq!(
        findings.warnings,
        Vec::<String>::new(),
        "the demo's own scheme"
    );
}

#[test]
fn each_fault_refuses_the_scheme_with_its_sentence() {
    let untimed = |line: &str| {
        with("signed", "signed = [\"secret\", \"body\"]")
            .replace("hmac-sha256", line)
            .lines()
            .filter(|line| !line.starts_with("time ="))
            .collect::<Vec<_>>()
            .join("\n")
    };
    for (scheme, sentence) in [
        (
            untimed("sha256"),
            "whoever has seen one such hash can make others: use \"hmac-sha256\"",
        ),
        (
            with(
                "time",
                "time = { at = \"signature:t\", unit = \"seconds\", tolerance_seconds = 0, future_seconds = 300 }",
            ),
            "`time.tolerance_seconds` = 0 would refuse every delivery",
        ),
        (
            with(
                "identity",
                "identity = [{ signed-id = \"json:/id\" }, { fields = [\"json:/id\", \"json:/b\"] }]",
            ),
            "rule 2 is never used: rule 1 comes first",
        ),
        (
            with(
                "identity",
                "identity = [{ signed-id = \"json:/a\" }, { signed-id = \"json:/b\" }, { signed-id = \"json:/a\" }]",
            ),
            "rule 3 is never used: rule 1 comes first",
        ),
        (
            with(
                "identity",
                "identity = [{ digest = {} }, { signed-id = \"json:/a\" }]",
            ),
            "a digest always exists, so the rules behind it are never used",
        ),
        (
            with(
                "event_id",
                "event_id = [\"json:/a\", \"{json:/a}|{json:/b}\"]",
            ),
            "`event_id`: \"{json:/a}|{json:/b}\" is never used",
        ),
        (
            with(
                "event_type",
                "event_type = [\"json:/type\", \"json:/type\"]",
            ),
            "`event_type`: \"json:/type\" is never used",
        ),
        (
            with(
                "key",
                "key = { encoding = \"base64\", strip = [\"key_\", \"key_v1_\"] }",
            ),
            "\"key_v1_\" is never removed, because \"key_\" stands before it",
        ),
        (
            with(
                "signature",
                "signature = { at = \"header:x-signature\", split = \",\", pair = \"=\", take = [\"v=1\"], encoding = \"hex\" }",
            ),
            "`signature.take`: \"v=1\" is never found",
        ),
        (
            with(
                "signature",
                "signature = { at = \"header:x-signature\", split = \",\", pair = \"=\", take = [\"v1\", \"v1\"], encoding = \"hex\" }",
            ),
            "`signature.take` names \"v1\" twice",
        ),
        (
            with(
                "signature",
                "signature = { at = \"header:x-signature\", split = \",\", pair = \"=\", take = [\"v1\"], strip = \"a,\", encoding = \"hex\" }",
            ),
            "`signature.strip`: \"a,\" is never there",
        ),
        (
            with(
                "carry",
                "carry = [\"x-own-*\"]\ncredentials = [\"x-other\"]",
            ),
            "`credentials`: \"x-other\" is never carried",
        ),
        // What no scheme may do, whoever wrote it.
        (
            with("identity", "identity = [{ signed-id = \"header:x-id\" }]"),
            "`identity` uses \"header:x-id\", which is not signed",
        ),
        (
            with("identity", "identity = [{ digest = { time = true } }]")
                .replace(
                    "signed = [\"time\", \"literal:.\", \"body\"]",
                    "signed = [\"body\"]",
                )
                .lines()
                .filter(|line| !line.starts_with("time ="))
                .collect::<Vec<_>>()
                .join("\n"),
            "{ digest = { time = true } } needs a signed `time`",
        ),
        (
            with("signed", "signed = [\"time\"]"),
            "`signed` does not cover the event",
        ),
        (
            with("carry", "carry = [\"x-own-*\"]\nsigns_sender_only = true"),
            "`signs_sender_only` is for signatures of named values alone",
        ),
    ] {
        let refused = read(&scheme).expect_err(sentence);
        assert_said(sentence, &refused);
    }
}

fn assert_said(sentence: &str, faults: &[String]) {
    assert!(
        faults
            .iter()
            .any(|fault| fault.contains(sentence) && fault.starts_with("[schemes.own]: ")),
        "expected {sentence}, got {faults:#?}"
    );
}

#[test]
fn a_tolerance_without_a_time_is_refused() {
    let sources = SOURCES.replace("tenant", "tolerance_seconds = 300\ntenant");
    let untimed = with("time", "").replace("[\"time\", \"literal:.\", \"body\"]", "[\"body\"]");
    let refused = from_toml(&format!("{sources}{untimed}")).unwrap_err();
    let sentence = "tolerance_seconds is set, but the scheme \"own\" signs no time";
    assert!(
        refused.iter().any(|fault| fault.contains(sentence)),
        "{refused:#?}"
    );
}

#[test]
fn each_doubt_is_a_warning_with_its_sentence() {
    let untimed = with("time", "").replace("[\"time\", \"literal:.\", \"body\"]", "[\"body\"]");
    let ping = untimed
        .lines()
        .map(|line| match line.starts_with("identity") {
            true => "identity = [{ ping = { window_seconds = 60 } }]",
            false => line,
        })
        .collect::<Vec<_>>()
        .join("\n");
    for (scheme, sentence) in [
        (
            GOOD.replace("hmac-sha256", "hmac-sha1"),
            "HMAC-SHA1 is not broken",
        ),
        (
            untimed,
            "no time is signed: a captured request is a new event as soon as",
        ),
        (ping, "a ping is remembered for seconds only"),
        (
            GOOD.replace("tolerance_seconds = 300", "tolerance_seconds = 700000"),
            "`time.tolerance_seconds` = 700000 is more than a week",
        ),
    ] {
        let warnings = read(&scheme).unwrap_or_else(|faults| panic!("{sentence}: {faults:#?}"));
        assert!(
            matches!(&warnings[..], [one] if one.contains(sentence) && one.starts_with("[schemes.own]: ")),
            "expected {sentence}, got {warnings:#?}"
        );
    }
}

/// The blocks of a language in the page, in order.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let parts = page.split(opening.as_str()).skip(1);
    parts
        .map(|part| part.split("\n```").next().unwrap().to_owned() + "\n")
        .collect()
}

/// What the page says to write is written, and what it says comes out comes out.
#[test]
fn the_page_that_adds_a_scheme_works_as_it_stands() {
    let page = tree::read("docs/add-a-scheme.md");
    let toml = blocks(&page, "toml");
    let [scheme, source, bad] = &toml[..] else {
        panic!("three blocks of TOML, got {}", toml.len());
    };
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let tool = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_hookgate"))
            .args(arguments)
            .current_dir(root())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (
            output.status.success(),
            text + &String::from_utf8(output.stderr).unwrap(),
        )
    };
    let destination = &SOURCES[..SOURCES.find("[sources.shop]").unwrap()];
    let sources = file("walked.toml", &format!("{destination}{source}{scheme}"));
    let (good, said) = tool(&["lint", "--sources", &sources]);
    assert!(good && said.contains("in order: 1 sources"), "{said}");

    let line = bad.trim_end();
    let word = line.split(' ').next().unwrap();
    let other: Vec<&str> = scheme
        .lines()
        .map(|known| {
            if known.starts_with(&format!("{word} =")) {
                line
            } else {
                known
            }
        })
        .collect();
    let broken = file(
        "broken.toml",
        &format!("{destination}{source}{}", other.join("\n")),
    );
    let (good, said) = tool(&["lint", "--sources", &broken]);
    let sentences = blocks(&page, "text");
    assert!(!good && said.contains(sentences[0].trim_end()), "{said}");

    // A request that OpenSSL signed, as the page does it, and one that this tool signs.
    let vector = &blocks(&page, "vector")[0];
    let parsed = support::parse_vector(vector.trim_end_matches('\n').as_bytes()).unwrap();
    let (config, _) = from_toml(&std::fs::read_to_string(&sources).unwrap()).unwrap();
    let gate = hookgate::gate::Gate::assemble(config, "test", |_| Some(parsed.secrets[0].clone()));
    let live = gate.sources().next().unwrap();
    assert_eq!(support::outcome(live, &parsed.request), "accept");
    let mut altered = parsed.request.clone();
    altered.body.push(b' ');
    assert_eq!(support::outcome(live, &altered), "signature_mismatch");
    let (good, said) = tool(&[
        "sign",
        "--sources",
        &sources,
        "--source",
        &live.name,
        "--secret",
        &parsed.secrets[0],
    ]);
    assert!(good && said.contains("x-acme-signature"), "{said}");
}
