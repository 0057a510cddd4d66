//! The boundaries inside the signed strings of the cloud schemes, and what a credential must not do.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::gate::LiveSource;
use support::mutate::{At, Case};
use support::{Request, SourceText, a_body, a_secret, gate, gate_for, held, only, outcome, signed};

fn assert_never(live: &LiveSource, request: &Request) {
    let got = outcome(live, request);
    assert!(
        got != "accept" && got != "question",
        "{got}: a second meaning under one signature: {request:?}"
    );
}

/// Secret, nonce, time and an object, with nothing between them: every other cut of the string.
#[test]
fn nonce_time_and_body_of_the_kit_keep_their_boundaries() {
    let gate = gate_for("koogallery-kit", &[a_secret("koogallery-kit", 1)]);
    let live = only(&gate);
    let mut cuts = 0;
    // Digits that could be a time stand in the nonce, and an object at the end of the body.
    for (nonce, body) in [
        ("abc", r#"{"a":"1"}"#),
        ("1760000000000", r#"{"a":{"b":1}}"#),
        ("n1760000000000", r#"{"a":"1760000000000{}"}"#),
        ("1760000000000176", r#"{"1760000000000":{"c":{}}}"#),
    ] {
        let request = signed(live, body.as_bytes(), "x");
        let case = Case::new("koogallery-kit", live, &request);
        let request = case.signed_again(case.set(At::Header("x-nonce"), nonce), &live.keys[0]);
        assert_eq!(outcome(live, &request), "accept", "{nonce} {body}");
        let text = format!("{nonce}1760000000000{body}");
        for first in 1..text.len() {
            for length in 0..=text.len() - first {
                let (moved_nonce, rest) = text.split_at(first);
                let (time, moved_body) = rest.split_at(length);
                if (moved_nonce, time) == (nonce, "1760000000000") {
                    continue;
                }
                let case = Case::new("koogallery-kit", live, &request);
                let moved = case.set(At::Header("x-nonce"), moved_nonce);
                let mut moved = Case {
                    request: &moved,
                    ..case
                }
                .set(At::Header("x-timestamp"), time);
                moved.body = moved_body.as_bytes().to_vec();
                cuts += 1;
                assert_never(live, &moved);
            }
        }
    }
    println!("{cuts} other cuts");
}

/// `ts=…&nonce=…&body=…`: a nonce may not hold what ends it.
#[test]
fn the_licences_nonce_does_not_reach_into_the_body() {
    let gate = gate_for("koogallery-license", &[a_secret("koogallery-license", 1)]);
    let live = only(&gate);
    let request = signed(live, br#"{"a":"x&body={}"}"#, "x");
    assert_eq!(outcome(live, &request), "accept");
    let case = Case::new("koogallery-license", live, &request);
    for (nonce, body) in [
        (r#"nonce-1&body={"a":"x"#, "{}"),
        ("nonce-1&body=", r#"{"a":"x&body={}"}"#),
        ("nonce-1&", r#"{"a":"x&body={}"}"#),
    ] {
        let mut moved = case.set(At::Header("nonce"), nonce);
        moved.body = body.into();
        assert_never(live, &moved);
    }
}

/// The fields of V1's body, joined and split elsewhere under the same token.
#[test]
fn fields_of_koogallery_v1_post_cannot_be_joined_or_split() {
    let gate = gate_for("koogallery-v1-post", &[a_secret("koogallery-v1-post", 1)]);
    let live = only(&gate);
    let request = signed(live, br#"{"a":"1=2","b":"3","c":"x"}"#, "x");
    assert_eq!(outcome(live, &request), "accept");
    let time = Case::new("koogallery-v1-post", live, &request)
        .get(At::Member("timeStamp"))
        .unwrap();
    for body in [
        format!(r#"{{"a=1":"2","b":"3","c":"x","timeStamp":"{time}"}}"#),
        format!(r#"{{"a":"1=2&b=3","c":"x","timeStamp":"{time}"}}"#),
        format!(r#"{{"a":"1=2","b":"3&c=x","timeStamp":"{time}"}}"#),
        format!(r#"{{"a":"1=2","b":["3"],"c":"x","timeStamp":"{time}"}}"#),
        format!(r#"{{"a":"1=2","b":"3","c":"x&timeStamp={time}","timeStamp":"{time}"}}"#),
        format!(r#"{{"a":"1=2","b":"3","c":"x","timeStamp":"{time}","timeStamp":"{time}"}}"#),
    ] {
        let moved = Request {
            body: body.into_bytes(),
            ..request.clone()
        };
        assert_never(live, &moved);
    }
}

/// A canonical request has lines, and nothing of a request can bring one of its own.
#[test]
fn lines_of_a_canonical_request_keep_their_places() {
    let gate = gate_for("huawei-sdk-hmac", &[a_secret("huawei-sdk-hmac", 1)]);
    let live = only(&gate);
    let request = signed(live, b"plain", "x");
    assert_eq!(outcome(live, &request), "accept");
    for target in [
        "/hooks/vector/",
        "/hooks/vector?",
        "/hooks//vector",
        "/hooks/vector%0A",
        "/hooks/vector?%0A=",
        "/hooks%2Fvector",
    ] {
        let moved = Request {
            target: target.into(),
            ..request.clone()
        };
        // A slash at the end and an empty query are the same request in the canonical form.
        let same = ["/hooks/vector/", "/hooks/vector?"].contains(&target);
        let expected = if same { "accept" } else { "signature_mismatch" };
        assert_eq!(outcome(live, &moved), expected, "{target}");
    }
    let case = Case::new("huawei-sdk-hmac", live, &request);
    let list = case.get(case.signature).unwrap();
    for names in [
        "x-sdk-date;",
        ";x-sdk-date",
        "X-Sdk-Date",
        "",
        "x-sdk-date;x-sdk-date",
    ] {
        let named = list.replace(
            "SignedHeaders=x-sdk-date",
            &format!("SignedHeaders={names}"),
        );
        assert_never(live, &case.set(case.signature, &named));
    }
    let many: Vec<String> = (0..40).map(|number| format!("x-{number}")).collect();
    let named = list.replace("x-sdk-date", &format!("x-sdk-date;{}", many.join(";")));
    let mut flooded = case.set(case.signature, &named);
    flooded
        .headers
        .extend(many.iter().map(|name| (name.clone(), "1".to_owned())));
    assert_eq!(outcome(live, &flooded), "malformed_signed_part");
}

/// A scheme that carries the very headers its credential stands in.
const CARRIES_ALL: &str = r#"
[schemes.carries]
provider = "Carries"
page = "https://example.com/"
algorithm = "credential"
key = { encoding = "utf8" }
signature = { at = "header:x-token", encoding = "verbatim", or = ["header:x-other-token", "query:token"] }
signed = []
identity = [{ bearer = { fields = ["json:/id"] } }, { digest = {} }]
carry = ["x-*"]
answer_by_ms = 5000
retry_horizon_seconds = 0
"#;

#[test]
fn a_credential_is_replaced_before_anything_is_held() {
    let source = SourceText {
        name: "vector",
        tenant: "t",
        scheme: "carries",
        secrets: &["KEY"],
        more: "",
    };
    let gate = gate(&[source], CARRIES_ALL, &[("KEY", "the-credential")]);
    let live = only(&gate);
    let template = signed(live, &a_body("carries", 1), "evt_1");
    for (target, header) in [
        ("/hooks/vector", Some("X-Token")),
        ("/hooks/vector", Some("x-other-token")),
        ("/hooks/vector?token=the-credential", None),
    ] {
        let mut request = template.clone();
        request.target = target.to_owned();
        request.headers = vec![("x-plain".into(), "kept".into())];
        if let Some(name) = header {
            request.headers.push((name.into(), "the-credential".into()));
        }
        let held = held(live, &request);
        let text = format!("{held:?}");
        assert!(!text.contains("the-credential"), "{text}");
        assert!(text.contains("kept"));
        if let Some(name) = header {
            let name = name.to_lowercase();
            let carried = held.headers.iter().find(|(known, _)| *known == name);
            assert_eq!(carried.unwrap().1, "hookgate-redacted");
        }
    }
    // Not a part of it, not more than it, not another's.
    for wrong in [
        "the-credentia",
        "the-credential ",
        "The-credential",
        "",
        "x",
    ] {
        let mut request = template.clone();
        request.headers = vec![("x-token".into(), wrong.into())];
        assert_never(live, &request);
    }
}
