//! One signature, one meaning, for the schemes that stand in no table: no character of a signed string
//! belongs to another part than it did.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::scheme::{Part, Place};
use support::anywhere::{accepted, assert_never, assert_refused, get, schemes, set, tag, tags};
use support::{NOW_MS, Request, a_body, a_secret, gate_for, only, outcome, signed, signed_at};

/// Moves one to four characters across the boundary of every two neighbours in the signed string.
#[test]
fn no_character_moves_from_one_signed_part_to_another() {
    let mut moved = 0;
    for (vector, gate) in accepted() {
        let (live, title) = (only(&gate), vector.title());
        let scheme = &live.scheme;
        let time = scheme.time.as_ref().map(|form| &form.at);
        // None is the body.
        let parts: Vec<Option<&Place>> = scheme
            .signed
            .iter()
            .filter_map(|part| match part {
                Part::Body => Some(None),
                Part::Time => time.map(Some),
                Part::Id => scheme.id.as_ref().map(Some),
                Part::Fixed(_, place) => Some(Some(place)),
                _ => None,
            })
            .collect();
        let value = |part: Option<&Place>| match part {
            Some(place) => get(scheme, &vector.request, place).map(String::into_bytes),
            None => Some(vector.request.body.clone()),
        };
        for two in parts.windows(2) {
            let (Some(left), Some(right)) = (value(two[0]), value(two[1])) else {
                continue;
            };
            let text = [left.clone(), right].concat();
            for count in 1..=4_usize {
                for cut in [left.len().saturating_sub(count), left.len() + count] {
                    let (left, right) = text.split_at(cut.min(text.len()));
                    let mut request = vector.request.clone();
                    for (part, value) in [(two[0], left), (two[1], right)] {
                        request = match (part, std::str::from_utf8(value)) {
                            (None, _) => Request {
                                body: value.to_vec(),
                                ..request
                            },
                            (Some(place), Ok(value)) => set(scheme, &request, place, Some(value)),
                            (Some(_), Err(_)) => continue,
                        };
                    }
                    moved += 1;
                    assert_never(live, &request, &title);
                }
            }
        }
    }
    println!("{moved} requests cut otherwise");
    assert!(moved > 100);
}

/// The delimiter, once more in the body: whoever cuts there has another time and another body.
#[test]
fn a_delimiter_in_the_body_is_none() {
    for name in schemes() {
        let gate = gate_for(name, &[a_secret(name, 1)]);
        let live = only(&gate);
        let scheme = &live.scheme;
        let Some(form) = scheme.time.as_ref().filter(|_| !scheme.has_body_time()) else {
            continue;
        };
        let index = scheme.signed.iter().position(|part| *part == Part::Time);
        let Some(Part::Literal(between)) = index.and_then(|index| scheme.signed.get(index + 1))
        else {
            continue;
        };
        let time = hookgate::time::format(NOW_MS, form.unit);
        let request = signed(live, format!("{time}{between}{{}}").as_bytes(), "evt_1");
        assert_eq!(outcome(live, &request), "accept", "{name}");
        let later = format!("{time}{between}{time}");
        let mut moved = set(scheme, &request, &form.at, Some(&later));
        moved.body = b"{}".to_vec();
        assert_never(live, &moved, name);
        moved = set(scheme, &request, &form.at, Some(&time));
        moved.body = b"{}".to_vec();
        assert_never(live, &moved, name);
    }
}

#[test]
fn the_signature_of_one_request_is_not_that_of_another() {
    for name in schemes() {
        let gate = gate_for(name, &[a_secret(name, 1)]);
        let live = only(&gate);
        if live.scheme.is_bearer() {
            continue; // It is the same in both, and proves nothing about either.
        }
        let one = signed(live, &a_body(name, 1), "evt_1");
        let two = signed_at(live, &a_body(name, 2), "evt_2", NOW_MS + 2_000);
        let signature = tag(&live.scheme, &two);
        let mixed = tags(&live.scheme, &one, |_| signature.clone());
        assert_refused(live, &mixed, name, &["signature_mismatch"]);
    }
}
