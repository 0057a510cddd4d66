//! What an attacker does with a request that is genuine: each test is an attack that once worked.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use support::{Request, a_secret, gate_for, key, only, outcome, signed};

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
