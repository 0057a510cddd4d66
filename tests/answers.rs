//! What the gate says to whom: challenges, KooGallery's answers, refusals that tell nothing, and no
//! secret anywhere.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::admission::{self, Admission, Findings};
use hookgate::answer::{Known, answer};
use hookgate::audit::{VerdictLine, line};
use hookgate::gate::Gate;
use hookgate::keys::LiveKey;
use hookgate::request::Inbound;
use hookgate::verdict::{Reject, Trouble, Verdict};
use support::anywhere::a_canary;
use support::{
    NOW_MS, Request, a_body, a_secret, event, gate_for, only, outcome, run, run_with, signed,
    signed_at, with_secrets,
};

#[test]
fn slacks_challenge_is_echoed_when_signed_and_harmless() {
    let gate = gate_for("slack", &[a_secret("slack", 1)]);
    let live = only(&gate);
    let challenge = |text: &str| {
        format!(
            "{{\"type\":\"url_verification\",\"challenge\":{}}}",
            serde_json::json!(text)
        )
    };
    let request = |text: &str| signed(live, challenge(text).as_bytes(), "x");
    for text in [
        "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P",
        "<script>alert(1)</script>",
        "",
        &"a".repeat(512),
    ] {
        let Ok(Admission::Challenge(reply)) = run(live, &request(text)) else {
            panic!("{text:?} is not echoed")
        };
        let answer = answer(
            Verdict::Challenged,
            Some(live),
            "r",
            Known {
                reply: Some(&reply),
                ..Known::default()
            },
        );
        assert_eq!((answer.status, answer.body.as_str()), (200, text));
        let header = |name: &str| {
            answer
                .headers
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(header("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(header("x-content-type-options"), Some("nosniff"));
        assert_eq!(
            header("content-security-policy"),
            Some("default-src 'none'; sandbox")
        );
    }
    for hostile in [
        &"a".repeat(513),
        "a\r\nset-cookie: a",
        "\u{0}",
        "\u{7f}",
        "é",
        "\u{202e}",
    ] {
        assert_eq!(
            outcome(live, &request(hostile)),
            "accept",
            "{hostile:?} must be an event, not an echo"
        );
    }
    let unsigned = Request {
        body: challenge("another").into_bytes(),
        ..request("one")
    };
    assert_eq!(outcome(live, &unsigned), "signature_mismatch");
    let old = Request {
        now_ms: NOW_MS + 301_000,
        ..request("one")
    };
    assert_eq!(outcome(live, &old), "stale");
}

/// What is known after the only key matched.
fn matched(kind: Option<&str>) -> Known<'_> {
    Known {
        kind,
        key_id: Some("KEY_0"),
        ..Known::default()
    }
}

#[test]
fn event_grids_validation_is_answered_exactly_and_only_with_its_secret() {
    let gate = gate_for("azure-event-grid", &[a_secret("azure-event-grid", 1)]);
    let live = only(&gate);
    let body = br#"[{"id":"1","topic":"t","data":{"validationCode":"512d38b6"}}]"#;
    let mut request = signed(live, body, "x");
    assert_eq!(outcome(live, &request), "accept", "without the header");
    let kind = ("aeg-event-type", "SubscriptionValidation");
    request.headers.push((kind.0.into(), kind.1.into()));
    let Ok(Admission::Challenge(reply)) = run(live, &request) else {
        panic!("not echoed")
    };
    let known = Known {
        reply: Some(&reply),
        ..Known::default()
    };
    let answer = answer(Verdict::Challenged, Some(live), "r", known);
    let expected = r#"{"validationResponse":"512d38b6"}"#;
    assert_eq!((answer.status, answer.body.as_str()), (200, expected));
    let other = gate_for("azure-event-grid", &[a_secret("azure-event-grid", 2)]);
    assert_eq!(outcome(only(&other), &request), "signature_mismatch");
}

/// The key and body of the example in Huawei's SaaS access documentation.
#[test]
fn koogallery_is_answered_200_with_a_code_and_a_signed_body() {
    let gate = gate_for("koogallery-v2", &["xxxxxxx".to_owned()]);
    let live = only(&gate);
    let accepted = answer(
        Verdict::Accepted,
        Some(live),
        "r",
        matched(Some("releaseInstance")),
    );
    assert_eq!(
        accepted.body,
        r#"{"resultCode":"000000","resultMsg":"success"}"#
    );
    let sign = |answer: &hookgate::answer::Answer| {
        answer
            .headers
            .iter()
            .find(|(name, _)| *name == "body-sign")
            .map(|(_, value)| value.clone())
    };
    assert_eq!(
        sign(&accepted).as_deref(),
        Some(
            r#"sign_type="HMAC-SHA256", signature= "jr/sHG/JhTLSQzpqTab8bniVmYcYEz7comx8iXzZDto=""#
        )
    );
    let refused = Verdict::Refused;
    for (verdict, kind, code) in [
        (Verdict::Duplicate, Some("releaseInstance"), "000000"),
        (Verdict::Accepted, Some("newInstance"), "000000"),
        (Verdict::Challenged, Some("queryInstance"), "000004"),
        (Verdict::Accepted, None, "000000"),
        (
            refused(Reject::SignatureMismatch),
            Some("newInstance"),
            "000001",
        ),
        (refused(Reject::MissingSignature), None, "000001"),
        (refused(Reject::Stale { age_ms: 1 }), None, "000001"),
        (refused(Reject::MissingTime), None, "000002"),
        (
            refused(Reject::BodyTooLarge { body_bytes_max: 1 }),
            None,
            "000002",
        ),
        (Verdict::Unavailable(Trouble::HoldFailed), None, "000005"),
        (Verdict::Observed, None, "000005"),
    ] {
        let answer = answer(verdict, Some(live), "r", matched(kind));
        assert_eq!(answer.status, 200, "{verdict:?}");
        assert!(
            answer
                .body
                .starts_with(&format!("{{\"resultCode\":\"{code}\",")),
            "{verdict:?}: {}",
            answer.body
        );
        let refused = matches!(verdict, Verdict::Refused(_));
        assert_eq!(sign(&answer).is_none(), refused, "{verdict:?}");
    }
    // A stranger gets no signature of ours: it could be a message of another scheme.
    for verdict in [
        refused(Reject::MissingSignature),
        refused(Reject::SignatureMismatch),
    ] {
        let answer = answer(verdict, Some(live), "r", Known::default());
        assert_eq!((answer.status, sign(&answer)), (200, None));
    }
}

/// One order, one instance: however often it is sent, signed anew, under whatever live secret, and
/// whichever of the twins is answered first.
#[test]
fn every_copy_of_an_order_is_told_the_same_instance() {
    let answer_to = |gate: &Gate, verdict, number| {
        let live = only(gate);
        let request = signed_at(live, &a_body("koogallery-v2", number), "x", NOW_MS);
        let mut findings = Findings::default();
        let Ok(Admission::Event(event)) = run_with(live, &request, &mut findings) else {
            panic!("not accepted")
        };
        let known = Known {
            kind: Some(event.labels().1),
            dedup_key: Some(event.dedup_key()),
            key_id: findings.key_id.as_deref(),
            reply: None,
        };
        let body = answer(verdict, Some(live), "r", known).body;
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["resultCode"], "000000");
        let held = support::held(live, &request);
        assert_eq!(body["instanceId"], hookgate::delivery::webhook_id(&held));
        body["instanceId"].as_str().unwrap().to_owned()
    };
    let gate = gate_for("koogallery-v2", &["one".to_owned()]);
    let rotated = gate_for("koogallery-v2", &["two".to_owned()]);
    let first = answer_to(&gate, Verdict::Accepted, 1);
    for verdict in [Verdict::Accepted, Verdict::Duplicate, Verdict::Revived] {
        assert_eq!(answer_to(&gate, verdict, 1), first);
        assert_eq!(answer_to(&rotated, verdict, 1), first);
    }
    assert_ne!(answer_to(&gate, Verdict::Accepted, 2), first);
    // Nothing is promised that is not held.
    let known = Known {
        kind: Some("newInstance"),
        dedup_key: Some("00"),
        ..Known::default()
    };
    for verdict in [
        Verdict::Unavailable(Trouble::HoldFailed),
        Verdict::Observed,
        Verdict::Refused(Reject::SignatureMismatch),
    ] {
        let body = answer(verdict, Some(only(&gate)), "r", known).body;
        assert!(!body.contains("instanceId"), "{body}");
    }
}

#[test]
fn a_query_for_an_instance_is_a_question_and_no_event() {
    let gate = gate_for("koogallery-v2", &["one".to_owned()]);
    let live = only(&gate);
    let ask = |body: &str| outcome(live, &signed(live, body.as_bytes(), "x"));
    let query = r#"{"activity":"queryInstance","instanceId":"i"}"#;
    assert_eq!(ask(query), "question");
    assert_eq!(
        ask(r#"{"activity":"updateInstanceStatus","instanceId":"i","status":"FREEZE"}"#),
        "accept"
    );
    let mut forged = signed(live, b"{\"activity\":\"x\"}", "x");
    forged.body = query.into();
    assert_eq!(outcome(live, &forged), "signature_mismatch");
}

#[test]
fn a_new_instance_names_the_front_end_where_the_source_does() {
    let source = support::SourceText {
        name: "vector",
        tenant: "t",
        scheme: "koogallery-v1",
        secrets: &["KEY"],
        more: "front_end_url = \"https://app.example/?a=\\\"b\"",
    };
    let gate = support::gate(&[source], "", &[("KEY", "xxxxxxx")]);
    let known = Known {
        kind: Some("newInstance"),
        dedup_key: Some("0123456789"),
        key_id: Some("KEY"),
        reply: None,
    };
    assert_eq!(
        answer(Verdict::Accepted, Some(only(&gate)), "r", known).body,
        r#"{"resultCode":"000000","resultMsg":"success","instanceId":"hg_0123456789","appInfo":{"frontEndUrl":"https://app.example/?a=\"b"}}"#
    );
}

/// A sender who can tell a wrong key from a stale time has an oracle.
#[test]
fn refusals_after_the_mac_look_alike() {
    for scheme in with_secrets() {
        let gate = gate_for(scheme, &[a_secret(scheme, 1)]);
        let live = only(&gate);
        let request = signed(live, &a_body(scheme, 1), "evt_1");
        let forged = signed(
            only(&gate_for(scheme, &[a_secret(scheme, 2)])),
            &a_body(scheme, 1),
            "evt_1",
        );
        let day = 2 * 86_400_000;
        let mut requests = vec![(forged, "signature_mismatch")];
        if live.scheme.time.is_some() {
            requests.push((
                Request {
                    now_ms: NOW_MS + day,
                    ..request.clone()
                },
                "stale",
            ));
            requests.push((
                Request {
                    now_ms: NOW_MS - day,
                    ..request.clone()
                },
                "from_future",
            ));
        }
        let mut answers = Vec::new();
        for (request, expected) in requests {
            let verdict = run(live, &request).unwrap_err();
            assert_eq!(verdict.reason(), Some(expected), "{scheme}");
            answers.push(answer(
                verdict,
                Some(live),
                "request-1",
                matched(Some("newInstance")),
            ));
            let other = answer(verdict, Some(live), "request-2", Known::default());
            let same = format!("{other:?}").replace("request-2", "request-1");
            assert_eq!(
                same,
                format!("{:?}", answers[0]),
                "{scheme}: only the request id may differ"
            );
        }
        assert!(
            answers.iter().all(|answer| *answer == answers[0]),
            "{scheme}: {answers:?}"
        );
    }
}

#[test]
fn nothing_printed_contains_a_secret() {
    const CANARY: &str = "c4n4ry-c4n4ry-c4n4ry-c4n4ry-c4n4";
    for scheme in with_secrets() {
        let Some(secret) = a_canary(scheme, CANARY) else {
            continue;
        };
        let gate = gate_for(scheme, std::slice::from_ref(&secret));
        let live = only(&gate);
        let request = signed(live, &a_body(scheme, 1), "evt_1");
        let head = request.head();
        let opening = admission::open(live, &head).unwrap();
        let inbound = Inbound::new(&head, &request.body, &live.json_pointers);
        let claims = hookgate::verify::Claims::read(&live.scheme, &head).unwrap();
        let verified =
            hookgate::verify::verify(&live.scheme, &live.keys, &claims, &inbound, None).unwrap();
        let mut findings = Findings::default();
        let matched =
            admission::check(live, &opening, &inbound, None, NOW_MS, &mut findings).unwrap();
        let admission =
            admission::admit(live, &opening, &inbound, matched, NOW_MS, &mut findings).unwrap();
        let mut printed =
            format!("{gate:?}{live:#?}{opening:?}{claims:?}{verified:?}{findings:?}{admission:?}");
        printed += &format!("{:?}", live.keys[0].mac(live.scheme.algorithm, Some("x")));
        let message = event(live, &request).into_message("r", "t").unwrap();
        printed += &message;
        printed += &format!("{:?}", hookgate::event::Held::read(&message));
        let mut forged = signed_at(live, &a_body(scheme, 1), "evt_1", NOW_MS);
        forged.now_ms += 86_400_000_000;
        forged.body.push(b' ');
        if let Err(verdict) = run_with(live, &forged, &mut findings) {
            printed += &line(&VerdictLine::new(
                verdict,
                Some(live),
                &findings,
                "r",
                "t",
                NOW_MS,
            ));
            printed += &format!("{:?}", answer(verdict, Some(live), "r", Known::default()));
        }
        let refused = LiveKey::new(
            "NAME",
            &format!("{secret}*"),
            &live.scheme.key,
            live.scheme.algorithm,
        );
        printed += &format!("{refused:?}");
        let bytes = format!("{:?}", secret.as_bytes());
        for canary in [
            CANARY,
            &CANARY.replace('-', "0"),
            &secret,
            bytes.trim_matches(['[', ']']),
        ] {
            assert!(!printed.contains(canary), "{scheme}: a secret is printed");
        }
    }
}
