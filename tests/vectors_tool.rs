//! `hookgate vectors`: the files of vectors come out as they say, and the tool tells when they do not.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use std::process::Command;

use serde_json::{Value, json};
use support::root;

/// Exit code, standard output, standard error.
fn vectors(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_hookgate"))
        .arg("vectors")
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// The same for entries of a file that is made here.
fn entries(name: &str, entries: &Value) -> (i32, String, String) {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.json"));
    std::fs::write(&path, entries.to_string()).unwrap();
    vectors(&[path.to_str().unwrap()])
}

fn github() -> Value {
    json!({
        "provider": "GitHub", "scheme": "github", "secret": "It's a Secret to Everybody",
        "method": "POST", "url": "https://gate.example/x", "expect": "accept",
        "headers": {
            "X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
            "X-GitHub-Event": "push",
        },
        "body_utf8": "Hello, World!", "event_id": null, "event_type": "push",
    })
}

fn with(mut entry: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        entry[name] = value.clone();
    }
    entry
}

/// Runs a file of `tests/vectors`; the schemes in it that the gate does not have.
fn unknown_of_file(name: &str, entries_min: usize) -> Vec<String> {
    let (code, output, errors) = vectors(&["--json", &format!("tests/vectors/{name}")]);
    let mut unknown = Vec::new();
    let mut wrong = Vec::new();
    for line in output.lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        if entry["verdict"] == "unknown" {
            unknown.push(entry["scheme"].as_str().unwrap().to_owned());
        } else if entry["as_expected"] != true {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{}\n{errors}", wrong.join("\n"));
    unknown.sort();
    unknown.dedup();
    assert_eq!(code, if unknown.is_empty() { 0 } else { 2 });
    assert!(output.lines().count() >= entries_min);
    unknown
}

#[test]
fn the_cloud_providers_vectors_come_out_as_they_say() {
    let unknown = unknown_of_file("cloud.json", 74);
    assert_eq!(unknown, ["eventbridge-v1-hmac-sha1", "unsigned"]);
}

/// What the gate does not have, or does not have yet.
const NOT_HERE: &[&str] = &[
    "adyen-classic",
    "asana",
    "challenge:asana",
    "challenge:discord-events",
    "challenge:discord-interactions",
    "challenge:dropbox",
    "challenge:meta",
    "challenge:monday",
    "challenge:ms-graph",
    "challenge:okta",
    "challenge:slack",
    "challenge:x-twitter",
    "challenge:zoom",
    "code:atlassian-jwt",
    "code:contentful-canonical",
    "code:hook0-v1",
    "code:jwt-hs256",
    "code:paypal-cert",
    "code:plaid-jwt",
    "code:rfc9421",
    "discord",
    "dropbox",
    "meta",
    "ms-graph-basic",
    "notion",
    "okta",
    "sendgrid",
    "trello",
    "twilio",
    "x-twitter",
    "xero",
    "zoom",
];

#[test]
fn the_saas_providers_vectors_come_out_as_they_say() {
    for name in unknown_of_file("saas.json", 155) {
        assert!(
            NOT_HERE.contains(&name.as_str()),
            "{name}: no scheme says that it is meant by this name"
        );
    }
}

#[test]
fn what_does_not_come_out_as_expected_is_a_line_and_exit_status_1() {
    assert_eq!(entries("good", &json!([github()])).0, 0);
    for (name, change, sentence) in [
        (
            "secret",
            json!({"secret": "another"}),
            "expected accept, got signature_mismatch",
        ),
        (
            "expect",
            json!({"expect": "reject"}),
            "expected reject, got accept",
        ),
        (
            "type",
            json!({"event_type": "pull"}),
            "expected the type Some(\"pull\"), got Some(\"push\")",
        ),
        (
            "id",
            json!({"event_id": "1"}),
            "expected the id Some(\"1\"), got None",
        ),
        (
            "answer",
            json!({"expected_response": {"status": 200}}),
            "expected an answer, got an event",
        ),
        ("secretless", json!({"secret": []}), "expected accept, got"),
    ] {
        let (code, output, _) = entries(name, &json!([github(), with(github(), change)]));
        assert_eq!(code, 1, "{name}: {output}");
        let lines: Vec<&str> = output
            .lines()
            .filter(|line| line.contains("entry "))
            .collect();
        assert_eq!(lines.len(), 1, "{name}: {output}");
        assert!(
            lines[0].contains("entry 1") && lines[0].contains(sentence),
            "{}",
            lines[0]
        );
    }
    let body_sign = json!([{
        "provider": "K", "scheme": "koogallery-v1-response-Body-Sign", "secret": "xxxxxxy",
        "method": "RESPONSE", "expect": "accept", "body_utf8": "{}", "headers": {"Body-Sign": "x"},
    }]);
    assert_eq!(entries("response", &body_sign).0, 1);
}

#[test]
fn an_unknown_scheme_is_not_passed() {
    let unknown = with(github(), json!({"scheme": "gitlab"}));
    let (code, output, _) = entries("unknown", &json!([github(), unknown]));
    assert_eq!(code, 2, "{output}");
    assert!(output.contains("entry 1, gitlab: unknown"), "{output}");
    // What is wrong weighs more.
    let wrong = with(github(), json!({"expect": "reject"}));
    assert_eq!(entries("both", &json!([unknown_of(), wrong])).0, 1);
}

fn unknown_of() -> Value {
    with(github(), json!({"scheme": "gitlab"}))
}

#[test]
fn the_clock_is_the_entrys_own_time_or_none() {
    let slack = json!({
        "provider": "Slack", "scheme": "slack", "secret": "8f742231b10e8888abcd99yyyzzz85a5",
        "method": "POST", "url": "https://gate.example/", "expect": "accept",
        "headers": {
            "X-Slack-Request-Timestamp": "1531420618",
            "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        },
        "body_utf8": "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
    });
    for (name, clock, code) in [
        ("none", json!({}), 0),
        ("own", json!({"timestamp_unix": 1_531_420_618}), 0),
        ("late", json!({"timestamp_unix": 1_531_420_919}), 1),
        (
            "now",
            json!({"timestamp_unix": 1_531_420_618, "now_unix": 1_531_420_919}),
            1,
        ),
        (
            "exact",
            json!({"now_unix": 1, "now_unix_ms": 1_531_420_918_999_i64}),
            0,
        ),
    ] {
        let (got, output, _) = entries(
            &format!("clock-{name}"),
            &json!([with(slack.clone(), clock)]),
        );
        assert_eq!(got, code, "{name}: {output}");
    }
}

#[test]
fn a_file_that_is_none_is_a_sentence() {
    for (name, text) in [
        ("object", json!({})),
        ("method", json!([{"scheme": "x", "expect": "accept"}])),
        (
            "word",
            json!([{"scheme": "x", "method": "POST", "expect": "maybe"}]),
        ),
    ] {
        let (code, _, errors) = entries(name, &text);
        assert_eq!(code, 1, "{name}");
        assert!(errors.starts_with("hookgate: "), "{name}: {errors}");
    }
    assert_eq!(vectors(&["nowhere.json"]).0, 1);
    assert_eq!(vectors(&[]).0, 2);
}

fn printed(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_hookgate"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// The keys that the build misses in a source which has none of them are those that the page names.
#[test]
fn the_page_says_what_a_source_needs() {
    let page = printed(&["schemes"]);
    for scheme in support::built_in() {
        let section = page.split(&format!("\n## {scheme}\n")).nth(1).unwrap();
        let line = section.split("- A source of it has: ").nth(1).unwrap();
        let line = line.lines().next().unwrap();
        let bare = format!(
            "version = 1\nqueue_retention_seconds = 1209600\n\
             [destinations.b]\nurl = \"$B\"\nsecret = \"D\"\n\
             [sources.s]\ntenant = \"t\"\nscheme = \"{scheme}\"\ndestination = \"b\"\ndedup_retention_seconds = 34560000\n"
        );
        let missed = hookgate::config::from_toml(&bare).err().unwrap_or_default();
        for fault in &missed {
            let words = fault.replace(['"', ':'], " ");
            let key = words.split(' ').find(|word| {
                [
                    "secrets",
                    "discriminator_values",
                    "handshake_token",
                    "accept_weak_key",
                    "accept_credential_in_body",
                ]
                .contains(word)
                    || word.starts_with("pins.")
            });
            let key = key.unwrap_or_else(|| panic!("{scheme}: {fault}"));
            assert!(
                line.contains(&format!("`{key}`")),
                "{scheme}: {fault}: {line}"
            );
        }
        assert_eq!(
            missed.len(),
            line.split("; ").filter(|need| *need != ".").count(),
            "{scheme}: {missed:?}: {line}"
        );
    }
}

#[test]
fn the_page_of_schemes_is_what_the_table_says() {
    assert!(
        printed(&["schemes"]) == support::tree::read("docs/schemes.md"),
        "make it anew: cargo run --bin hookgate -- schemes > docs/schemes.md"
    );
    let readme = support::tree::read("README.md");
    let list = readme
        .split_once("<!-- schemes -->\n")
        .and_then(|(_, rest)| rest.split_once("<!-- /schemes -->"))
        .expect("README.md: put <!-- schemes --> and <!-- /schemes --> around the list of schemes")
        .0;
    assert!(
        list == printed(&["schemes", "--list"]),
        "README.md: put there what this prints: cargo run --bin hookgate -- schemes --list"
    );
    for scheme in support::built_in() {
        let about = hookgate::config::about(scheme).unwrap().unwrap();
        assert!(
            !about.vector_source.is_empty() && !about.retries.is_empty(),
            "{scheme}: say in [about] where the vectors come from and when the provider sends again"
        );
    }
}
