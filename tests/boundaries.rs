//! One signature, one meaning: no other way of cutting a signed string into id, time, nonce and
//! body is ever accepted, and no scheme takes a request of another one.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::scheme::Scheme;
use support::mutate::{At, Case, has_form, percent_encoded};
use support::{NOW_MS, Request, a_body, a_secret, gate_for, only, outcome, signed, with_secrets};

/// A request signed as `id.time.body`, cut at every other pair of dots.
#[test]
fn dots_of_standard_webhooks_cannot_be_moved() {
    let mut cuts = 0;
    for (scheme, id_at, time_at) in [
        (
            "standard-webhooks",
            At::Header("webhook-id"),
            At::Header("webhook-timestamp"),
        ),
        ("svix", At::Header("svix-id"), At::Header("svix-timestamp")),
    ] {
        let gate = gate_for(scheme, &[a_secret(scheme, 1)]);
        let live = only(&gate);
        let bodies = [
            "1760000000.{}",
            "1760000000.1760000000.{}",
            ".1760000000.",
            "1.2.3",
            ".",
            "",
        ];
        for body in bodies {
            let request = signed(live, body.as_bytes(), "msg_1");
            assert_eq!(outcome(live, &request), "accept", "{scheme}: {body:?}");
            let text = format!("msg_1.1760000000.{body}");
            let dots: Vec<usize> = text.match_indices('.').map(|(index, _)| index).collect();
            for (nth, first) in dots.iter().enumerate() {
                for second in &dots[nth + 1..] {
                    if (*first, *second) == (5, 16) {
                        continue;
                    }
                    let case = Case::new(scheme, live, &request);
                    let moved = case.set(id_at, &text[..*first]);
                    let mut moved = Case {
                        request: &moved,
                        ..case
                    }
                    .set(time_at, &text[first + 1..*second]);
                    moved.body = text.as_bytes()[second + 1..].to_vec();
                    cuts += 1;
                    assert_never(live, &moved);
                }
            }
            // A byte at a time as well, the dots left where the receiver puts them.
            cuts += shift_bytes(scheme, live, &request, &[id_at, time_at]);
        }
    }
    println!("{cuts} other cuts");
}

#[test]
fn times_and_bodies_of_slack_and_stripe_keep_their_boundary() {
    let mut cuts = 0;
    for (scheme, time_at, delimiter) in [
        ("slack", At::Header("x-slack-request-timestamp"), ':'),
        ("stripe", At::Item("t"), '.'),
    ] {
        let gate = gate_for(scheme, &[a_secret(scheme, 1)]);
        let live = only(&gate);
        for tail in [
            "",
            "0",
            "00{}",
            "x",
            &format!("{delimiter}{{}}"),
            &format!("1760000000{delimiter}{{}}"),
        ] {
            let request = signed(live, tail.as_bytes(), "evt_1");
            assert_eq!(outcome(live, &request), "accept", "{scheme}: {tail:?}");
            let text = format!("1760000000{delimiter}{tail}");
            for (index, _) in text
                .match_indices(delimiter)
                .filter(|(index, _)| *index != 10)
            {
                let case = Case::new(scheme, live, &request);
                let mut moved = case.set(time_at, &text[..index]);
                moved.body = text.as_bytes()[index + 1..].to_vec();
                cuts += 1;
                assert_never(live, &moved);
            }
            cuts += shift_bytes(scheme, live, &request, &[time_at]);
        }
    }
    println!("{cuts} other cuts");
}

/// KooGallery V2 signs secret, nonce, time and a MAC without anything between them.
#[test]
fn nonce_and_time_of_koogallery_v2_keep_their_boundary() {
    let gate = gate_for("koogallery-v2", &[a_secret("koogallery-v2", 1)]);
    let live = only(&gate);
    let mut cuts = 0;
    for nonce_tail in ["", "1", "1760000000000", "176"] {
        let mut request = signed(live, &a_body("koogallery-v2", 1), "evt_1");
        let case = Case::new("koogallery-v2", live, &request);
        let nonce = format!("nonce{nonce_tail}");
        request = case.signed_again(case.set(At::Query("nonce"), &nonce), &live.keys[0]);
        assert_eq!(outcome(live, &request), "accept");
        let text = format!("{nonce}1760000000000");
        for cut in (1..text.len()).filter(|cut| *cut != nonce.len()) {
            for length in [text.len() - cut, 13.min(text.len() - cut)] {
                let case = Case::new("koogallery-v2", live, &request);
                let moved = case.set(At::Query("nonce"), &text[..cut]);
                let moved = Case {
                    request: &moved,
                    ..case
                }
                .set(At::Query("timestamp"), &text[cut..cut + length]);
                cuts += 1;
                assert_never(live, &moved);
            }
        }
    }
    println!("{cuts} other cuts");
}

/// KooGallery V1 joins decoded names and values by `=` and `&` and escapes neither.
#[test]
fn pairs_of_koogallery_v1_cannot_be_joined_or_split() {
    let gate = gate_for("koogallery-v1", &[a_secret("koogallery-v1", 1)]);
    let live = only(&gate);
    let request = signed(
        live,
        b"activity=newInstance&orderId=CS1&productId=a%3Db%3Dc",
        "evt_1",
    );
    assert_eq!(outcome(live, &request), "accept");
    let pairs = request.head().query_pairs().unwrap();
    let (content, rest): (Vec<_>, Vec<_>) = pairs
        .into_iter()
        .partition(|(name, _)| name != "authToken" && name != "timeStamp");
    let rest: Vec<String> = rest
        .iter()
        .map(|(name, value)| format!("{name}={}", percent_encoded(value)))
        .collect();
    let text: Vec<String> = content
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let text = text.join("&");
    let genuine: Vec<(String, String)> = content;
    let mut cuts = 0;
    // Every way to read the joined string: each `&` ends a pair or not, each `=` may end the name.
    let ampersands: Vec<usize> = text.match_indices('&').map(|(index, _)| index).collect();
    for ends in 0..1_u32 << ampersands.len() {
        let mut pieces = Vec::new();
        let mut start = 0;
        for (bit, index) in ampersands.iter().enumerate() {
            if ends >> bit & 1 == 1 {
                pieces.push(&text[start..*index]);
                start = index + 1;
            }
        }
        pieces.push(&text[start..]);
        for nth in 0..4 {
            let pairs: Vec<(String, String)> = pieces
                .iter()
                .map(|piece| {
                    let equals: Vec<usize> =
                        piece.match_indices('=').map(|(index, _)| index).collect();
                    let index = equals[nth.min(equals.len() - 1)];
                    (piece[..index].to_owned(), piece[index + 1..].to_owned())
                })
                .collect();
            let encoded: Vec<String> = pairs
                .iter()
                .map(|(name, value)| {
                    format!("{}={}", percent_encoded(name), percent_encoded(value))
                })
                .collect();
            let target = format!("/hooks/vector?{}&{}", encoded.join("&"), rest.join("&"));
            let moved = Request {
                target,
                ..request.clone()
            };
            if pairs == genuine {
                assert_eq!(
                    outcome(live, &moved),
                    "accept",
                    "spelling is free: {}",
                    moved.target
                );
            } else {
                cuts += 1;
                assert_never(live, &moved);
            }
        }
    }
    println!("{cuts} other readings");
}

/// The end of the key and the beginning of the signed string is a boundary too: V1's key is the
/// access key followed by the time.
#[test]
fn a_shorter_access_key_does_not_verify_under_a_longer_time() {
    let gate = gate_for("koogallery-v1", &["access-key2".to_owned()]);
    let live = only(&gate);
    let request = signed(live, &a_body("koogallery-v1", 1), "evt_1");
    assert_eq!(outcome(live, &request), "accept");
    let shorter = gate_for("koogallery-v1", &["access-key".to_owned()]);
    let case = Case::new("koogallery-v1", live, &request);
    let time = case.get(At::Query("timeStamp")).unwrap();
    for moved in [format!("2{time}"), format!("2{}", &time[..16]), time] {
        assert_never(only(&shorter), &case.set(At::Query("timeStamp"), &moved));
    }
}

/// The first vector of each scheme sent to a source of each other one, with the same secret.
#[test]
fn no_scheme_takes_a_request_of_another() {
    let mut sent = 0;
    for vector in with_secrets().map(|scheme| support::vector(scheme, "pair-first")) {
        let own = vector.gate();
        for other in with_secrets().filter(|other| *other != vector.scheme) {
            // A secret of another scheme may not decode.
            let secrets = vec![a_secret(other, 1), vector.secrets[0].clone()];
            let gate = gate_for(other, &secrets);
            let live = only(&gate);
            if speak_alike(&only(&own).scheme, &live.scheme) {
                continue;
            }
            sent += 1;
            let got = outcome(live, &vector.request);
            let stands_there = |place| vector.request.head().value_at(place).is_ok();
            let stands_there = live.scheme.credential_places().any(stands_there);
            let is_expected = match got {
                "accept" | "challenge" | "question" => false,
                "method_not_allowed" => !live.scheme.methods.contains(&vector.request.method),
                "missing_signature" => !stands_there,
                // The same header with something else in it, or the body is read first.
                _ => stands_there || live.scheme.has_body_signature(),
            };
            assert!(is_expected, "{} to {other}: {got}", vector.title());
        }
    }
    println!("{sent} requests to other schemes");
}

/// Two entries for one wire form: whoever holds the secret may use either. The gate refuses two
/// sources with one secret all the same.
fn speak_alike(one: &Scheme, other: &Scheme) -> bool {
    one.is_bearer() && other.is_bearer()
        || (one.signature.at == other.signature.at
            && one.signed == other.signed
            && one.algorithm == other.algorithm)
}

/// Headers of two requests, both genuine, put together.
#[test]
fn claims_of_two_requests_do_not_mix() {
    // The others: `tests/mutations_saas.rs`.
    for scheme in with_secrets().filter(|scheme| has_form(scheme)) {
        let gate = gate_for(scheme, &[a_secret(scheme, 1)]);
        let live = only(&gate);
        let one = signed(live, &a_body(scheme, 1), "evt_1");
        let two = support::signed_at(live, &a_body(scheme, 2), "evt_2", NOW_MS + 2_000);
        let case = Case::new(scheme, live, &one);
        if live.scheme.is_bearer() {
            continue; // The credential is the same in both, and proves nothing about either.
        }
        let signature = Case::new(scheme, live, &two).get(case.signature).unwrap();
        assert_never(live, &case.set(case.signature, &signature));
        if case.form.schemes == ["koogallery-v1"] {
            continue; // It signs no body, and the time below is another key.
        }
        assert_never(
            live,
            &Request {
                body: two.body.clone(),
                ..one.clone()
            },
        );
        if let Some((at, _)) = case.form.time {
            let time = Case::new(scheme, live, &two).get(at).unwrap();
            assert_never(live, &case.set(at, &time));
        }
    }
}

/// Moves one to four characters between neighbouring fields, and between the last one and the body.
fn shift_bytes(
    scheme: &str,
    live: &hookgate::gate::LiveSource,
    request: &Request,
    fields: &[At],
) -> usize {
    let case = Case::new(scheme, live, request);
    let values: Vec<String> = fields.iter().map(|at| case.get(*at).unwrap()).collect();
    let mut cuts = 0;
    for count in 1..=4 {
        for (index, at) in fields.iter().enumerate() {
            let (value, moved_out) = values[index].split_at(values[index].len() - count);
            let mut shifted = case.set(*at, value);
            match fields.get(index + 1) {
                Some(next) => {
                    let value = format!("{moved_out}{}", values[index + 1]);
                    shifted = Case {
                        request: &shifted,
                        ..Case::new(scheme, live, request)
                    }
                    .set(*next, &value);
                }
                None => {
                    shifted.body.splice(..0, moved_out.bytes());
                }
            }
            cuts += 1;
            assert_never(live, &shifted);
        }
        let last = fields.len() - 1;
        if let Some(front) = request
            .body
            .get(..count)
            .and_then(|front| std::str::from_utf8(front).ok())
        {
            let mut shifted = case.set(fields[last], &format!("{}{front}", values[last]));
            shifted.body.drain(..count);
            cuts += 1;
            assert_never(live, &shifted);
        }
    }
    cuts
}

fn assert_never(live: &hookgate::gate::LiveSource, request: &Request) {
    let got = outcome(live, request);
    assert!(
        got != "accept" && got != "challenge",
        "{got}: a second meaning under one signature: {request:?}"
    );
}

/// HMAC fills a short key up with zero bytes: a key and the same key with a NUL behind it are one.
#[test]
fn a_value_behind_the_key_cannot_be_lengthened() {
    let table = r#"
[schemes.appended]
provider = "Appended"
page = "https://example.com/"
algorithm = "hmac-sha256"
key = { encoding = "utf8", append = "query:salt" }
signature = { at = "header:x-signature", encoding = "hex" }
signed = ["body"]
identity = [{ signed-id = "query:salt" }]
answer_by_ms = 5000
retry_horizon_seconds = 0
"#;
    let source = support::SourceText {
        name: "vector",
        tenant: "t",
        scheme: "appended",
        secrets: &["KEY"],
        more: "",
    };
    let gate = support::gate(&[source], table, &[("KEY", "secret")]);
    let live = only(&gate);
    let mut request = Request {
        method: "POST".into(),
        target: "/hooks/vector?salt=abc".into(),
        headers: vec![("x-signature".into(), "00".repeat(32))],
        body: b"{}".to_vec(),
        now_ms: NOW_MS,
        documents: Default::default(),
    };
    let head = request.head();
    let claims = hookgate::verify::Claims::read(&live.scheme, &head).unwrap();
    let inbound = hookgate::request::Inbound::new(&head, b"{}", &[]);
    let tag = hookgate::verify::tag(&live.scheme, &live.keys[0], &claims, &inbound).unwrap();
    request.headers[0].1 = hookgate::hex::encode(&tag);
    assert_eq!(outcome(live, &request), "accept");
    for longer in ["abc%00", "abc%00%00", "ab", "abcd"] {
        assert_never(
            live,
            &Request {
                target: format!("/hooks/vector?salt={longer}"),
                ..request.clone()
            },
        );
    }
}
