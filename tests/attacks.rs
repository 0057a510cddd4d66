//! What an attacker does with a request that is genuine: each test is an attack that once worked.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::admission;
use hookgate::event::Held;
use support::{
    Request, SourceText, a_secret, content, event, gate, gate_for, key, only, outcome, signed,
    sources_toml, vector,
};

/// The request with another body, under the signature that it has.
fn with_body(request: &Request, body: &str) -> Request {
    Request {
        body: body.as_bytes().to_vec(),
        ..request.clone()
    }
}

/// `sorted-fields` leaves out what is blank, and does not tell `1` from `"1"`. So neither may make one
/// captured request another event: that would be as many events as there are blanks.
#[test]
fn what_the_joined_fields_do_not_tell_apart_is_one_event() {
    let gate = gate_for("koogallery-v1-post", &[a_secret("koogallery-v1-post", 1)]);
    let live = only(&gate);
    // Under the first body's signature come the others: the same fields with something more or less.
    for (signed_body, changes) in [
        (
            r#"{"activity":"newInstance","orderId":"CS1"}"#,
            &[
                ("}", r#","productId":" "}"#),
                ("}", ",\"productId\":\"\u{3000}\"}"),
                ("}", r#","productId":"\t\n"}"#),
            ][..],
        ),
        (
            r#"{"activity":"expireInstance","instanceId":"i","businessId":"b"}"#,
            &[
                ("}", r#","orderId":" "}"#),
                ("}", r#","orderId":"  ","productId":" "}"#),
            ][..],
        ),
        (
            r#"{"activity":"newInstance","orderId":"12345678901234567890123"}"#,
            &[(r#""12345678901234567890123""#, "12345678901234567890123")][..],
        ),
        (
            r#"{"activity":"newInstance","orderId":"1.0","productId":"1e5"}"#,
            &[(r#""1.0""#, "1.0"), (r#""1e5""#, "1e5")][..],
        ),
        (
            r#"{"activity":"newInstance","orderId":"true","productId":"-0"}"#,
            &[(r#""true""#, "true"), (r#""-0""#, "-0")][..],
        ),
    ] {
        let request = signed(live, signed_body.as_bytes(), "x");
        let text = String::from_utf8(request.body.clone()).unwrap();
        let original = key(live, &request);
        for (from, to) in changes {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            let changed = with_body(&request, &changed);
            assert_eq!(outcome(live, &changed), "accept", "the signature covers it");
            assert_eq!(key(live, &changed), original, "{changed:?}");
        }
    }
}

const APPENDED: &str = r#"
[schemes.own]
provider = "A shop"
page = "https://shop.example/docs"
algorithm = "hmac-sha256"
key = { encoding = "utf8", append = "json:/at" }
signature = { at = "header:x-signature", encoding = "hex" }
signed = ["body"]
time = { at = "json:/at", unit = "milliseconds", tolerance_seconds = 300, future_seconds = 60 }
identity = [{ digest = {} }]
answer_by_ms = 3000
retry_horizon_seconds = 86400
"#;

const OWN: SourceText<'_> = SourceText {
    name: "vector",
    tenant: "tenant",
    scheme: "own",
    secrets: &["KEY"],
    more: "",
};

/// A key that ends with a time of the body is not known before the body is: nobody else can make such a
/// MAC, and whoever takes the key without its end refuses a genuine event.
#[test]
fn a_mac_whose_key_ends_in_the_body_is_not_made_elsewhere() {
    let gate = gate(&[OWN], APPENDED, &[("KEY", "a secret")]);
    let live = only(&gate);
    let request = signed(live, br#"{"at":"1760000000000"}"#, "x");
    assert_eq!(outcome(live, &request), "accept");
    let opening = admission::open(live, &request.head()).expect("its head is in order");
    assert!(opening.around_body(live).is_none());
}

/// An item of the signature's list is never found there, so every event would be refused.
#[test]
fn a_key_does_not_end_with_an_item_of_the_signature() {
    let scheme = APPENDED.replace("json:/at", "signature:t").replace(
        "encoding = \"hex\" }",
        "encoding = \"hex\", split = \",\", pair = \"=\", take = [\"v1\"] }",
    );
    let errors = hookgate::config::from_toml(&sources_toml(&[OWN], &scheme))
        .expect_err("it can verify nothing");
    let expected = "`key.append` = \"signature:t\": use a header or a query parameter";
    assert!(
        errors.iter().any(|error| error.contains(expected)),
        "{errors:?}"
    );
}

/// A label goes into the log, into the dead letters and to the backend.
#[test]
fn a_credential_is_no_label() {
    let scheme = r#"
[schemes.own]
provider = "A shop"
page = "https://shop.example/docs"
algorithm = "credential"
key = { encoding = "utf8" }
signature = { at = "header:authorization", encoding = "verbatim", or = ["query:token"] }
signed = []
identity = [{ digest = {} }]
event_id = ["LABEL"]
answer_by_ms = 3000
retry_horizon_seconds = 86400
"#;
    for (label, place) in [
        ("query:token", "query:token"),
        ("{json:/id}|{header:authorization}", "header:authorization"),
    ] {
        let scheme = scheme.replace("LABEL", label);
        let errors = hookgate::config::from_toml(&sources_toml(&[OWN], &scheme))
            .expect_err("it would be seen");
        let expected = format!("\"{place}\" holds the credential");
        assert!(
            errors.iter().any(|error| error.contains(&expected)),
            "{errors:?}"
        );
    }
}

/// An empty subject that the provider left out of what it signed can be taken away, and put back, by anyone. The
/// backend is given the same.
#[test]
fn what_is_left_out_of_the_signed_lines_is_left_out_of_the_event() {
    let vector = vector("huawei-smn", "empty-subject-left-out");
    let gate = vector.gate();
    let live = only(&gate);
    let body = String::from_utf8(vector.request.body.clone()).unwrap();
    let without = with_body(&vector.request, &body.replace(r#""subject":"","#, ""));
    assert_ne!(vector.request.body, without.body);
    let given = |request: &Request| {
        let message = event(live, request).into_message("r", "t").unwrap();
        content(&Held::read(&message).unwrap()).to_vec()
    };
    assert_eq!(given(&vector.request), given(&without));
    assert_eq!(key(live, &vector.request), key(live, &without));
}
