//! Whose messages are taken: the rules for pins and public keys, each with the sentence of its breach,
//! and what a gate does without them.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::config::from_toml;
use hookgate::gate::Gate;
use hookgate::verdict::{Trouble, Verdict};
use support::{DELIVERY, SourceText, gate_in, run, sources_toml, vector};

const TOPIC: &str = "pins = { topic = \"arn:aws:sns:eu-west-1:123456789012:orders\" }";

fn source<'a>(name: &'a str, scheme: &'a str, more: &'a str) -> SourceText<'a> {
    SourceText {
        name,
        tenant: "tenant",
        scheme,
        secrets: &[],
        more,
    }
}

fn errors(sources: &[SourceText<'_>], tables: &str) -> String {
    let read = from_toml(&sources_toml(sources, tables));
    read.err().unwrap_or_default().join("\n")
}

#[test]
fn a_source_says_whose_messages_it_takes() {
    assert_eq!(errors(&[source("sns", "aws-sns", TOPIC)], ""), "");
    let smq = "accept_weak_key = true\npins = { owner = \"1\", topic = \"t\", region = \"cn-hangzhou\", url_secret = ";
    for (scheme, more, sentence) in [
        (
            "aws-sns",
            "",
            "pins.topic is missing: with \"aws-sns\" the key is the provider's",
        ),
        (
            "aws-sns",
            "pins = { topic = \"orders\" }",
            "pins.topic = \"orders\" has not the form arn:{*}:sns:{region}:{*}:{*}",
        ),
        (
            "aws-sns",
            "pins = { topic = \"arn:aws:sns:s3:1:t\" }",
            "the pins name the region \"s3\"",
        ),
        (
            "aws-sns",
            "pins = { topic = \"arn:aws:sns:cn-north-1:1:t\" }",
            "its hosts are a closed list",
        ),
        (
            "aws-sns",
            "pins = { topic = \"$topic\" }",
            "pins.topic: secret \"topic\": use A-Z",
        ),
        (
            "aws-sns",
            &format!("{TOPIC}\naccept_weak_key = true"),
            "accept_weak_key is for schemes whose signatures prove little",
        ),
        (
            "aws-sns",
            &format!("{TOPIC}\npublic_keys = [\"x\"]"),
            "does not take its key from there",
        ),
        (
            "huawei-smn",
            "pins = { topic = \"urn:smn:obs:1:t\" }",
            "the pins name the region \"obs\"",
        ),
        (
            "google-pubsub",
            "pins = { audience = \"a\" }",
            "pins.service_account is missing",
        ),
        (
            "google-pubsub",
            "pins = { audience = \"a\", service_account = \"b\", colour = \"c\" }",
            "pins.colour: the scheme \"google-pubsub\" has no such pin",
        ),
        (
            "google-pubsub",
            "pins = { audience = \"\", service_account = \"b\" }",
            "pins.audience = \"\" has not the form",
        ),
        (
            "azure-event-grid-entra",
            "pins = { tenant = \"t\", audience = \"a\", app = \"mine\" }",
            "use one of 4962773b-9cdb-44cf-a8bf-237846a00ab7",
        ),
        (
            "azure-event-grid-entra",
            "pins = { tenant = \"t/../u\", audience = \"a\", app = \"4962773b-9cdb-44cf-a8bf-237846a00ab7\" }",
            "pins.tenant = \"t/../u\" has not the form {tenant}",
        ),
        (
            "alibaba-smq",
            &format!("{smq}\"secret\" }}"),
            "pins.url_secret is a secret: name a Worker secret",
        ),
        (
            "alibaba-smq",
            &format!("{smq}\"$S\" }}").replace("accept_weak_key = true", ""),
            "set accept_weak_key = true if that is enough for you",
        ),
        ("standard-webhooks-v1a", "", "secrets is empty"),
    ] {
        let errors = errors(&[source("one", scheme, more)], "");
        assert!(
            errors.contains(sentence),
            "{scheme}, {more}: expected {sentence}, got: {errors}"
        );
    }
    let secret = SourceText {
        secrets: &["A_SECRET"],
        ..source("sns", "aws-sns", TOPIC)
    };
    assert!(
        errors(&[secret], "")
            .contains("the key of \"aws-sns\" is the provider's, so this source has none")
    );
}

#[test]
fn two_sources_never_have_the_same_pins() {
    let twins = [
        source("one", "aws-sns", TOPIC),
        source("two", "aws-sns", TOPIC),
    ];
    assert!(
        errors(&twins, "")
            .contains("have the same pins: a message for one could be sent to the other")
    );
    let google = "pins = { audience = \"a\", service_account = \"b@c\" }";
    let kinds = [
        source("one", "google-pubsub", google),
        source("two", "google-eventarc", google),
    ];
    assert!(errors(&kinds, "").contains("[sources.two] and [sources.one] have the same pins"));
    // Equal values of two secrets are seen when they are there.
    let pins = |secret: &str| {
        format!(
            "pins = {{ token = \"${secret}\", url = \"https://gate.example/hooks/eb\", region = \"cn-beijing\" }}"
        )
    };
    let (one, two) = (pins("ONE"), pins("TWO"));
    let sources = [
        source("one", "alibaba-eventbridge", &one),
        source("two", "alibaba-eventbridge", &two),
    ];
    let gate = |two| gate_in("test", &sources, "", &[("ONE", "same"), ("TWO", two)]);
    let trouble = |gate: &Gate, name| gate.source(name).unwrap().trouble;
    assert_eq!(trouble(&gate("same"), "one"), Some(Trouble::PinShared));
    assert_eq!(trouble(&gate("same"), "two"), Some(Trouble::PinShared));
    assert_eq!(trouble(&gate("other"), "one"), None);
}

#[test]
fn a_missing_pin_is_our_failure() {
    let pins = "pins = { token = \"$TOKEN\", url = \"https://gate.example/hooks/eb\", region = \"cn-beijing\" }";
    let sources = [source("vector", "alibaba-eventbridge", pins)];
    let request = vector("alibaba-eventbridge", "pair-first").request;
    for values in [&[][..], &[("TOKEN", "")], &[("TOKEN", "  ")]] {
        let gate = gate_in("production", &sources, "", values);
        let verdict = run(gate.source("vector").unwrap(), &request).unwrap_err();
        assert_eq!(verdict, Verdict::Unavailable(Trouble::PinUnusable));
        assert_eq!(gate.faults[0].secret.as_deref(), Some("TOKEN"));
    }
    let gate = gate_in("production", &sources, "", &[("TOKEN", "tok-1")]);
    assert!(run(gate.source("vector").unwrap(), &request).is_ok());
}

const SCHEME: &str = r#"[schemes.own]
provider = "Own"
page = "https://own.example/docs"
algorithm = "rsa-sha256"
key = { encoding = "certificate" }
signature = { at = "json:/Signature", encoding = "base64" }
signed = ["lines"]
identity = [{ signed-id = "json:/Id" }]
answer_by_ms = 5000
retry_horizon_seconds = 3600
pins = [{ name = "topic", at = ["json:/Topic"] }]
certificate = { at = "json:/Url", hosts = ["keys.own.example"], path = "/{*}.pem" }
lines = { between = "\n", of = [{ lines = ["json:/Message", "json:/Id", "json:/Topic"] }] }
"#;

#[test]
fn a_scheme_that_would_verify_less_than_it_seems_is_refused() {
    let own = [source("one", "own", "pins = { topic = \"t\" }")];
    assert_eq!(errors(&own, SCHEME), "");
    for (from, to, sentence) in [
        (
            "encoding = \"certificate\"",
            "encoding = \"utf8\"",
            "`algorithm` and `key.encoding` do not go together",
        ),
        (
            "rsa-sha256",
            "hmac-sha256",
            "`algorithm` and `key.encoding` do not go together",
        ),
        (
            "certificate = {",
            "certificates = {",
            "unknown field `certificates`",
        ),
        (
            "encoding = \"certificate\"",
            "encoding = \"key-set\"",
            "belong together",
        ),
        (
            "at = [\"json:/Topic\"]",
            "at = []",
            "`pins` is empty: the key is the provider's",
        ),
        (
            "keys.own.example",
            "{*}.own.example",
            "hosts are written out",
        ),
        (
            "keys.own.example",
            "{topic}.own.example",
            "hosts are written out",
        ),
        (
            "signed = [\"lines\"]",
            "signed = [\"body\"]",
            "one does not go without the other",
        ),
        (
            "signed = [\"lines\"]",
            "signed = [\"lines\", \"body\"]",
            "two contents",
        ),
        (
            "signed = [\"lines\"]",
            "signed = [\"token\"]",
            "a token needs `signature.encoding`",
        ),
        (
            "[\"json:/Message\"",
            "[\"json:/Message?\"",
            "the first line may not be optional",
        ),
        (
            "[\"json:/Message\"",
            "[\"header:x-message\"",
            "lines are either members of the body or headers",
        ),
        (
            "[\"json:/Message\"",
            "[\"json:/Id\"",
            "is no label of its own",
        ),
        (
            "of = [{ lines",
            "of = [{ at = \"json:/Kind\", equals = [\"a\"], lines",
            "the kind must be the last line",
        ),
        (
            "signed-id = \"json:/Id\"",
            "signed-id = \"json:/Other\"",
            "which is not signed",
        ),
        (
            "{ signed-id = \"json:/Id\" }",
            "{ bearer = { fields = [\"json:/Id\"] } }",
            "`identity` has a `bearer` rule, but this scheme signs",
        ),
        (
            "between = \"\\n\"",
            "between = \"\"",
            "`lines` needs `between`",
        ),
    ] {
        assert!(SCHEME.contains(from), "{from}");
        let errors = errors(&own, &SCHEME.replace(from, to));
        assert!(
            errors.contains(sentence),
            "{to}: expected {sentence}, got: {errors}"
        );
    }
}

#[test]
fn a_private_destination_is_refused_but_on_this_machine() {
    let sources = [source("sns", "aws-sns", TOPIC)];
    let text = sources_toml(&sources, "").replace("https://backend.example/", "$BACKEND_URL");
    let with = |environment: &str, url: &str, allowed: Option<&str>| {
        let (config, _) = from_toml(&text).unwrap();
        let gate = Gate::assemble(config, environment, |name| match name {
            "BACKEND_URL" => Some(url.to_owned()),
            "ALLOW_PRIVATE_DESTINATIONS" => allowed.map(str::to_owned),
            "DELIVERY_SECRET" => Some(DELIVERY.1.to_owned()),
            _ => None,
        });
        gate.destination("backend").is_some()
    };
    for environment in ["development", "test", "staging", "production", ""] {
        assert!(
            with(environment, "https://backend.example/", None),
            "{environment}"
        );
        for url in [
            "http://127.0.0.1:8788/",
            "https://10.0.0.1/",
            "https://169.254.169.254/",
        ] {
            assert!(!with(environment, url, None), "{environment} {url}");
            assert!(!with(environment, url, Some("1")), "{environment} {url}");
            let here = ["development", "test"].contains(&environment);
            assert_eq!(
                with(environment, url, Some("true")),
                here,
                "{environment} {url}"
            );
        }
    }
}
