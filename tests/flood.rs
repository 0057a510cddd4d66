//! A flood of forgeries sheds what is dear to verify, and nothing else (docs/guarantees.md, G7).

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::admission;
use hookgate::flood::SMALL_BYTES;
use hookgate::gate::LiveSource;
use hookgate::verdict::{Reject, Trouble, Verdict};
use support::{Request, a_secret, gate_for, only, run, signed, vector};

const FLOODED: Verdict = Verdict::Unavailable(Trouble::Flooded);

fn event(live: &LiveSource, bytes: usize) -> Request {
    let body = format!(r#"{{"id":"evt_1","note":"{}"}}"#, "x".repeat(bytes));
    let mut request = signed(live, body.as_bytes(), "evt_1");
    let length = request.body.len().to_string();
    request.headers.push(("content-length".into(), length));
    request
}

fn forged(live: &LiveSource, bytes: usize) -> Request {
    let mut request = event(live, bytes);
    *request.body.last_mut().unwrap() = b' ';
    request
}

/// What a request gets while its head is looked at; otherwise how much of its body is read.
fn open(live: &LiveSource, request: &Request) -> Result<usize, Verdict> {
    let opening = admission::open_unless_flooded(live, &request.head(), || request.now_ms)?;
    Ok(opening.body_bytes_max)
}

/// The first of it for real; the rest is counted only, because to hash it takes long in a test.
fn flood(live: &LiveSource, bytes: usize) {
    let request = forged(live, bytes);
    let verdict = run(live, &request).unwrap_err();
    assert_eq!(verdict, Verdict::Refused(Reject::SignatureMismatch));
    assert_eq!(live.flood.is_quiet(), bytes <= SMALL_BYTES);
    for _ in 0..4_000 {
        live.flood.failed(bytes, request.now_ms);
    }
}

#[test]
fn large_bodies_are_shed_and_small_ones_verified() {
    let gate = gate_for("github", &[a_secret("github", 1)]);
    let live = only(&gate);
    let (small, large) = (event(live, 1_000), event(live, 50_000));
    assert_eq!(open(live, &large), Ok(live.source.body_bytes_max));
    flood(live, 50_000);
    assert_eq!(open(live, &large), Err(FLOODED));
    assert_eq!(open(live, &small), Ok(SMALL_BYTES));
    assert!(run(live, &small).is_ok());
    let later = Request {
        now_ms: large.now_ms + 3_600_000,
        ..large
    };
    assert_eq!(open(live, &later), Ok(live.source.body_bytes_max));
}

/// Without a declared length a body is read up to there, and what is longer is our trouble.
#[test]
fn a_length_that_is_not_declared_is_no_way_in() {
    let gate = gate_for("github", &[a_secret("github", 1)]);
    let live = only(&gate);
    flood(live, 50_000);
    let mut chunked = event(live, 50_000);
    chunked.headers.retain(|(name, _)| name != "content-length");
    let opening = admission::open_unless_flooded(live, &chunked.head(), || chunked.now_ms).unwrap();
    assert_eq!(
        (opening.body_bytes_max, opening.over_length),
        (SMALL_BYTES, FLOODED)
    );
}

#[test]
fn genuine_events_and_small_forgeries_fill_nothing() {
    let gate = gate_for("github", &[a_secret("github", 1)]);
    let live = only(&gate);
    flood(live, 1_000);
    for _ in 0..200 {
        assert!(run(live, &event(live, 50_000)).is_ok());
    }
    let large = event(live, 50_000);
    assert_eq!(open(live, &large), Ok(live.source.body_bytes_max));
}

#[test]
fn what_a_public_key_does_not_verify_counts_too() {
    for (scheme, reason) in [
        ("standard-webhooks-v1a", "signature_mismatch"),
        ("aws-sns", "malformed_signed_part"),
    ] {
        let vector = vector(scheme, "pair-first");
        let gate = vector.gate();
        let live = only(&gate);
        run(live, &vector.request).unwrap();
        assert!(live.flood.is_quiet(), "{scheme}");
        let mut forged = vector.request;
        forged.body.resize(50_000, b'x');
        let verdict = run(live, &forged).unwrap_err();
        assert_eq!(verdict.reason(), Some(reason), "{scheme}");
        assert!(!live.flood.is_quiet(), "{scheme}");
    }
}
