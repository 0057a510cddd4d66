//! Providers' keys: fetched once, kept, bounded, and never the sender's fault.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::admission;
use hookgate::public_key::inquiry::{Fetched, Inquiry, Step};
use hookgate::public_key::memory::KeyMemory;
use hookgate::public_key::native::verifies;
use hookgate::request::Inbound;
use hookgate::verdict::{Trouble, Verdict};
use hookgate::verify::Statement;
use support::{Vector, chain, only, vector};

/// A source, a statement for it, and an isolate's memory.
struct Isolate {
    vector: Vector,
    memory: KeyMemory,
    fetches: usize,
    recalls: usize,
    /// Signatures that were checked.
    asked: usize,
    /// What KV has.
    kept: Option<String>,
}

impl Isolate {
    fn of(scheme: &str) -> Self {
        Isolate {
            vector: vector(scheme, "pair-first"),
            memory: KeyMemory::default(),
            fetches: 0,
            recalls: 0,
            asked: 0,
            kept: None,
        }
    }

    /// Runs the inquiry at this time, with what is outside now, over a changed statement.
    fn at(
        &mut self,
        now_ms: i64,
        document: Option<&str>,
        change: impl FnOnce(&mut Statement),
    ) -> Result<(), Verdict> {
        let gate = self.vector.gate();
        let live = only(&gate);
        let head = self.vector.request.head();
        let mut opening = admission::open(live, &head).unwrap();
        let inbound = Inbound::new(&head, &self.vector.request.body, &live.json_pointers);
        let mut statement = admission::state(live, &mut opening, &inbound, now_ms).unwrap();
        change(&mut statement);
        let (mut inquiry, mut step) = Inquiry::begin(live, &statement, &mut self.memory, now_ms);
        loop {
            step = match step {
                Step::Recall { .. } => {
                    self.recalls += 1;
                    let kept = self.kept.as_deref();
                    inquiry.recalled(live, &statement, &mut self.memory, kept, now_ms)
                }
                Step::Fetch { .. } => {
                    self.fetches += 1;
                    let fetched = document.map(|text| Fetched {
                        text: text.to_owned(),
                        cache_control: Some("max-age=600".into()),
                    });
                    let memory = &mut self.memory;
                    let (step, keep) = inquiry.fetched(live, &statement, memory, fetched, now_ms);
                    if let Some(keep) = keep {
                        self.kept = Some(keep.to_text());
                    }
                    step
                }
                Step::Ask(question) => {
                    self.asked += 1;
                    let answer = Some(verifies(&question));
                    let memory = &mut self.memory;
                    let (step, keep) = inquiry.answered(live, &statement, memory, answer, now_ms);
                    if let Some(keep) = keep {
                        self.kept = Some(keep.to_text());
                    }
                    step
                }
                Step::Done(end) => return end.map(|_| ()),
            }
        }
    }

    fn document(&self) -> String {
        self.vector
            .request
            .documents
            .values()
            .next()
            .unwrap()
            .clone()
    }
}

const MINUTE: i64 = 60_000;
const UNFETCHED: Result<(), Verdict> = Err(Verdict::Unavailable(Trouble::KeyUnfetched));
const UNKNOWN: Result<(), Verdict> = Err(Verdict::Unavailable(Trouble::KeyUnknown));

fn unchanged(_: &mut Statement) {}

#[test]
fn a_document_is_fetched_once_and_again_when_it_is_stale() {
    let mut isolate = Isolate::of("google-pubsub");
    let now = isolate.vector.request.now_ms;
    let document = isolate.document();
    for minute in 0..9 {
        isolate
            .at(now + minute * MINUTE, Some(&document), unchanged)
            .unwrap();
    }
    assert_eq!((isolate.recalls, isolate.fetches), (1, 1));
    isolate
        .at(now + 11 * MINUTE, Some(&document), unchanged)
        .unwrap();
    assert_eq!((isolate.recalls, isolate.fetches), (1, 2));
    // Stale if error: a day, and no longer. A failure is not tried again at once.
    let hour = 60 * MINUTE;
    isolate.at(now + 20 * hour, None, unchanged).unwrap();
    isolate
        .at(now + 20 * hour + 10_000, None, unchanged)
        .unwrap();
    assert_eq!(isolate.fetches, 3);
    assert_eq!(isolate.at(now + 25 * hour, None, unchanged), UNFETCHED);
    // The next isolate finds it in KV, fresh or not.
    let mut next = Isolate::of("google-pubsub");
    next.kept = isolate.kept.clone();
    next.at(now + 12 * MINUTE, None, unchanged).unwrap();
    assert_eq!((next.recalls, next.fetches), (1, 0));
    let mut later = Isolate::of("google-pubsub");
    later.kept = isolate.kept;
    later.at(now + 5 * hour, None, unchanged).unwrap();
    assert_eq!((later.recalls, later.fetches), (1, 1));
}

#[test]
fn what_stands_in_kv_is_read_with_care() {
    let mut isolate = Isolate::of("google-pubsub");
    let now = isolate.vector.request.now_ms;
    let document = isolate.document();
    for kept in [
        "",
        "{}",
        "hookgate document 1 soon\n{}",
        "hookgate document 1 9999999999999\n<html>",
    ] {
        let mut isolate = Isolate::of("google-pubsub");
        isolate.kept = Some(kept.to_owned());
        isolate.at(now, Some(&document), unchanged).unwrap();
        assert_eq!(isolate.fetches, 1, "{kept}");
    }
    isolate.kept = Some("x".into());
    assert_eq!(isolate.at(now, None, unchanged), UNFETCHED);
}

#[test]
fn a_forger_has_six_looks_a_minute_and_one_for_an_unknown_key() {
    use hookgate::verify::KeyAt;
    let mut isolate = Isolate::of("aws-sns");
    let now = isolate.vector.request.now_ms;
    for count in 0..20 {
        let forged = |statement: &mut Statement| {
            statement.key = KeyAt::Url(format!("https://sns.eu-west-1.amazonaws.com/{count}.pem"));
        };
        assert_eq!(isolate.at(now, None, forged), UNFETCHED);
    }
    assert_eq!((isolate.recalls, isolate.fetches), (6, 6));
    assert_eq!(isolate.at(now + 59_000, None, unchanged), UNFETCHED);
    let document = isolate.document();
    isolate
        .at(now + MINUTE, Some(&document), unchanged)
        .unwrap();

    let mut isolate = Isolate::of("google-pubsub");
    let document = isolate.document();
    isolate.at(now, Some(&document), unchanged).unwrap();
    let unknown = |statement: &mut Statement| {
        if let KeyAt::Set { id, .. } = &mut statement.key {
            *id = "unknown".into();
        }
    };
    for second in 0..59 {
        assert_eq!(
            isolate.at(now + second * 1_000, Some(&document), unknown),
            UNKNOWN
        );
    }
    assert_eq!(isolate.fetches, 2);
    assert_eq!(isolate.at(now + MINUTE, Some(&document), unknown), UNKNOWN);
    assert_eq!(isolate.fetches, 3);
    isolate
        .at(now + MINUTE, Some(&document), unchanged)
        .unwrap();
}

#[test]
fn a_chain_is_checked_once_and_kept_when_it_holds() {
    let mut isolate = Isolate::of("aws-sns");
    let now = isolate.vector.request.now_ms;
    let document = chain(&["leaf", "issuer", "root"]);
    isolate.at(now, Some(&document), unchanged).unwrap();
    assert_eq!((isolate.fetches, isolate.asked), (1, 4));
    assert!(isolate.kept.is_some());
    for _ in 0..5 {
        isolate.at(now, None, unchanged).unwrap();
    }
    assert_eq!((isolate.fetches, isolate.asked), (1, 9));
    // Another isolate has it from KV, and does not believe it for that.
    isolate.memory = KeyMemory::default();
    isolate.at(now, None, unchanged).unwrap();
    assert_eq!((isolate.fetches, isolate.asked), (1, 13));
}

#[test]
fn a_chain_that_does_not_hold_is_not_kept_and_not_tried_at_once() {
    const UNUSABLE: Result<(), Verdict> = Err(Verdict::Unavailable(Trouble::KeyUnusable));
    let mut isolate = Isolate::of("aws-sns");
    let now = isolate.vector.request.now_ms;
    let good = chain(&["leaf", "issuer", "root"]);
    let broken = chain(&["leaf", "issuer forged", "root"]);
    for _ in 0..3 {
        assert_eq!(isolate.at(now, Some(&broken), unchanged), UNUSABLE);
        // Not what was wrong with it a moment ago, but that it is not there.
        assert_eq!(isolate.at(now, Some(&good), unchanged), UNUSABLE);
    }
    assert_eq!((isolate.fetches, isolate.kept.as_ref()), (1, None));
    isolate.at(now + MINUTE, Some(&good), unchanged).unwrap();
    // It serves while the provider has nothing better.
    let later = now + 20 * MINUTE;
    isolate.at(later, Some(&broken), unchanged).unwrap();
    assert_eq!(isolate.fetches, 3);
    // And what somebody put into KV is fetched again.
    isolate.memory = KeyMemory::default();
    isolate.kept = Some(format!("hookgate document 1 {}\n{broken}", i64::MAX));
    isolate.at(later, Some(&good), unchanged).unwrap();
    assert_eq!((isolate.recalls, isolate.fetches), (2 + 1, 4));
}

#[test]
fn a_certificate_that_is_over_displaces_nothing_and_is_not_kept() {
    let mut isolate = Isolate::of("aws-sns");
    let now = isolate.vector.request.now_ms;
    let good = chain(&["leaf", "issuer", "root"]);
    let over = chain(&["leaf", "issuer until 2021", "root"]);
    isolate.at(now, Some(&good), unchanged).unwrap();
    let (kept, later) = (isolate.kept.clone(), now + 20 * MINUTE);
    isolate.at(later, Some(&over), unchanged).unwrap();
    assert_eq!((isolate.fetches, &isolate.kept), (2, &kept));
    // Not at once, and then it is asked for again.
    isolate.at(later + 1_000, Some(&over), unchanged).unwrap();
    assert_eq!(isolate.fetches, 2);
    isolate.at(later + MINUTE, Some(&good), unchanged).unwrap();
    assert_eq!(isolate.fetches, 3);
    // Nor does one that KV has keep the provider from being asked.
    isolate.memory = KeyMemory::default();
    isolate.kept = Some(format!("hookgate document 1 {}\n{over}", i64::MAX));
    isolate.at(later, Some(&good), unchanged).unwrap();
    assert_eq!(isolate.fetches, 4);
}
