//! A secret at two sources: refused across tenants, allowed in a group of one tenant, which then has
//! one memory of events.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::config::from_toml;
use hookgate::gate::Gate;
use hookgate::verdict::{Trouble, Verdict};
use support::{SourceText, gate, key, outcome, run, signed, vector};

/// Two sources of GitHub with one secret, one at each tenant, with these further lines.
fn sharing(tenants: [&str; 2], more: [&str; 2]) -> Gate {
    let source = |index: usize, name, secrets| SourceText {
        name,
        tenant: tenants[index],
        scheme: "github",
        secrets,
        more: more[index],
    };
    gate(
        &[
            source(0, "one", &["ONE"]),
            source(1, "two", &["TWO"]),
            SourceText {
                name: "bystander",
                tenant: "c",
                scheme: "github",
                secrets: &["THREE"],
                more: "",
            },
        ],
        "",
        &[
            ("ONE", "the same"),
            ("TWO", "the same"),
            ("THREE", "another"),
        ],
    )
}

fn fault(gate: &Gate, name: &str) -> Option<Trouble> {
    let live = gate.source(name).unwrap();
    let request = signed(live, b"{}", "1");
    match run(live, &request) {
        Err(Verdict::Unavailable(trouble)) => Some(trouble),
        Ok(_) => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_secret_at_two_tenants_closes_both_sources_and_no_other() {
    for more in [
        ["", ""],
        ["shared_secret = \"group\"", "shared_secret = \"group\""],
    ] {
        let gate = sharing(["a", "b"], more);
        assert_eq!(fault(&gate, "one"), Some(Trouble::SecretShared));
        assert_eq!(fault(&gate, "two"), Some(Trouble::SecretShared));
        assert_eq!(fault(&gate, "bystander"), None);
        let named: Vec<_> = gate
            .faults
            .iter()
            .map(|fault| {
                (
                    fault.trouble,
                    fault.source.as_deref(),
                    fault.secret.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            named,
            [
                (Trouble::SecretShared, Some("one"), Some("ONE")),
                (Trouble::SecretShared, Some("two"), Some("TWO"))
            ]
        );
    }
}

#[test]
fn a_secret_at_two_sources_of_one_tenant_needs_a_common_group() {
    let (none, group, other) = ("", "shared_secret = \"group\"", "shared_secret = \"other\"");
    for more in [[none, none], [group, none], [none, group], [group, other]] {
        let gate = sharing(["a", "a"], more);
        assert_eq!(fault(&gate, "one"), Some(Trouble::SecretShared), "{more:?}");
        assert_eq!(fault(&gate, "two"), Some(Trouble::SecretShared), "{more:?}");
    }
    let gate = sharing(["a", "a"], [group, group]);
    assert_eq!((fault(&gate, "one"), fault(&gate, "two")), (None, None));
    assert!(gate.faults.is_empty());
    let (one, two) = (gate.source("one").unwrap(), gate.source("two").unwrap());
    let request = signed(one, b"{\"a\":1}", "1");
    assert_eq!(
        key(one, &request),
        key(two, &request),
        "a replay at the other source would pass"
    );
}

#[test]
fn a_secret_shared_with_one_of_several_closes_too() {
    let sources = [
        SourceText {
            name: "one",
            tenant: "a",
            scheme: "github",
            secrets: &["ONE", "ONE_OLD"],
            more: "",
        },
        SourceText {
            name: "two",
            tenant: "b",
            scheme: "heroku",
            secrets: &["TWO"],
            more: "",
        },
    ];
    let gate = gate(
        &sources,
        "",
        &[("ONE", "new"), ("ONE_OLD", "old"), ("TWO", "old")],
    );
    assert_eq!(fault(&gate, "one"), Some(Trouble::SecretShared));
    assert_eq!(fault(&gate, "two"), Some(Trouble::SecretShared));
}

#[test]
fn the_same_secret_twice_at_one_source_is_no_sharing() {
    let sources = [SourceText {
        name: "one",
        tenant: "a",
        scheme: "github",
        secrets: &["ONE", "ONE_OLD"],
        more: "",
    }];
    let gate = gate(&sources, "", &[("ONE", "same"), ("ONE_OLD", "same")]);
    assert_eq!(fault(&gate, "one"), None);
}

/// A gate with two destinations that have one secret, and alerts with another value.
fn delivering(tenants: [&str; 2], url: &str, alerts: &str) -> Gate {
    let source = |index: usize, name| SourceText {
        name,
        tenant: tenants[index],
        scheme: "github",
        secrets: [&["ONE"], &["TWO"]][index],
        more: "",
    };
    let text = support::sources_toml(&[source(1, "two"), source(0, "one")], "");
    let text = text.replacen("destination = \"backend\"", "destination = \"another\"", 1)
        + &format!("[destinations.another]\nurl = \"{url}\"\nsecret = \"ANOTHER\"\n")
        + "[alerts]\nwebhook = \"https://alerts.example/\"\nsecret = \"ALERTS\"\n";
    let (config, _) = from_toml(&text).unwrap();
    Gate::assemble(config, "test", |name| {
        Some(match name {
            "DELIVERY_SECRET" | "ANOTHER" => support::DELIVERY.1.to_owned(),
            "ALERTS" => alerts.to_owned(),
            other => format!("a secret of {other}"),
        })
    })
}

/// Whoever takes deliveries with a secret can make them: a tenant's backend must not be able to write to
/// another's. Events wait until each has its own.
#[test]
fn two_tenants_backends_with_one_secret_get_nothing() {
    let alerts = "whsec_YWxlcnRzIGhhdmUgYSBzZWNyZXQgb2YgdGhlaXIgb3du";
    let (same, other) = ("https://backend.example/", "https://other.example/");
    for (tenants, url, allowed) in [
        (["a", "a"], other, true),
        (["a", "b"], same, true),
        (["a", "b"], other, false),
    ] {
        let gate = delivering(tenants, url, alerts);
        for name in ["backend", "another"] {
            assert_eq!(
                gate.destination(name).is_some(),
                allowed,
                "{tenants:?} {url}"
            );
        }
        assert_eq!((fault(&gate, "one"), fault(&gate, "two")), (None, None));
        assert!(gate.alerting.route.is_some());
        let named: Vec<_> = gate
            .faults
            .iter()
            .map(|fault| {
                (
                    fault.trouble,
                    fault.destination.as_deref(),
                    fault.secret.as_deref(),
                )
            })
            .collect();
        let expected = [
            (Trouble::SecretShared, Some("another"), Some("ANOTHER")),
            (
                Trouble::SecretShared,
                Some("backend"),
                Some("DELIVERY_SECRET"),
            ),
        ];
        assert_eq!(named, expected[..if allowed { 0 } else { 2 }]);
    }
}

/// A backend would take an alert for an event, whatever the secrets are called.
#[test]
fn alerts_are_not_signed_with_a_destinations_secret() {
    let gate = delivering(["a", "a"], "https://backend.example/", support::DELIVERY.1);
    assert!(gate.alerting.route.is_none());
    assert!(gate.destination("backend").is_some());
    let [only] = &gate.faults[..] else {
        panic!("{:?}", gate.faults)
    };
    assert_eq!(
        (
            only.trouble,
            only.destination.as_deref(),
            only.secret.as_deref()
        ),
        (Trouble::SecretShared, Some("[alerts]"), Some("ALERTS"))
    );
}

/// Our own deliveries are Standard Webhooks: a source with that key would take them as events.
#[test]
fn a_source_may_not_have_the_key_that_signs_deliveries() {
    let source = SourceText {
        name: "one",
        tenant: "a",
        scheme: "standard-webhooks",
        secrets: &["ONE"],
        more: "",
    };
    let gate = gate(&[source], "", &[("ONE", support::DELIVERY.1)]);
    assert_eq!(fault(&gate, "one"), Some(Trouble::SecretShared));
}

/// What one endpoint was sent could be sent to the other: that is one event only in a group.
#[test]
fn one_public_key_at_two_sources_needs_one_tenant_and_one_memory() {
    let vector = vector("discord-events", "pair-first");
    let key = vector.source.split(['"', '\'']).nth(1).unwrap();
    let group = |name: &str| match name {
        "" => String::new(),
        name => format!("shared_secret = \"{name}\"\n"),
    };
    for (tenants, groups, allowed) in [
        (["a", "b"], ["", ""], false),
        (["a", "b"], ["g", "g"], false),
        (["a", "a"], ["", ""], false),
        (["a", "a"], ["g", ""], false),
        (["a", "a"], ["g", "g"], true),
    ] {
        let sources = |secrets: [&'static [&'static str]; 2], lines: &str| {
            let texts = [0, 1].map(|index| {
                let more = format!("{}{lines}", group(groups[index]));
                let source = SourceText {
                    name: ["one", "two"][index],
                    tenant: tenants[index],
                    scheme: "discord-events",
                    secrets: secrets[index],
                    more: &more,
                };
                support::sources_toml(&[source], "")
            });
            let second = texts[1].find("[sources.two]").unwrap();
            format!("{}{}", texts[0], &texts[1][second..])
        };
        // Written into the file, it is seen when the Worker is built; in Worker secrets, when it starts.
        let built = from_toml(&sources([&[], &[]], &vector.source));
        assert_eq!(built.is_ok(), allowed, "{tenants:?} {groups:?}");
        let (config, _) = from_toml(&sources([&["ONE"], &["TWO"]], "")).unwrap();
        let gate = Gate::assemble(config, "test", |name| match name {
            "DELIVERY_SECRET" => Some(support::DELIVERY.1.to_owned()),
            _ => Some(key.to_owned()),
        });
        for name in ["one", "two"] {
            let expected = if allowed { "accept" } else { "secret_shared" };
            let live = gate.source(name).unwrap();
            assert_eq!(
                outcome(live, &vector.request),
                expected,
                "{tenants:?} {groups:?}"
            );
        }
    }
}

/// One application of Discord has one key for two endpoints, so docs/guarantees.md has it among the limits.
#[test]
fn one_public_key_may_serve_two_schemes_of_one_tenant() {
    let vector = vector("discord-events", "pair-first");
    let of = |tenants: [&'static str; 2]| {
        [("discord-events", 0), ("discord-interactions", 1)].map(|(scheme, index)| SourceText {
            name: scheme,
            tenant: tenants[index],
            scheme,
            secrets: &[],
            more: &vector.source,
        })
    };
    // The build refuses of two tenants what the Worker would close.
    let text = support::sources_toml(&of(["a", "b"]), "");
    assert!(from_toml(&text).is_err());
    let gate = gate(&of(["a", "a"]), "", &[]);
    assert!(gate.faults.is_empty(), "{:?}", gate.faults);
    assert_eq!(
        outcome(gate.source("discord-events").unwrap(), &vector.request),
        "accept"
    );
}
