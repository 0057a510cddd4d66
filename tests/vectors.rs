//! Every vector of `tests/vectors` gets what it says: acceptance with the stated id, type and time,
//! or exactly the stated refusal.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use std::collections::BTreeMap;

use hookgate::admission::{Admission, Findings};
use hookgate::scheme::Proof;
use hookgate::verdict::{Reject, Shape};
use support::{Vector, built_in, content, held, only, outcome, run_with, vectors};

#[test]
fn every_vector_gets_what_it_expects() {
    let mut wrong = Vec::new();
    for vector in vectors() {
        let gate = vector.gate();
        let got = outcome(only(&gate), &vector.request);
        if got != vector.expect {
            wrong.push(format!(
                "{}: expected {}, got {got}",
                vector.title(),
                vector.expect
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn accepted_vectors_yield_what_they_state() {
    for vector in vectors().iter().filter(|vector| vector.expect == "accept") {
        let gate = vector.gate();
        let live = only(&gate);
        let title = vector.title();
        let mut findings = Findings::default();
        let Ok(Admission::Event(event)) = run_with(live, &vector.request, &mut findings) else {
            panic!("{title}: not accepted");
        };
        let (id, kind) = event.labels();
        if let Some(expected) = &vector.event_id {
            assert_eq!(id, expected, "{title}: event_id");
        }
        if let Some(expected) = &vector.event_type {
            assert_eq!(kind, expected, "{title}: event_type");
        }
        if vector.signed_time_ms.is_some() {
            assert_eq!(
                findings.signed_time_ms, vector.signed_time_ms,
                "{title}: signed_time_ms"
            );
        }
        assert!(
            findings.key_id.is_some() && findings.identity.is_some(),
            "{title}: {findings:?}"
        );
        let held = held(live, &vector.request);
        if !live.scheme.is_canonicalised() && vector.request.method != "GET" {
            assert_eq!(
                content(&held),
                vector.request.body,
                "{title}: the body is not carried byte for byte"
            );
        }
    }
}

#[test]
fn every_scheme_has_vectors_of_both_kinds_and_a_pair() {
    let vectors = vectors();
    let mut counts: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    for vector in &vectors {
        let count = counts.entry(&vector.scheme).or_default();
        if vector.expect == "accept" {
            count.0 += 1
        } else {
            count.1 += 1
        }
        count.2 += usize::from(vector.published);
    }
    for scheme in built_in() {
        let (accepted, refused, published) = counts.get(scheme).copied().unwrap_or_default();
        println!("{scheme}: {accepted} accepted, {refused} refused, {published} published");
        assert!(
            accepted > 0,
            "{scheme}: add an accepting vector to tests/vectors/{scheme}"
        );
        assert!(
            refused > 0,
            "{scheme}: add a rejecting vector to tests/vectors/{scheme}"
        );
        for name in ["pair-first", "pair-retry", "pair-next"] {
            assert!(
                vectors
                    .iter()
                    .any(|vector| vector.scheme == scheme && vector.name == name),
                "{scheme}: add tests/vectors/{scheme}/{name}.vector"
            );
        }
    }
    println!("{} vectors, {} schemes", vectors.len(), counts.len());
    for scheme in counts.keys() {
        assert!(
            built_in().any(|known| known == *scheme),
            "{scheme}: vectors of a scheme that is not built in"
        );
    }
}

#[test]
fn a_scheme_is_proved_by_what_it_says() {
    let files = ["cloud.json", "saas.json"].map(|name| {
        let text = support::tree::read(&format!("tests/vectors/{name}"));
        serde_json::from_str::<Vec<serde_json::Value>>(&text).expect("entries")
    });
    let vectors = vectors();
    for scheme in built_in() {
        let about = hookgate::config::about(scheme)
            .expect("built in")
            .expect("readable");
        let in_folder = vectors
            .iter()
            .any(|vector| vector.scheme == scheme && vector.published && vector.expect == "accept");
        let in_file = files.iter().flatten().any(|entry| {
            let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            about.is_meant_by(&text("scheme"), &text("provider"))
                && entry["published"] == true
                && text("expect") == "accept"
                && !text("method").starts_with("RESPONSE")
        });
        // A published message that nobody signed proves no signature.
        let is_signed = !hookgate::config::built_in(scheme)
            .expect("built in")
            .expect("readable")
            .is_bearer();
        let is_published = is_signed && (in_folder || in_file);
        // Who published it may be another than the provider, so it may prove less.
        assert!(
            is_published || about.proof != Proof::Published,
            "{scheme}: which vector is published?"
        );
        // All that stand in a folder were made outside `src`.
        assert_ne!(
            about.proof,
            Proof::Unproven,
            "{scheme}: say in [about] how it is proved"
        );
    }
}

#[test]
fn every_refusal_of_verification_is_expected_by_a_vector() {
    let vectors = vectors();
    let expected = |name: &str| vectors.iter().any(|vector| vector.expect == name);
    for reject in every_reject() {
        let name = reject.name();
        assert_eq!(
            comes_from_verification(reject),
            expected(name),
            "{name}: write a vector that expects it, or say in this file that verification does not give it"
        );
    }
    for Vector {
        scheme,
        name,
        expect,
        ..
    } in &vectors
    {
        // What is our failure.
        let ours = ["key_unfetched", "key_unknown", "key_unusable"].contains(&expect.as_str());
        let known = ours
            || expect == "accept"
            || every_reject().iter().any(|reject| reject.name() == expect);
        assert!(known, "{scheme}/{name}: expect: {expect} is no refusal");
    }
}

#[test]
fn a_vector_with_a_mistake_in_it_is_not_read() {
    let good = "scheme: github\nexpect: accept\norigin: here\npublished: false\nsecret: s\nnow_ms: 1\nmethod: POST\ntarget: /hooks/vector\nheader: A: b\n\nbody\n\n";
    let vector = support::parse_vector(good.as_bytes()).expect("a vector");
    assert_eq!(vector.request.body, b"body\n\n");
    for (from, to) in [
        ("header: A: b", "evnt_id: 1"),
        ("header: A: b", "method: GET"),
        ("header: A: b", "header: A"),
        ("secret: s\n", ""),
        ("secret: s", "pin: topic"),
        ("secret: s", "document: https://a.example/ none.pem"),
        ("origin: here\n", ""),
        ("now_ms: 1", "now_ms: soon"),
        ("published: false", "published: maybe"),
        ("target: /hooks/vector", "target: /hooks/other"),
        ("\n\n", "\n"),
    ] {
        let bad = good.replace(from, to);
        assert!(support::parse_vector(bad.as_bytes()).is_err(), "{bad}");
    }
}

fn comes_from_verification(reject: Reject) -> bool {
    match reject {
        Reject::UnknownSource | Reject::MethodNotAllowed | Reject::BodyTooLarge { .. } => false,
        Reject::MissingSignature
        | Reject::MalformedSignature(_)
        | Reject::MissingTime
        | Reject::MalformedTime(_)
        | Reject::MissingSignedPart
        | Reject::MalformedSignedPart(_)
        | Reject::SignatureMismatch
        | Reject::PinMismatch
        | Reject::UrlNotAllowed
        | Reject::TokenNotAllowed
        | Reject::BodyDigestMismatch
        | Reject::Stale { .. }
        | Reject::FromFuture { .. }
        | Reject::MalformedEvent(_)
        | Reject::HandshakeClosed => true,
        // Of handshakes: `tests/handshakes.rs`.
        Reject::HandshakeRefused | Reject::HandshakeTaken => false,
    }
}

/// [`comes_from_verification`] does not compile when one is missing there; add it here as well.
fn every_reject() -> [Reject; 20] {
    [
        Reject::UnknownSource,
        Reject::MethodNotAllowed,
        Reject::BodyTooLarge { body_bytes_max: 1 },
        Reject::MissingSignature,
        Reject::MalformedSignature(Shape::Empty),
        Reject::MissingTime,
        Reject::MalformedTime(Shape::Empty),
        Reject::MissingSignedPart,
        Reject::MalformedSignedPart(Shape::Empty),
        Reject::SignatureMismatch,
        Reject::PinMismatch,
        Reject::UrlNotAllowed,
        Reject::TokenNotAllowed,
        Reject::BodyDigestMismatch,
        Reject::Stale { age_ms: 1 },
        Reject::FromFuture { ahead_ms: 1 },
        Reject::MalformedEvent(Shape::Undecodable),
        Reject::HandshakeRefused,
        Reject::HandshakeClosed,
        Reject::HandshakeTaken,
    ]
}
