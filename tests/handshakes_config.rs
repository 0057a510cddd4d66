//! Handshakes that the build refuses, each with its sentence.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::config::from_toml;
use support::{SourceText, sources_toml};

const OWN: &str = r#"[schemes.own]
provider = "Own"
page = "https://own.example/docs"
algorithm = "hmac-sha256"
key = { encoding = "utf8" }
signature = { at = "header:x-signature", encoding = "hex" }
signed = ["body"]
identity = [{ digest = {} }]
answer_by_ms = 5000
retry_horizon_seconds = 0
"#;

fn errors(scheme: &str, more: &str, tables: &str) -> String {
    let source = SourceText {
        name: "one",
        tenant: "tenant",
        scheme,
        secrets: &["KEY"],
        more,
    };
    let read = from_toml(&sources_toml(&[source], tables));
    read.err().unwrap_or_default().join("\n")
}

#[test]
fn a_handshake_that_would_give_something_away_is_refused_by_the_build() {
    let own = |shake: &str| errors("own", "", &format!("{OWN}{shake}\n"));
    for fine in [
        r#"handshakes = [{ method = "GET", at = "query:c", trust = "anyone", echo = "query:c" }]"#,
        r#"handshakes = [{ method = "HEAD", trust = "anyone" }]"#,
        r#"handshakes = [{ at = "json:/type", equals = "ping", json = '{"type":1}' }]"#,
        "objects_only = true\nhandshakes = [{ method = \"GET\", at = \"query:c\", trust = \"anyone\", members = [{ name = \"a\", value = \"mac-hex:query:c\" }] }]",
    ] {
        assert_eq!(own(fine), "", "{fine}");
    }
    for (shake, sentence) in [
        (
            r#"{ method = "GET", at = "query:c", trust = "anyone", members = [{ name = "a", value = "mac-hex:query:c" }] }"#,
            "could be the MAC of an event",
        ),
        (
            r#"{ at = "json:/a", members = [{ name = "a", value = "mac-base64:json:/a" }] }"#,
            "could be the MAC of an event",
        ),
        (
            r#"{ at = "header:x-kind", equals = "ping" }"#,
            "\"header:x-kind\", which is not signed",
        ),
        (
            r#"{ method = "GET", at = "query:c" }"#,
            "needs `at`, and has no `method`",
        ),
        (
            r#"{ at = "json:/a", keep = "json:/a" }"#,
            "has no `method`, `token`, `keep` or `without_body`",
        ),
        (
            r#"{ at = "json:/a", without_body = true }"#,
            "has no `method`, `token`, `keep` or `without_body`",
        ),
        (
            r#"{ at = "json:/a", trust = "anyone", without_body = true }"#,
            "`without_body` is for what comes like an event and is marked in its head",
        ),
        (
            r#"{ at = "query:a", method = "GET", trust = "anyone", without_body = true }"#,
            "`without_body` is for what comes like an event and is marked in its head",
        ),
        (
            r#"{ at = "json:/a", trust = "anyone", keep = "json:/a" }"#,
            "set trust = \"window\"",
        ),
        (
            r#"{ at = "query:a", trust = "token", echo = "query:a" }"#,
            "`token` and trust = \"token\" belong together",
        ),
        (
            r#"{ at = "query:a", trust = "anyone", token = "query:b" }"#,
            "`token` and trust = \"token\" belong together",
        ),
        (
            r#"{ method = "PUT", at = "query:a", trust = "anyone" }"#,
            "`method` is GET, HEAD or POST",
        ),
        (
            r#"{ trust = "anyone" }"#,
            "needs `at`, which tells it from one",
        ),
        (
            r#"{ method = "GET", at = "json:/a", trust = "anyone" }"#,
            "in the body, which is not read here",
        ),
        (
            r#"{ at = "query:a", trust = "anyone", echo_header = "location" }"#,
            "use one of x-hook-secret",
        ),
        (
            r#"{ at = "query:a", trust = "anyone", echo = "query:a", json = "{}" }"#,
            "one of `echo`, `members`, `json` and `confirm`",
        ),
        (r#"{ at = "json:/a", json = "{" }"#, "`json` is no JSON"),
        (r#"{ at = "json:/a", status = 301 }"#, "use 200 to 299"),
        (
            r#"{ at = "json:/a", status = 204, echo = "json:/a" }"#,
            "no body with 204 and 205",
        ),
    ] {
        let errors = own(&format!("handshakes = [{shake}]"));
        assert!(
            errors.contains(sentence),
            "{shake}: expected {sentence}, got: {errors}"
        );
    }
    let later = OWN.replace(
        r#"signed = ["body"]"#,
        "signed = [\"method\"]\nobjects_only = true",
    );
    assert!(errors("own", "", &later).contains("`objects_only` is for schemes that sign \"body\""));
}

#[test]
fn a_source_says_what_its_handshake_needs() {
    for (scheme, more, sentence) in [
        ("meta", "", "handshake_token is missing"),
        (
            "meta",
            "handshake_token = \"KEY\"",
            "use another secret than those of `secrets`",
        ),
        ("meta", "handshake_token = \"token\"", "use A-Z, 0-9 and _"),
        (
            "meta",
            "handshake_token = \"LEDGER\"",
            "is the name of something else",
        ),
        ("github", "handshake_token = \"TOKEN\"", "shows none"),
        (
            "github",
            "handshake_opens = \"2026-01-31T09:00:00Z\"",
            "hands no secret over",
        ),
        (
            "asana",
            "handshake_opens = \"2026-01-31 09:00\"",
            "write a time in UTC",
        ),
        (
            "asana",
            "handshake_opens = \"$opens\"",
            "write a time in UTC",
        ),
    ] {
        let errors = errors(scheme, more, "");
        assert!(errors.contains(sentence), "{scheme} {more}: {errors}");
    }
    assert_eq!(
        errors("asana", "handshake_opens = \"2026-01-31T09:00:00Z\"", ""),
        ""
    );
    assert_eq!(errors("meta", "handshake_token = \"TOKEN\"", ""), "");
}
