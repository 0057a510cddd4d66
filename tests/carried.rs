//! Which headers reach the backend, under which names, and that a message always fits.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::config::{BODY_BYTES_LIMIT, SignAs};
use hookgate::event::{Held, MESSAGE_BYTES_MAX};
use hookgate::gate::Gate;
use support::delivered::delivered;
use support::{
    Request, SourceText, a_body, a_secret, event, gate, gate_for, only, signed, vector,
    with_secrets,
};

/// As much as a scheme may carry: `*` alone is refused.
const CARRY: &str = r#"carry = ["a*", "c*", "e*", "f*", "h*", "k*", "p*", "t*", "u*", "w*", "x*"]"#;

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn the_providers_headers_step_aside_for_ours() {
    let vector = vector("standard-webhooks", "pair-first");
    let message = event(only(&vector.gate()), &vector.request)
        .into_message("r", TRACEPARENT)
        .unwrap();
    let find = |headers: &[(String, String)], name: &str| {
        let found: Vec<String> = headers
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
            .collect();
        assert!(found.len() < 2, "{name} stands twice: {headers:?}");
        found.into_iter().next()
    };
    let theirs = "v1,E3tcj9aRqOjbBGqzLt1aMsD7ouqAMePbFMinexU4+Hw=";
    let gate = delivered(&message, SignAs::Gate);
    assert!(find(&gate, "webhook-id").unwrap().starts_with("hg_"));
    assert_eq!(
        find(&gate, "hookgate-original-webhook-id").as_deref(),
        Some("msg_2KWPBgLlAfxdpx2AI54pPJ85f4W")
    );
    assert_eq!(
        find(&gate, "hookgate-original-webhook-timestamp").as_deref(),
        Some("1760000000")
    );
    assert_eq!(
        find(&gate, "hookgate-original-webhook-signature").as_deref(),
        Some(theirs)
    );
    let original = delivered(&message, SignAs::Original);
    assert_eq!(
        find(&original, "webhook-id").as_deref(),
        Some("msg_2KWPBgLlAfxdpx2AI54pPJ85f4W")
    );
    assert_eq!(
        find(&original, "webhook-signature").as_deref(),
        Some(theirs)
    );
    assert!(find(&original, "hookgate-id").unwrap().starts_with("hg_"));
    assert!(
        find(&original, "hookgate-signature")
            .unwrap()
            .starts_with("v1,")
    );
    assert_eq!(find(&original, "hookgate-original-webhook-id"), None);
}

/// Carries every header there is.
const GREEDY: &str = r#"
[schemes.greedy]
provider = "Greedy"
page = "https://example.com/"
algorithm = "hmac-sha256"
key = { encoding = "utf8" }
signature = { at = "header:x-signature", encoding = "hex" }
signed = ["body"]
identity = [{ digest = {} }]
carry = ["a*", "c*", "e*", "f*", "h*", "k*", "p*", "t*", "u*", "w*", "x*"]
credentials = ["x-token"]
answer_by_ms = 5000
retry_horizon_seconds = 0
"#;

fn greedy() -> Gate {
    let sources = [SourceText {
        name: "vector",
        tenant: "t",
        scheme: "greedy",
        secrets: &["KEY"],
        more: "",
    }];
    gate(&sources, GREEDY, &[("KEY", "secret")])
}

fn with_headers(request: &Request, headers: &[(&str, &str)]) -> Request {
    let mut request = request.clone();
    request.headers.extend(
        headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    request
}

#[test]
fn credentials_are_replaced_and_the_connections_headers_stay_here() {
    let gate = greedy();
    let request = with_headers(
        &signed(only(&gate), b"{}", "1"),
        &[
            ("Authorization", "Bearer live"),
            ("Proxy-Authorization", "live"),
            ("Cookie", "a=live"),
            ("X-Token", "live"),
            ("CF-Connecting-IP", "1.2.3.4"),
            ("CF-Ray", "x"),
            ("X-Forwarded-For", "1.2.3.4"),
            ("X-Forwarded-Proto", "https"),
            ("Host", "gate.example"),
            ("Content-Length", "2"),
            ("Connection", "close"),
            ("Keep-Alive", "1"),
            ("Transfer-Encoding", "chunked"),
            ("TE", "trailers"),
            ("Trailer", "x"),
            ("Upgrade", "h2c"),
            ("Expect", "100-continue"),
            ("Content-Encoding", "gzip"),
            ("X-Kept", "kept"),
        ],
    );
    let message = event(only(&gate), &request)
        .into_message("r", TRACEPARENT)
        .unwrap();
    assert!(!message.contains("live"), "{message}");
    let headers = Held::read(&message).unwrap().headers;
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "content-type",
            "content-encoding",
            "x-signature",
            "authorization",
            "proxy-authorization",
            "cookie",
            "x-token",
            "x-kept"
        ]
    );
    for (name, value) in &headers[3..7] {
        assert_eq!(value, "hookgate-redacted", "{name}");
    }
}

#[test]
fn a_sender_cannot_write_our_headers() {
    let gate = greedy();
    let request = with_headers(
        &signed(only(&gate), b"{}", "1"),
        &[
            ("hookgate-tenant", "another"),
            ("hookgate-attempt", "9"),
            ("webhook-id", "forged"),
            ("traceparent", "forged"),
            ("hookgate-signature", "forged"),
            ("hookgate-id", "forged"),
            ("hookgate-new", "forged"),
        ],
    );
    let message = event(only(&gate), &request)
        .into_message("r", TRACEPARENT)
        .unwrap();
    for sign in [SignAs::Gate, SignAs::Original] {
        let mut names = Vec::new();
        for (name, value) in delivered(&message, sign) {
            let ours = name.starts_with("hookgate-") && !name.starts_with("hookgate-original-");
            assert!(
                !(ours && ["forged", "another", "9"].contains(&value.as_str())),
                "{sign:?}: {name}: {value}"
            );
            assert!(!names.contains(&name), "{sign:?}: {name} stands twice");
            names.push(name);
        }
    }
}

#[test]
fn header_values_reach_the_backend_as_one_line_of_ascii() {
    let gate = greedy();
    let request = with_headers(
        &signed(only(&gate), b"{}", "1"),
        &[("X-Name", "é\u{0}\r\nX-Evil: 1\u{7f}~ ")],
    );
    let message = event(only(&gate), &request)
        .into_message("r", TRACEPARENT)
        .unwrap();
    let headers = delivered(&message, SignAs::Gate);
    let value = headers
        .iter()
        .find(|(name, _)| name == "x-name")
        .map(|(_, value)| value.as_str());
    assert_eq!(value, Some("%C3%A9%00%0D%0AX-Evil: 1%7F~ "));
}

#[test]
fn the_largest_body_fits_with_all_headers_a_sender_may_add() {
    let gate = greedy();
    for pad in ["a", "\"", "\\", "é", "\u{1}"] {
        for (count, bytes) in [(1, 17_000), (4, 5_000), (2_000, 8), (200, 100)] {
            let body = vec![0xff; BODY_BYTES_LIMIT];
            let mut request = signed(only(&gate), &body, "1");
            for number in 0..count {
                request
                    .headers
                    .push((format!("x-{number}"), pad.repeat(bytes / pad.len())));
            }
            let message = event(only(&gate), &request)
                .into_message("request-1", TRACEPARENT)
                .expect("fits");
            assert!(
                message.len() <= MESSAGE_BYTES_MAX,
                "{} bytes",
                message.len()
            );
            let held = Held::read(&message).unwrap();
            assert_eq!(held.body, body);
            assert!(held.message.headersdropped > 0, "{pad:?} {count}");
            assert_eq!(
                held.headers[0].0, "content-type",
                "the body cannot be read without it"
            );
            assert_eq!(
                held.headers.len() + held.message.headersdropped as usize,
                request.headers.len()
            );
        }
    }
}

#[test]
fn the_largest_body_fits_for_every_scheme_with_the_longest_labels() {
    let long = "\"".repeat(4_000);
    for scheme in with_secrets() {
        let gate = gate_for(scheme, &[a_secret(scheme, 1)]);
        let live = only(&gate);
        let body = match scheme {
            "koogallery-v1" => {
                format!("activity={0}&orderId={0}", "%22".repeat(1_000)).into_bytes()
            }
            "koogallery-v2" => format!(
                "{{\"activity\":{long:?},\"pad\":\"{}\"}}",
                "x".repeat(84_000)
            )
            .into_bytes(),
            _ => {
                let mut body = a_body(scheme, 1);
                body.resize(BODY_BYTES_LIMIT, b' ');
                body
            }
        };
        let mut request = signed(live, &body, "evt_1");
        for name in [
            "content-type",
            "x-github-event",
            "x-github-delivery",
            "x-shopify-topic",
            "x-shopify-event-id",
        ] {
            request
                .headers
                .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            request.headers.push((name.to_owned(), long.clone()));
        }
        let message = event(live, &request).into_message(&"r".repeat(36), TRACEPARENT);
        assert!(
            message.is_some_and(|text| text.len() <= MESSAGE_BYTES_MAX),
            "{scheme}"
        );
    }
}

#[test]
fn header_names_in_a_scheme_may_be_written_in_any_case() {
    let table = GREEDY
        .replace(CARRY, "carry = [\"X-Token\", \"X-Shop-*\"]")
        .replace("credentials = [\"x-token\"]", "credentials = [\"X-Token\"]");
    let sources = [SourceText {
        name: "vector",
        tenant: "t",
        scheme: "greedy",
        secrets: &["KEY"],
        more: "",
    }];
    let gate = gate(&sources, &table, &[("KEY", "secret")]);
    let request = with_headers(
        &signed(only(&gate), b"{}", "1"),
        &[
            ("x-token", "live"),
            ("X-Shop-Topic", "paid"),
            ("X-Other", "x"),
        ],
    );
    let held = support::held(only(&gate), &request);
    let carried: Vec<(&str, &str)> = held
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        carried,
        [
            ("content-type", "application/json"),
            ("x-token", "hookgate-redacted"),
            ("x-shop-topic", "paid")
        ]
    );
}
