//! What an export is held against: whose log it must be, how old it may be, what the gate has, and who can have done
//! what is wrong with it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

#[path = "support/audit_log.rs"]
#[allow(dead_code, reason = "shared with audit_export.rs")]
mod audit_log;

use audit_log::{
    DAY_MS, Log, NAME, TENANT, entry, id, key, look, own_key, record, run_record, trust,
    witness_key,
};
use hookgate::tlog::entry::What;
use hookgate::tlog::export::{Finding, Trust};
use hookgate::tlog::native::cosign;
use hookgate::tlog::witness;

/// The key of all logs vouches for each of them: whose this one is, the export must not say itself.
#[test]
fn another_tenants_log_is_not_taken_for_the_one_that_was_asked_for() {
    let log = Log::of(3);
    let origin = format!("{NAME}/{TENANT}");
    let other = [Finding::OtherLog { origin }];
    for (key, tenant) in [
        (key(), None),
        (key(), Some("other")),
        (key(), Some("")),
        (own_key(), Some("other")),
        (own_key(), Some("cme")),
    ] {
        let tenant = tenant.map(str::to_owned);
        let asked = Trust {
            key,
            tenant: tenant.clone(),
            ..trust()
        };
        assert_eq!(log.checked(&asked).findings, other, "{tenant:?}");
    }
}

/// The times and numbers of a run stand in the log's entry, and again in the run's own record.
#[test]
fn an_entry_of_a_run_that_contradicts_its_record_is_named() {
    let mut log = Log::of(20);
    let before_ms = 5 * DAY_MS;
    let said = run_record(500, before_ms, 5);
    let what = What::Retention {
        before_ms,
        count: 6,
    };
    log.entries.push(entry(&said, 20 * DAY_MS, what));
    log.records.push(said);
    log.records.drain(..6);
    let found = log.checked(&trust()).findings;
    let contradicted = Finding::RunContradicted {
        place: 20,
        id: id(500),
    };
    assert!(found.contains(&contradicted), "{found:?}");
    // One that is logged as something else than it is, and something else that is logged as a run.
    for (said, what) in [
        (run_record(500, before_ms, 5), What::Record),
        (record(500), what),
    ] {
        let mut log = Log::of(3);
        log.entries.push(entry(&said, 20 * DAY_MS, what));
        log.records.push(said.clone());
        let is_named = matches!(what, What::Retention { .. });
        let found = log.checked(&trust()).findings;
        let contradicted = Finding::RunContradicted {
            place: 3,
            id: id(500),
        };
        assert_eq!(found.contains(&contradicted), is_named, "{found:?}");
    }
}

/// Somebody who may write the archive puts a genuine, older log there. What its age is, and what the object had, tell.
#[test]
fn an_older_genuine_log_is_told_by_its_age_or_by_the_objects_newest_checkpoint() {
    let log = Log::of(10);
    let mut old = log.clone();
    old.entries.truncate(6);
    old.records.truncate(6);
    let alone = old.checked(&trust());
    assert!(alone.ok, "by itself it is in order");
    assert_eq!(alone.newest_entry_ms, Some(5 * DAY_MS));
    let since = |since_ms| Trust {
        since_ms: Some(since_ms),
        ..trust()
    };
    assert!(old.checked(&since(5 * DAY_MS)).ok);
    let too_old = Finding::TooOld {
        time_ms: Some(5 * DAY_MS),
        since_ms: 5 * DAY_MS + 1,
    };
    assert_eq!(old.checked(&since(5 * DAY_MS + 1)).findings, [too_old]);
    // A witness's time goes before the entries'.
    let mut note = old.note(6);
    witness::add(
        &mut note,
        cosign(&old.note(6), "witness.example/w1", &[7; 32], 8 * 86_400),
    );
    let witnessed = Trust {
        witnesses: vec![witness_key()],
        ..since(8 * DAY_MS)
    };
    let report = look(&old.files(&note), &old.records, &witnessed);
    assert!(report.ok, "{:?}", report.findings);
    assert_eq!(report.time_ms(), Some(8 * DAY_MS));

    let newest = |note| Trust {
        newest: Some(note),
        ..trust()
    };
    let behind = Finding::ArchiveBehind {
        size: 6,
        newest: 10,
    };
    assert_eq!(old.checked(&newest(log.note(10))).findings, [behind]);
    let same = log.checked(&newest(log.note(10)));
    assert!(same.ok && same.kept == 0, "it was not kept elsewhere");
}

/// Whoever writes the archive can alter entries: that is no rewritten history, and is not said to be one.
#[test]
fn nobody_is_accused_of_having_the_key_for_what_a_writer_of_the_archive_can_do() {
    let log = Log::of(300);
    let kept = Trust {
        kept: vec![log.note(100), log.note(300)],
        ..trust()
    };
    let mut files = log.files(&log.note(300));
    let bundle = files.get_mut("tile/entries/000").unwrap();
    // A letter of the first entry's id.
    bundle[2 + 25] ^= 1;
    let report = look(&files, &log.records, &kept);
    let is_accused = |findings: &[Finding]| {
        let accuses = |finding: &Finding| matches!(finding, Finding::HistoryRewritten { .. });
        findings.iter().any(accuses)
    };
    assert!(
        !report.ok && !is_accused(&report.findings),
        "{:?}",
        report.findings
    );
    assert_eq!(
        report.kept, 2,
        "the hashes still tell that it continues both"
    );
    // The hashes as well: then only the head itself can be compared.
    files.get_mut("tile/0/000").unwrap()[0] ^= 1;
    let report = look(&files, &log.records, &kept);
    assert!(!is_accused(&report.findings), "{:?}", report.findings);
    assert!(
        report
            .findings
            .contains(&Finding::KeptUncompared { kept: 100 })
    );
    assert!(report.findings.contains(&Finding::TreeAltered));
    assert_eq!(report.kept, 1);
}
