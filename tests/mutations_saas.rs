//! Every accepted vector of the schemes that stand in no table of mutations, under mutations whose
//! outcome follows from one rule each: what is signed cannot be changed, what is not changes nothing.
//!
//! Where a value stands is taken from the scheme; whether that is right is shown by the vectors, which
//! are made without it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::scheme::{IdentityRule, Part, Place};
use support::anywhere::{
    accepted, assert_never, assert_refused, covers_body, get, schemes, set, tag, tags,
};
use support::{NOW_MS, Request, a_body, a_secret, gate_for, key, only, outcome, signed_at};

const FORGED: [&str; 2] = ["malformed_signature", "signature_mismatch"];

/// Another character of the same kind.
fn other(character: char) -> char {
    match character {
        '0'..='8' | 'a'..='e' | 'g'..='y' | 'A'..='Y' => char::from(character as u8 + 1),
        'f' => 'e',
        _ => 'b',
    }
}

#[test]
fn no_character_of_a_signature_can_be_changed() {
    let mut requests = 0;
    for (vector, gate) in accepted() {
        let (live, title) = (only(&gate), vector.title());
        let scheme = &live.scheme;
        let refused = |change: &dyn Fn(&str) -> String| {
            let request = tags(scheme, &vector.request, change);
            assert_refused(live, &request, &title, &FORGED);
        };
        let length = tag(scheme, &vector.request).len();
        assert!(length > 0, "{title}: no signature was found");
        for index in 0..length {
            requests += 1;
            refused(&|tag| {
                let changed = |(at, c)| if at == index { other(c) } else { c };
                tag.chars().enumerate().map(changed).collect()
            });
        }
        refused(&|tag| tag[..tag.len() - 1].to_owned());
        refused(&|tag| format!("{tag}0"));
        refused(&|tag| format!(" {tag}"));
        refused(&|_| String::new());
        refused(&|_| "potato".to_owned());
        if !scheme.is_bearer() {
            // Another case of hex is another spelling of one signature; of base64, other bytes.
            refused(&|tag| match tag.to_ascii_uppercase() {
                upper if upper == *tag => tag.to_ascii_lowercase(),
                upper => upper,
            });
        }
    }
    println!("{requests} signatures with one other character");
}

#[test]
fn a_signature_is_there_once() {
    for (vector, gate) in accepted() {
        let (live, title) = (only(&gate), vector.title());
        let scheme = &live.scheme;
        let mut dropped = vector.request.clone();
        let mut doubled = vector.request.clone();
        for place in scheme.credential_places() {
            if get(scheme, &vector.request, place).is_none() {
                continue;
            }
            dropped = set(scheme, &dropped, place, None);
            if let Place::Header(name) = place {
                let mut again = vector.request.headers.clone();
                again.retain(|(known, _)| known.eq_ignore_ascii_case(name));
                doubled.headers.extend(again);
            }
        }
        assert_refused(live, &dropped, &title, &["missing_signature"]);
        // Two headers with a list each are one list.
        let is_list = scheme.signature.split.as_deref() == Some(",") && scheme.time.is_none();
        if doubled.headers.len() > vector.request.headers.len() && !is_list {
            assert_never(live, &doubled, &title);
        }
    }
}

#[test]
fn another_key_verifies_nothing() {
    for (vector, _) in accepted() {
        let gate = support::gate_pinned(
            &vector.scheme,
            &[a_secret(&vector.scheme, 99)],
            &vector.source,
        );
        let title = vector.title();
        assert_refused(
            only(&gate),
            &vector.request,
            &title,
            &["signature_mismatch"],
        );
    }
}

#[test]
fn no_byte_of_a_signed_body_can_be_changed() {
    // A time in the body may be gone, or none.
    let reasons = ["signature_mismatch", "missing_time", "malformed_time"];
    let mut requests = 0;
    for (vector, gate) in accepted() {
        let (live, title) = (only(&gate), vector.title());
        if !covers_body(&live.scheme) || vector.request.method == "GET" {
            continue;
        }
        let mut refused = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut request = vector.request.clone();
            change(&mut request.body);
            requests += 1;
            assert_refused(live, &request, &title, &reasons);
        };
        for index in 0..vector.request.body.len() {
            refused(&|body| body[index] ^= 1);
        }
        refused(&|body| body.push(b' '));
        refused(&|body| body.push(0));
        refused(&|body| body.insert(0, b' '));
        refused(&|body| body.truncate(body.len() - 1));
        refused(&Vec::clear);
    }
    println!("{requests} bodies with one other byte");
}

/// The first event alone is signed. Whatever is put behind it, a captured list is no other event, and what is
/// put there is seen.
#[test]
fn a_captured_list_of_segment_passes_once() {
    let (vector, gate) = accepted()
        .find(|(vector, _)| vector.title().contains("segment-batch/pair-first"))
        .unwrap();
    let live = only(&gate);
    let event = |request: &Request| {
        let event = support::event(live, request);
        (event.dedup_key().to_owned(), event.fingerprint())
    };
    let (known, print) = event(&vector.request);
    let first = r#"[{"messageId":"ajs-1","type":"track"}"#;
    for behind in [
        "]",
        ",{}]",
        ",{\"messageId\":\"ajs-9\",\"type\":\"page\"}]",
        " , 1 ] ",
    ] {
        let request = Request {
            body: [first, behind].concat().into_bytes(),
            ..vector.request.clone()
        };
        let (again, other_print) = event(&request);
        assert_eq!(again, known, "{behind}");
        assert_ne!(other_print, print, "{behind}");
    }
}

#[test]
fn of_a_signature_that_leaves_the_event_out_all_that_it_covers_is_fixed() {
    for (vector, gate) in accepted() {
        let (live, title) = (only(&gate), vector.title());
        let scheme = &live.scheme;
        if !scheme.signs_sender_only {
            continue;
        }
        let time = scheme.time.as_ref().map(|form| &form.at);
        let fixed = scheme.signed.iter().filter_map(|part| match part {
            Part::Fixed(_, place) => Some(place),
            _ => None,
        });
        for place in fixed.chain(time) {
            let value = get(scheme, &vector.request, place).unwrap();
            let (first, rest) = value.split_at(1);
            let first = other(first.chars().next().unwrap());
            let changed = set(
                scheme,
                &vector.request,
                place,
                Some(&format!("{first}{rest}")),
            );
            assert_refused(live, &changed, &title, &["signature_mismatch"]);
            let dropped = set(scheme, &vector.request, place, None);
            assert_refused(
                live,
                &dropped,
                &title,
                &["missing_time", "missing_signed_part"],
            );
        }
    }
}

#[test]
fn a_signed_time_is_judged_to_the_second() {
    let mut timed = 0;
    for name in schemes() {
        let gate = gate_for(name, &[a_secret(name, 1)]);
        let live = only(&gate);
        let Some(form) = live.scheme.time.clone() else {
            continue;
        };
        timed += 1;
        let at = |offset_ms: i64| {
            let request = signed_at(live, &a_body(name, 1), "evt_1", NOW_MS + offset_ms);
            Request {
                now_ms: NOW_MS,
                ..request
            }
        };
        let (past, ahead) = (
            i64::from(form.tolerance_seconds) * 1_000,
            i64::from(form.future_seconds) * 1_000,
        );
        let grain = form.unit.grain_ms() + 1;
        for (offset_ms, expected) in [
            (0, "accept"),
            (-past, "accept"),
            (-past - grain, "stale"),
            (ahead, "accept"),
            (ahead + 1_000, "from_future"),
        ] {
            assert_eq!(
                outcome(live, &at(offset_ms)),
                expected,
                "{name}: {offset_ms} ms"
            );
        }
        let fresh = at(0);
        let text = get(&live.scheme, &fresh, &form.at).unwrap();
        for offset_ms in [-1_000, 1_000] {
            let other = hookgate::time::format(NOW_MS + offset_ms, form.unit);
            let moved = set(&live.scheme, &fresh, &form.at, Some(&other));
            assert_refused(live, &moved, name, &["signature_mismatch"]);
        }
        let dropped = set(&live.scheme, &fresh, &form.at, None);
        assert_refused(live, &dropped, name, &["missing_time"]);
        for misspelt in [
            String::new(),
            "soon".into(),
            format!("0{text}"),
            format!("+{text}"),
            format!("{text}.0"),
            format!("{text}, {text}"),
            "18446744073709551616".into(),
        ] {
            // In a list, what stands behind a comma is another item, and one without a name is none.
            if matches!(form.at, Place::SignatureField(_)) && misspelt.contains(',') {
                continue;
            }
            let changed = set(&live.scheme, &fresh, &form.at, Some(&misspelt));
            assert_never(live, &changed, name);
        }
    }
    println!("{timed} schemes with a time");
}

#[test]
fn a_header_that_is_not_signed_neither_refuses_an_event_nor_makes_another() {
    let mut relabelled = 0;
    for (vector, gate) in accepted() {
        let (live, title) = (only(&gate), vector.title());
        let scheme = &live.scheme;
        // What a bearer calls an event, and what tells equal bodies apart, is stated to count.
        let counts = |name: &str| {
            let place = Place::Header(name.to_owned());
            scheme.identity.iter().any(|rule| match rule {
                IdentityRule::Bearer(rule) => rule.fields.contains(&place),
                IdentityRule::Digest(rule) => rule.discriminator.as_ref() == Some(&place),
                IdentityRule::SignedId(_) | IdentityRule::Fields(_) | IdentityRule::Ping(_) => {
                    false
                }
            })
        };
        let known = key(live, &vector.request);
        for (name, _) in &vector.request.headers {
            let name = name.to_ascii_lowercase();
            if live.claim_headers.contains(&name) || counts(&name) {
                continue;
            }
            let place = Place::Header(name);
            for value in [None, Some("relabelled")] {
                relabelled += 1;
                let request = set(scheme, &vector.request, &place, value);
                assert_eq!(outcome(live, &request), "accept", "{title}: {place}");
                assert_eq!(key(live, &request), known, "{title}: {place}");
            }
        }
    }
    println!("{relabelled} requests with other labels");
}

#[test]
fn another_method_is_none() {
    for (vector, gate) in accepted() {
        for method in ["PUT", "DELETE", "post"] {
            let request = Request {
                method: method.into(),
                ..vector.request.clone()
            };
            assert_refused(
                only(&gate),
                &request,
                &vector.title(),
                &["method_not_allowed"],
            );
        }
    }
}
