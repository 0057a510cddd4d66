//! Formats that outlive a deploy, pinned: what the queue, the archive, the memory of events and the
//! backends are given. Each test says what breaks when its text changes.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use std::collections::BTreeMap;

use hookgate::config::SignAs;
use hookgate::dead::DeadLetter;
use hookgate::delivery::webhook_id;
use hookgate::event::{Held, HeldContent, Unreadable, with_content_at};
use hookgate::retry::DeathCause;
use support::delivered::delivered;
use support::{NOW_MS, event, key, only, vector, with_secrets};

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn stripe_message() -> String {
    let vector = vector("stripe", "pair-first");
    let mut request = vector.request.clone();
    request.body = br#"{"id":"evt_1","type":"order.paid"}"#.to_vec();
    let gate = vector.gate();
    let request = support::mutate::Case::new("stripe", only(&gate), &request)
        .signed_again(request.clone(), &only(&gate).keys[0]);
    event(only(&gate), &request)
        .into_message("request-1", TRACEPARENT)
        .unwrap()
}

/// A change here makes messages that are on the queue during a deploy unreadable to the other
/// version, or read wrongly. A new field is optional for the reader; anything else is a new
/// `hookgateversion`, and the old one stays readable for as long as a queue keeps messages.
#[test]
fn the_queue_message() {
    assert_eq!(
        stripe_message(),
        concat!(
            r#"{"specversion":"1.0","id":"evt_1","source":"vector","type":"order.paid","#,
            r#""time":"2025-10-09T08:53:20.000Z","datacontenttype":"application/json; charset=utf-8","#,
            r#""hookgateversion":"1","tenant":"tenant","scheme":"stripe","keyid":"KEY_0","#,
            r#""receivedtime":"2025-10-09T08:53:20.000Z","#,
            r#""dedupkey":"74850b65f69e3316b3dc5200e4755983d3e12c093058dcc7c20eb02ee93b248a","#,
            r#""run":0,"requestid":"request-1","#,
            r#""traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01","#,
            r#""originalheaders":"[[\"content-type\",\"application/json; charset=utf-8\"],[\"stripe-signature\",\"t=1760000000,v1=1aeb6b18c8be9c0d7a5c655d8de286865222da311efe0c7b783a5689cfbb9571\"]]","#,
            r#""data_base64":"eyJpZCI6ImV2dF8xIiwidHlwZSI6Im9yZGVyLnBhaWQifQ=="}"#
        )
    );
}

/// The same for an event whose content is in the archive. Its version is another one, so that a Worker
/// that knows nothing of claim checks does not deliver it without its content.
#[test]
fn the_queue_message_of_a_content_that_is_kept_apart() {
    let gate = support::gate_for("stripe", &[support::a_secret("stripe", 1)]);
    let body = format!("{{\"id\":\"evt_1\",\"pad\":\"{}\"}}", "x".repeat(200_000));
    let request = support::signed(only(&gate), body.as_bytes(), "evt_1");
    let message = event(only(&gate), &request)
        .into_message("request-1", TRACEPARENT)
        .unwrap();
    let rest = &message[message.find("\"dataref\"").unwrap()..];
    // The digest was computed with Python's hashlib.
    assert_eq!(
        rest,
        concat!(
            r#""dataref":"claim/tenant/vector/20251009/00000000000000000000000000000000","#,
            r#""datasha256":"fbec0e3929ad60107712d4162ab1248972ac47c4ca5c42e0dd903e3febf02c81","databytes":200023}"#
        )
    );
    assert!(message.contains(r#""hookgateversion":"2""#));
    let held = Held::read(&message).unwrap();
    let HeldContent::Apart(check) = &held.content else {
        panic!("{:?}", held.content);
    };
    let elsewhere = with_content_at(&message, "claim/another").unwrap();
    assert_eq!(elsewhere, message.replace(&check.key, "claim/another"));
    for bad in [
        message.replace("\"hookgateversion\":\"2\"", "\"hookgateversion\":\"1\""),
        stripe_message().replace("\"hookgateversion\":\"1\"", "\"hookgateversion\":\"2\""),
        message.replace("\"claim/", "\"dead/"),
        message.replace("\"databytes\":200023", "\"databytes\":\"200023\""),
        message.replace("\"datasha256\":\"", "\"datasha256\":\"00"),
        message.replace("\"dataref\"", "\"data_ref\""),
    ] {
        assert_eq!(Held::read(&bad), Err(Unreadable::NotAMessage), "{bad}");
    }
}

#[test]
fn messages_of_other_versions_are_kept_apart() {
    let message = stripe_message();
    assert!(Held::read(&message).is_ok());
    let newer = message.replace("\"hookgateversion\":\"1\"", "\"hookgateversion\":\"3\"");
    assert_eq!(Held::read(&newer), Err(Unreadable::UnknownVersion));
    assert_eq!(
        Held::read("{\"hookgateversion\":\"3\",\"else\":[]}"),
        Err(Unreadable::UnknownVersion)
    );
    let more = message.replace("\"run\":0", "\"run\":0,\"another\":true");
    assert!(
        Held::read(&more).is_ok(),
        "a field that a later version adds must not stop this one"
    );
    for bad in [
        "",
        "null",
        "[]",
        "{}",
        "{\"hookgateversion\":\"1\"}",
        &message.replace("\"eyJ", "\"*yJ"),
    ] {
        assert_eq!(Held::read(bad), Err(Unreadable::NotAMessage), "{bad}");
    }
    let next = hookgate::event::at_run(&message, 1).unwrap();
    assert_eq!(next, message.replace("\"run\":0", "\"run\":1"));
    // What a later version added is handed on by this one.
    let newer = message.replace("\"run\":0", "\"run\":0,\"added\":[1]");
    assert!(
        hookgate::event::at_run(&newer, 1)
            .unwrap()
            .contains("\"added\":[1]")
    );
}

/// A change here loses every dead letter in the archive to `./scripts/dead`.
#[test]
fn the_dead_letter() {
    let message = stripe_message();
    let mut letter = DeadLetter::new(
        &message,
        DeathCause::RejectedByBackend,
        3,
        Some(410),
        NOW_MS,
    );
    assert_eq!(
        letter.key(),
        "dead/74850b65f69e3316-0-1d5e24c7233eaad9fc8831f1"
    );
    let text = serde_json::to_string(&letter).unwrap();
    let expected = format!(
        r#"{{"deadletterversion":"1","id":"74850b65f69e3316-0-1d5e24c7233eaad9fc8831f1","reason":"rejected_by_backend","attempts":3,"last_status":410,"died_at":"2025-10-09T08:53:20.000Z","message":{},"redriven_at":null,"redriven_run":null}}"#,
        serde_json::json!(message)
    );
    assert_eq!(text, expected);
    assert_eq!(DeadLetter::from_queue(&text, 0), letter);
    // What the platform moved there by itself is kept as it is.
    let moved = DeadLetter::from_queue(&message, NOW_MS);
    assert_eq!(
        (moved.message.as_str(), moved.reason.as_str()),
        (message.as_str(), "given_up_by_platform")
    );
    assert_eq!(moved.id, letter.id, "written twice, it is one letter");
    let later = DeadLetter::from_queue(&message.replace("request-1", "request-2"), NOW_MS);
    assert_ne!(
        later.id, letter.id,
        "letters outlive the memory of events: a later event is its own"
    );
    // The ledger gives out the runs: each redrive is one of its own.
    for run in 1..=3 {
        let sent = Held::read(&letter.redrive(run, None, NOW_MS).unwrap()).unwrap();
        assert_eq!((sent.message.run, letter.redriven_run), (run, Some(run)));
        assert_eq!(
            letter.redriven_at.as_deref(),
            Some("2025-10-09T08:53:20.000Z")
        );
        assert_eq!(letter.message, message, "the letter keeps what died");
    }
}

/// A change here forgets every event that was seen before the deploy: each provider's retry and
/// each replay within the retention passes as a new event.
#[test]
fn the_key_of_an_event() {
    let more = support::tree::read("tests/vectors/keys.txt");
    let more = more.lines().filter_map(|line| line.split_once(' '));
    let expected: BTreeMap<&str, &str> = KEYS.iter().copied().chain(more).collect();
    let mut wrong = Vec::new();
    for scheme in with_secrets() {
        let vector = vector(scheme, "pair-first");
        let key = key(only(&vector.gate()), &vector.request);
        if expected.get(scheme) != Some(&key.as_str()) {
            wrong.push(format!("{scheme} {key}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "a scheme that is new belongs into tests/vectors/keys.txt; of one that was there, every event \
        would come again:\n{}",
        wrong.join("\n")
    );
}

const KEYS: &[(&str, &str)] = &[
    (
        "asana",
        "7ae51c80394980dee559f4ab48357db2425b28cb1afdb8aa89b0acf283c1977b",
    ),
    (
        "aws-eventbridge",
        "ac14148a1f2d46acaf3cbbaddf6dbd7c40e007036574bd0224e244eb587e3422",
    ),
    (
        "azure-event-grid",
        "2514d885dccbf620300633b8012e3d90ef56e240c6fb59eb76914ac359dd59a2",
    ),
    (
        "azure-event-grid-cloudevents",
        "e96bff09f6237f6d57401a890d441f70d4d1be53bd47e851d9725192a44e915a",
    ),
    (
        "cloudevents",
        "e96bff09f6237f6d57401a890d441f70d4d1be53bd47e851d9725192a44e915a",
    ),
    (
        "cloudflare-notifications",
        "3d8f030ef1bf1187d1efe93597e04c1d64c751cf66e894222ee14863cd6d2c82",
    ),
    (
        "dropbox",
        "f95ff903b2e36584e45a5b3eaa0bbaaed3f2b8f58b7b1cfea360b0003ff7fe5f",
    ),
    (
        "fastly-ngwaf",
        "227ad97776c73a6d915153c5a20ec28b37f492a15d8f41a691c6bad8a4750b9f",
    ),
    (
        "fly",
        "49cc92a50363bd12d7396f76cddfc0dd057e1c1651b5e8047fba6624cd4a91cc",
    ),
    (
        "github",
        "d27dbc21a69bbb512e2ea5c5267808ad8365811b189795cdc4d39cccb7eb8b8e",
    ),
    (
        "heroku",
        "85445d957a74e550317cb5110655e607363a0b5b305c1de7ff14d99afd8864ac",
    ),
    (
        "huawei-eventgrid",
        "4de614c95f52881dc9cf6589fba23fc02ebf8463ec2fdd5293c8ec2bd181659d",
    ),
    (
        "huawei-sdk-hmac",
        "93e09888b6255e6d786fbdab4753d5ff60d6a4abd81bd9b86c5d2dedc530ab2f",
    ),
    (
        "ibm-event-notifications",
        "a9c847d1fe25c666c6110982a8f930b2e6fa8cbf73fa4764b2f073ddad5e9902",
    ),
    (
        "koogallery-kit",
        "02f0fb2a87582c7647baa856069c4a2b76e1947ff9403bced79f73d138a7a5d0",
    ),
    (
        "koogallery-license",
        "7e0f4de0c277f9a1d2533fb0fe7a54320761467d253f7c48361afb36c2b29fd6",
    ),
    (
        "koogallery-v1",
        "e9b38b30acece5c40e97abff45149918f46a9977f9294157cb3e609fbc201d84",
    ),
    (
        "koogallery-v1-post",
        "cd1add84f694a8b306282d1bc65644e8f4e7f58d27120a521b689f6a8aba9fba",
    ),
    (
        "koogallery-v2",
        "8093679a55881058ac443189b84b0c2cd4710518f201c2e1518d38a81dbcd6ec",
    ),
    (
        "meta",
        "64e42730a11a41f6c22670b602f93128cd8a89b5300c22be3f5e604be8d8c5a6",
    ),
    (
        "netlify",
        "fbee138ddad909b4a446dff5e6b1a93f65337574073130a256fd58f45602f39a",
    ),
    (
        "notion",
        "476ba6dc5c7b689988973a0b1007defce5ed6204677fbfb599bf13e76b1b5185",
    ),
    (
        "okta",
        "ed23ea7c3fa69ab92938c464d9e5c3c1b0c1cc318bda193f49de6b7cd2cd695a",
    ),
    (
        "oracle-oci",
        "d3dfceaf734254eb72df8719a6798d2fe258e022b0401212669cbd7d1cd7651d",
    ),
    (
        "shopify",
        "85cb43ec7ccc84665b047de00046e0e5387be9ae3f0466abd6978dbe70aacd6a",
    ),
    (
        "slack",
        "9f4221c1d5ad1837f2a591a7915fb92811feb0fa27385c1e32eed440c7c05e6b",
    ),
    (
        "standard-webhooks",
        "80e833c7cb96c63e95c66162d58a9264987c1fa32973eac07bae49e6d0f794e4",
    ),
    (
        "stripe",
        "77317754ba78218d1009a96df00079a0c4aedcdde11ac77cc4bcb44db921d5b2",
    ),
    (
        "supabase",
        "fd4bb6e99eba2c0ebc992387194f072590f1aebf9a45457226c28ae1623f504b",
    ),
    (
        "svix",
        "75111198fb11822765e49e3eefa6f66db163556decb16d1440f4fd7a918d90f1",
    ),
    (
        "vercel",
        "ab5ac7f112ac397c53702ecbe0ae35de83928507e2b99f95bc1266259b1ac675",
    ),
    (
        "x-twitter",
        "8415108a3a074a9b7e2667513123a10584aa69324ab3a66f2404a5a49a834848",
    ),
    (
        "xero",
        "55e7826d5fb6f836e8e70b504bed1a72b935d58ef3655e7c7546fbcda389fcd8",
    ),
    (
        "zoom",
        "b52178d5a19be9e17a2240b2bbb8376d8b6fd31b6541f179cf9e0ea2c3976f36",
    ),
];

/// A change here breaks every backend that verifies deliveries, or makes it act twice: `webhook-id`
/// is its idempotency key. The signature was computed with Python's hmac module.
#[test]
fn the_delivery() {
    assert_eq!(
        webhook_id(&Held::read(&stripe_message()).unwrap()),
        "hg_74850b65f69e3316b3dc5200e4755983d3e12c09"
    );
    let headers: Vec<String> = delivered(&stripe_message(), SignAs::Gate)
        .into_iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    assert_eq!(
        headers,
        [
            "stripe-signature: t=1760000000,v1=1aeb6b18c8be9c0d7a5c655d8de286865222da311efe0c7b783a5689cfbb9571",
            "content-type: application/json; charset=utf-8",
            "webhook-id: hg_74850b65f69e3316b3dc5200e4755983d3e12c09",
            "webhook-timestamp: 1760000001",
            "webhook-signature: v1,moKmmsTmquhNZvKN2Dp2AJrvTX2qgBZJxresKvSvagM=",
            "hookgate-event-id: evt_1",
            "hookgate-event-type: order.paid",
            "hookgate-source: vector",
            "hookgate-tenant: tenant",
            "hookgate-scheme: stripe",
            "hookgate-received: 2025-10-09T08:53:20.000Z",
            "hookgate-request-id: request-1",
            "hookgate-attempt: 2",
            "hookgate-run: 0",
            "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ]
    );
}
