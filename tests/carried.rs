//! Which headers reach the backend, under which names, and that a message always fits.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

#[path = "carried/canonical.rs"]
mod canonical;
mod support;

use hookgate::config::{BODY_BYTES_LIMIT, SignAs};
use hookgate::event::{ClaimCheck, Held, HeldContent, MESSAGE_BYTES_MAX};
use hookgate::gate::{Gate, LiveSource};
use sha2::{Digest as _, Sha256};
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
fn headers_are_dropped_only_where_they_are_too_many_for_any_message() {
    let gate = greedy();
    for pad in ["a", "\"", "\\", "é", "\u{1}"] {
        for (count, bytes) in [(1, 17_000), (4, 5_000), (2_000, 8), (200, 100)] {
            for body_bytes in [10, 80_000, 92_832, BODY_BYTES_LIMIT] {
                let body = vec![0xff; body_bytes];
                let mut request = signed(only(&gate), &body, "1");
                for number in 0..count {
                    request
                        .headers
                        .push((format!("x-{number}"), pad.repeat(bytes / pad.len())));
                }
                let message = message(only(&gate), &request);
                let held = Held::read(&message).unwrap();
                match &held.content {
                    HeldContent::Here(content) => assert_eq!(*content, body),
                    HeldContent::Apart(check) => assert_is_of(check, &body),
                }
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
}

fn message(live: &LiveSource, request: &Request) -> String {
    let message = event(live, request).into_message("request-1", TRACEPARENT);
    let message = message.expect("fits");
    assert!(message.len() <= MESSAGE_BYTES_MAX, "{}", message.len());
    message
}

fn assert_is_of(check: &ClaimCheck, content: &[u8]) {
    let sha256: [u8; 32] = Sha256::digest(content).into();
    assert_eq!(
        (check.sha256, check.bytes as usize),
        (sha256, content.len())
    );
}

/// The rule is applied to the encoded message: base64 and headers included, to the byte.
#[test]
fn a_content_goes_apart_when_its_message_would_be_one_byte_too_long() {
    let gate = gate_for("stripe", &[a_secret("stripe", 1)]);
    let live = only(&gate);
    for headers_bytes in [0, 1, 500, 15_000] {
        let request = |body_bytes: usize, more: usize| {
            let mut request = signed(live, &vec![b'x'; body_bytes], "evt_1");
            // The content-type is an attribute too, and cut there: this header is carried alone.
            let more = "v".repeat(headers_bytes + more);
            request.headers.push(("content-encoding".into(), more));
            request
        };
        // Three bytes of a body are four of the message; what is left to the limit goes into the header.
        let inline = |body_bytes, more| {
            let text = message(live, &request(body_bytes, more));
            matches!(Held::read(&text).unwrap().content, HeldContent::Here(_)).then_some(text.len())
        };
        let (mut fits, mut too_long) = (20_000, 40_000);
        while too_long - fits > 1 {
            let between = usize::midpoint(fits, too_long);
            if inline(3 * between, 0).is_some() {
                fits = between;
            } else {
                too_long = between;
            }
        }
        let body_bytes = 3 * fits;
        let more = (0..4)
            .rev()
            .find(|more| inline(body_bytes, *more).is_some());
        let more = more.expect("without more it fits");
        let longest = inline(body_bytes, more).unwrap();
        // What the rule reserves for names of attributes that it does not write here.
        assert!(MESSAGE_BYTES_MAX - longest <= 64, "{longest}");
        for (body_bytes, more) in [(body_bytes, more + 1), (body_bytes + 3, more)] {
            let request = request(body_bytes, more);
            let held = Held::read(&message(live, &request)).unwrap();
            let HeldContent::Apart(check) = &held.content else {
                panic!("{body_bytes}, {more}: still in the message");
            };
            assert_is_of(check, &request.body);
            assert_eq!(held.headers.len(), request.headers.len());
            assert_eq!(held.message.headersdropped, 0);
        }
    }
}

#[test]
fn a_content_goes_under_a_name_that_says_nothing_of_it() {
    let gate = gate_for("stripe", &[a_secret("stripe", 1)]);
    let request = signed(only(&gate), &vec![b'x'; 200_000], "evt_1");
    let envelope = |random| {
        let event = event(only(&gate), &request);
        event.into_envelope("r", TRACEPARENT, || random).unwrap()
    };
    let check = envelope([0xab; 16]).apart.unwrap();
    assert_eq!(
        check.key,
        format!("claim/tenant/vector/20251009/{}", "ab".repeat(16))
    );
    assert_ne!(envelope([0; 16]).apart.unwrap().key, check.key);
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
                "x".repeat(1_000_000)
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
        message(live, &request);
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
