//! What the line of a refusal says besides its reason.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::admission::{self, Findings, source_of};
use hookgate::audit::{VerdictLine, line};
use hookgate::gate::Gate;
use hookgate::verdict::{Reject, Verdict};
use serde_json::{Value, json};
use support::{NOW_MS, Request, SourceText, gate, run_with, signed, signed_at};

fn hub(values: &[(&str, &str)]) -> Gate {
    let hub = SourceText {
        name: "hub",
        tenant: "acme",
        scheme: "github",
        secrets: &["ONE", "TWO"],
        more: "body_bytes_max = 100\n",
    };
    let pay = SourceText {
        name: "pay",
        scheme: "stripe",
        secrets: &["THREE"],
        more: "tolerance_seconds = 120\n",
        ..hub
    };
    gate(&[hub, pay], "", values)
}

const BOTH: [(&str, &str); 3] = [
    ("ONE", "secret-one"),
    ("THREE", "secret-three"),
    ("TWO", "secret-two"),
];

/// The line of a request's end.
fn written(gate: &Gate, request: &Request) -> Value {
    let head = request.head();
    let live = source_of(gate, &head).map(|live| &**live);
    let mut findings = Findings::default();
    let verdict = match live {
        None => Verdict::Refused(Reject::UnknownSource),
        Some(live) => match admission::open(live, &head) {
            Err(verdict) => verdict,
            Ok(_) => match run_with(live, request, &mut findings) {
                Ok(_) => Verdict::Accepted,
                Err(verdict) => verdict,
            },
        },
    };
    let line_of = VerdictLine::new(verdict, live, &findings, "r", "t", request.now_ms);
    serde_json::from_str(&line(&line_of.with_facts(verdict, live, &head))).unwrap()
}

#[test]
fn each_reason_has_the_facts_that_explain_it() {
    let both = hub(&BOTH);
    let (github, stripe) = (both.source("hub").unwrap(), both.source("pay").unwrap());
    let mut forged = signed(github, b"{}", "x");
    forged.body = b"{ }".to_vec();
    assert_eq!(written(&both, &forged)["secrets_tried"], 2);

    let mut late = signed_at(stripe, b"{}", "x", NOW_MS);
    late.now_ms += 200_000;
    let said = written(&both, &late);
    assert_eq!(
        (&said["evidence_value"], &said["tolerance_seconds"]),
        (&json!(200_000), &json!(120))
    );
    late.now_ms = NOW_MS - 400_000;
    let said = written(&both, &late);
    assert_eq!(
        (&said["evidence"], &said["tolerance_seconds"]),
        (&json!("ahead_ms"), &json!(300))
    );

    let mut large = signed(github, b"{}", "x");
    large.headers.push(("content-length".into(), "5000".into()));
    let said = written(&both, &large);
    assert_eq!(
        (&said["evidence_value"], &said["declared_bytes"]),
        (&json!(100), &json!(5000))
    );

    // A mismatch while one of two is not there.
    let one = hub(&BOTH[..2]);
    let said = written(&one, &forged);
    assert_eq!(
        (&said["reason"], &said["secret_name"]),
        (&json!("secret_missing"), &json!("TWO"))
    );
    let none = hub(&[]);
    assert_eq!(written(&none, &forged)["secret_name"], "ONE");
}

#[test]
fn a_path_that_names_nothing_is_shown_without_what_could_be_a_credential() {
    let both = hub(&BOTH);
    let path = |target: &str| {
        let mut request = signed(both.source("hub").unwrap(), b"{}", "x");
        request.target = target.into();
        written(&both, &request)["unknown_path"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(path("/hooks/githbu?token=abc"), "/hooks/githbu");
    let long = path(&format!("/hooks/{}/\u{1b}[2J", "a/".repeat(500)));
    assert!(long.len() < 300 && !long.contains('\u{1b}'), "{long}");
    let token = "k3Jd82hfKq0Zx91LmNp47Rt6";
    assert!(!path(&format!("/hooks/{token}/x")).contains(token));
}

#[test]
fn what_was_taken_has_none_of_it() {
    let both = hub(&BOTH);
    let said = written(&both, &signed(both.source("hub").unwrap(), b"{}", "x"));
    assert_eq!(said["verdict"], "accepted");
    for name in [
        "secrets_tried",
        "tolerance_seconds",
        "secret_name",
        "declared_bytes",
        "unknown_path",
    ] {
        assert!(said.get(name).is_none(), "{name}");
    }
}
