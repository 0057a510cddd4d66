//! A secret at two sources: refused across tenants, allowed in a group of one tenant, which then has
//! one memory of events.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::gate::Gate;
use hookgate::verdict::{Trouble, Verdict};
use support::{SourceText, gate, key, run, signed};

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
