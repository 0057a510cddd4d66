//! Handshakes: who may ask, what is answered to the byte, and what is refused. The built Worker's are in
//! `tests/e2e/handshakes.test.mjs`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookgate::admission::Findings;
use hookgate::answer::{Answer, Known, answer};
use hookgate::audit::{VerdictLine, line};
use hookgate::gate::Gate;
use hookgate::hex;
use hookgate::scheme::{Place, SignatureEncoding, Trust, is_token};
use hookgate::verdict::{Reject, Trouble, Verdict};
use support::{
    NOW_MS, Request, SourceText, a_secret, built_in, gate, gate_for, only, outcome, root, run_with,
    scheme, with_secrets,
};

/// What a stranger sends.
fn request(method: &str, query: &str, headers: &[(&str, &str)], body: &str) -> Request {
    Request {
        method: method.to_owned(),
        target: format!("/hooks/vector{query}"),
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: body.as_bytes().to_vec(),
        now_ms: NOW_MS,
        documents: Default::default(),
    }
}

/// The verdict and the answer.
fn told(gate: &Gate, request: &Request) -> (Verdict, Answer, Findings) {
    let live = only(gate);
    let mut findings = Findings::default();
    let verdict = run_with(live, request, &mut findings).unwrap_err();
    let known = Known {
        reply: findings.reply.as_ref(),
        ..Known::default()
    };
    (verdict, answer(verdict, Some(live), "r", known), findings)
}

fn with(scheme: &str, more: &str, values: &[(&str, &str)]) -> Gate {
    let source = SourceText {
        name: "vector",
        tenant: "tenant",
        scheme,
        secrets: &["KEY"],
        more,
    };
    gate(&[source], "", values)
}

/// One that hands a secret over, with its window open since `opened_ms` ago.
fn open_gate(scheme: &str, opened_ms: i64) -> Gate {
    let opens = hookgate::time::rfc3339(NOW_MS - opened_ms);
    let more = "handshake_opens = \"$OPENS\"";
    with(scheme, more, &[("KEY", "a secret"), ("OPENS", &opens)])
}

#[test]
fn the_vectors_of_handshakes_come_out_as_they_say() {
    let output = Command::new(env!("CARGO_BIN_EXE_hookgate"))
        .args(["vectors", "tests/vectors/handshakes.json"])
        .current_dir(root())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    for scheme in built_in() {
        let about = hookgate::config::about(scheme).unwrap().unwrap();
        for name in about
            .vectors
            .iter()
            .filter(|name| name.starts_with("challenge:"))
        {
            assert!(
                text.contains(name.as_str()),
                "{name}: add it to handshakes.json"
            );
        }
    }
}

#[test]
fn the_window_is_fifteen_minutes_long() {
    let offer = request("POST", "", &[("X-Hook-Secret", "a-secret-of-asana")], "");
    for (opened_ms, expected) in [
        (0, Verdict::Challenged),
        (899_999, Verdict::Challenged),
        (900_000, Verdict::Refused(Reject::HandshakeClosed)),
        (-1, Verdict::Refused(Reject::HandshakeClosed)),
    ] {
        let (verdict, answer, _) = told(&open_gate("asana", opened_ms), &offer);
        assert_eq!(verdict, expected, "{opened_ms}");
        let echoed = answer
            .headers
            .iter()
            .find(|(name, _)| *name == "x-hook-secret");
        assert_eq!(echoed.is_some(), expected == Verdict::Challenged);
    }
    for opens in ["", "now", "2026-01-31"] {
        let more = "handshake_opens = \"$OPENS\"";
        let gate = with("asana", more, &[("KEY", "a secret"), ("OPENS", opens)]);
        let closed = Verdict::Refused(Reject::HandshakeClosed);
        assert_eq!(told(&gate, &offer).0, closed, "{opens}");
    }
}

#[test]
fn a_secret_that_is_handed_over_is_neither_printed_nor_verified_with() {
    for (scheme, offer) in [
        (
            "asana",
            request("POST", "", &[("X-Hook-Secret", "c4n4ry")], ""),
        ),
        (
            "notion",
            request("POST", "", &[], r#"{"verification_token":"c4n4ry"}"#),
        ),
    ] {
        let gate = open_gate(scheme, 0);
        let live = only(&gate);
        let (verdict, _, findings) = told(&gate, &offer);
        assert_eq!(verdict, Verdict::Challenged);
        let line = line(&VerdictLine::new(
            verdict,
            Some(live),
            &findings,
            "r",
            "t",
            NOW_MS,
        ));
        // SHA-256 of "c4n4ry", the first half.
        assert!(
            line.contains("\"offered_sha256\":\"d35388817a2d5f8cf2c3d07b4eb8766c\""),
            "{line}"
        );
        assert!(!format!("{findings:?}{line}").contains("c4n4ry"));
        let with_offered = gate_for(scheme, &["c4n4ry".to_owned()]);
        let event = support::signed(only(&with_offered), br#"{"id":"1"}"#, "1");
        assert_eq!(outcome(live, &event), "signature_mismatch");
    }
}

#[test]
fn a_secret_may_be_handed_over_before_there_is_one() {
    let opens = hookgate::time::rfc3339(NOW_MS);
    let young = |scheme| with(scheme, "handshake_opens = \"$OPENS\"", &[("OPENS", &opens)]);
    let missing = Verdict::Unavailable(Trouble::SecretMissing);
    let token = request(
        "POST",
        "",
        &[("X-Notion-Signature", "sha256=00")],
        r#"{"verification_token":"a"}"#,
    );
    assert_eq!(told(&young("notion"), &token).0, Verdict::Challenged);
    let event = request(
        "POST",
        "",
        &[("X-Notion-Signature", "sha256=00")],
        r#"{"id":"a"}"#,
    );
    assert_eq!(told(&young("notion"), &event).0, missing);
    // Everyone else has a secret before the handshake.
    for (scheme, query) in [("dropbox", "?challenge=a"), ("x-twitter", "?crc_token=a")] {
        let gate = with(scheme, "", &[]);
        assert_eq!(
            told(&gate, &request("GET", query, &[], "")).0,
            missing,
            "{scheme}"
        );
    }
}

#[test]
fn a_missing_token_is_our_failure_and_keeps_no_event_out() {
    let gate = with(
        "meta",
        "handshake_token = \"TOKEN\"",
        &[("KEY", "app secret")],
    );
    let query = "?hub.mode=subscribe&hub.challenge=1&hub.verify_token=";
    let (verdict, ..) = told(&gate, &request("GET", query, &[], ""));
    assert_eq!(verdict, Verdict::Unavailable(Trouble::SecretMissing));
    assert_eq!(gate.faults[0].secret.as_deref(), Some("TOKEN"));
    let event = support::signed(only(&gate), br#"{"object":"page"}"#, "1");
    assert_eq!(outcome(only(&gate), &event), "accept");
}

/// With a MAC of what a sender chose an answer could be a signature of an event.
#[test]
fn no_answer_is_a_signature_of_an_event() {
    for name in with_secrets() {
        let scheme = scheme(name);
        for shake in &scheme.handshakes {
            if !shake.members.iter().any(|member| member.is_mac()) {
                continue;
            }
            let gate = gate_for(name, &[a_secret(name, 1)]);
            for text in ["qgg8vlvZRS6UYooatFL8Aw", "1", "a.b", "=", "v0"] {
                assert!(is_token(text));
                let mut forged = support::signed(only(&gate), text.as_bytes(), "1");
                let mut mac = only(&gate).keys[0].mac(scheme.algorithm, None);
                mac.update(text.as_bytes());
                let strip = scheme.signature.strip.clone().unwrap_or_default();
                let tag = match scheme.signature.encoding {
                    SignatureEncoding::Hex => hex::encode(&mac.tag()),
                    _ => STANDARD.encode(mac.tag()),
                };
                for (header, value) in &mut forged.headers {
                    if Place::Header(header.to_lowercase()) == scheme.signature.at {
                        *value = format!("{strip}{tag}");
                    }
                }
                assert_ne!(outcome(only(&gate), &forged), "accept", "{name}: {text}");
            }
        }
    }
}

#[test]
fn a_stranger_is_met_by_the_entries_that_say_so_and_by_no_other() {
    let query = "?challenge=a&crc_token=a&hub.mode=subscribe&hub.challenge=a&hub.verify_token=meatyhamhock&validationToken=a";
    let headers = [
        ("x-okta-verification-challenge", "a"),
        ("x-hook-secret", "a"),
    ];
    for name in with_secrets() {
        let gate = gate_for(name, &[a_secret(name, 1)]);
        for method in ["GET", "HEAD", "OPTIONS", "POST"] {
            let asked = request(
                method,
                query,
                &headers,
                r#"{"challenge":"a","verification_token":"a"}"#,
            );
            let got = outcome(only(&gate), &asked);
            let open = scheme(name).handshakes.iter().any(|shake| {
                matches!(shake.trust, Trust::Anyone | Trust::Token)
                    && !shake.without_body
                    && shake.method.as_deref().unwrap_or("POST") == method
            });
            assert_eq!(got == "challenged", open, "{name} {method}: {got}");
        }
    }
}

/// Whoever registers a URL with the mark in it must still get its events, and a stranger no echo for them.
#[test]
fn a_notification_is_an_event_whatever_its_url_says() {
    let more = support::more_for("ms-graph-basic");
    let gate = with("ms-graph-basic", &more, &[("KEY", "a state")]);
    let live = only(&gate);
    let notice = |state: &str| {
        format!(
            r#"{{"value":[{{"id":"1","subscriptionId":"s","clientState":"{state}","changeType":"created"}}]}}"#
        )
    };
    let long = notice("a state") + &" ".repeat(8_000);
    for (query, body, expected) in [
        ("?validationToken=a", String::new(), "challenged"),
        ("?validationToken=a", notice("a state"), "accept"),
        ("?validationToken=a", long, "accept"),
        (
            "?validationToken=a",
            notice("another"),
            "signature_mismatch",
        ),
        ("?validationToken=a", " ".into(), "missing_signature"),
        ("", notice("a state"), "accept"),
        ("", String::new(), "missing_signature"),
    ] {
        let length = body.len().to_string();
        for headers in [vec![], vec![("content-length", length.as_str())]] {
            let request = request("POST", query, &headers, &body);
            assert_eq!(
                outcome(live, &request),
                expected,
                "{query} {headers:?} {body}"
            );
        }
    }
}

/// Okta brings its secret with the GET that verifies a hook, and X signs its check.
#[test]
fn a_handshake_may_bring_its_senders_proof() {
    let okta = with("okta", "", &[("KEY", "a secret")]);
    let headers = [
        ("x-okta-verification-challenge", "abc"),
        ("authorization", "a secret"),
    ];
    assert_eq!(
        outcome(only(&okta), &request("GET", "", &headers, "")),
        "challenged"
    );
    let x = with("x-twitter", "", &[("KEY", "a secret")]);
    let signature = [("x-twitter-webhooks-signature", "sha256=AAAA")];
    assert_eq!(
        outcome(
            only(&x),
            &request("GET", "?crc_token=abc&nonce=1", &signature, "")
        ),
        "challenged"
    );
}

/// A MAC under another secret than the first would be a wrong answer, and our fault.
#[test]
fn no_token_is_signed_while_a_secret_is_missing() {
    let source = SourceText {
        name: "vector",
        tenant: "tenant",
        scheme: "x-twitter",
        secrets: &["MISSING", "KEY"],
        more: "",
    };
    let gate = gate(&[source], "", &[("KEY", "a secret")]);
    let (verdict, ..) = told(&gate, &request("GET", "?crc_token=abc", &[], ""));
    assert_eq!(verdict, Verdict::Unavailable(Trouble::SecretMissing));
}
