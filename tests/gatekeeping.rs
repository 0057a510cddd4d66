//! What the gate does with bad input, with its own faults, and with what it says to whom.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::admission::{self, Findings};
use hookgate::answer::{Known, answer};
use hookgate::config::BODY_BYTES_LIMIT;
use hookgate::request::Head;
use hookgate::scheme::Place;
use hookgate::verdict::{Reject, Trouble, Verdict};
use support::anywhere::set;
use support::{
    Request, SourceText, a_body, a_secret, content, gate, gate_for, gate_in, held, only, outcome,
    run, run_with, signed, takes_any_body, with_secrets,
};

#[test]
fn no_path_but_a_sources_own_finds_it() {
    let gate = gate_for("github", &[a_secret("github", 1)]);
    let found = |path: &str| admission::source_of(&gate, &Head::new("POST", path, [])).is_some();
    assert!(found("/hooks/vector") && found("/hooks/vector?a=1") && found("/hooks/vector#a"));
    let long = format!("/hooks/{}", "v".repeat(10_000));
    for path in [
        "",
        "/",
        "/hooks",
        "/hooks/",
        "/hooks//vector",
        "//hooks/vector",
        "/hooks/vector/",
        "/hooks/Vector",
        "/HOOKS/vector",
        "/hooks/vector%00",
        "/hooks/%00",
        "/hooks/vector\0",
        "/hooks/%76ector",
        "/hooks%2Fvector",
        "/hooks/..%2fvector",
        "/hooks/../hooks/vector",
        "/hooks/./vector",
        "/hooks/vector;a",
        "/hooks/vector ",
        "/admin",
        "/hooks/other",
        "hooks/vector",
        "/hooks\\vector",
        &long,
    ] {
        assert!(!found(path), "{path:?}");
    }
}

#[test]
fn what_the_head_refuses_costs_no_body() {
    for scheme in with_secrets() {
        let gate = gate_for(scheme, &[a_secret(scheme, 1)]);
        let live = only(&gate);
        let request = signed(live, &a_body(scheme, 1), "evt_1");
        let open = |request: &Request| admission::open(live, &request.head()).map(|_| ()).err();
        for method in [
            "", "get post", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "post",
        ] {
            let mut handshakes = live.scheme.handshakes.iter();
            let is_handshake = handshakes.any(|shake| shake.method.as_deref() == Some(method));
            if is_handshake || live.scheme.methods.iter().any(|known| known == method) {
                continue;
            }
            let request = Request {
                method: method.into(),
                ..request.clone()
            };
            assert_eq!(
                open(&request),
                Some(Verdict::Refused(Reject::MethodNotAllowed)),
                "{scheme} {method:?}"
            );
        }
        let too_large = Verdict::Refused(Reject::BodyTooLarge {
            body_bytes_max: BODY_BYTES_LIMIT,
        });
        let declared = |text: String| {
            let mut request = request.clone();
            request.headers.push(("Content-Length".into(), text));
            open(&request)
        };
        assert_eq!(declared(BODY_BYTES_LIMIT.to_string()), None, "{scheme}");
        assert_eq!(
            declared((BODY_BYTES_LIMIT + 1).to_string()),
            Some(too_large),
            "{scheme}"
        );
        assert_eq!(declared(u64::MAX.to_string()), Some(too_large), "{scheme}");
        // No number is no promise: the cap holds while the body is read, and here.
        assert_eq!(declared("many".into()), None, "{scheme}");
        let long = Request {
            body: vec![b' '; BODY_BYTES_LIMIT + 1],
            ..request.clone()
        };
        assert_eq!(run(live, &long).unwrap_err(), too_large, "{scheme}");
    }
}

#[test]
fn a_hundred_kilobytes_of_one_header_are_judged_like_any_other() {
    for scheme in with_secrets() {
        let gate = gate_for(scheme, &[a_secret(scheme, 1)]);
        let live = only(&gate);
        let request = signed(live, &a_body(scheme, 1), "evt_1");
        let mut padded = request.clone();
        for name in [
            "X-Padding",
            "User-Agent",
            "Content-Type",
            "X-GitHub-Event",
            "X-Slack-Padding",
        ] {
            padded.headers.retain(|(known, _)| known != name);
            padded.headers.push((name.into(), "é\"\\".repeat(25_000)));
        }
        assert_eq!(
            held(live, &padded).content,
            held(live, &request).content,
            "{scheme}"
        );
        let place = &live.scheme.signature.at;
        for piece in [
            "a", "v1,", "v1,AA== ", "t=1,", "v1=00,", " ", ",", "=", "%", "\u{0}",
        ] {
            let long = piece.repeat(100_000 / piece.len());
            let long = set(&live.scheme, &request, place, Some(&long));
            assert!(
                !["accept", "challenge"].contains(&outcome(live, &long)),
                "{scheme}: {piece:?}"
            );
        }
    }
}

#[test]
fn bodies_are_bytes_from_the_sender_to_the_backend() {
    let every_byte: Vec<u8> = (0..=255).collect();
    let bodies: [&[u8]; 7] = [
        b"",
        b"\0",
        b"\xef\xbb\xbf{\"id\":\"1\"}",
        b"\xff\xfe\xfd",
        b"{\"id\":\"\xc3\x28\"}",
        b"line\r\nline\n\n",
        &every_byte,
    ];
    for scheme in with_secrets() {
        let gate = gate_for(scheme, &[a_secret(scheme, 1)]);
        if !takes_any_body(&only(&gate).scheme) {
            continue;
        }
        for body in bodies {
            let request = signed(only(&gate), body, "evt_1");
            assert_eq!(content(&held(only(&gate), &request)), body, "{scheme}");
        }
    }
}

#[test]
fn where_a_form_is_signed_the_backend_gets_that_form() {
    let gate = gate_for("koogallery-v2", &[a_secret("koogallery-v2", 1)]);
    let sent = b" { \"orderLineId\":\"L\", \"orderId\":\"O\", \"x\":null, \"activity\":\"a\" } ";
    let held = held(only(&gate), &signed(only(&gate), sent, "1"));
    assert_eq!(
        content(&held),
        br#"{"activity":"a","orderId":"O","orderLineId":"L"}"#
    );
    use base64::Engine as _;
    let unverified = held
        .message
        .unverifiedbody
        .map(|text| base64::engine::general_purpose::STANDARD.decode(text));
    assert_eq!(unverified, Some(Ok(sent.to_vec())));
    for mangled in [
        "\u{feff}{}",
        "[]",
        "null",
        "",
        "{\"a\":1,\"a\":2}",
        "{\"a\":\"\\ud800\"}",
    ] {
        let mut request = signed(only(&gate), b"{}", "1");
        request.body = mangled.into();
        assert_eq!(
            outcome(only(&gate), &request),
            "malformed_signed_part",
            "{mangled}"
        );
    }
}

const ROTATING: [SourceText<'static>; 1] = [SourceText {
    name: "vector",
    tenant: "t",
    scheme: "github",
    secrets: &["NEW", "OLD"],
    more: "",
}];

#[test]
fn a_missing_secret_is_our_fault_and_the_other_one_goes_on() {
    let sender = gate_for("github", &["old".to_owned()]);
    let request = signed(only(&sender), b"{}", "1");
    let forged = Request {
        body: b"[]".to_vec(),
        ..request.clone()
    };
    for values in [
        vec![("OLD", "old")],
        vec![("OLD", "old"), ("NEW", "")],
        vec![("NEW", " \n"), ("OLD", "old\n")],
    ] {
        let gate = gate(&ROTATING, "", &values);
        let live = only(&gate);
        let mut findings = Findings::default();
        run_with(live, &request, &mut findings).unwrap();
        assert_eq!(findings.key_id.as_deref(), Some("OLD"), "{values:?}");
        assert_eq!(
            run(live, &forged).unwrap_err(),
            Verdict::Unavailable(Trouble::SecretMissing),
            "{values:?}"
        );
        assert_eq!(gate.faults.len(), 1);
        assert_eq!(gate.faults[0].secret.as_deref(), Some("NEW"));
    }
    let all = gate(&ROTATING, "", &[("OLD", "old"), ("NEW", "new")]);
    assert_eq!(outcome(only(&all), &forged), "signature_mismatch");
    let none = gate(&ROTATING, "", &[]);
    assert_eq!(outcome(only(&none), &request), "secret_missing");
    assert_eq!(
        outcome(only(&gate_for("github", &[String::new()])), &request),
        "secret_missing"
    );
}

#[test]
fn a_secret_that_does_not_decode_is_our_fault_too() {
    let good = gate_for("svix", &[a_secret("svix", 1)]);
    let request = signed(only(&good), b"{}", "msg_1");
    let bad = gate_for("svix", &["whsec_***".to_owned()]);
    assert_eq!(outcome(only(&bad), &request), "secret_unusable");
    let both = gate_for("svix", &["whsec_***".to_owned(), a_secret("svix", 1)]);
    assert_eq!(outcome(only(&both), &request), "accept");
    let other = gate_for("svix", &["whsec_***".to_owned(), a_secret("svix", 2)]);
    assert!(matches!(
        run(only(&other), &request),
        Err(Verdict::Unavailable(_))
    ));
}

#[test]
fn the_record_names_the_secret_that_matched() {
    for scheme in with_secrets() {
        let secrets: Vec<String> = (1..=3).map(|number| a_secret(scheme, number)).collect();
        let gate = gate_for(scheme, &secrets);
        for (index, secret) in secrets.iter().enumerate() {
            let sender = gate_for(scheme, std::slice::from_ref(secret));
            let mut findings = Findings::default();
            run_with(
                only(&gate),
                &signed(only(&sender), &a_body(scheme, 1), "evt_1"),
                &mut findings,
            )
            .unwrap();
            assert_eq!(findings.key_id, Some(format!("KEY_{index}")), "{scheme}");
        }
    }
}

#[test]
fn observe_mode_takes_nothing_and_refuses_as_ever() {
    let source = |more| {
        [SourceText {
            name: "vector",
            tenant: "t",
            scheme: "github",
            secrets: &["KEY"],
            more,
        }]
    };
    let observing = source("mode = \"observe\"");
    let acknowledged = source("mode = \"observe\"\nobserve_in_production = true");
    let values = [("KEY", "secret")];
    let unacknowledged = Verdict::Unavailable(Trouble::ObserveUnacknowledged);
    for (environment, source, expected) in [
        ("test", &observing, Verdict::Observed),
        ("staging", &observing, Verdict::Observed),
        ("production", &acknowledged, Verdict::Observed),
        ("production", &observing, unacknowledged),
        // A Worker that does not know where it is might be in production.
        ("", &observing, unacknowledged),
        ("Test", &observing, unacknowledged),
        ("", &acknowledged, Verdict::Observed),
    ] {
        let gate = gate_in(environment, source, "", &values);
        let live = only(&gate);
        let request = signed(live, b"{}", "1");
        assert_eq!(run(live, &request).unwrap_err(), expected, "{environment}");
        assert_eq!(
            answer(expected, Some(live), "r", Known::default()).status,
            503
        );
        let forged = Request {
            body: b"x".to_vec(),
            ..request
        };
        if expected == Verdict::Observed {
            assert_eq!(outcome(live, &forged), "signature_mismatch");
        }
    }
}

#[test]
fn signatures_doubled_by_a_proxy_are_refused_before_any_mac() {
    for scheme in with_secrets() {
        let gate = gate_for(scheme, &[a_secret(scheme, 1)]);
        let form = &only(&gate).scheme.signature;
        // Two lists are one list; in a query and in a body nothing is doubled on the way.
        let (Place::Header(name), None) = (&form.at, &form.split) else {
            continue;
        };
        let mut doubled = signed(only(&gate), &a_body(scheme, 1), "evt_1");
        let mut again = doubled.headers.clone();
        again.retain(|(known, _)| known.eq_ignore_ascii_case(name));
        doubled.headers.extend(again);
        let verdict = admission::open(only(&gate), &doubled.head()).unwrap_err();
        assert!(
            matches!(verdict, Verdict::Refused(_)),
            "{scheme}: {verdict:?}"
        );
        assert!(doubled.head().header(name).unwrap().contains(", "));
    }
}

#[test]
fn a_destination_without_address_or_key_is_said_and_stops_no_other() {
    let source = [SourceText {
        name: "vector",
        tenant: "t",
        scheme: "github",
        secrets: &["KEY"],
        more: "",
    }];
    for (values, missing) in [
        (vec![("DELIVERY_SECRET", "")], Some("DELIVERY_SECRET")),
        (
            vec![("DELIVERY_SECRET", "not base64!")],
            Some("DELIVERY_SECRET"),
        ),
        (vec![("DELIVERY_SECRET", "whsec_")], Some("DELIVERY_SECRET")),
        (vec![], None),
    ] {
        let values: Vec<_> = values.into_iter().chain([("KEY", "secret")]).collect();
        let gate = gate(&source, "", &values);
        assert_eq!(
            gate.destination("backend").is_none(),
            missing.is_some(),
            "{values:?}"
        );
        assert_eq!(gate.has_every_destination(), missing.is_none());
        let named: Vec<_> = gate
            .faults
            .iter()
            .map(|fault| fault.secret.as_deref())
            .collect();
        assert_eq!(
            named,
            missing.map(Some).into_iter().collect::<Vec<_>>(),
            "{values:?}"
        );
        assert_eq!(
            outcome(only(&gate), &signed(only(&gate), b"{}", "1")),
            "accept"
        );
    }
}
