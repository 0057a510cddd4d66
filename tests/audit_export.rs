//! An export of a log: what it shows when records, entries, hashes or heads were altered, removed or
//! inserted; also by somebody who has the log's key.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

#[path = "support/audit_log.rs"]
mod audit_log;

use audit_log::{
    DAY_MS, Log, NAME, SEED, TENANT, entry, id, key, logged, look, own_key, record, run_record,
    trust, witness_key,
};
use hookgate::tlog::checkpoint::Checkpoint;
use hookgate::tlog::entry::What;
use hookgate::tlog::export::{Finding, Record, Trust};
use hookgate::tlog::native::{cosign, public_key, sign, signing_key};
use hookgate::tlog::note::{Note, VerifierKey};
use hookgate::tlog::tile::put_entry;
use hookgate::tlog::witness;

#[test]
fn an_honest_export_is_in_order_at_every_size() {
    for size in [1, 2, 255, 256, 257, 600] {
        let log = Log::of(size);
        let report = log.checked(&trust());
        assert!(report.ok, "{size}: {:?}", report.findings);
        assert_eq!((report.size, report.records), (size, size));
        assert_eq!(report.origin, "gate.example/audit/acme");
    }
    // The key may be the log's own as well.
    for tenant in [None, Some(TENANT.to_owned())] {
        let log = Trust {
            key: own_key(),
            tenant,
            ..trust()
        };
        assert!(Log::of(3).checked(&log).ok);
    }
}

#[test]
fn each_record_that_was_altered_removed_or_inserted_is_named() {
    let log = Log::of(300);
    for n in [0u64, 7, 255, 256, 299] {
        let place = n;
        let mut wrong = log.clone();
        wrong.records[n as usize].record.push(' ');
        let altered = [Finding::RecordAltered { place, id: id(n) }];
        assert_eq!(wrong.checked(&trust()).findings, altered);
        let mut wrong = log.clone();
        wrong.records[n as usize].salt = "ee".repeat(16);
        assert_eq!(wrong.checked(&trust()).findings, altered);
        let mut wrong = log.clone();
        wrong.records.remove(n as usize);
        let removed = Finding::RecordRemoved { place, id: id(n) };
        assert_eq!(wrong.checked(&trust()).findings, [removed]);
    }
    let mut wrong = log.clone();
    wrong.records.push(record(1_000));
    let inserted = Finding::RecordInserted { id: id(1_000) };
    assert_eq!(wrong.checked(&trust()).findings, [inserted]);
    let mut twice = log.clone();
    twice.records.push(record(5));
    assert!(
        twice.checked(&trust()).ok,
        "the same line again says nothing new"
    );
    let mut wrong = log.clone();
    let other = Record {
        record: "{}".to_owned(),
        ..record(5)
    };
    wrong.records.push(other);
    assert!(!wrong.checked(&trust()).ok);
}

#[test]
fn each_entry_that_was_altered_removed_or_inserted_is_found_by_the_hashes() {
    let log = Log::of(300);
    let note = log.note(300);
    let honest = log.files(&note);
    let found = |wrong: &Log| {
        let mut files = honest.clone();
        // Only the entries, as somebody would who can write into the bucket.
        for (path, bytes) in wrong.files(&note) {
            if path.starts_with("tile/entries") {
                files.insert(path, bytes);
            }
        }
        look(&files, &wrong.records, &trust()).findings
    };
    for n in [0u64, 9, 255, 256, 299] {
        let mut wrong = log.clone();
        let forged = Record {
            record: "{}".to_owned(),
            ..record(n)
        };
        wrong.entries[n as usize] = logged(&forged, n as i64 * DAY_MS);
        wrong.records[n as usize] = forged;
        let altered = Finding::EntriesAltered {
            from: n,
            to: n + 1,
            ids: vec![id(n)],
        };
        assert_eq!(found(&wrong), [altered]);
    }
    // A bundle that has lost one or has one more.
    let mut wrong = log.clone();
    wrong.entries.remove(270);
    wrong.records.remove(270);
    let mut files = honest.clone();
    let mut bundle = Vec::new();
    for entry in &wrong.entries[256..] {
        assert!(put_entry(&mut bundle, entry));
    }
    files.insert("tile/entries/001.p/44".to_owned(), bundle.clone());
    let removed = Finding::EntriesRemoved { from: 270, to: 271 };
    assert_eq!(look(&files, &wrong.records, &trust()).findings, [removed]);
    let forged = record(1_000);
    let mut bundle = Vec::new();
    for (place, entry) in log.entries.iter().enumerate().skip(256) {
        if place == 260 {
            assert!(put_entry(&mut bundle, &logged(&forged, 0)));
        }
        assert!(put_entry(&mut bundle, entry));
    }
    files.insert("tile/entries/001.p/44".to_owned(), bundle);
    let records = [&log.records[..], &[forged]].concat();
    let inserted = Finding::EntriesInserted {
        at: 260,
        ids: vec![id(1_000)],
    };
    assert_eq!(look(&files, &records, &trust()).findings, [inserted]);
}

#[test]
fn no_bit_of_a_file_can_change_unseen() {
    let log = Log::of(258);
    let honest = log.files(&log.note(258));
    for (path, bytes) in &honest {
        let step = (bytes.len() / 12).max(1);
        for at in (0..bytes.len()).step_by(step) {
            let mut files = honest.clone();
            files.get_mut(path).unwrap()[at] ^= 1;
            let report = look(&files, &log.records, &trust());
            assert!(!report.ok, "{path}: byte {at}");
        }
        let mut files = honest.clone();
        files.remove(path);
        assert!(
            !look(&files, &log.records, &trust()).ok,
            "{path} is missing"
        );
    }
    let other = Trust {
        key: VerifierKey {
            public_key: public_key(&[1; 32]),
            ..key()
        },
        ..trust()
    };
    let report = look(&honest, &log.records, &other);
    assert_eq!(report.findings, [Finding::CheckpointUnsigned]);
}

/// A retention run is an entry: what it deleted is expired. What else is gone was removed.
#[test]
fn expired_is_not_removed() {
    let mut log = Log::of(20);
    let before_ms = 5 * DAY_MS;
    let run = |count| {
        let said = run_record(500, before_ms, count);
        let what = What::Retention { before_ms, count };
        (entry(&said, 20 * DAY_MS, what), said)
    };
    let (logged_run, said) = run(5);
    log.entries.push(logged_run);
    log.records.push(said);
    log.records.drain(..5);
    let report = log.checked(&trust());
    assert!(report.ok, "{:?}", report.findings);
    assert_eq!(
        (report.expired, report.records, report.retention_runs),
        (5, 16, 1)
    );
    let mut wrong = log.clone();
    wrong.records.remove(3);
    let removed = Finding::RecordRemoved {
        place: 8,
        id: id(8),
    };
    assert_eq!(wrong.checked(&trust()).findings, [removed]);
    let mut wrong = log.clone();
    wrong.records.pop();
    let removed = Finding::RecordRemoved {
        place: 20,
        id: id(500),
    };
    assert_eq!(
        wrong.checked(&trust()).findings,
        [removed],
        "a run does not expire"
    );
    // One was removed before the run came by, which then deleted four.
    let (logged_run, said) = run(4);
    log.entries[20] = logged_run;
    *log.records.last_mut().unwrap() = said;
    let before = Finding::RemovedBeforeRetention {
        place: 20,
        gone: 5,
        deleted: 4,
    };
    assert_eq!(log.checked(&trust()).findings, [before]);
    // What was logged after a run is not of that run.
    let mut late = log.clone();
    late.entries.push(logged(&record(99), 0));
    let report = late.checked(&trust());
    let removed = Finding::RecordRemoved {
        place: 21,
        id: id(99),
    };
    assert!(report.findings.contains(&removed), "{:?}", report.findings);
}

/// Somebody has the account, and the log's key: everything in the export is made anew and signed. What had
/// left the account before tells.
#[test]
fn whoever_has_the_key_is_exposed_by_a_checkpoint_that_had_left() {
    let honest = Log::of(100);
    let kept = honest.note(60);
    let mut forged = honest.clone();
    let other = Record {
        record: "{\"nothing\":\"happened\"}".to_owned(),
        ..record(41)
    };
    forged.entries[41] = logged(&other, 41 * DAY_MS);
    forged.records[41] = other;
    assert!(
        forged.checked(&trust()).ok,
        "the key alone does not protect from its owner"
    );

    let rewritten = |kept: &[&Note]| {
        let kept = kept.iter().map(|note| (*note).clone()).collect();
        forged.checked(&Trust { kept, ..trust() }).findings
    };
    let found = rewritten(&[&kept]);
    assert_eq!(found, [Finding::HistoryRewritten { from: 0, to: 60 }]);
    // More of them, and it is known better.
    let found = rewritten(&[&kept, &honest.note(41), &honest.note(30), &honest.note(42)]);
    assert_eq!(found, [Finding::HistoryRewritten { from: 41, to: 42 }]);
    assert_eq!(
        rewritten(&[&honest.note(41)]),
        [],
        "before it, nothing was changed"
    );

    // Records dropped from the end, and a log begun anew.
    let mut cut = honest.clone();
    cut.entries.truncate(50);
    cut.records.truncate(50);
    let trust_kept = Trust {
        kept: vec![kept.clone()],
        ..trust()
    };
    let found = cut.checked(&trust_kept).findings;
    assert_eq!(found, [Finding::HistoryCut { size: 50, kept: 60 }]);
    let mut without = honest.clone();
    without.entries.remove(10);
    without.records.remove(10);
    let found = without.checked(&trust_kept).findings;
    assert_eq!(found, [Finding::HistoryRewritten { from: 0, to: 60 }]);
    assert!(honest.checked(&trust_kept).ok);
    assert_eq!(honest.checked(&trust_kept).kept, 1);

    // Another tenant's is no proof of anything.
    let head = Checkpoint {
        origin: format!("{NAME}/other"),
        size: 1,
        root: [0; 32],
    };
    let foreign = sign(head.to_text(), &signing_key(NAME, SEED), "other").unwrap();
    let found = honest
        .checked(&Trust {
            kept: vec![foreign],
            ..trust()
        })
        .findings;
    assert_eq!(
        found,
        [Finding::OtherLog {
            origin: format!("{NAME}/other")
        }]
    );
}

#[test]
fn a_witness_that_is_asked_for_must_have_signed() {
    let log = Log::of(10);
    let witness = witness_key();
    let asked = Trust {
        witnesses: vec![witness.clone()],
        ..trust()
    };
    let mut note = log.note(10);
    let unwitnessed = [Finding::Unwitnessed {
        witness: witness.name.clone(),
    }];
    assert_eq!(
        look(&log.files(&note), &log.records, &asked).findings,
        unwitnessed
    );
    let line = cosign(&note, &witness.name, &[8; 32], 1_760_000_000);
    let mut by_another = note.clone();
    witness::add(&mut by_another, line);
    assert_eq!(
        look(&log.files(&by_another), &log.records, &asked).findings,
        unwitnessed
    );
    // Moved from an older checkpoint.
    let line = cosign(&log.note(9), &witness.name, &[7; 32], 1_760_000_000);
    let mut moved = note.clone();
    witness::add(&mut moved, line);
    assert_eq!(
        look(&log.files(&moved), &log.records, &asked).findings,
        unwitnessed
    );
    let line = cosign(&note, &witness.name, &[7; 32], 1_760_000_000);
    witness::add(&mut note, line);
    let report = look(&log.files(&note), &log.records, &asked);
    assert!(report.ok, "{:?}", report.findings);
    assert_eq!(report.witnesses[&witness.name], 1_760_000_000);
}
