//! Alerts while the record's database does not answer: what KV remembers of them, and who is told how often.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

use std::collections::BTreeSet;

use hookgate::alerts::without::{Memory, message};
use hookgate::alerts::{Alert, Turn, Waiting};
use hookgate::config::{Alerts, Rule};

const NOW: i64 = 1_800_000_000_000;
const LOOK_MS: i64 = 300_000;
const LOOKS_A_DAY: i64 = 288;

/// The cron, and KV between its looks.
#[derive(Default)]
struct World {
    kv: String,
    look: i64,
    settings: Alerts,
}

impl World {
    fn now_ms(&self) -> i64 {
        NOW + self.look * LOOK_MS
    }

    /// One look; what is told of at it.
    fn look(&mut self, has_answered: bool, waiting: &[Waiting]) -> Vec<(Rule, Turn)> {
        let turns = self.turns(has_answered, waiting);
        turns
            .iter()
            .map(|(alert, turn)| (alert.rule, *turn))
            .collect()
    }

    fn turns(&mut self, has_answered: bool, waiting: &[Waiting]) -> Vec<(Alert, Turn)> {
        self.look += 1;
        let mut memory = Memory::parse(&self.kv);
        let turns = match has_answered {
            true => match memory.answered(self.now_ms()) {
                Some(turns) => turns,
                None => return Vec::new(),
            },
            false => memory.look(&self.settings, &[], waiting, self.now_ms()),
        };
        self.kv = memory.to_text();
        assert_eq!(Memory::parse(&self.kv), memory, "KV has all of it");
        turns
    }
}

#[test]
fn that_the_database_is_away_is_told_once_and_that_it_is_back() {
    use Rule::RecordUnreachable;
    let mut world = World::default();
    assert_eq!(
        world.look(true, &[]),
        [],
        "nothing is remembered of what works"
    );
    assert_eq!(world.kv, "", "and nothing written");
    assert_eq!(world.look(false, &[]), [], "once may be a chance");
    assert_eq!(world.look(false, &[]), [(RecordUnreachable, Turn::Firing)]);
    let six_hours = 72;
    for _ in 1..six_hours {
        assert_eq!(world.look(false, &[]), []);
    }
    assert_eq!(
        world.look(false, &[]),
        [(RecordUnreachable, Turn::StillFiring)]
    );
    assert_eq!(world.look(true, &[]), []);
    assert_eq!(world.look(true, &[]), []);
    assert_eq!(world.look(true, &[]), [(RecordUnreachable, Turn::Resolved)]);
    let kept = world.kv.clone();
    for _ in 0..10 {
        assert_eq!(world.look(true, &[]), []);
    }
    assert_eq!(world.kv, kept, "what works costs one read");
}

#[test]
fn what_waits_is_told_of_without_the_database_too() {
    let waits = |seconds| {
        [Waiting {
            rule: Rule::QueueBacklog,
            tenant: "_".to_owned(),
            source: String::new(),
            seconds,
        }]
    };
    let mut world = World::default();
    assert_eq!(world.look(false, &waits(900)), []);
    let told = world.look(false, &waits(1_200));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.contains(&(Rule::QueueBacklog, Turn::Firing)));
    for _ in 0..2 {
        assert_eq!(world.look(false, &waits(0)), []);
    }
    assert_eq!(
        world.look(false, &waits(0)),
        [(Rule::QueueBacklog, Turn::Resolved)]
    );
}

/// A database that comes and goes all week is told of some times a day, and never under more than one id an hour and kind.
#[test]
fn a_database_that_comes_and_goes_is_told_of_a_few_times() {
    for (away, there) in [(1, 1), (2, 1), (2, 3), (2, 5), (12, 12), (30, 4)] {
        let mut world = World::default();
        let (mut told, mut ids) = (0, BTreeSet::new());
        for look in 0..7 * LOOKS_A_DAY {
            let has_answered = look % (away + there) >= away;
            for (alert, turn) in world.turns(has_answered, &[]) {
                told += 1;
                ids.insert(message(&alert, turn, world.now_ms()).id);
            }
        }
        assert!(told <= 36, "{away} {there}: {told}");
        assert_eq!(ids.len(), told, "{away} {there}");
    }
}

#[test]
fn whom_nobody_told_is_told_at_the_next_look_under_the_same_id() {
    let mut world = World::default();
    world.look(false, &[]);
    let before = Memory::parse(&world.kv);
    let [(alert, turn)] = world.turns(false, &[]).try_into().unwrap();
    let first = message(&alert, turn, world.now_ms());
    let mut memory = Memory::parse(&world.kv);
    memory.untold(&alert, &before);
    world.kv = memory.to_text();
    let [(alert, turn)] = world.turns(false, &[]).try_into().unwrap();
    let second = message(&alert, turn, world.now_ms());
    assert_eq!((first.id, turn), (second.id, Turn::Firing));
}

#[test]
fn what_kv_has_is_read_whatever_it_is() {
    for text in [
        "",
        "at",
        "at\t\t\t\tx",
        "alert\t_\t\tno_such_rule\t1",
        "\u{0}\t\t\t\t\t\t",
        "[]",
    ] {
        assert_eq!(Memory::parse(text), Memory::default(), "{text:?}");
    }
    let mut off = World {
        settings: Alerts {
            off: vec![Rule::RecordUnreachable],
            ..Alerts::default()
        },
        ..World::default()
    };
    for _ in 0..10 {
        assert_eq!(off.look(false, &[]), [], "a rule that is off");
    }
}
