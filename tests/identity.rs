//! What makes two requests one event: retries collide, the next event does not, unsigned labels
//! count for nothing, and source and tenant are part of the key.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use std::collections::BTreeSet;

use hookgate::admission::keys_of_id;
use support::{
    NOW_MS, Request, SourceText, a_body, a_secret, gate, gate_for, key, more_for, only, signed,
    signed_at, vector, vectors_with_secrets, with_secrets,
};

fn key_of(scheme: &str, name: &str) -> String {
    let vector = vector(scheme, name);
    key(only(&vector.gate()), &vector.request)
}

#[test]
fn a_retry_is_the_same_event_and_the_next_one_is_not() {
    for scheme in with_secrets() {
        let first = key_of(scheme, "pair-first");
        assert_eq!(
            first,
            key_of(scheme, "pair-retry"),
            "{scheme}: a retry would be delivered twice"
        );
        assert_ne!(
            first,
            key_of(scheme, "pair-next"),
            "{scheme}: the next event would be lost"
        );
        assert!(
            first.len() == 64 && first.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{first}"
        );
    }
}

#[test]
fn a_replay_under_other_labels_is_the_same_event() {
    assert_eq!(
        key_of("github", "pair-first"),
        key_of("github", "replay-relabelled")
    );
    // Every header that is not a claim, with a value of its own, on every accepted vector.
    for vector in vectors_with_secrets()
        .iter()
        .filter(|vector| vector.expect == "accept")
    {
        let gate = vector.gate();
        let live = only(&gate);
        let mut replay = vector.request.clone();
        for name in [
            "X-GitHub-Delivery",
            "X-GitHub-Event",
            "X-Shopify-Webhook-Id",
            "X-Shopify-Event-Id",
            "X-Slack-Retry-Num",
            "User-Agent",
            "Idempotency-Key",
        ] {
            // Of a sender that signs nothing, an id is a name: whoever changes it makes another event.
            if live.scheme.is_bearer() && live.event_headers.contains(&name.to_ascii_lowercase()) {
                continue;
            }
            replay.headers.retain(|(known, _)| known != name);
            replay
                .headers
                .push((name.to_owned(), "relabelled".to_owned()));
        }
        assert_eq!(
            key(live, &vector.request),
            key(live, &replay),
            "{}",
            vector.title()
        );
    }
}

#[test]
fn calls_of_koogallery_without_an_order_are_told_apart_by_their_nonce() {
    assert_ne!(
        key_of("koogallery-v2", "pair-status-first"),
        key_of("koogallery-v2", "pair-status-next")
    );
}

/// The path names what is asked for, and the body alone does not. Of a captured call each interface
/// makes one event, and no other path makes any.
#[test]
fn calls_of_the_kit_are_told_apart_by_their_interface() {
    let vector = vector("koogallery-kit", "pair-first");
    let gate = vector.gate();
    let live = only(&gate);
    let at = |behind: &str| {
        let mut request = vector.request.clone();
        request.target += behind;
        request
    };
    let calls = [
        "tenantSync",
        "applicationSync",
        "authSync",
        "singleOrgSync",
        "allOrgSync",
    ]
    .map(|call| format!("/produceAPI/v2/{call}"));
    let keys: BTreeSet<String> = calls.iter().map(|call| key(live, &at(call))).collect();
    assert_eq!(keys.len(), calls.len(), "a call would be lost");
    assert_eq!(key(live, &at(&calls[0])), key(live, &at(&calls[0])));
    let head = at("/produceAPI/v2/tenantSync/other").head();
    assert!(hookgate::admission::source_of(&gate, &head).is_none());
}

/// Atlassian's token proves method, path and query, and an app may be told there what an event is about.
#[test]
fn deliveries_of_atlassian_are_told_apart_by_their_query() {
    let one = vector("atlassian-connect", "pair-first");
    let other = vector("atlassian-connect", "with-query");
    assert_eq!(one.request.body, other.request.body);
    assert_ne!(
        key(only(&one.gate()), &one.request),
        key(only(&other.gate()), &other.request)
    );
}

#[test]
fn one_mac_in_two_spellings_is_one_event() {
    // KooGallery V2 leaves the case of its hex open, so the case must not make another event.
    assert_eq!(
        key_of("koogallery-v2", "body-sorted"),
        key_of("koogallery-v2", "body-unsorted-signature-upper-case")
    );
}

#[test]
fn every_accepted_vector_has_the_key_of_its_own_event_only() {
    // Equal keys are listed by hand: pairs, and vectors that repeat one published request.
    for scheme in with_secrets() {
        let accepted: Vec<_> = vectors_with_secrets()
            .into_iter()
            .filter(|vector| vector.scheme == scheme && vector.expect == "accept")
            .collect();
        let distinct: BTreeSet<String> = accepted
            .iter()
            .map(|vector| key(only(&vector.gate()), &vector.request))
            .collect();
        let repeats = match scheme {
            "github" => 3,            // pair-retry, replay-relabelled, rotation-second-secret
            "standard-webhooks" => 9, // pair-retry, empty and binary under its id; seven vectors of one id
            "svix" => 3,              // pair-retry, empty and binary under the pair's id
            // pair-retry, and the same request to a source with two secrets
            "aws-eventbridge"
            | "azure-event-grid"
            | "azure-event-grid-cloudevents"
            | "cloudevents"
            | "cloudflare-notifications"
            | "huawei-eventgrid"
            | "ibm-event-notifications"
            | "oracle-oci" => 2,
            "huawei-sdk-hmac" => 2, // pair-retry, and that of content without an id
            "koogallery-v2" => 2,   // pair-retry, the signature in upper case
            _ => 1,                 // pair-retry
        };
        let expected = accepted.len() - repeats;
        assert_eq!(
            distinct.len(),
            expected,
            "{scheme}: {} vectors",
            accepted.len()
        );
    }
}

#[test]
fn the_source_and_its_tenant_are_in_the_key() {
    for scheme in with_secrets() {
        let more = more_for(scheme);
        let source = |name, tenant, secrets| SourceText {
            name,
            tenant,
            scheme,
            secrets,
            more: &more,
        };
        let keys: BTreeSet<String> = [
            source("one", "tenant-a", &["KEY"]),
            source("two", "tenant-a", &["KEY"]),
            source("one", "tenant-b", &["KEY"]),
            source("onet", "enant-a", &["KEY"]),
        ]
        .into_iter()
        .map(|source| {
            // Each in a gate of its own, so that the secret and with it the request are the same.
            let name = source.name;
            let gate = gate(&[source], "", &[("KEY", &a_secret(scheme, 1))]);
            let live = gate.source(name).unwrap();
            key(live, &signed(live, &a_body(scheme, 1), "evt_1"))
        })
        .collect();
        assert_eq!(
            keys.len(),
            4,
            "{scheme}: a key does not depend on source and tenant"
        );
    }
}

#[test]
fn a_rotated_secret_does_not_change_the_key() {
    // Figma's body has the passcode in it, and is the event's name; so is Graph's where it has no id.
    for scheme in with_secrets().filter(|name| !["figma", "ms-graph-basic"].contains(name)) {
        let (old, new) = (a_secret(scheme, 1), a_secret(scheme, 2));
        let before = gate_for(scheme, std::slice::from_ref(&old));
        let during = gate_for(scheme, &[new.clone(), old]);
        let after = gate_for(scheme, &[new]);
        let sent_before = signed(only(&before), &a_body(scheme, 1), "evt_1");
        let sent_after = signed(only(&after), &a_body(scheme, 1), "evt_1");
        assert_eq!(
            key(only(&before), &sent_before),
            key(only(&during), &sent_before),
            "{scheme}"
        );
        assert_eq!(
            key(only(&before), &sent_before),
            key(only(&after), &sent_after),
            "{scheme}"
        );
    }
}

#[test]
fn unlisted_discriminators_are_one_bucket() {
    let gate = gate_for("shopify", &[a_secret("shopify", 1)]);
    let live = only(&gate);
    let topic = |value: Option<&str>| {
        let mut request = signed(live, b"{\"id\":1}", "1");
        request
            .headers
            .retain(|(name, _)| !name.eq_ignore_ascii_case("x-shopify-topic"));
        request
            .headers
            .extend(value.map(|value| ("X-Shopify-Topic".to_owned(), value.to_owned())));
        key(live, &request)
    };
    let bucket = topic(None);
    for unlisted in [
        "",
        "orders/delete",
        "ORDERS/CREATE",
        "orders/create ",
        "orders/create, orders/paid",
        "\u{0}",
    ] {
        assert_eq!(
            topic(Some(unlisted)),
            bucket,
            "{unlisted:?}: one captured request passes as many events"
        );
    }
    let listed: BTreeSet<String> = [
        topic(Some("orders/create")),
        topic(Some("orders/paid")),
        bucket,
    ]
    .into_iter()
    .collect();
    assert_eq!(listed.len(), 3);
}

/// Signs nothing but the body, and names an event by fields of it.
const FIELDS: &str = r#"
[schemes.fields]
provider = "Fields"
page = "https://example.com/"
algorithm = "hmac-sha256"
key = { encoding = "utf8" }
signature = { at = "header:x-signature", encoding = "hex" }
signed = ["body"]
identity = [{ fields = ["json:/a", "json:/b"] }, { signed-id = "json:/a" }, { signed-id = "json:/b" }]
answer_by_ms = 5000
retry_horizon_seconds = 0
"#;

#[test]
fn fields_are_kept_apart_by_their_lengths_and_places() {
    let sources = [SourceText {
        name: "vector",
        tenant: "t",
        scheme: "fields",
        secrets: &["KEY"],
        more: "",
    }];
    let gate = gate(&sources, FIELDS, &[("KEY", "secret")]);
    let live = only(&gate);
    let key = |body: &str| key(live, &signed(live, body.as_bytes(), "1"));
    let bodies = [
        r#"{"a":"a","b":"bc"}"#,
        r#"{"a":"ab","b":"c"}"#,
        r#"{"a":"bc","b":"a"}"#,
        r#"{"a":"abc"}"#,
        r#"{"b":"abc"}"#,
        r#"{"a":"abc","b":["x"]}"#, // A list has no value: the second rule, as for {"a":"abc"}.
        r#"{"a":"a\u0000json:/b","b":"bc"}"#,
        "{}",
        r#"{"c":1}"#,
    ];
    let distinct: BTreeSet<String> = bodies.iter().map(|body| key(body)).collect();
    assert_eq!(distinct.len(), bodies.len() - 1);
    assert_eq!(key(bodies[3]), key(bodies[5]));
    assert_eq!(
        key(r#"{"a":"a","b":"bc"}"#),
        key(r#"{ "b" : "bc", "x":1, "a" : "a" }"#)
    );
}

#[test]
fn an_event_without_an_id_is_known_by_what_was_signed_less_the_attempt() {
    for scheme in ["slack", "stripe", "heroku", "vercel", "github", "shopify"] {
        let gate = gate_for(scheme, &[a_secret(scheme, 1)]);
        let live = only(&gate);
        let at =
            |body: &[u8], offset_ms| key(live, &signed_at(live, body, "x", NOW_MS + offset_ms));
        let bodies: [&[u8]; 5] = [b"", b"plain", b"{\"id\":\"\"}", b"{\"id\":[]}", b"\xff\xfe"];
        for body in bodies {
            assert_eq!(
                at(body, 0),
                at(body, 60_000),
                "{scheme}: {body:?}: a retry is another event"
            );
        }
        let distinct: BTreeSet<String> = bodies.iter().map(|body| at(body, 0)).collect();
        assert_eq!(
            distinct.len(),
            bodies.len(),
            "{scheme}: different bodies are one event"
        );
    }
}

#[test]
fn an_id_in_the_body_is_not_an_id_in_a_header() {
    // The same characters as a label, as signed id and as content are three different things.
    let gate = gate_for("standard-webhooks", &[a_secret("standard-webhooks", 1)]);
    let live = only(&gate);
    let one: Request = signed(live, b"{\"id\":\"msg_1\"}", "msg_1");
    let other = signed(live, b"{\"id\":\"msg_1\"}", "msg_2");
    assert_ne!(key(live, &one), key(live, &other));
    let same_id_other_body = signed(live, b"{\"id\":\"msg_9\"}", "msg_1");
    assert_eq!(
        key(live, &one),
        key(live, &same_id_other_body),
        "the signed id alone is the identity"
    );
}

#[test]
fn an_operator_finds_the_key_by_the_id_where_that_is_all_of_the_identity() {
    let mut found = BTreeSet::new();
    for scheme in with_secrets() {
        let gate = gate_for(scheme, &[a_secret(scheme, 1)]);
        let live = only(&gate);
        for id in ["evt_1", "évt 2"] {
            let keys = keys_of_id(live, id);
            assert!(keys.iter().all(|key| key.len() == 64), "{scheme}: {keys:?}");
            assert_eq!(keys.len(), BTreeSet::from_iter(&keys).len(), "{scheme}");
            if !keys.is_empty() {
                found.insert(scheme);
            }
        }
    }
    assert!(!found.contains("github"), "its id is not signed");
    for scheme in ["stripe", "standard-webhooks", "svix"] {
        assert!(found.contains(scheme), "{scheme}: {found:?}");
        let gate = gate_for(scheme, &[a_secret(scheme, 1)]);
        let live = only(&gate);
        let request = signed(live, &a_body(scheme, 1), "evt_7f");
        let held = support::held(live, &request);
        let keys = keys_of_id(live, &held.message.id);
        assert!(
            keys.contains(&held.message.dedupkey),
            "{scheme}: {}",
            held.message.id
        );
        assert!(!keys_of_id(live, "another").contains(&held.message.dedupkey));
    }
}
