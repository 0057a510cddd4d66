//! What is read back from the platform's stores: whatever stands there, it is read, or kept as it is.

use std::sync::LazyLock;

use hookgate::dead::{DeadLetter, is_letter_id};
use hookgate::delivery::{self, Plan};
use hookgate::event::{Held, HeldContent, at_run, with_content_at};
use hookgate::gate::Gate;
use hookgate::ledger::{Reply, Request, answer};
use hookgate::memory::Seen;
use hookgate::public_key::document::Document;
use hookgate::public_key::memory::KeyMemory;
use hookgate::{admin, relay};

use crate::input;
use crate::support::{NOW_MS, a_secret, gate_for, only, vectors};

static GATE: LazyLock<Gate> = LazyLock::new(|| gate_for("github", &[a_secret("github", 1)]));

/// A source whose keys are fetched.
static FETCHING: LazyLock<Vec<Gate>> = LazyLock::new(|| {
    let vectors = vectors().into_iter();
    let fetching = vectors.filter(|vector| !vector.request.documents.is_empty());
    fetching.take(1).map(|vector| vector.gate()).collect()
});

pub fn holds(bytes: &[u8]) {
    let text = input::text(bytes);
    message(&text);
    letter(&text);
    let seen = Seen::from_text(&text);
    if text.split(' ').count() == 2 {
        assert_eq!(Seen::from_text(&seen.to_text()), seen);
    }
    words(&text);
    document(&text);
    let _ = (admin::insists(&text), relay::Refusal::of(&text));
}

fn message(text: &str) {
    if let Ok(held) = Held::read(text) {
        // What is not understood is handed on: nothing of it is lost on the way to another run.
        let again = at_run(text, held.message.run).expect("it was just read");
        assert_eq!(Held::read(&again).as_ref(), Ok(&held), "{again}");
        if let HeldContent::Apart(check) = &held.content {
            let moved = with_content_at(text, "claim/elsewhere").expect("it was just read");
            let moved = Held::read(&moved).map(|held| held.content);
            let there =
                matches!(moved, Ok(HeldContent::Apart(moved)) if moved.sha256 == check.sha256);
            assert!(there && check.key.starts_with("claim/"), "{text}");
        }
    }
    if let Plan::Deliver { held, route, .. } = delivery::plan(text, &GATE) {
        let _ = delivery::webhook_id(&held);
        let _ = delivery::before_content(&held, &route.key, NOW_MS);
    }
}

fn letter(text: &str) {
    let mut letter = DeadLetter::from_queue(text, NOW_MS);
    assert!(
        is_letter_id(&letter.id),
        "{:?} would be an archive key",
        letter.id
    );
    let _ = (letter.summary(), letter.content(), letter.key());
    let _ = letter.redrive(1, Some("claim/elsewhere"), NOW_MS);
    if let Some(letter) = DeadLetter::from_archive(text) {
        let _ = (
            letter.summary(),
            letter.content(),
            admin::may_redrive(&letter, true, NOW_MS, "request-1"),
        );
    }
}

fn words(text: &str) {
    if let Some(request) = Request::from_text(text) {
        assert_eq!(
            Request::from_text(&request.to_text()).as_ref(),
            Some(&request)
        );
        // Each request meets the row that it made, and the row that a second one made of that.
        let mut row = None;
        for now_ms in [NOW_MS, NOW_MS + 1] {
            let (reply, written) = answer(row, &request, false, now_ms);
            assert_eq!(Reply::from_text(&reply.to_text()), Some(reply));
            row = written.or(row);
        }
        let _ = answer(row, &request, true, NOW_MS);
    }
    if let Some(reply) = Reply::from_text(text) {
        assert_eq!(Reply::from_text(&reply.to_text()), Some(reply));
    }
}

fn document(text: &str) {
    let Some(document) = Document::from_text(text) else {
        return;
    };
    assert_eq!(
        Document::from_text(&document.to_text()).as_ref(),
        Some(&document)
    );
    for live in FETCHING.iter().map(only) {
        if let Some(keys) = document.keys(live) {
            let mut memory = KeyMemory::default();
            memory.keep("source", "url", &document, keys);
            let _ = memory.find("source", "url", NOW_MS);
        }
    }
}
