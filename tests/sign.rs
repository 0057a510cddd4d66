//! `hookgate sign`: for every scheme that a secret signs, a request that the gate itself takes; for the others, why not.
//!
//! Both sides read one table, so this proves nothing about a provider: the vectors and `tests/sdk` do.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::gate::Gate;
use hookgate::scheme::IdentityRule;
use hookgate::sign::{Draft, Signed, a_type, sample, sign, tamper, unsignable};
use support::{
    NOW_MS, Request, a_secret, built_in, event, gate_pinned, gate_with, is_public, is_stated, key,
    known, only, outcome,
};

const TYPE: &str = "orders/create";

/// A source of this scheme, as one who tries it out would configure it.
fn gate(scheme: &str) -> Gate {
    let pin = |name: &str| match name {
        "url" | "audience" => "https://gate.example/hooks/vector",
        _ => "pinned",
    };
    let pins: Vec<String> = known(scheme)
        .pins
        .iter()
        .map(|form| format!("{} = {:?}", form.name, pin(&form.name)))
        .collect();
    let more = format!("pins = {{ {} }}\n", pins.join(", "));
    let secrets = [a_secret(scheme, 7)];
    match is_stated(scheme) {
        true => gate_with(scheme, &secrets, &more),
        false => gate_pinned(scheme, &secrets, &more),
    }
}

/// As the tool does it without any option but the id.
fn signed(gate: &Gate, event_id: &str, time_ms: i64) -> Request {
    let live = only(gate);
    let body = String::from_utf8(sample(&live.scheme)).unwrap();
    let body = body.replace("{{event_id}}", event_id);
    let event_type = match live.scheme.takes_discriminator_values() {
        true => TYPE.to_owned(),
        false => a_type(&live.scheme, "push"),
    };
    let draft = Draft {
        source: &live.name,
        scheme: &live.scheme,
        body: body.as_bytes(),
        event_id,
        event_type: &event_type,
        nonce: &format!("nonce-{time_ms}"),
        time_ms,
        pins: &live.pins,
    };
    let mut request = Request::from(sign(&draft, &live.keys[0]).unwrap_or_else(|why| {
        panic!("{}: {why}", live.source.scheme);
    }));
    request.now_ms = time_ms;
    request
}

#[test]
fn the_first_event_of_every_scheme_can_be_sent() {
    let mut named = 0;
    let mut counted = 0;
    for scheme in built_in().filter(|scheme| !is_public(scheme)) {
        let gate = gate(scheme);
        let live = only(&gate);
        counted += 1;
        let first = signed(&gate, "first", NOW_MS);
        assert_eq!(outcome(live, &first), "accept", "{scheme}: {first:?}");
        named += usize::from(event(live, &first).labels().0.contains("first"));
        // What is stamped anew is another event to these.
        let by_time = |rule: &IdentityRule| match rule {
            IdentityRule::Digest(rule) => rule.time,
            rule => matches!(rule, IdentityRule::Ping(_)),
        };
        if !live.scheme.identity.iter().any(by_time) {
            let again = signed(&gate, "first", NOW_MS + 1_000);
            assert_eq!(key(live, &again), key(live, &first), "{scheme}: sent again");
        }
        let next = signed(&gate, "next", NOW_MS);
        assert_ne!(
            key(live, &next),
            key(live, &first),
            "{scheme}: another event"
        );
    }
    println!("{counted} schemes, {named} with the event's id in them");
    assert!(counted > 90 && named > 60, "{counted} {named}");
}

#[test]
fn what_is_altered_afterwards_is_refused_wherever_the_event_is_signed() {
    let is_signed = |scheme: &&str| !is_public(scheme) && !known(scheme).proves_the_sender_only();
    for scheme in built_in().filter(is_signed) {
        let gate = gate(scheme);
        let live = only(&gate);
        let first = signed(&gate, "first", NOW_MS);
        let mut altered = Signed {
            method: first.method,
            target: first.target,
            headers: first.headers,
            body: first.body,
        };
        tamper(&mut altered);
        let mut altered = Request::from(altered);
        altered.now_ms = NOW_MS;
        assert_ne!(outcome(live, &altered), "accept", "{scheme}: {altered:?}");
    }
}

#[test]
fn where_a_private_key_signs_it_is_said_what_to_do_instead() {
    for scheme in built_in() {
        let scheme = known(scheme);
        let why = unsignable(&scheme);
        assert_eq!(why.is_some(), scheme.is_public());
        if let Some(why) = why {
            assert!(why.contains("private key") && why.contains("For a first event"));
        }
    }
}
