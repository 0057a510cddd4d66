//! What senders state before they sign it: whatever is moved, cut or misspelt in it, nobody gains an
//! event by it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::config::from_toml;
use proptest::prelude::*;
use support::{Request, SourceText, Vector, key, only, outcome, sources_toml, vector, vectors};

const SCHEMES: [&str; 17] = [
    "adyen-classic",
    "atlassian-connect",
    "contentful",
    "discord-events",
    "discord-interactions",
    "hook0-headers",
    "http-message-signature-ecdsa",
    "http-message-signature-ed25519",
    "http-message-signature-hmac",
    "http-message-signature-rsa",
    "http-message-signature-rsa-pss",
    "monday",
    "paypal",
    "plaid",
    "plaid-fetched",
    "sendgrid",
    "twilio",
];

fn first(scheme: &str) -> Vector {
    vector(scheme, "pair-first")
}

/// Names and values of a form have nothing between them. Wherever one string is cut, it is one event.
#[test]
fn all_cuts_of_one_form_are_one_event() {
    let vector = first("twilio");
    let gate = vector.gate();
    let live = only(&gate);
    let whole = key(live, &vector.request);
    let form = String::from_utf8(vector.request.body.clone()).unwrap();
    let pairs: Vec<(String, String)> = form
        .split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut accepted = 0;
    for index in 0..pairs.len() {
        for by in [-2_i32, -1, 1, 2] {
            let mut moved = pairs.clone();
            let (name, value) = &mut moved[index];
            let text = format!("{name}{value}");
            let at = usize::try_from(i32::try_from(name.len()).unwrap() + by).unwrap();
            // An escape is cut in no place.
            if text.contains('%') || at > text.len() {
                continue;
            }
            (*name, *value) = (text[..at].to_owned(), text[at..].to_owned());
            let body: Vec<String> = moved.iter().map(|(n, v)| format!("{n}={v}")).collect();
            let mutant = Request {
                body: body.join("&").into_bytes(),
                ..vector.request.clone()
            };
            if outcome(live, &mutant) == "accept" {
                accepted += 1;
                assert_eq!(key(live, &mutant), whole, "{body:?}");
            }
        }
    }
    assert!(accepted >= 4, "{accepted} cuts verify");
}

/// Eight values joined by colons, of which one may hold colons: the string has one reading.
#[test]
fn a_row_of_values_has_one_reading() {
    let vector = vector("adyen-classic", "reference-with-colons");
    let gate = vector.gate();
    let live = only(&gate);
    let whole = key(live, &vector.request);
    let item: serde_json::Value = serde_json::from_slice(&vector.request.body).unwrap();
    let item = &item["notificationItems"][0]["NotificationRequestItem"];
    let text = |pointer: &str| match &item.pointer(pointer) {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(serde_json::Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let pointers = [
        "/pspReference",
        "/originalReference",
        "/merchantAccountCode",
        "/merchantReference",
        "/amount/value",
        "/amount/currency",
        "/eventCode",
        "/success",
    ];
    let joined = pointers.map(text).join(":");
    let words: Vec<&str> = joined.split(':').collect();
    // Every way of making eight values of the words.
    let (mut tried, mut accepted) = (0, 0);
    for bits in 0_u32..1 << (words.len() - 1) {
        if bits.count_ones() != 7 {
            continue;
        }
        let mut values = vec![words[0].to_owned()];
        for (index, word) in words[1..].iter().enumerate() {
            match bits >> index & 1 {
                1 => values.push((*word).to_owned()),
                _ => {
                    let last = values.last_mut().unwrap();
                    *last = format!("{last}:{word}");
                }
            }
        }
        let [
            psp,
            original,
            account,
            reference,
            value,
            currency,
            code,
            success,
        ] = &values[..]
        else {
            panic!("{values:?}")
        };
        let body = serde_json::json!({ "notificationItems": [{ "NotificationRequestItem": {
            "pspReference": psp, "originalReference": original, "merchantAccountCode": account,
            "merchantReference": reference, "amount": { "value": value, "currency": currency },
            "eventCode": code, "success": success,
            "additionalData": { "hmacSignature": text("/additionalData/hmacSignature") },
        }}]});
        let mutant = Request {
            body: body.to_string().into_bytes(),
            ..vector.request.clone()
        };
        tried += 1;
        if outcome(live, &mutant) == "accept" {
            accepted += 1;
            assert_eq!(key(live, &mutant), whole);
        }
    }
    assert_eq!((tried, accepted), (36, 1));
}

/// A checksum stops nobody; what was made with it is the event that it was made from.
#[test]
fn a_body_with_the_same_checksum_is_the_same_event() {
    let genuine = first("paypal");
    let forged = vector("paypal", "forged-with-the-same-crc");
    assert_ne!(genuine.request.body, forged.request.body);
    let gate = genuine.gate();
    let live = only(&gate);
    assert_eq!(key(live, &genuine.request), key(live, &forged.request));
}

/// The topic is signed, so it may tell one event from another.
#[test]
fn a_signed_topic_is_a_part_of_the_event() {
    let [one, other] = ["pair-first", "topic-next"].map(|name| vector("contentful", name));
    let gate = one.gate();
    assert_eq!(one.request.body, other.request.body);
    assert_ne!(
        key(only(&gate), &one.request),
        key(only(&gate), &other.request)
    );
}

#[test]
fn a_checksum_instead_of_a_digest_must_be_accepted_by_the_source() {
    let with = |more: &str| {
        let source = SourceText {
            name: "paypal",
            tenant: "t",
            scheme: "paypal",
            secrets: &[],
            more,
        };
        from_toml(&sources_toml(&[source], "")).map_err(|errors| errors.join("\n"))
    };
    let pins = "pins = { webhook_id = \"1\" }\n";
    assert!(with(&format!("{pins}accept_weak_key = true")).is_ok());
    let refused = with(pins).map(|_| ()).unwrap_err();
    assert!(refused.contains("prove little"), "{refused}");
    let refused = with("accept_weak_key = true").map(|_| ()).unwrap_err();
    assert!(refused.contains("pins.webhook_id is missing"), "{refused}");
}

const OWN: &str = r#"[schemes.own]
provider = "Own"
page = "https://own.example/docs"
algorithm = "hmac-sha256"
key = { encoding = "utf8" }
signature = { at = "header:x-signature", encoding = "base64" }
signed = ["message-signature"]
time = { at = "signature:created", unit = "seconds", tolerance_seconds = 300, future_seconds = 60 }
identity = [{ signed-id = "json:/id" }]
answer_by_ms = 5000
retry_horizon_seconds = 3600
pins = [{ name = "url" }]
message_signature = { required = [["@method", "content-digest"]] }
"#;

#[test]
fn a_scheme_that_states_less_than_it_seems_is_refused() {
    let errors = |from: &str, to: &str| {
        assert!(OWN.contains(from), "{from}");
        let source = SourceText {
            name: "own",
            tenant: "t",
            scheme: "own",
            secrets: &["KEY"],
            more: "pins = { url = \"https://a.example/\" }",
        };
        match from_toml(&sources_toml(&[source], &OWN.replacen(from, to, 1))) {
            Ok(_) => String::new(),
            Err(errors) => errors.join("\n"),
        }
    };
    assert_eq!(errors("", ""), "");
    let signed = "signed = [\"message-signature\"]";
    let table = "message_signature = { required = [[\"@method\", \"content-digest\"]] }";
    for (from, to, sentence) in [
        (table, "", "one does not go without the other"),
        (
            table,
            "message_signature = { required = [] }",
            "each list needs \"content-digest\"",
        ),
        (
            table,
            "message_signature = { required = [[\"content-digest\"], [\"@method\"]] }",
            "each list needs \"content-digest\"",
        ),
        (
            "signature:created",
            "header:date",
            "a message signature needs `time` at",
        ),
        (
            signed,
            "signed = [\"message-signature\", \"body\"]",
            "must be all that is signed",
        ),
        (
            signed,
            "signed = [\"joined\"]",
            "`signed` names \"joined\", and the table `joined`",
        ),
        (
            signed,
            "signed = [\"named-headers\"]",
            "the table `named_headers` says what it is",
        ),
        (
            signed,
            "signed = [\"header-names\", \"literal:.\", \"body\"]",
            "signs no header",
        ),
        (
            signed,
            "signed = [\"pin:topic\", \"literal:.\", \"body\"]",
            "needs a pin of that name",
        ),
        (
            signed,
            "signed = [\"url-and-form\", \"body\"]",
            "must be all that is signed",
        ),
        (
            signed,
            "signed = [\"sorted-json\"]\ntoken = { alg = \"HS256\", lifetime_seconds_max = 60, leeway_seconds = 1 }",
            "does not go with what is stated beside it",
        ),
        (
            signed,
            "signed = [\"secret\", \"body\"]\ntoken = { alg = \"HS256\", lifetime_seconds_max = 60, leeway_seconds = 1 }",
            "does not go with what is stated beside it",
        ),
        (
            signed,
            "signed = [\"crc32:bod\"]",
            "\"crc32:bod\" is not a part",
        ),
        (
            table,
            "message_signature = { required = [[\"content-digest\"]] }\njoined = { by = \"::\", of = [\"json:/a\", \"header:b\"] }",
            "`joined` needs one character in `by`, and members of the body in `of`",
        ),
        (
            table,
            "message_signature = { required = [[\"content-digest\"]] }\nnamed_headers = { at = \"header:h\", split = \"\", join = \";\" }",
            "`named_headers` needs `split`, `join`",
        ),
        (
            table,
            "token = { alg = \"HS512\", lifetime_seconds_max = 60, leeway_seconds = 1 }",
            "a token cannot choose how it is checked",
        ),
        (
            table,
            "token = { alg = \"HS256\", lifetime_seconds_max = 60, leeway_seconds = 1 }",
            "a pin at \"claim:iss\" or \"claim:aud\"",
        ),
    ] {
        let errors = errors(from, to);
        assert!(
            errors.contains(sentence),
            "{to}: expected {sentence}, got: {errors}"
        );
    }
}

/// Characters that mean something in one of the headers, and some that do not.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,80}",
        "(sig1=)?[(\"@a-z;=:,.0-9) -]{0,60}",
        "[A-Za-z0-9+/=._-]{0,120}",
        "\\PC{0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever stands in a header, the query or the body: a verdict, and never an event of its own.
    #[test]
    fn nothing_that_is_made_up_passes(
        scheme in 0..SCHEMES.len(),
        at in 0..8_usize,
        value in text(),
        body in any::<bool>(),
    ) {
        let vector = first(SCHEMES[scheme]);
        let gate = vector.gate();
        let live = only(&gate);
        let mut mutant = vector.request.clone();
        if body {
            mutant.body = value.clone().into_bytes();
        } else if let Some(header) = mutant.headers.get_mut(at) {
            header.1 = value.clone();
        } else {
            mutant.target = format!("/hooks/vector?{value}");
        }
        if outcome(live, &mutant) == "accept" {
            let same = key(live, &mutant) == key(live, &vector.request);
            prop_assert!(same || live.scheme.proves_the_sender_only(), "{mutant:?}");
        }
    }
}

/// Each of them has a vector for what it must refuse, not only for what is wrong with the signature.
#[test]
fn every_scheme_is_refused_in_more_than_one_way() {
    let all = vectors();
    for scheme in SCHEMES {
        let mut ways: Vec<&str> = all
            .iter()
            .filter(|vector| vector.scheme == scheme && vector.expect != "accept")
            .map(|vector| vector.expect.as_str())
            .collect();
        ways.sort_unstable();
        ways.dedup();
        assert!(ways.len() >= 3, "{scheme}: {ways:?}");
    }
}
