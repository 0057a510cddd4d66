//! The rules of alerts, as the cron walks through them: when each fires and ends, and what is usual of a source.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

use hookgate::alerts::{Alert, Ours, Outcome, Reading, Row, Turn, Waiting, evaluate, store};
use hookgate::config::{Alerts, Rule, from_toml};
use hookgate::gate::{Gate, LiveSource};

const NOW: i64 = 1_800_000_000_000;
const LOOK_MS: i64 = 300_000;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

const SOURCES: &str = r#"version = 1
queue_retention_seconds = 345600
[destinations.backend]
url = "https://backend.example/"
secret = "DELIVERY_SECRET"
[sources.shop]
tenant = "acme"
scheme = "stripe"
secrets = ["SHOP_SECRET"]
destination = "backend"
dedup_retention_seconds = 604800
"#;

/// The cron, its database, and what is told.
struct World {
    gate: Gate,
    settings: Alerts,
    now_ms: i64,
    /// Alerts and rhythms, as lines of the database.
    kept: Vec<String>,
    /// When, which rule, and what.
    told: Vec<(i64, Rule, Turn)>,
}

fn row(kind: &str, name: &str, numbers: &[i64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
    format!("{kind}\tacme\tshop\t{name}\t{}", numbers.join(","))
}

/// What the database makes of an entry: a JSON list of three names and a list of numbers.
fn kept(kind: &str, entry: &str) -> String {
    let (name, tenant, source, numbers): (String, String, String, Vec<i64>) =
        serde_json::from_str(entry).unwrap();
    let numbers = serde_json::to_string(&numbers).unwrap();
    format!("{kind}\t{tenant}\t{source}\t{name}\t{numbers}")
}

impl World {
    fn new() -> Self {
        let (config, _) = from_toml(SOURCES).unwrap();
        World {
            gate: Gate::assemble(config, "test", |name| Some(format!("whsec_{name}0123"))),
            settings: Alerts::default(),
            now_ms: NOW,
            kept: Vec::new(),
            told: Vec::new(),
        }
    }

    /// One look, five minutes after the last one, at these rows of the database.
    fn look(&mut self, rows: &[String], waiting: &[Waiting], ours: Ours) -> Outcome {
        self.now_ms += LOOK_MS;
        let found = [&self.kept[..], rows].concat().join("\n");
        let rows = store::rows(&found);
        let sources: Vec<&LiveSource> = self.gate.sources().map(|live| &**live).collect();
        let outcome = evaluate(&self.settings, &sources, &rows, waiting, ours, self.now_ms);
        let alerts = outcome
            .alerts
            .iter()
            .map(|alert| kept("alert", &alert.to_entry()));
        let rhythms = outcome.rhythms.iter().map(|entry| kept("rhythm", entry));
        for new in alerts.chain(rhythms) {
            let (names, _) = new.rsplit_once('\t').unwrap();
            self.kept
                .retain(|old| !old.starts_with(&format!("{names}\t")));
            self.kept.push(new);
        }
        let turns = outcome.turns.iter();
        self.told
            .extend(turns.map(|&(place, turn)| (self.now_ms, outcome.alerts[place].rule, turn)));
        outcome
    }

    fn look_at(&mut self, rows: &[String]) {
        self.look(rows, &[], Ours::default());
    }

    fn told_of(&self, rule: Rule) -> Vec<Turn> {
        let told = self.told.iter().filter(|(_, told, _)| *told == rule);
        told.map(|(.., turn)| *turn).collect()
    }
}

/// Each rule fires at the second look at which it holds, goes on between four fifths of its threshold and the threshold,
/// and ends at the third look at which it is clear.
#[test]
fn every_rule_fires_and_ends() {
    let waits = |rule, seconds| {
        vec![Waiting {
            rule,
            tenant: "_".to_owned(),
            source: String::new(),
            seconds,
        }]
    };
    // With which rows and which waiting the rule holds, is between, and is clear.
    type Look = (Vec<String>, Vec<Waiting>, Ours);
    type Case = (Rule, [Look; 3]);
    let rows = |rows: Vec<String>| (rows, Vec::new(), Ours::default());
    let ends = |verdict: &str, number| vec![row("end", verdict, &[number])];
    let skew = |place: &str| rows(vec![row("skew", place, &[100])]);
    let incident = |rule: &str, number| rows(vec![row("incident", rule, &[number])]);
    let mut cases: Vec<Case> = vec![
        (
            Rule::AllRefused,
            [
                rows(ends("refused", 5)),
                rows(ends("unavailable", 4)),
                rows(ends("refused", 3)),
            ],
        ),
        (
            Rule::RefusalSpike,
            [
                rows([ends("refused", 100), ends("accepted", 1)].concat()),
                rows([ends("refused", 90), ends("accepted", 1)].concat()),
                rows([ends("refused", 79), ends("accepted", 1)].concat()),
            ],
        ),
        // Of 300 s: 240 to 300, 180 to 240, 144 to 180.
        (
            Rule::SkewNearTolerance,
            [skew("30"), skew("29"), skew("28")],
        ),
        (
            Rule::DeadLetters,
            [
                incident("dead_letters", 5),
                incident("dead_letters", 4),
                rows(Vec::new()),
            ],
        ),
        (
            Rule::LogContradicted,
            [
                incident("log_contradicted", 1),
                incident("log_contradicted", 1),
                rows(Vec::new()),
            ],
        ),
        (
            Rule::LogUnsigned,
            [true, true, false].map(|is_log_unsigned| {
                let ours = Ours {
                    is_log_unsigned,
                    ..Ours::default()
                };
                (Vec::new(), Vec::new(), ours)
            }),
        ),
        (
            Rule::RecordUnreachable,
            [true, true, false].map(|is_record_unreachable| {
                let ours = Ours {
                    is_record_unreachable,
                    ..Ours::default()
                };
                (Vec::new(), Vec::new(), ours)
            }),
        ),
        (
            Rule::RecordFull,
            [80, 64, 63].map(|record_percent| {
                let ours = Ours {
                    record_percent,
                    ..Ours::default()
                };
                (Vec::new(), Vec::new(), ours)
            }),
        ),
    ];
    for rule in [
        Rule::LedgerBacklog,
        Rule::SpoolBacklog,
        Rule::QueueBacklog,
        Rule::SlowQueueBacklog,
        Rule::DeadLetterQueueBacklog,
        Rule::AuditQueueBacklog,
    ] {
        cases.push((
            rule,
            [600, 500, 0].map(|seconds| (Vec::new(), waits(rule, seconds), Ours::default())),
        ));
    }
    for (rule, [holds, between, clear]) in &cases {
        let mut world = World::new();
        let mut look = |(rows, waiting, ours): &Look| {
            world.look(rows, waiting, *ours);
            world.told_of(*rule)
        };
        assert_eq!(look(holds), [], "{rule:?}: once may be a chance");
        look(clear);
        assert_eq!(look(holds), [], "{rule:?}: in a row");
        assert_eq!(look(holds), [Turn::Firing], "{rule:?}");
        look(clear);
        look(clear);
        assert_eq!(
            look(between),
            [Turn::Firing],
            "{rule:?}: not clear, so it begins anew"
        );
        look(clear);
        assert_eq!(look(clear), [Turn::Firing], "{rule:?}");
        assert_eq!(look(clear), [Turn::Firing, Turn::Resolved], "{rule:?}");
        let others: Vec<Rule> = world
            .told
            .iter()
            .map(|(_, told, _)| *told)
            .filter(|told| told != rule)
            .collect();
        assert_eq!(others, [], "{rule:?}: and no other");
    }
    let covered = cases.len() + 1; // gone_quiet has a test of its own
    assert_eq!(covered, Rule::ALL.len());
}

/// Events come every twenty minutes, but not for eight hours of each night.
#[test]
fn a_source_is_quiet_after_three_times_its_own_longest_silence() {
    let mut world = World::new();
    let quiet_for = |world: &mut World, hours: i64| {
        for _ in 0..hours * 12 {
            world.look_at(&[]);
        }
        world.told_of(Rule::GoneQuiet)
    };
    let day = |world: &mut World| {
        for _ in 0..48 {
            let last = world.now_ms + LOOK_MS - 1_000;
            world.look_at(&[row("taken", "", &[last, last])]);
            quiet_for(world, 0);
            (0..3).for_each(|_| world.look_at(&[]));
        }
    };
    day(&mut world);
    let early = quiet_for(&mut world, 30);
    assert_eq!(early, [], "not known for a week, it is not judged");
    let mut world = World::new();
    for _ in 0..8 {
        day(&mut world);
        assert_eq!(quiet_for(&mut world, 8), [], "each night");
    }
    // Three times eight hours and a look or two.
    assert_eq!(
        quiet_for(&mut world, 15),
        [],
        "not yet: 23 hours with the night's"
    );
    assert_eq!(quiet_for(&mut world, 2), [Turn::Firing]);
    day(&mut world);
    assert_eq!(
        world.told_of(Rule::GoneQuiet),
        [Turn::Firing, Turn::Resolved]
    );
    assert_eq!(
        quiet_for(&mut world, 70).len(),
        2,
        "there was a silence of 25 hours within a week, so this one is not long enough yet"
    );
    assert_eq!(quiet_for(&mut world, 10).len(), 3, "and now it is");
}

#[test]
fn what_is_usual_of_a_source_is_no_spike() {
    let mut world = World::new();
    let end = |number| {
        [
            row("end", "refused", &[number]),
            row("end", "accepted", &[1]),
        ]
    };
    // Ninety refusals in each quarter of an hour, for two days.
    (0..2 * 288).for_each(|_| world.look_at(&end(90)));
    (0..12).for_each(|_| world.look_at(&end(300)));
    assert_eq!(world.told, [], "three times as many is not five times");
    (0..2).for_each(|_| world.look_at(&end(600)));
    assert_eq!(world.told_of(Rule::RefusalSpike), [Turn::Firing]);
}

#[test]
fn who_was_told_is_told_again_after_six_hours() {
    let mut world = World::new();
    let refused = [row("end", "refused", &[9])];
    (0..2 + 13 * 12).for_each(|_| world.look_at(&refused));
    let times: Vec<i64> = world
        .told
        .iter()
        .map(|(at, ..)| (at - world.told[0].0) / HOUR_MS)
        .collect();
    assert_eq!(times, [0, 6, 12]);
    assert_eq!(world.told_of(Rule::AllRefused)[1..], [Turn::StillFiring; 2]);
}

/// Nobody can say how the sources are while their counts wait; and what could not be asked stays as it is.
#[test]
fn what_nobody_knows_changes_nothing() {
    let mut world = World::new();
    let refused = [row("end", "refused", &[9])];
    (0..2).for_each(|_| world.look_at(&refused));
    let behind = [Waiting {
        rule: Rule::AuditQueueBacklog,
        tenant: "_".to_owned(),
        source: String::new(),
        seconds: 300,
    }];
    (0..20).for_each(|_| drop(world.look(&[], &behind, Ours::default())));
    assert_eq!(world.told_of(Rule::AllRefused), [Turn::Firing]);
    let spool = |seconds| Waiting {
        rule: Rule::SpoolBacklog,
        seconds,
        ..behind[0].clone()
    };
    (0..2).for_each(|_| drop(world.look(&refused, &[spool(700)], Ours::default())));
    (0..20).for_each(|_| world.look_at(&refused));
    assert_eq!(
        world.told_of(Rule::SpoolBacklog),
        [Turn::Firing],
        "it could not be listed"
    );
    (0..3).for_each(|_| drop(world.look(&refused, &[spool(0)], Ours::default())));
    assert_eq!(
        world.told_of(Rule::SpoolBacklog),
        [Turn::Firing, Turn::Resolved]
    );
}

#[test]
fn a_rule_that_is_off_and_a_source_that_is_gone_end() {
    let mut world = World::new();
    let refused = [row("end", "refused", &[9])];
    (0..2).for_each(|_| world.look_at(&refused));
    world.settings.off = vec![Rule::AllRefused];
    (0..3).for_each(|_| world.look_at(&refused));
    assert_eq!(
        world.told_of(Rule::AllRefused),
        [Turn::Firing, Turn::Resolved]
    );
    let mut world = World::new();
    (0..2).for_each(|_| world.look_at(&refused));
    let (config, _) = from_toml(&SOURCES.replace("[sources.shop]", "[sources.another]")).unwrap();
    world.gate = Gate::assemble(config, "test", |_| None);
    (0..3).for_each(|_| world.look_at(&refused));
    assert_eq!(
        world.told_of(Rule::AllRefused),
        [Turn::Firing, Turn::Resolved]
    );
}

#[test]
fn what_is_kept_comes_back() {
    let found =
        "at\t\t\t\t17\nend\tacme\tshop\trefused\t3\n\nrhythm\tacme\tshop\t\t[1,2,0,7,8]\nstray\n";
    let rows = store::rows(found);
    let numbers: Vec<(&str, Vec<i64>)> = rows
        .iter()
        .map(|row| (row.kind, row.numbers().collect()))
        .collect();
    let expected = [
        ("at", vec![17]),
        ("end", vec![3]),
        ("rhythm", vec![1, 2, 0, 7, 8]),
    ];
    assert_eq!(numbers, expected);
    assert_eq!(
        (rows[1].name, rows[1].number(0), rows[1].number(1)),
        ("refused", 3, 0)
    );
    let alert = Alert {
        since_ms: NOW,
        patience: 12,
        ..Alert::new(&Reading {
            rule: Rule::GoneQuiet,
            tenant: "acme",
            source: "shop",
            value: 7,
            threshold: 9,
        })
    };
    let line = kept("alert", &alert.to_entry());
    assert_eq!(Alert::of_row(&Row::of_line(&line).unwrap()), Some(alert));
    assert_eq!(DAY_MS, 288 * LOOK_MS);
}
