use super::*;
use crate::alerts::message::Message;
use crate::config::from_toml;
use crate::gate::Gate;

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
    /// Alerts and rhythms, as they were kept.
    kept: Vec<Row>,
    /// When, which rule, and what.
    told: Vec<(i64, Rule, Turn)>,
}

fn row(kind: &str, name: &str, numbers: &[i64]) -> Row {
    let text = str::to_owned;
    Row(
        text(kind),
        text("acme"),
        text("shop"),
        text(name),
        numbers.to_vec(),
    )
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
    fn look(&mut self, rows: &[Row], waiting: &[Waiting], is_signed: bool) -> Outcome {
        self.now_ms += LOOK_MS;
        let rows = [&self.kept[..], rows].concat();
        let sources = self.gate.sources().map(|live| -> &LiveSource { live });
        let outcome = evaluate(
            &self.settings,
            sources,
            &rows,
            waiting,
            is_signed,
            self.now_ms,
        );
        let changed: Vec<Row> = outcome.alerts.iter().map(Alert::to_row).collect();
        for new in changed.into_iter().chain(outcome.rhythms.clone()) {
            let is_other =
                |old: &Row| (&old.0, &old.1, &old.2, &old.3) != (&new.0, &new.1, &new.2, &new.3);
            self.kept.retain(is_other);
            self.kept.push(new);
        }
        let turns = outcome.turns.iter();
        self.told
            .extend(turns.map(|&(place, turn)| (self.now_ms, outcome.alerts[place].rule, turn)));
        outcome
    }

    fn look_at(&mut self, rows: &[Row]) {
        self.look(rows, &[], true);
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
    type Case = (Rule, [(Vec<Row>, Vec<Waiting>, bool); 3]);
    let rows = |rows: Vec<Row>| (rows, Vec::new(), true);
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
            [
                (Vec::new(), Vec::new(), false),
                (Vec::new(), Vec::new(), false),
                rows(Vec::new()),
            ],
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
            [600, 500, 0].map(|seconds| (Vec::new(), waits(rule, seconds), true)),
        ));
    }
    for (rule, [holds, between, clear]) in &cases {
        let mut world = World::new();
        let mut look = |(rows, waiting, is_signed): &(Vec<Row>, Vec<Waiting>, bool)| {
            world.look(rows, waiting, *is_signed);
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
        seconds: UNKNOWN_SECONDS,
    }];
    (0..20).for_each(|_| drop(world.look(&[], &behind, true)));
    assert_eq!(world.told_of(Rule::AllRefused), [Turn::Firing]);
    let spool = |seconds| Waiting {
        rule: Rule::SpoolBacklog,
        seconds,
        ..behind[0].clone()
    };
    (0..2).for_each(|_| drop(world.look(&refused, &[spool(700)], true)));
    (0..20).for_each(|_| world.look_at(&refused));
    assert_eq!(
        world.told_of(Rule::SpoolBacklog),
        [Turn::Firing],
        "it could not be listed"
    );
    (0..3).for_each(|_| drop(world.look(&refused, &[spool(0)], true)));
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

/// Receivers parse it, and know a repeat by its id.
#[test]
fn the_message() {
    let mut world = World::new();
    let outcome = (0..2)
        .map(|_| world.look(&[row("end", "refused", &[9])], &[], true))
        .last()
        .unwrap();
    let (place, turn) = outcome.turns[0];
    let message = Message::new(&outcome.alerts[place], turn, world.now_ms);
    assert_eq!(message.id, "alr_all_refused_acme_shop_1800000600000");
    assert_eq!(
        message.body,
        concat!(
            r#"{"type":"alert.firing","timestamp":"2027-01-15T08:10:00.000Z","data":{"rule":"all_refused","tenant":"acme","#,
            r#""source":"shop","value":9,"threshold":5,"since":"2027-01-15T08:10:00.000Z","#,
            r#""what_to_do":"docs/alerts.md#all_refused: look at the reason and the diagnosis of its last refusals"}}"#
        )
    );
}

#[test]
fn rows_are_read_as_sqlite_writes_them() {
    let list = r#"[[["at","","","abc",[17]]],[],[["end","acme","shop","refused",[3]],["end","acme","shop","accepted",[1]]]]"#;
    let rows = store::rows(list).unwrap();
    assert_eq!((rows.len(), rows[0].number(0)), (3, 17));
    assert_eq!(rows[1], row("end", "refused", &[3]));
    assert!(store::rows("").is_err());
    let alert = Alert::new(&Reading {
        rule: Rule::GoneQuiet,
        tenant: "acme",
        source: "shop",
        value: 7,
        threshold: 9,
    });
    assert_eq!(Alert::of_row(&alert.to_row()), Some(alert));
    assert_eq!(DAY_MS, 288 * LOOK_MS);
}
