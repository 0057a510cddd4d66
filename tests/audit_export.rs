//! An export of a log: what it shows when records, entries, hashes or heads were altered, removed or
//! inserted; also by somebody who has the log's key. And a checker that is not ours reads the same files.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

use std::collections::BTreeMap;

use hookgate::tlog::checkpoint::Checkpoint;
use hookgate::tlog::entry::{Entry, What, commitment};
use hookgate::tlog::export::{Finding, Record, Report, Trust, check};
use hookgate::tlog::merkle::{Hashes as _, leaf_hash, root};
use hookgate::tlog::native::{Tree, cosign, public_key, sign, signing_key};
use hookgate::tlog::note::{KeyKind, Note, VerifierKey};
use hookgate::tlog::tile::{CHECKPOINT, Kind, WIDTH, files, put_entry};
use hookgate::tlog::witness;
use tlog_tiles::{Hash as TheirHash, HashReader as _, TileHashReader, TileReader};

const NAME: &str = "gate.example/audit";
const TENANT: &str = "acme";
const SEED: [u8; 32] = [42; 32];
const DAY_MS: i64 = 86_400_000;

#[derive(Clone)]
struct Log {
    entries: Vec<Vec<u8>>,
    records: Vec<Record>,
}

fn id(n: u64) -> String {
    format!("req_{n:032x}")
}

fn entry(id: &str, time_ms: i64, what: What) -> Vec<u8> {
    let id = id.to_owned();
    Entry { id, time_ms, what }.to_text().unwrap().into_bytes()
}

fn logged(record: &Record, time_ms: i64) -> Vec<u8> {
    let salt: Vec<u8> = hookgate::keys::decode_hex(record.salt.as_bytes()).unwrap();
    let commitment = commitment(&salt.try_into().unwrap(), record.record.as_bytes());
    entry(&record.id, time_ms, What::Record { commitment })
}

fn record(n: u64) -> Record {
    Record {
        id: id(n),
        salt: format!("{n:032x}"),
        record: format!("{{\"v\":1,\"reason\":\"signature_mismatch\",\"n\":{n}}}"),
    }
}

impl Log {
    /// A record a day.
    fn of(size: u64) -> Self {
        let records: Vec<Record> = (0..size).map(record).collect();
        let times = (0..).map(|day: i64| day * DAY_MS);
        let entries = records
            .iter()
            .zip(times)
            .map(|(record, time)| logged(record, time));
        Log {
            entries: entries.collect(),
            records,
        }
    }

    fn tree(&self) -> Tree {
        Tree::of(self.entries.iter().map(|entry| leaf_hash(entry)).collect())
    }

    /// The checkpoint that the log's key signs.
    fn note(&self, size: u64) -> Note {
        let head = Checkpoint {
            origin: format!("{NAME}/{TENANT}"),
            size,
            root: root(&self.tree(), size).unwrap(),
        };
        sign(head.to_text(), &signing_key(NAME, SEED), TENANT).unwrap()
    }

    fn files(&self, note: &Note) -> BTreeMap<String, Vec<u8>> {
        let tree = self.tree();
        let mut all = BTreeMap::from([(CHECKPOINT.to_owned(), note.to_text().into_bytes())]);
        for file in files(0, self.entries.len() as u64) {
            let range = file.index * WIDTH..file.index * WIDTH + file.width;
            let mut bytes = Vec::new();
            for place in range {
                match file.of {
                    Kind::Entries => {
                        assert!(put_entry(&mut bytes, &self.entries[place as usize]));
                    }
                    Kind::Hashes { level } => bytes.extend(tree.hash(level, place).unwrap()),
                }
            }
            all.insert(file.path(), bytes);
        }
        all
    }

    fn checked(&self, trust: &Trust) -> Report {
        let note = self.note(self.entries.len() as u64);
        look(&self.files(&note), &self.records, trust)
    }
}

fn look(files: &BTreeMap<String, Vec<u8>>, records: &[Record], trust: &Trust) -> Report {
    check(|path| files.get(path).cloned(), records, trust)
}

fn key() -> VerifierKey {
    VerifierKey {
        name: NAME.to_owned(),
        kind: KeyKind::Ed25519,
        public_key: public_key(&SEED),
    }
}

fn trust() -> Trust {
    Trust {
        key: key(),
        witnesses: Vec::new(),
        kept: Vec::new(),
    }
}

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
    let log = Trust {
        key: VerifierKey {
            name: format!("{NAME}/{TENANT}"),
            ..key()
        },
        ..trust()
    };
    assert!(Log::of(3).checked(&log).ok);
}

#[test]
fn each_record_that_was_altered_removed_or_inserted_is_named() {
    let log = Log::of(300);
    for n in [0u64, 7, 255, 256, 299] {
        let place = n;
        let mut wrong = log.clone();
        wrong.records[n as usize].record.push(' ');
        let altered = Finding::RecordAltered { place, id: id(n) };
        assert_eq!(wrong.checked(&trust()).findings, [altered.clone()]);
        let mut wrong = log.clone();
        wrong.records[n as usize].salt = "ee".repeat(16);
        assert_eq!(wrong.checked(&trust()).findings, [altered]);
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
    let run = What::Retention {
        before_ms,
        count: 5,
    };
    log.entries.push(entry("retention-1", 20 * DAY_MS, run));
    log.records.drain(..5);
    let report = log.checked(&trust());
    assert!(report.ok, "{:?}", report.findings);
    assert_eq!(
        (report.expired, report.records, report.retention_runs),
        (5, 15, 1)
    );
    let mut wrong = log.clone();
    wrong.records.remove(3);
    let removed = Finding::RecordRemoved {
        place: 8,
        id: id(8),
    };
    assert_eq!(wrong.checked(&trust()).findings, [removed]);
    // One was removed before the run came by, which then deleted four.
    let run = What::Retention {
        before_ms,
        count: 4,
    };
    log.entries[20] = entry("retention-1", 20 * DAY_MS, run);
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
    let witness = VerifierKey {
        name: "witness.example/w1".to_owned(),
        kind: KeyKind::Cosignature,
        public_key: public_key(&[7; 32]),
    };
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

// ---- a checker that is not ours: Cloudflare's crates signed_note and tlog_tiles ---------------------

/// Their tiles out of our files. They call entries data, and lay files out with the height in the path.
struct TheirTiles<'a>(&'a BTreeMap<String, Vec<u8>>);

impl TileReader for TheirTiles<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let path = |tile: &tlog_tiles::Tile| tile.path().replacen("tile/8/", "tile/", 1);
        Ok(tiles
            .iter()
            .map(|tile| self.0[&path(tile)].clone())
            .collect())
    }

    fn save_tiles(&self, _tiles: &[tlog_tiles::Tile], _data: &[Vec<u8>]) {}
}

/// Checks the note, then that every entry is in its tree, by hashes that were shown to belong to it.
fn they_check(files: &BTreeMap<String, Vec<u8>>, vkey: &str) -> Result<u64, String> {
    let says = |error: &dyn std::fmt::Debug| format!("{error:?}");
    let note = signed_note::Note::from_bytes(&files[CHECKPOINT]).map_err(|error| says(&error))?;
    let verifier = signed_note::StandardVerifier::new(vkey).map_err(|error| says(&error))?;
    let known = signed_note::VerifierList::new(vec![Box::new(verifier)]);
    note.verify(&known).map_err(|error| says(&error))?;
    let head = tlog_tiles::Checkpoint::from_bytes(note.text()).map_err(|error| says(&error))?;
    let (size, root) = (head.size(), *head.hash());
    let tiles = TheirTiles(files);
    let reader = TileHashReader::new(size, root, &tiles);
    for place in 0..size {
        let width = WIDTH.min(size - place / WIDTH * WIDTH);
        let bundle = hookgate::tlog::tile::File {
            of: Kind::Entries,
            index: place / WIDTH,
            width,
        };
        // Reading a bundle is two bytes of length and so many bytes: done here by hand.
        let mut rest = files[&bundle.path()].as_slice();
        let mut entry = rest;
        for _ in 0..=place % WIDTH {
            let length = usize::from(u16::from_be_bytes([rest[0], rest[1]]));
            (entry, rest) = rest[2..].split_at(length);
        }
        let leaf = tlog_tiles::record_hash(entry);
        let proof = tlog_tiles::prove_record(size, place, &reader).map_err(|error| says(&error))?;
        tlog_tiles::check_record(&proof, size, root, place, leaf).map_err(|error| says(&error))?;
        let index = tlog_tiles::stored_hash_index(0, place);
        let stored = reader.read_hashes(&[index]).map_err(|error| says(&error))?;
        if stored != [leaf] {
            return Err(format!("entry {place}"));
        }
    }
    Ok(size)
}

#[test]
fn a_checker_that_is_not_ours_accepts_what_we_write_and_refuses_what_was_altered() {
    let vkey = signing_key(NAME, SEED)
        .of_log(TENANT, public_key(&SEED))
        .unwrap()
        .to_text();
    for size in [1, 2, 256, 300] {
        let log = Log::of(size);
        let files = log.files(&log.note(size));
        assert_eq!(they_check(&files, &vkey), Ok(size));
        let mut wrong = files.clone();
        let path = files.keys().find(|path| path.contains("entries")).unwrap();
        let bytes = wrong.get_mut(path).unwrap();
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        assert!(
            they_check(&wrong, &vkey).is_err(),
            "{size}: a byte of {path}"
        );
    }
    let log = Log::of(5);
    let files = log.files(&log.note(5));
    assert!(they_check(&files, &key().to_text()).is_err(), "another key");
}

#[test]
fn they_and_we_make_the_same_proofs() {
    let log = Log::of(400);
    let (ours, files) = (log.tree(), log.files(&log.note(400)));
    let theirs = |hash: hookgate::tlog::Hash| TheirHash(hash);
    let head = root(&ours, 400).unwrap();
    let tiles = TheirTiles(&files);
    let reader = TileHashReader::new(400, theirs(head), &tiles);
    for place in [0, 1, 255, 256, 399] {
        let proof = tlog_tiles::prove_record(400, place, &reader).unwrap();
        let proof: Vec<_> = proof.into_iter().map(|hash| hash.0).collect();
        assert_eq!(
            hookgate::tlog::proof::inclusion(&ours, place, 400),
            Some(proof)
        );
    }
    for old in [1, 2, 200, 255, 256, 257, 399] {
        let proof = tlog_tiles::prove_tree(400, old, &reader).unwrap();
        let old_head = root(&ours, old).unwrap();
        tlog_tiles::check_tree(&proof, 400, theirs(head), old, theirs(old_head)).unwrap();
        let made = hookgate::tlog::proof::consistency(&ours, old, 400).unwrap();
        let made = made.into_iter().map(theirs).collect::<Vec<_>>();
        tlog_tiles::check_tree(&made, 400, theirs(head), old, theirs(old_head)).unwrap();
    }
}
