//! Every way that either road can go.

use super::*;

const ASKED: [Asked; 4] = [Asked::Seen, Asked::Unseen, Asked::Failed, Asked::Unknown];
const HOLDS: [Hold; 5] = [
    Hold::Done,
    Hold::Revived,
    Hold::Conflict,
    Hold::Failed,
    Hold::Unknown,
];

/// A way: its effects with what came of them, and its end.
#[derive(Debug)]
struct Way {
    effects: Vec<Effect>,
    holds: Vec<(Place, Hold)>,
    /// A memory knew it, and that was the end.
    seen: bool,
    /// What came of the put, if there was one.
    put: Option<bool>,
    end: Ending,
}

fn walk(
    road: &Road,
    step: Step,
    effects: &[Effect],
    holds: &[(Place, Hold)],
    (seen, put): (bool, Option<bool>),
    ways: &mut Vec<Way>,
) {
    let effect = match step {
        Step::Answer(end) => {
            ways.push(Way {
                effects: effects.to_vec(),
                holds: holds.to_vec(),
                seen,
                put,
                end,
            });
            return;
        }
        Step::Do(effect) => effect,
    };
    let effects = [effects, &[effect]].concat();
    match effect {
        Effect::Ask { .. } => {
            for answer in ASKED {
                let mut road = road.clone();
                let step = road.asked(answer);
                let seen = seen || answer == Asked::Seen && matches!(step, Step::Answer(_));
                walk(&road, step, &effects, holds, (seen, put), ways);
            }
        }
        Effect::Put { .. } => {
            for is_there in [true, false] {
                let mut road = road.clone();
                let step = road.put(is_there);
                walk(&road, step, &effects, holds, (seen, Some(is_there)), ways);
            }
        }
        Effect::Hold { .. } | Effect::Return { .. } => {
            let at = match effect {
                Effect::Hold { at, .. } => at,
                _ => Place::Ledger,
            };
            for outcome in HOLDS {
                let mut road = road.clone();
                let step = road.held(outcome);
                let holds = [holds, &[(at, outcome)]].concat();
                walk(&road, step, &effects, &holds, (seen, put), ways);
            }
        }
    }
}

/// Every way either road can go, with the content in the message and apart.
fn ways() -> Vec<Way> {
    let mut ways = Vec::new();
    for dedup in [Dedup::Kv, Dedup::Ledger] {
        for answer_by_ms in [200, 600, 1_800, 5_000] {
            for road in [Road::new, Road::apart] {
                let road = road(dedup, answer_by_ms);
                walk(&road, road.start(), &[], &[], (false, None), &mut ways);
            }
        }
    }
    ways
}

#[test]
fn taken_is_said_only_after_a_hold() {
    for way in ways() {
        let held = way
            .holds
            .iter()
            .any(|(_, hold)| matches!(hold, Hold::Done | Hold::Revived));
        let taken = matches!(way.end.verdict, Verdict::Accepted | Verdict::Revived);
        assert_eq!((taken, way.end.held_at.is_some()), (held, held), "{way:?}");
        let known = way.seen || way.holds.iter().any(|(_, hold)| *hold == Hold::Conflict);
        assert_eq!(way.end.verdict == Verdict::Duplicate, known, "{way:?}");
        assert!(!matches!(way.end.verdict, Verdict::Refused(_)), "{way:?}");
    }
}

#[test]
fn every_hold_is_tried_before_an_event_is_turned_away() {
    for way in ways() {
        if matches!(way.end.verdict, Verdict::Unavailable(_)) && way.put != Some(false) {
            let returned = |effect: &&Effect| matches!(effect, Effect::Return { .. });
            let returns = way.effects.iter().filter(returned).count();
            let places: Vec<Place> = way.holds.iter().map(|(place, _)| *place).collect();
            assert_eq!(places.len(), 3 + returns, "{way:?}");
            assert_eq!(places.last(), Some(&Place::Spool), "{way:?}");
        }
    }
}

#[test]
fn a_detour_is_written_to_the_other_memory() {
    for way in ways().iter().filter(|way| way.end.held_at.is_some()) {
        let asks_first = matches!(way.effects[0], Effect::Ask { of: Memory::Kv, .. });
        let ledger_road = !asks_first;
        let (remember, note) = match (ledger_road, way.end.held_at) {
            (false, Some(Place::Queue)) => (true, false),
            (false, Some(Place::Ledger)) => (true, false),
            (true, Some(Place::Ledger)) => (false, false),
            (true, Some(Place::Queue)) | (_, Some(Place::Spool)) => (true, true),
            (_, None) => (false, false),
        };
        assert_eq!(
            (way.end.remember, way.end.note),
            (remember, note),
            "{way:?}"
        );
    }
}

#[test]
fn no_message_names_a_content_that_is_not_there_and_no_copy_puts_one() {
    for way in ways() {
        let place = |wanted: fn(&Effect) -> bool| way.effects.iter().position(wanted);
        let put = place(|effect| matches!(effect, Effect::Put { .. }));
        assert_eq!(put.is_some(), way.put.is_some(), "{way:?}");
        let hold = |effect: &Effect| matches!(effect, Effect::Hold { .. } | Effect::Return { .. });
        let hold = place(hold);
        let ask = place(|effect| matches!(effect, Effect::Ask { .. }));
        if let Some(put) = put {
            assert!(ask.is_some_and(|ask| ask < put), "{way:?}");
            assert!(hold.is_none_or(|hold| put < hold), "{way:?}");
        }
        if way.put == Some(false) {
            let ended = Verdict::Unavailable(Trouble::ContentUnkept);
            assert_eq!((way.end.verdict, hold), (ended, None), "{way:?}");
        }
    }
    for dedup in [Dedup::Kv, Dedup::Ledger] {
        let mut road = Road::apart(dedup, 5_000);
        if dedup == Dedup::Kv {
            let of_ledger = Step::Do(Effect::Ask {
                of: Memory::Ledger,
                slice_ms: 400,
            });
            assert_eq!(road.asked(Asked::Seen), of_ledger);
        }
        let known = road.asked(Asked::Seen);
        assert!(
            matches!(known, Step::Answer(end) if end.verdict == Verdict::Duplicate),
            "{known:?}"
        );
    }
}

#[test]
fn what_kv_has_seen_is_a_duplicate_only_if_the_ledger_says_so() {
    let mut seen = Road::new(Dedup::Kv, 5_000);
    let step = seen.asked(Asked::Seen);
    assert_eq!(step, Step::Do(Effect::Return { slice_ms: 400 }));
    for (outcome, verdict, held_at) in [
        (Hold::Conflict, Verdict::Duplicate, None),
        (Hold::Revived, Verdict::Revived, Some(Place::Ledger)),
    ] {
        let end = match seen.clone().held(outcome) {
            Step::Answer(end) => Some((end.verdict, end.held_at, end.remember)),
            Step::Do(_) => None,
        };
        assert_eq!(end, Some((verdict, held_at, held_at.is_some())));
    }
    for silence in [Hold::Failed, Hold::Unknown] {
        let step = seen.clone().held(silence);
        let queue = matches!(
            step,
            Step::Do(Effect::Hold {
                at: Place::Queue,
                ..
            })
        );
        assert!(queue, "{silence:?}: {step:?}");
    }
}

#[test]
fn the_slices_end_before_the_sender_gives_up() {
    for dedup in [Dedup::Kv, Dedup::Ledger] {
        for answer_by_ms in [200, 600, 1_800, 5_000] {
            for road in [Road::new, Road::apart] {
                let mut ways = Vec::new();
                let road = road(dedup, answer_by_ms);
                walk(&road, road.start(), &[], &[], (false, None), &mut ways);
                for way in ways {
                    let slices = way.effects.iter().map(|effect| match effect {
                        Effect::Ask { slice_ms, .. }
                        | Effect::Put { slice_ms }
                        | Effect::Return { slice_ms }
                        | Effect::Hold { slice_ms, .. } => *slice_ms,
                    });
                    assert!(slices.clone().all(|slice_ms| slice_ms > 0), "{way:?}");
                    assert!(slices.sum::<u32>() <= answer_by_ms, "{way:?}");
                }
            }
        }
    }
}
