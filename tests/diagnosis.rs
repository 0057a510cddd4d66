//! Each hypothesis is planted, signed here with the MACs of the crates and none of the gate's code, and
//! found; a forgery matches none; and nothing of a diagnosis can admit an event.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

#[path = "diagnosis/plant.rs"]
mod plant;
#[path = "diagnosis/quick.rs"]
mod quick;
mod support;
#[path = "diagnosis/thorough.rs"]
mod thorough;

use std::collections::BTreeSet;

use hookgate::diagnosis::{
    BODY_BYTES_MAX, Case, Diagnosis, HASHED_BYTES_MAX, Hypothesis, Thorough, diagnose,
    diagnose_thoroughly, is_short, is_worthwhile, mistakes,
};
use hookgate::gate::{Gate, LiveSource};
use hookgate::request::Head;
use hookgate::scheme::Scheme;
use plant::*;
use quick::plants;
use sha2::{Digest as _, Sha256};
use support::{Request, SourceText, only, run, tree};
use thorough::more_plants;

fn gate(plant: &Plant) -> Gate {
    let more = match plant.scheme {
        "shopify" => "discriminator_values = [\"orders/create\"]\n".to_owned(),
        "square" => format!("pins = {{ url = \"{URL}\" }}\n"),
        _ => String::new(),
    };
    let retired = plant
        .retired
        .map_or("", |_| "retired_secrets = [\"OLD\"]\n");
    let more = format!("{more}{retired}");
    support::gate(
        &[SourceText {
            name: "vector",
            tenant: "tenant",
            scheme: plant.scheme,
            secrets: &["KEY_0"],
            more: &more,
        }],
        "",
        &[
            ("KEY_0", &plant.secret),
            ("OLD", plant.retired.unwrap_or_default()),
        ],
    )
}

fn case<'l>(live: &'l LiveSource, request: &Request) -> Case<'l> {
    let scheme = Scheme::clone(&live.scheme);
    Case::of(live, scheme, request.head(), Some(request.body.clone()))
}

fn by_the_worker(plant: &Plant) -> Diagnosis {
    let gate = gate(plant);
    diagnose(&mut case(only(&gate), &plant.request), HASHED_BYTES_MAX)
}

fn by_the_tool(plant: &Plant) -> Thorough {
    let gate = gate(plant);
    diagnose_thoroughly(&mut case(only(&gate), &plant.request), &|case| case.judge())
}

#[test]
fn every_hypothesis_is_found_where_it_is_planted() {
    let mut planted = BTreeSet::new();
    for plant in plants() {
        let gate = gate(&plant);
        let live = only(&gate);
        let verdict = run(live, &plant.request).expect_err(plant.name);
        assert!(
            is_worthwhile(verdict, &live.scheme),
            "{}: {verdict:?}",
            plant.name
        );
        let found = by_the_worker(&plant);
        assert_eq!(
            found.name(),
            plant.name,
            "{}: {:?}",
            plant.scheme,
            plant.request
        );
        assert!(found.is_proved, "{}", plant.name);
        let key = if plant.retired.is_some() {
            "OLD"
        } else {
            "KEY_0"
        };
        assert_eq!(found.key_id.as_deref(), Some(key), "{}", plant.name);
        let names: Vec<&str> = by_the_tool(&plant)
            .findings
            .iter()
            .map(|finding| finding.mistakes[0].name)
            .collect();
        assert!(
            names.contains(&plant.name),
            "{}: the tool finds {names:?}",
            plant.name
        );
        planted.insert(plant.name);
    }
    let known: BTreeSet<&str> = Hypothesis::ALL
        .iter()
        .map(|hypothesis| hypothesis.name())
        .collect();
    assert_eq!(known.len(), Hypothesis::ALL.len());
    assert_eq!(planted, known, "each hypothesis is planted here");
}

#[test]
fn the_tool_finds_what_it_tries_besides() {
    let mut planted = BTreeSet::new();
    for plant in more_plants() {
        let found = by_the_tool(&plant);
        let names: Vec<&str> = found
            .findings
            .iter()
            .map(|finding| finding.mistakes[0].name)
            .collect();
        assert!(names.contains(&plant.name), "{}: {names:?}", plant.name);
        planted.insert(plant.name);
    }
    let all: BTreeSet<&str> = mistakes().iter().map(|mistake| mistake.name).collect();
    let known: BTreeSet<&str> = Hypothesis::ALL
        .iter()
        .map(|hypothesis| hypothesis.name())
        .collect();
    assert_eq!(
        all.difference(&known).copied().collect::<BTreeSet<_>>(),
        planted
    );
}

#[test]
fn two_mistakes_together_are_found_by_the_tool() {
    let key = format!("{SECRET}\n");
    let text = BODY.trim_end();
    let both = [
        github(
            "body_newline_removed",
            key.as_bytes(),
            text.as_bytes(),
            BODY.as_bytes(),
        ),
        github_written("signature_prefix", |_| {
            hex(&sha256(key.as_bytes(), BODY.as_bytes())).to_uppercase()
        }),
    ];
    for plant in both {
        assert!(!by_the_worker(&plant).is_proved, "{}", plant.name);
        let found = by_the_tool(&plant);
        let names: Vec<Vec<&str>> = found
            .findings
            .iter()
            .map(|finding| {
                finding
                    .mistakes
                    .iter()
                    .map(|mistake| mistake.name)
                    .collect()
            })
            .collect();
        assert!(names.is_empty() || names[0].len() == 2, "{names:?}");
        assert_eq!(
            names.len(),
            usize::from(plant.name == "body_newline_removed"),
            "{names:?}"
        );
    }
}

#[test]
fn a_forgery_matches_none() {
    for scheme in support::with_secrets() {
        let genuine = support::gate_for(scheme, &[support::a_secret(scheme, 1)]);
        let forger = support::gate_for(scheme, &[support::a_secret(scheme, 2)]);
        let body = support::a_body(scheme, 1);
        let request = support::signed(only(&forger), &body, "evt_1");
        let mut case = case(only(&genuine), &request);
        let found = diagnose(&mut case, HASHED_BYTES_MAX);
        assert_eq!(found.name(), "none", "{scheme}: {found:?}");
        assert!(
            found.tried > 0 || only(&genuine).scheme.is_bearer(),
            "{scheme}"
        );
        let all = diagnose_thoroughly(&mut case, &|case| case.judge());
        assert!(all.findings.is_empty(), "{scheme}: {all:?}");
    }
}

/// A request that was refused before its body was read tells by its form alone.
#[test]
fn a_form_is_told_without_the_body_and_said_to_be_no_proof() {
    for plant in plants() {
        let gate = gate(&plant);
        let live = only(&gate);
        let head = plant.request.head();
        let Err(_) = hookgate::admission::open(live, &head) else {
            continue;
        };
        let found = diagnose(
            &mut Case::of(live, Scheme::clone(&live.scheme), head, None),
            HASHED_BYTES_MAX,
        );
        assert_eq!(found.name(), plant.name);
        assert!(!found.is_proved && found.key_id.is_none(), "{found:?}");
    }
}

/// The same work for the same request, whatever comes out: only public facts decide how long it takes.
#[test]
fn how_much_is_tried_does_not_depend_on_what_is_found() {
    let key = SECRET.as_bytes();
    let text = BODY.trim_end().as_bytes();
    let counts = |plant: &Plant| {
        let found = by_the_worker(plant);
        (found.tried, found.untried)
    };
    let forged = counts(&github("none", b"another", b"another", text));
    for signed in [BODY.as_bytes(), b"", &Sha256::digest(text)] {
        assert_eq!(counts(&github("right", key, signed, text)), forged);
    }
}

#[test]
fn the_work_is_bounded() {
    let body = vec![b'x'; BODY_BYTES_MAX];
    let mut long = stripe("none", SECRET, b"another", TIME, "another");
    long.request.body.clone_from(&body);
    let found = by_the_worker(&long);
    // A body that is left out costs next to nothing.
    assert!((10..=20).contains(&found.tried), "{found:?}");
    assert!(found.untried > 10, "{found:?}");
    // What is likely is tried first.
    let newline = [&body[..], b"\n"].concat();
    let found = by_the_worker(&github("newline", SECRET.as_bytes(), &newline, &body));
    assert_eq!(found.name(), "body_newline_added");
    // What stands in the head is read with it.
    let of_the_head = |bytes| Head::new("POST", "/", [("a".to_owned(), "x".repeat(bytes))]);
    assert!(is_short(&of_the_head(16_378), Some(BODY_BYTES_MAX)));
    assert!(
        !is_short(&of_the_head(16_379), None),
        "with its name, its method and its path"
    );
    assert!(!is_short(&of_the_head(1), Some(BODY_BYTES_MAX + 1)));
    // With ten live secrets each variation costs ten times as much.
    let names: Vec<String> = (0..10)
        .map(|number| format!("a secret, number {number}"))
        .collect();
    let gate = support::gate_for("github", &names);
    let request = github("none", b"another", b"another", &body).request;
    let found = diagnose(&mut case(only(&gate), &request), HASHED_BYTES_MAX);
    assert!(found.tried <= 16, "{found:?}");
    // What stands in the head may be signed, and is counted.
    let mut wide = github("none", b"another", b"another", b"{}").request;
    wide.headers.push(("x-padding".into(), "x".repeat(16_000)));
    let found = diagnose(&mut case(only(&gate), &wide), HASHED_BYTES_MAX);
    assert!((1..=16).contains(&found.tried), "{found:?}");
}

/// A retired secret that is somebody else's would make a diagnosis tell about him.
#[test]
fn only_a_sources_own_secrets_are_asked() {
    let source = |name, tenant, secrets, more| SourceText {
        name,
        tenant,
        scheme: "github",
        secrets,
        more,
    };
    let old = "retired_secrets = [\"OLD\"]\n";
    let retired = |values: &[(&str, &str)]| {
        let gate = support::gate(
            &[
                source("one", "a", &["KEY_0"], old),
                source("two", "b", &["KEY_1"], ""),
            ],
            "",
            values,
        );
        assert!(gate.faults.is_empty(), "{:?}", gate.faults);
        gate.source("one").unwrap().retired.len()
    };
    assert_eq!(retired(&[("KEY_0", "x"), ("KEY_1", "y"), ("OLD", "z")]), 1);
    assert_eq!(
        retired(&[("KEY_0", "x"), ("KEY_1", "y"), ("OLD", "y")]),
        0,
        "another source's"
    );
    assert_eq!(
        retired(&[("KEY_0", "x"), ("KEY_1", "y"), ("OLD", "x")]),
        0,
        "live after all"
    );
    assert_eq!(
        retired(&[("KEY_0", "x"), ("KEY_1", "y")]),
        0,
        "not there any more"
    );
    // And it verifies nothing.
    let [plant, ..] = &plants()[..] else { panic!() };
    assert!(run(only(&gate(plant)), &plant.request).is_err());
}

/// Nothing that proves anything is named in the code of a diagnosis.
#[test]
fn a_diagnosis_cannot_become_a_proof() {
    let words = ["Verified", "Matched", "Proof", "Event", "admit("];
    let mut files = tree::files("src/diagnosis", &["rs"]);
    files.extend(
        tree::files("src/verify", &["rs"])
            .into_iter()
            .filter(|file| file.path.ends_with("guess.rs")),
    );
    for file in files {
        for (number, line) in tree::code(&file) {
            let line = line.trim();
            let found = words
                .iter()
                .find(|word| !line.starts_with("//") && line.contains(**word));
            assert!(found.is_none(), "{}:{number}: {line}", file.path);
        }
    }
}

#[test]
fn words_say_nothing_of_the_request() {
    for mistake in mistakes() {
        for text in [mistake.words, mistake.remedy] {
            assert!(text.len() > 20 && !text.contains('\n'), "{}", mistake.name);
        }
        assert!(
            mistake
                .name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        );
    }
}
