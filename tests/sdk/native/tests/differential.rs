//! Each random request gets one verdict from the gate and from a crate that is not ours, or the
//! disagreement is one of those named here.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

use std::collections::BTreeMap;

use hookgate_differential::{Chance, Ours, REFERENCES, Reference, Request, mutate, now_ms};

/// Of each crate and scheme.
const CASES: u64 = 10_000;
/// 2025-10-09T08:53:20Z.
const NOW_MS: i64 = 1_760_000_000_000;
const SHOWN_MAX: usize = 6;
const SEED: u64 = 0x686f_6f6b_6761_7465;

#[test]
fn both_judge_alike() {
    let wrong: Vec<String> = REFERENCES.iter().flat_map(compare).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The disagreements without a reason, a few of each kind.
fn compare(reference: &Reference) -> Vec<String> {
    let mut chance = Chance::new(SEED);
    let secrets: Vec<String> = (0..8)
        .map(|number| secret(reference.scheme, number))
        .collect();
    let gates: Vec<Ours> = secrets
        .iter()
        .map(|secret| Ours::new(reference.scheme, secret))
        .collect();
    let now_ms = if reference.reads_clock {
        now_ms()
    } else {
        NOW_MS
    };
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for case in 0..CASES {
        let signer = chance.one(&gates);
        let body = chance.body();
        let id = *chance.one(&["msg_1", "evt-2", "0"]);
        // One of them looks at the clock anew: nothing is made near the bounds.
        let age_seconds = *chance.one(&[0, 0, 0, 0, 290, 310, -290, -310, 86_400, -86_400]);
        let mut request = signer.signed(&body, id, now_ms - age_seconds * 1_000);
        let mutations: Vec<_> = (0..chance.below(4))
            .map(|_| mutate(&mut request, &secrets, &mut chance))
            .collect();
        let verifier = gates
            .iter()
            .find(|gate| gate.secret == request.secret)
            .expect("a gate");
        let ours = verifier.judge(&request, now_ms);
        let theirs = (reference.judge)(&request, (now_ms / 1_000) as u64);
        let end = match (ours, theirs) {
            (Ok(()), true) => "both take it".to_owned(),
            (Err(_), false) => "both refuse it".to_owned(),
            _ => match excuse(reference, ours, &request) {
                Some(excuse) => excuse.to_owned(),
                None => {
                    let kind = format!(
                        "{} beside {}: the gate {ours:?}, they {theirs}",
                        reference.scheme, reference.name
                    );
                    let shown = format!(
                        "  case {case}, {mutations:?}: {:?}, {} bytes",
                        request.headers,
                        request.body.len()
                    );
                    wrong.entry(kind).or_default().push(shown);
                    continue;
                }
            },
        };
        *counts.entry(end).or_default() += 1;
    }
    println!(
        "{} beside {}: {counts:#?}",
        reference.scheme, reference.name
    );
    for both in ["both take it", "both refuse it"] {
        assert!(
            counts.get(both).is_some_and(|count| *count > CASES / 20),
            "{}: hardly any case in which {both}",
            reference.scheme
        );
    }
    let shown = |(kind, cases): (String, Vec<String>)| {
        format!(
            "{kind}, {} times:\n{}",
            cases.len(),
            cases[..cases.len().min(SHOWN_MAX)].join("\n")
        )
    };
    wrong.into_iter().map(shown).collect()
}

/// Why they disagree, where that is known.
fn excuse(
    reference: &Reference,
    ours: Result<(), &'static str>,
    request: &Request,
) -> Option<&'static str> {
    let scheme = reference.scheme;
    let name = match scheme {
        "github" => "x-hub-signature-256",
        "slack" => "x-slack-signature",
        "linear" => "linear-signature",
        "square" => "x-square-hmacsha256-signature",
        "zoom" => "x-zm-signature",
        "dropbox" => "x-dropbox-signature",
        "standard-webhooks" => "webhook-signature",
        _ => "stripe-signature",
    };
    let signature = request.header(name).unwrap_or_default();
    let is_repeated = signature.contains(", ");
    let is_hex = scheme != "standard-webhooks";
    match ours {
        Err("malformed_signature")
            if is_hex && signature.bytes().any(|byte| byte.is_ascii_uppercase()) =>
        {
            Some(
                "they read hex, and `sha256=`, in capitals; we take the one form that the provider writes",
            )
        }
        Err("malformed_signature") if is_repeated && scheme == "standard-webhooks" => {
            Some("they read one of two headers that a server joined; we refuse a repeated header")
        }
        Err("missing_time" | "malformed_time" | "stale" | "from_future") if scheme == "linear" => {
            Some(
                "they leave the time, which stands in Linear's body, to their caller; we refuse a body without one",
            )
        }
        Err("malformed_time") if is_repeated && scheme == "stripe" => {
            Some("they read one of two headers that a server joined; we refuse two times")
        }
        Ok(())
            if reference.name == "standardwebhooks"
                && std::str::from_utf8(&request.body).is_err() =>
        {
            Some("they take text; we take bytes")
        }
        Ok(()) if scheme == "stripe" && signature.split(',').any(|item| item.trim() != item) => {
            Some("we pass over white space around an item: WorkOS writes some in the same form")
        }
        Ok(()) if reference.name == "webhook-verify" && has_malformed_item(signature) => Some(
            "they refuse a list with a malformed item in it; we pass it over, as we pass over a version that we do not know",
        ),
        _ => None,
    }
}

/// A `v1` item that is no signature at all.
fn has_malformed_item(list: &str) -> bool {
    let is_hex =
        |value: &str| value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut hex = list.split(',').filter_map(|item| item.strip_prefix("v1="));
    let mut base64 = list.split(' ').filter_map(|item| item.strip_prefix("v1,"));
    hex.any(|value| !is_hex(value)) || base64.any(|value| value.len() != 44)
}

fn secret(scheme: &str, number: u8) -> String {
    match scheme {
        // 24 bytes in base64.
        "standard-webhooks" => format!("whsec_{}{number}", "abcdEFGH0123+/+/abcdEFGH0123+/+"),
        _ => format!("secret-{number}"),
    }
}
