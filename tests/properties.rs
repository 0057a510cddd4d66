//! What holds for all input: nothing panics, nothing is accepted without the key, and what is
//! signed properly arrives byte for byte.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use std::sync::LazyLock;

use hookgate::admission::Admission;
use hookgate::canonical::sorted_json;
use hookgate::event::Held;
use hookgate::gate::Gate;
use hookgate::request::{Head, encode_pairs};
use hookgate::scheme::{Place, TimeUnit};
use hookgate::{config, dead, retry, time, trace};
use proptest::collection::vec;
use proptest::prelude::*;
use support::anywhere::{get, set};
use support::{
    NOW_MS, Request, a_body, a_secret, content, gate_for, held, only, run, signed_at,
    takes_any_body, with_secrets,
};

/// A gate for each built-in scheme, with keys that no strategy knows.
static GATES: LazyLock<Vec<(&str, Gate)>> = LazyLock::new(|| {
    with_secrets()
        .map(|scheme| (scheme, gate_for(scheme, &[a_secret(scheme, 211)])))
        .collect()
});

fn cases(count: u32) -> ProptestConfig {
    ProptestConfig {
        cases: count,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Text that resembles what the schemes read, or does not.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,40}",
        "[0-9a-fA-F]{0,70}",
        "[A-Za-z0-9+/]{43}=",
        "(v[01][=,]|t=|sha256=)?[0-9a-f]{64}",
        "(v1,[A-Za-z0-9+/]{43}= ?){0,20}",
        "t=17600000[0-9]{2},(v1=[0-9a-f]{64},?){1,3}",
        "17600000[0-9]{2}(000)?",
        "20251009085320[0-9]{3}",
        Just("é, \u{0}\u{7f}\u{ffff}".to_owned()),
    ]
}

fn header() -> impl Strategy<Value = (String, String)> {
    let names = prop::sample::select(vec![
        "X-Hub-Signature-256",
        "X-Slack-Signature",
        "X-Slack-Request-Timestamp",
        "Stripe-Signature",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "svix-id",
        "svix-timestamp",
        "svix-signature",
        "X-Vercel-Signature",
        "X-Shopify-Hmac-Sha256",
        "Heroku-Webhook-Hmac-SHA256",
        "Content-Type",
        "Content-Length",
        "X-Shopify-Topic",
        "",
    ]);
    (names.prop_map(str::to_owned), text())
}

fn query() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec![
        "signature",
        "timestamp",
        "nonce",
        "authToken",
        "timeStamp",
        "activity",
        "a%",
        "%FF",
        "",
    ]);
    vec((names, text(), any::<bool>()), 0..6).prop_map(|pairs| {
        let pairs: Vec<String> = pairs
            .into_iter()
            .map(|(name, value, encoded)| {
                if encoded {
                    encode_pairs(&[(name.to_owned(), value)])
                } else {
                    format!("{name}={value}")
                }
            })
            .collect();
        pairs.join("&")
    })
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("1.10".to_owned()),
        Just("-0".to_owned()),
        Just("1e400".to_owned()),
        any::<String>().prop_map(|text| serde_json::json!(text).to_string()),
        Just(r#""\u00e9\/\ud83d\ude00\b""#.to_owned()),
    ];
    let name =
        prop_oneof!["[a-e]", any::<String>()].prop_map(|name| serde_json::json!(name).to_string());
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|items| format!("[ {} ]", items.join(" ,"))),
            vec((name.clone(), inner), 0..5).prop_map(|members| {
                let members: Vec<String> = members
                    .into_iter()
                    .map(|(name, value)| format!("{name} : {value}"))
                    .collect();
                format!("{{{}}}", members.join(", "))
            }),
        ]
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..300),
        json().prop_map(String::into_bytes)
    ]
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn nothing_arbitrary_is_accepted(
        headers in vec(header(), 0..8),
        query in query(),
        body in body(),
        get in any::<bool>(),
    ) {
        for (scheme, gate) in GATES.iter() {
            let request = Request {
                method: if get { "GET" } else { "POST" }.to_owned(),
                target: format!("/hooks/vector?{query}"),
                headers: headers.clone(),
                body: body.clone(),
                now_ms: NOW_MS,
                documents: Default::default(),
            };
            prop_assert!(run(only(gate), &request).is_err(), "{scheme}: {request:?}");
        }
    }

    #[test]
    fn a_genuine_request_with_one_claim_replaced_is_not_accepted(value in text(), nth in 0_usize..3) {
        for (scheme, gate) in GATES.iter() {
            let request = signed_at(only(gate), &a_body(scheme, 1), "evt_1", NOW_MS);
            let live = &only(gate).scheme;
            let time = live.time.as_ref().map(|form| &form.at);
            let id = live.id.as_ref().or(live.nonce.as_ref());
            let claims = [Some(&live.signature.at), time, id];
            let Some(at) = claims[nth] else { continue };
            // Stripe's time ends where its item does.
            let before = get(live, &request, at).unwrap();
            if value == before || matches!(at, Place::SignatureField(_)) && value.split([',', ';']).next() == Some(&before) {
                continue;
            }
            let changed = set(live, &request, at, Some(&value));
            prop_assert!(run(only(gate), &changed).is_err(), "{scheme}: {changed:?}");
        }
    }

    #[test]
    fn what_is_signed_properly_arrives_byte_for_byte(
        body in body(),
        id in "[A-Za-z0-9_-]{1,60}",
        offset_ms in -59_000_i64..59_000,
    ) {
        for (scheme, gate) in GATES.iter() {
            let live = only(gate);
            if !takes_any_body(&live.scheme) {
                continue;
            }
            let within = live.scheme.time.as_ref().map_or(0, |form| i64::from(form.tolerance_seconds));
            let offset_ms = offset_ms.clamp(-within * 1_000, within * 1_000);
            let mut request = signed_at(live, &body, &id, NOW_MS + offset_ms);
            request.now_ms = NOW_MS;
            match run(live, &request) {
                Ok(Admission::Event(_)) => prop_assert_eq!(content(&held(live, &request)).to_vec(), &body[..], "{}", scheme),
                other => prop_assert!(false, "{scheme}: {other:?}: {request:?}"),
            }
        }
    }

    #[test]
    fn what_is_signed_in_a_form_arrives_in_that_form(text in json(), pairs in vec(("[a-z]{1,8}", any::<String>()), 1..6)) {
        for (scheme, gate) in GATES.iter() {
            let live = only(gate);
            match *scheme {
                "koogallery-v2" => {
                    let Ok(canonical) = sorted_json(text.as_bytes()) else { continue };
                    let request = signed_at(live, text.as_bytes(), "1", NOW_MS);
                    prop_assert_eq!(content(&held(live, &request)).to_vec(), canonical);
                }
                "koogallery-v1" => {
                    let mut pairs: Vec<(String, String)> = pairs.clone();
                    pairs.sort();
                    pairs.dedup_by(|one, other| one.0 == other.0);
                    pairs.retain(|(name, value)| name != "timeStamp" && !value.contains('&'));
                    let request = signed_at(live, encode_pairs(&pairs).as_bytes(), "1", NOW_MS);
                    let held = held(live, &request);
                    let head = Head::new("GET", &format!("/?{}", String::from_utf8(content(&held).to_vec()).unwrap()), []);
                    let mut got = head.query_pairs().unwrap();
                    got.retain(|(name, _)| name != "timeStamp");
                    prop_assert_eq!(got, pairs);
                }
                _ => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn the_canonical_form_is_its_own(text in json()) {
        if let Ok(canonical) = sorted_json(text.as_bytes()) {
            let again = sorted_json(&canonical);
            prop_assert_eq!(again.as_ref(), Ok(&canonical));
            let strip = |bytes: &[u8]| {
                let mut value: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(bytes).unwrap_or_default();
                value.retain(|_, value| !value.is_null());
                value
            };
            prop_assert_eq!(strip(&canonical), strip(text.as_bytes()));
        }
    }

    #[test]
    fn readers_do_not_panic(bytes in vec(any::<u8>(), 0..200), text in any::<String>(), lines in vec(text(), 0..8)) {
        let _ = sorted_json(&bytes);
        let _ = sorted_json(format!("{{{text}}}").as_bytes());
        let lines = lines.join("\n");
        for text in [&text, &lines] {
            let head = Head::from_lines(text);
            let _ = head.query_pairs();
            for unit in [TimeUnit::Seconds, TimeUnit::Milliseconds, TimeUnit::CompactUtc] {
                let _ = time::parse(text, unit);
            }
            let _ = Held::read(text);
            let _ = dead::DeadLetter::from_queue(text, NOW_MS);
            let _ = dead::is_letter_id(text);
            let _ = time::parse_http_date(text);
            let _ = retry::retry_after_seconds(text, NOW_MS);
            let _ = config::from_toml(text);
            let made = trace::continue_or_start(Some(text), &[7; 24]);
            prop_assert!(made.len() == 55 && trace::trace_id(&made).len() == 32, "{}", made);
        }
    }

    #[test]
    fn a_time_that_is_read_is_written_alike(ms in 0_i64..253_402_300_799_999) {
        let seconds = time::parse(&time::format(ms, TimeUnit::Seconds), TimeUnit::Seconds);
        // Seconds have at most eleven digits: up to the year 5138.
        prop_assert_eq!(seconds, (ms < 100_000_000_000_000).then_some(ms / 1_000 * 1_000));
        prop_assert_eq!(time::parse(&time::format(ms, TimeUnit::CompactUtc), TimeUnit::CompactUtc), Some(ms));
    }

    #[test]
    fn a_number_of_digits_is_one_time_or_none(text in "[0-9]{1,20}") {
        for unit in [TimeUnit::Seconds, TimeUnit::Milliseconds, TimeUnit::CompactUtc] {
            if let Some(ms) = time::parse(&text, unit) {
                prop_assert_eq!(time::format(ms, unit), text.as_str());
            }
        }
    }

    #[test]
    fn messages_that_are_changed_on_the_way_are_read_or_kept(index in any::<prop::sample::Index>(), byte in 0_u8..128) {
        let (_, gate) = &GATES[0];
        let request = signed_at(only(gate), b"{}", "1", NOW_MS);
        let message = support::event(only(gate), &request).into_message("r", "t").unwrap();
        let mut bytes = message.into_bytes();
        let index = index.index(bytes.len());
        bytes[index] = byte;
        if let Ok(text) = String::from_utf8(bytes) {
            let letter = dead::DeadLetter::from_queue(&text, NOW_MS);
            prop_assert_eq!(&letter.message, &text);
            prop_assert!(dead::is_letter_id(&letter.id), "{}", letter.id);
            let _ = letter.summary();
        }
    }
}
