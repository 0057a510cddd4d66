//! `docs/own-tokens.md`: tokens of an authorization server that is the user's own, as a scheme of his own.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::config::from_toml;
use hookgate::gate::Gate;
use support::{Request, parse_vector, tree};

const TOP: &str = r#"
version = 1
queue_retention_seconds = 345600
[destinations.backend]
url = "https://backend.example/"
secret = "DELIVERY_SECRET"
"#;

/// The page's configuration.
fn toml() -> String {
    let page = tree::read("docs/own-tokens.md");
    let blocks = page.split("```toml\n").skip(1);
    let toml = blocks.map(|block| block.split("\n```").next().unwrap());
    toml.fold(TOP.to_owned(), |all, block| all + "\n" + block)
}

fn gate(change: impl Fn(String) -> String) -> Gate {
    let text = toml();
    let (config, _) = from_toml(&change(text)).unwrap_or_else(|faults| panic!("{faults:?}"));
    Gate::assemble(config, "test", |_| {
        Some("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=".into())
    })
}

fn request() -> Request {
    let bytes = std::fs::read(support::root().join("tests/documents/own-token.vector")).unwrap();
    parse_vector(&bytes).unwrap().request
}

fn judged(change: impl Fn(String) -> String, request: &Request) -> &'static str {
    let gate = gate(change);
    support::outcome(gate.sources().next().unwrap(), request)
}

#[test]
fn the_page_takes_what_its_server_issued_for_it() {
    let request = request();
    assert_eq!(judged(|text| text, &request), "accept");
    let of = |from: &'static str, to: &'static str| {
        move |text: String| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        }
    };
    for (from, to, expected) in [
        (
            "audience = \"https://gate.example/hooks/orders\"",
            "audience = \"https://gate.example/hooks/others\"",
            "pin_mismatch",
        ),
        (
            "client = \"eventbridge-orders\"",
            "client = \"eventbridge-others\"",
            "pin_mismatch",
        ),
        (
            "issuers = [\"https://login.example.com/\"]",
            "issuers = [\"https://login.example.org/\"]",
            "token_not_allowed",
        ),
        (
            "lifetime_seconds_max = 86400",
            "lifetime_seconds_max = 3599",
            "token_not_allowed",
        ),
        (
            "com/.well-known/jwks.json",
            "com/.well-known/others.json",
            "key_unfetched",
        ),
    ] {
        assert_eq!(judged(of(from, to), &request), expected, "{to}");
    }
    // Amazon Cognito's tokens have no audience: the page says which pin then stays.
    let without = |text: String| {
        let pin = "[[schemes.eventbridge-oauth.pins]]\nname = \"audience\"\nat = [\"claim:aud\"]\n";
        of(pin, "")(text).replace("audience = \"https://gate.example/hooks/orders\", ", "")
    };
    assert_eq!(judged(without, &request), "accept");
}

#[test]
fn a_token_of_another_time_or_of_nobody_is_refused() {
    for (seconds, expected) in [(-700, "from_future"), (3_100, "stale"), (2_000, "accept")] {
        let mut request = request();
        request.now_ms += seconds * 1_000;
        assert_eq!(judged(|text| text, &request), expected, "{seconds}");
    }
    let mut forged = request();
    let value = &mut forged.headers[0].1;
    let last = value.rfind('.').unwrap() + 1;
    let other = if &value[last..=last] == "A" { "B" } else { "A" };
    value.replace_range(last..=last, other);
    assert_eq!(judged(|text| text, &forged), "signature_mismatch");
    let mut without = request();
    without.headers.remove(0);
    assert_eq!(judged(|text| text, &without), "missing_signature");
}

#[test]
fn keys_are_not_fetched_from_a_network_of_ones_own() {
    for host in [
        "127.0.0.1",
        "169.254.169.254",
        "login.internal",
        "0x7f.1",
        "localhost",
    ] {
        let text = toml().replace(
            "https://login.example.com/.well",
            &format!("https://{host}/.well"),
        );
        let faults = from_toml(&text).unwrap_err().join("; ");
        assert!(
            faults.contains("leads to a private or special address"),
            "{host}: {faults}"
        );
    }
}
