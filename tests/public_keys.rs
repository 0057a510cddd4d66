//! Signatures that a public key checks: no mutation passes, nothing is fetched for a request that is
//! wrong already, and what is fetched is bounded.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use std::cell::RefCell;
use std::sync::Arc;

use hookgate::admission::{self, Findings};
use hookgate::gate::LiveSource;
use hookgate::public_key::inquiry::{Inquiry, Step};
use hookgate::public_key::memory::KeyMemory;
use hookgate::public_key::native::{settle, verifies};
use hookgate::public_key::{KeyKind, Method, PublicKey, Question, SignatureHash};
use hookgate::request::Inbound;
use hookgate::verdict::Verdict;
use support::{Request, Vector, content, is_stated, key, only, outcome, run_with, vector, vectors};

fn public_vectors() -> Vec<Vector> {
    let mut vectors = vectors();
    vectors.retain(|vector| is_stated(&vector.scheme));
    vectors
}

fn accepted() -> Vec<Vector> {
    let mut vectors = public_vectors();
    vectors.retain(|vector| vector.expect == "accept");
    vectors
}

/// What would be fetched for a request, and how it ends.
fn asked(live: &LiveSource, request: &Request) -> (Vec<String>, Result<(), Verdict>) {
    let head = request.head();
    let inbound = Inbound::new(&head, &request.body, &live.json_pointers);
    let urls = RefCell::new(Vec::new());
    let ended = admission::open(live, &head).and_then(|mut opening| {
        let findings = &mut Findings::default();
        if !live.scheme.is_public() {
            return admission::check(live, &opening, &inbound, None, request.now_ms, findings);
        }
        let statement = admission::state(live, &mut opening, &inbound, request.now_ms)?;
        let document = |url: &str| {
            urls.borrow_mut().push(url.to_owned());
            request.documents.get(url).cloned()
        };
        let proof = settle(live, &statement, document, request.now_ms)?;
        let matched = opening.signed(proof);
        admission::check(
            live,
            &opening,
            &inbound,
            Some(matched),
            request.now_ms,
            findings,
        )
    });
    (urls.into_inner(), ended.map(|_| ()))
}

#[test]
fn pairs_collide_and_what_comes_next_does_not() {
    for scheme in support::built_in().filter(|scheme| is_stated(scheme)) {
        let of = |name: &str| {
            let vector = vector(scheme, name);
            key(only(&vector.gate()), &vector.request)
        };
        assert_eq!(of("pair-first"), of("pair-retry"), "{scheme}");
        assert_ne!(of("pair-first"), of("pair-next"), "{scheme}");
    }
}

/// Each byte of the body, the query and each header, one bit each: what is signed may not change, and
/// what is not signed may not change the event.
#[test]
fn no_bit_of_what_is_signed_may_change() {
    let mut mutants = 0;
    for vector in accepted()
        .iter()
        .filter(|vector| vector.name == "pair-first")
    {
        let gate = vector.gate();
        let live = only(&gate);
        let event = key(live, &vector.request);
        let mut try_one = |mutant: Request, what: &str| {
            mutants += 1;
            if outcome(live, &mutant) != "accept" {
                return;
            }
            // A bearer's body is nobody's word, and the entry says so.
            let same = key(live, &mutant) == event;
            assert!(
                same || live.scheme.proves_the_sender_only(),
                "{}: {what}: {mutant:?}",
                vector.title()
            );
            if !live.scheme.proves_the_sender_only() {
                let given = |request: &Request| support::held(live, request);
                assert_eq!(
                    content(&given(&mutant)),
                    content(&given(&vector.request)),
                    "{}: {what}",
                    vector.title()
                );
            }
        };
        for index in 0..vector.request.body.len() {
            let mut mutant = vector.request.clone();
            mutant.body[index] ^= 1;
            try_one(mutant, "body");
        }
        for (header, (name, value)) in vector.request.headers.iter().enumerate() {
            for index in 0..value.len() {
                let mut bytes = value.clone().into_bytes();
                bytes[index] ^= 1;
                let mut mutant = vector.request.clone();
                mutant.headers[header].1 = String::from_utf8(bytes).unwrap();
                try_one(mutant, name);
            }
            let mut mutant = vector.request.clone();
            mutant.headers.remove(header);
            try_one(mutant, name);
        }
        let mut mutant = vector.request.clone();
        mutant.target.push_str(if mutant.target.contains('?') {
            "&a=1"
        } else {
            "?a=1"
        });
        try_one(mutant, "query");
    }
    println!("{mutants} mutants");
    assert!(mutants > 2_000);
}

#[test]
fn nothing_is_fetched_for_a_request_that_is_wrong_already() {
    let before_the_key = [
        "pin_mismatch",
        "url_not_allowed",
        "token_not_allowed",
        "body_digest_mismatch",
        "malformed_signature",
        "malformed_signed_part",
        "malformed_time",
        "missing_signature",
        "missing_signed_part",
        "missing_time",
    ];
    let mut counted = 0;
    for vector in public_vectors() {
        let gate = vector.gate();
        let (urls, _) = asked(only(&gate), &vector.request);
        if before_the_key.contains(&vector.expect.as_str()) {
            counted += 1;
            assert!(urls.is_empty(), "{}: {urls:?}", vector.title());
        }
        assert!(urls.len() <= 1, "{}: {urls:?}", vector.title());
    }
    assert!(counted >= 12, "{counted} vectors");
}

#[test]
fn the_record_names_the_key_and_the_queue_gets_it() {
    for (scheme, name) in [
        ("aws-sns", "SimpleNotificationService-0123456789abcdef.pem"),
        ("google-pubsub", "now"),
        ("standard-webhooks-v1a", "public_keys[0]"),
    ] {
        let vector = vector(scheme, "pair-first");
        let gate = vector.gate();
        let mut findings = Findings::default();
        run_with(only(&gate), &vector.request, &mut findings).unwrap();
        assert_eq!(findings.key_id.as_deref(), Some(name));
        assert_eq!(
            support::held(only(&gate), &vector.request).message.keyid,
            name
        );
    }
}

#[test]
fn a_check_that_fails_is_our_failure_and_a_wrong_signature_is_not() {
    let vector = vector("standard-webhooks-v1a", "pair-first");
    let gate = vector.gate();
    let live = only(&gate);
    let head = vector.request.head();
    let inbound = Inbound::new(&head, &vector.request.body, &live.json_pointers);
    let mut opening = admission::open(live, &head).unwrap();
    let statement = admission::state(live, &mut opening, &inbound, vector.request.now_ms).unwrap();
    for (answer, expected) in [(None, "check_failed"), (Some(false), "signature_mismatch")] {
        let mut memory = KeyMemory::default();
        let (mut inquiry, step) = Inquiry::begin(live, &statement, &mut memory, 0);
        assert!(matches!(step, Step::Ask(_)));
        let (Step::Done(Err(verdict)), None) =
            inquiry.answered(live, &statement, &mut memory, answer, 0)
        else {
            panic!("not over")
        };
        assert_eq!(verdict.reason(), Some(expected));
    }
}

/// RFC 8032, section 7.1, test 2; RFC 6979, section A.2.5, "sample" with SHA-256.
#[test]
fn published_signatures_verify() {
    let hex = |text: &str| hookgate::hex::decode(text.as_bytes()).unwrap();
    let ed25519 = Question {
        method: Method::Ed25519,
        key: Arc::new(
            PublicKey::from_ed25519(&hex(
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            ))
            .unwrap(),
        ),
        message: hex("72"),
        signature: hex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
    };
    let (r, s) = (
        hex("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"),
        hex("F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"),
    );
    let p256 = Question {
        method: Method::Ecdsa(SignatureHash::Sha256),
        key: Arc::new(
            PublicKey::from_p256(
                &hex("60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"),
                &hex("7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"),
            )
            .unwrap(),
        ),
        message: b"sample".to_vec(),
        signature: [r.clone(), s.clone()].concat(),
    };
    let integer = |number: &[u8]| [&[2, 33, 0][..], number].concat();
    let content = [integer(&r), integer(&s)].concat();
    let der = Question {
        method: Method::EcdsaDer(SignatureHash::Sha256),
        signature: [&[0x30, content.len() as u8][..], &content].concat(),
        ..p256.clone()
    };
    for question in [ed25519, p256, der] {
        assert!(verifies(&question), "{:?}", question.method);
        for index in 0..question.signature.len() {
            let mut wrong = question.clone();
            wrong.signature[index] ^= 0x10;
            assert!(!verifies(&wrong), "{:?} {index}", question.method);
        }
        let mut wrong = question.clone();
        wrong.message.push(0);
        assert!(!verifies(&wrong));
    }
}

#[test]
fn keys_are_read_in_every_form_and_cut_at_any_byte_in_none() {
    let pem = std::fs::read_to_string(support::root().join("tests/documents/sns.pem")).unwrap();
    let key = PublicKey::from_text(&pem).unwrap();
    assert_eq!(key.kind, KeyKind::Rsa { bits: 2_048 });
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD.encode(&key.spki);
    let plain = format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n");
    let set = std::fs::read_to_string(support::root().join("tests/documents/keys.json")).unwrap();
    let jwk = serde_json::from_str::<serde_json::Value>(&set).unwrap()["keys"][0].to_string();
    for text in [&plain, &base64, &jwk] {
        assert_eq!(PublicKey::from_text(text).as_ref(), Some(&key), "{text}");
    }
    for length in 0..key.spki.len() {
        assert_eq!(PublicKey::from_spki(&key.spki[..length]), None);
        // Whatever a byte is changed to, it is read or it is not: nothing panics.
        for value in [0, 1, 0x7f, 0x80, 0x82, 0xff] {
            let mut bytes = key.spki.clone();
            bytes[length] = value;
            let _ = PublicKey::from_spki(&bytes);
        }
    }
    for text in [
        "",
        "{}",
        "AAAA",
        r#"{"kty":"oct","k":"AAAA"}"#,
        "-----BEGIN CERTIFICATE-----",
    ] {
        assert_eq!(PublicKey::from_text(text), None, "{text}");
    }
}
