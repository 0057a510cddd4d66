//! The log's object, its bucket and its witness as a model: every way in which up to three effects fail, or
//! take effect and deny it, or take effect late, or the object dies before or after one; and what must hold
//! after each of them.
//!
//! What is committed here is what `edge/log_object.rs` commits in one turn; what is done outside goes through
//! the same functions of `tlog` as there.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

#[path = "sequencer/world.rs"]
mod world;

use hookgate::tlog::sequencer::{COMMIT_ENTRIES_MAX, Means, Progress, Step, WRITE_ENTRIES_MAX};
use hookgate::tlog::tile::files;
use world::{FATES, Fate, MEANS, NOW_MS, PERIOD_MS, World};

fn ids(from: u64, count: u64) -> Vec<String> {
    (from..from + count).map(|n| format!("req_{n}")).collect()
}

/// Three rounds of records, with copies of the last ones, and `fates` for the effects in their order; then
/// rest, without faults. True: the fates were all used.
fn play(fates: &[Fate], sizes: [u64; 3]) -> bool {
    let mut world = World::at(NOW_MS);
    let mut rest = fates.iter();
    let mut from = 0;
    for size in sizes {
        let again = ids(from, 0)
            .into_iter()
            .chain(ids(from.saturating_sub(2), size + 2.min(from)));
        world.append(&again.collect::<Vec<_>>());
        from += size;
        // Two runs each: what the first left undone, the second finds.
        for _ in 0..2 {
            world.run(|| rest.next().copied().unwrap_or(Fate::Done));
            world.now_ms += PERIOD_MS;
        }
        world.arrive();
    }
    let is_used = rest.next().is_none();
    for _ in 0..2 {
        world.run(|| Fate::Done);
        world.now_ms += PERIOD_MS;
    }
    world.append(&ids(from, 1));
    world.run(|| Fate::Done);
    let (total, progress) = (from + 1, world.progress);
    assert_eq!(
        world.entries.len() as u64,
        total,
        "each record has one place"
    );
    let done = [
        progress.size,
        progress.written,
        progress.published,
        progress.cosigned,
        progress.posted,
    ];
    assert_eq!(done, [total; 5], "{fates:?}");
    assert_eq!(world.checkpoint.as_ref().unwrap().size, total);
    assert_eq!(world.witness.as_ref().unwrap().size, total);
    assert_eq!(
        progress.rest_ms(MEANS, world.now_ms),
        None,
        "nothing more to do"
    );
    is_used
}

#[test]
fn a_log_recovers_from_every_failure_at_every_step() {
    // Across the edge of a tile once, and then small, with every pair.
    for (sizes, reach) in [([255, 2, 3], 1), ([3, 4, 5], 40)] {
        assert!(
            !play(&[Fate::Done; 40], sizes),
            "forty effects are more than there are"
        );
        let more = |count: &usize| !play(&vec![Fate::Done; count + 1], sizes);
        let effects = (0..40).find(more).unwrap();
        assert!(effects >= 12, "{effects}");
        for (first, one) in (0..effects).flat_map(|at| FATES.map(|fate| (at, fate))) {
            let end = effects.min(first + reach + 1);
            for (second, other) in (first + 1..end).flat_map(|at| FATES.map(|fate| (at, fate))) {
                let mut fates = vec![Fate::Done; effects];
                (fates[first], fates[second]) = (one, other);
                play(&fates, sizes);
            }
        }
    }
}

#[test]
fn three_failures_in_a_row_change_nothing() {
    for one in FATES {
        for two in FATES {
            for three in FATES {
                for start in 0..6 {
                    let mut fates = vec![Fate::Done; start];
                    fates.extend([one, two, three]);
                    play(&fates, [2, 20, 1]);
                }
            }
        }
    }
}

#[test]
fn there_is_one_checkpoint_a_minute_and_none_without_new_entries() {
    let mut world = World::at(NOW_MS);
    for second in 0..600 {
        if second < 300 {
            world.append(&ids(second, 1));
        }
        world.now_ms += 1_000;
        world.run(|| Fate::Done);
    }
    assert_eq!(world.progress.published, 300);
    let sizes: Vec<u64> = world.seen.iter().map(|seen| seen.size).collect();
    assert_eq!(sizes.len(), 6, "{sizes:?}");
}

#[test]
fn a_clock_that_goes_back_does_not_stop_the_log() {
    let mut world = World::at(1_000_000_000);
    world.append(&ids(0, 1));
    world.run(|| Fate::Done);
    world.now_ms = 1_000;
    world.append(&ids(1, 1));
    assert_eq!(world.progress.rest_ms(MEANS, world.now_ms), Some(0));
    world.run(|| Fate::Done);
    assert_eq!(world.progress.published, 2);
}

#[test]
fn without_a_key_the_log_grows_and_nothing_is_published() {
    let progress = Progress {
        staged: 5,
        ..Progress::default()
    };
    let unsigned = Means {
        sign: false,
        ..MEANS
    };
    assert_eq!(
        progress.next(unsigned, NOW_MS),
        Step::Commit { from: 0, to: 5 }
    );
    let grown = Progress {
        size: 5,
        written: 5,
        ..progress
    };
    assert_eq!(grown.next(unsigned, NOW_MS), Step::Rest);
    assert_eq!(grown.rest_ms(unsigned, NOW_MS), None);
    assert_eq!(
        grown.next(MEANS, NOW_MS),
        Step::Publish,
        "with the key what is there is signed"
    );
}

#[test]
fn a_head_and_a_step_have_their_bounds() {
    let progress = Progress {
        staged: 10 * COMMIT_ENTRIES_MAX,
        ..Progress::default()
    };
    let to = COMMIT_ENTRIES_MAX;
    assert_eq!(progress.next(MEANS, NOW_MS), Step::Commit { from: 0, to });
    let mut progress = Progress {
        size: to - 1,
        made_ms: NOW_MS,
        ..progress
    };
    let mut steps = 0;
    while let Step::Write { from, to } = progress.next(MEANS, NOW_MS) {
        assert!(from < to && to - from <= WRITE_ENTRIES_MAX);
        assert!(files(from, to).len() <= 16, "{}", files(from, to).len());
        progress.written = to;
        steps += 1;
    }
    assert_eq!((progress.written, steps), (to - 1, 64));
}

/// Who was not reached is tried again once a period, and holds nobody else up.
#[test]
fn a_witness_that_is_away_stops_nothing() {
    let mut world = World::at(NOW_MS);
    world.append(&ids(0, 3));
    let mut asked = 0;
    for _ in 0..5 {
        let mut means = MEANS;
        loop {
            let is_asking = matches!(
                world.progress.next(means, world.now_ms),
                Step::Cosign { .. }
            );
            asked += u32::from(is_asking);
            let fate = if is_asking { Fate::Failed } else { Fate::Done };
            if !world.step(&mut means, || fate) {
                break;
            }
        }
        assert_eq!(world.progress.rest_ms(MEANS, world.now_ms), Some(PERIOD_MS));
        world.now_ms += PERIOD_MS;
    }
    assert_eq!(asked, 5);
    assert_eq!((world.progress.published, world.progress.posted), (3, 3));
}
