//! What a sender's signed headers say tells its events apart, and a form is no JSON body.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hookgate::gate::Gate;
use hookgate::hex;
use sha2::{Digest as _, Sha256};
use support::{NOW_MS, Request, key, only, outcome, vector};

fn mac(secret: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The gate of a scheme's first vector, and that request with these headers and body instead.
fn instead(scheme: &str, headers: &[(&str, String)], body: &str) -> (Gate, Request) {
    let first = vector(scheme, "pair-first");
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    let request = Request {
        headers: headers.collect(),
        body: body.as_bytes().to_vec(),
        ..first.request.clone()
    };
    (first.gate(), request)
}

/// Hook0's body is the payload alone: id and type stand in headers.
#[test]
fn signed_ids_of_hook0_tell_equal_bodies_apart() {
    let body = r#"{"user":1}"#;
    let seconds = NOW_MS / 1_000;
    let sent = |id: &str| {
        let tag = hex::encode(&mac(
            b"secret",
            &format!("{seconds}.x-event-id.{id}.{body}"),
        ));
        let signature = format!("t={seconds},h=x-event-id,v1={tag}");
        let headers = [
            ("x-hook0-signature", signature),
            ("x-event-id", id.to_owned()),
        ];
        let (gate, request) = instead("hook0-headers", &headers, body);
        key(only(&gate), &request)
    };
    assert_eq!(sent("evt-1"), sent("evt-1"));
    assert_ne!(sent("evt-1"), sent("evt-2"));
}

/// Values stand beside each other with dots that are not escaped. Wherever one signed string is cut, one
/// request comes of it.
#[test]
fn a_signed_string_of_hook0_has_one_reading() {
    for text in [
        "evt-1.shop.order.paid.{\"id\":1}",
        "a.b.c.d.e.f.g",
        "a.b.c.d.",
        ".....",
    ] {
        let seconds = NOW_MS / 1_000;
        let names = "x-event-id x-event-type";
        let tag = hex::encode(&mac(b"secret", &format!("{seconds}.{names}.{text}")));
        let dots: Vec<usize> = text.match_indices('.').map(|(at, _)| at).collect();
        let mut accepted = 0;
        for (index, id_end) in dots.iter().enumerate() {
            for type_end in &dots[index + 1..] {
                let headers = [
                    (
                        "x-hook0-signature",
                        format!("t={seconds},h={names},v1={tag}"),
                    ),
                    ("x-event-id", text[..*id_end].to_owned()),
                    ("x-event-type", text[id_end + 1..*type_end].to_owned()),
                ];
                let (gate, request) = instead("hook0-headers", &headers, &text[type_end + 1..]);
                accepted += usize::from(outcome(only(&gate), &request) == "accept");
            }
        }
        assert_eq!(accepted, 1, "{text}");
    }
}

#[test]
fn whoever_signs_values_without_names_says_where_they_end() {
    let errors = |from: &str, to: &str| {
        let scheme = support::tree::read("src/schemes/hook0-headers.toml");
        let scheme = scheme.split("[about]").next().unwrap();
        assert!(scheme.contains(from), "{from}");
        let scheme: hookgate::scheme::Scheme = toml::from_str(&scheme.replace(from, to)).unwrap();
        scheme.faults().join("\n")
    };
    assert_eq!(errors("h", "h"), "");
    for (from, to, sentence) in [
        ("x-event-type=2", "x-event-type", "each \"NAME=TIMES\""),
        ("x-event-type=2", "x-event-type=0", "each \"NAME=TIMES\""),
        (
            "join = \".\"",
            "join = \".\"\npair = \":\"",
            "leave it out where `pair` is set",
        ),
        ("join = \".\"", "join = \"..\"", "needs one character"),
        (
            "\"named-headers\", \"literal:.\"",
            "\"named-headers\", \"literal:|\"",
            "must follow \"header-names\" and \"named-headers\"",
        ),
        (
            "\"header-names\", \"literal:.\"",
            "\"header-names\", \"literal:-\"",
            "must follow \"header-names\" and \"named-headers\"",
        ),
    ] {
        let errors = errors(from, to);
        assert!(errors.contains(sentence), "{to}: {errors}");
    }
}

/// The same body under another covered `idempotency-key` is another event; under another nonce it is not.
#[test]
fn covered_names_of_events_tell_equal_bodies_apart() {
    let body = r#"{"type":"ping"}"#;
    let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)));
    let secret = vector("http-message-signature-hmac", "pair-first").secrets[0].clone();
    let secret = STANDARD.decode(secret).unwrap();
    let sent = |id: &str, nonce: &str| {
        let params = format!(
            "(\"@method\" \"@target-uri\" \"content-digest\" \"idempotency-key\");created={};nonce=\"{nonce}\"",
            NOW_MS / 1_000
        );
        let base = format!(
            "\"@method\": POST\n\"@target-uri\": https://gate.example/hooks/vector\n\"content-digest\": {digest}\n\"idempotency-key\": {id}\n\"@signature-params\": {params}"
        );
        let headers = [
            ("content-digest", digest.clone()),
            ("idempotency-key", id.to_owned()),
            ("signature-input", format!("sig1={params}")),
            (
                "signature",
                format!("sig1=:{}:", STANDARD.encode(mac(&secret, &base))),
            ),
        ];
        let (gate, request) = instead("http-message-signature-hmac", &headers, body);
        key(only(&gate), &request)
    };
    assert_eq!(sent("evt-1", "a"), sent("evt-1", "b"));
    assert_ne!(sent("evt-1", "a"), sent("evt-2", "a"));
}

/// A field's text could say `bodySHA256`: cut so that it stands in the URL, it must not vouch for a body.
#[test]
fn the_digest_of_a_twilio_body_is_the_end_of_its_url() {
    let body = r#"{"evil":true}"#;
    let digest = hex::encode(&Sha256::digest(body));
    let mut first = vector("twilio", "pair-first");
    let gate = first.gate();
    let sign = |query: &str| {
        use sha1::Sha1;
        let mut mac = Hmac::<Sha1>::new_from_slice(b"12345").unwrap();
        mac.update(format!("https://gate.example/hooks/vector{query}").as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    };
    for (query, expected) in [
        (format!("?a=1&bodySHA256={digest}"), "accept"),
        (
            format!("?a=1AccountSidAC1Body&bodySHA256={digest}&x=From1"),
            "body_digest_mismatch",
        ),
    ] {
        first.request.target = format!("/hooks/vector{query}");
        first.request.body = body.as_bytes().to_vec();
        first.request.headers = vec![
            ("Content-Type".to_owned(), "application/json".to_owned()),
            ("X-Twilio-Signature".to_owned(), sign(&query)),
        ];
        assert_eq!(outcome(only(&gate), &first.request), expected, "{query}");
    }
}
