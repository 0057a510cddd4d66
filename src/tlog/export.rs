//! Checking an export, offline: the files of a log, the records that are still there, and what others
//! remember of the log.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Hash;
use super::checkpoint::Checkpoint;
use super::entry::{Entry, What};
use super::merkle::{leaf_hash, root};
use super::native::{Tree, verify};
use super::note::{KeyKind, Note, VerifierKey};
use super::tile::{self, CHECKPOINT, File, Kind, WIDTH, files};
use crate::audit;
use crate::keys::decode_hex;

/// A record, with what it takes to show that it is the one that was logged. A line of `records.ndjson`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Record {
    pub id: String,
    /// Sixteen bytes in hex.
    pub salt: String,
    pub record: String,
}

/// What an export is checked against: nothing of it may come from the export itself.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The log's key, or the key under whose name the tenants' logs have theirs.
    pub key: VerifierKey,
    /// Witnesses that must have signed the checkpoint.
    pub witnesses: Vec<VerifierKey>,
    /// Checkpoints of this log that were kept elsewhere.
    pub kept: Vec<Note>,
}

/// What was found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub ok: bool,
    pub origin: String,
    pub size: u64,
    /// Records that are there as they were logged.
    pub records: u64,
    /// Records that a run of retention deleted: not removed.
    pub expired: u64,
    pub retention_runs: u64,
    /// Each with the time of its signature, in seconds since 1970.
    pub witnesses: BTreeMap<String, u64>,
    /// Kept checkpoints that this log continues.
    pub kept: u64,
    pub findings: Vec<Finding>,
}

/// Something that is not as it was logged. Places are those of entries, from 0 on; `to` is the first behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Finding {
    /// No checkpoint, or none that the log's key signed.
    CheckpointUnsigned,
    /// It is another log's.
    OtherLog {
        origin: String,
    },
    /// A witness that is asked for has not signed.
    Unwitnessed {
        witness: String,
    },
    FileMissing {
        path: String,
    },
    /// A file of hashes is not the one of this tree.
    FileAltered {
        path: String,
    },
    /// Entries were changed, and the hashes beside them tell which.
    EntriesAltered {
        from: u64,
        to: u64,
        ids: Vec<String>,
    },
    EntriesRemoved {
        from: u64,
        to: u64,
    },
    EntriesInserted {
        at: u64,
        ids: Vec<String>,
    },
    /// Neither entries nor hashes are those of the checkpoint.
    TreeAltered,
    /// A checkpoint that was kept elsewhere tells of another history: somewhere from `from` on.
    HistoryRewritten {
        from: u64,
        to: u64,
    },
    /// A checkpoint that was kept elsewhere is of a larger log.
    HistoryCut {
        size: u64,
        kept: u64,
    },
    EntryUnreadable {
        place: u64,
    },
    /// A second entry under the id of another one.
    EntryRepeated {
        place: u64,
        id: String,
    },
    RecordAltered {
        place: u64,
        id: String,
    },
    RecordRemoved {
        place: u64,
        id: String,
    },
    /// A record that was never logged.
    RecordInserted {
        id: String,
    },
    /// More records are gone than this run of retention deleted.
    RemovedBeforeRetention {
        place: u64,
        gone: u64,
        deleted: u64,
    },
}

/// Checks an export. `file` gives a file of the log by its path.
pub fn check(file: impl Fn(&str) -> Option<Vec<u8>>, records: &[Record], trust: &Trust) -> Report {
    let mut report = Report::default();
    let found = &mut report.findings;
    let text = file(CHECKPOINT).and_then(|bytes| String::from_utf8(bytes).ok());
    let note = text.and_then(|text| Note::parse(&text));
    let head = note.as_ref().and_then(|note| head_of(note, &trust.key));
    let (Some(note), Some((head, key))) = (note, head) else {
        found.push(Finding::CheckpointUnsigned);
        return report;
    };
    for witness in &trust.witnesses {
        match verify(&note, witness) {
            Some(Some(time)) => {
                report.witnesses.insert(witness.name.clone(), time);
            }
            _ => found.push(Finding::Unwitnessed {
                witness: witness.name.clone(),
            }),
        }
    }
    let entries = check_tree(&file, &head, found);
    check_kept(&entries, &head, &key, trust, found, &mut report.kept);
    check_records(&entries, records, &mut report);
    report.origin = head.origin;
    report.size = head.size;
    report.ok = report.findings.is_empty();
    report
}

/// The head that a note is of, and the key that signed it. A key may stand for the logs below its name.
fn head_of(note: &Note, key: &VerifierKey) -> Option<(Checkpoint, VerifierKey)> {
    let head = Checkpoint::parse(&note.text)?;
    let below = head.origin.strip_prefix(&key.name)?;
    let is_log = below.is_empty() || below.strip_prefix('/').is_some_and(|name| !name.is_empty());
    let key = VerifierKey {
        name: head.origin.clone(),
        ..key.clone()
    };
    (is_log && key.kind == KeyKind::Ed25519 && verify(note, &key).is_some()).then_some((head, key))
}

/// The entries as they are in the export, having said what is wrong with them.
fn check_tree(
    file: &impl Fn(&str) -> Option<Vec<u8>>,
    head: &Checkpoint,
    found: &mut Vec<Finding>,
) -> Vec<Vec<u8>> {
    let mut entries: Vec<Vec<u8>> = Vec::new();
    let mut hashes: Vec<Hash> = Vec::new();
    let mut above = Vec::new();
    for part in files(0, head.size) {
        let path = part.path();
        let full = File {
            width: WIDTH,
            ..part
        };
        let Some(bytes) = file(&path).or_else(|| file(&full.path())) else {
            found.push(Finding::FileMissing { path });
            continue;
        };
        let width = usize::try_from(part.width).unwrap_or(usize::MAX);
        match part.of {
            Kind::Entries => {
                // The file of a larger tree has more. One that is not full has what it has, or too much.
                let limit = if file(&path).is_some() {
                    usize::MAX
                } else {
                    width
                };
                let bundle = tile::entries(&bytes).unwrap_or_default();
                entries.extend(bundle.into_iter().take(limit).map(<[u8]>::to_vec));
            }
            Kind::Hashes { level } => {
                let tile = tile::hashes(&bytes).unwrap_or_default();
                let tile = &tile[..width.min(tile.len())];
                match level {
                    0 => hashes.extend(tile),
                    _ => above.push((part, tile.to_vec())),
                }
            }
        }
    }
    let leaves: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let (by_entries, by_hashes) = (Tree::of(leaves.clone()), Tree::of(hashes.clone()));
    let is_whole = |tree: &Tree| {
        tree.size() == head.size && root(tree, head.size).as_ref() == Some(&head.root)
    };
    let sound = match (is_whole(&by_entries), is_whole(&by_hashes)) {
        (true, true) => by_entries,
        (true, false) => {
            let path = "tile/0".to_owned();
            found.push(Finding::FileAltered { path });
            by_entries
        }
        (false, true) => {
            found.push(difference(&leaves, &hashes, &entries));
            by_hashes
        }
        (false, false) => {
            found.push(Finding::TreeAltered);
            return entries;
        }
    };
    for (part, tile) in above {
        use super::merkle::Hashes as _;
        let Kind::Hashes { level } = part.of else {
            continue;
        };
        let range = part.index * WIDTH..part.index * WIDTH + part.width;
        let expected: Option<Vec<Hash>> = range.map(|index| sound.hash(level, index)).collect();
        if expected.as_ref() != Some(&tile) {
            found.push(Finding::FileAltered { path: part.path() });
        }
    }
    entries
}

/// Where the leaves that are there differ from those that were logged.
fn difference(there: &[Hash], logged: &[Hash], entries: &[Vec<u8>]) -> Finding {
    let same = |(one, other): &(&Hash, &Hash)| one == other;
    let from = there.iter().zip(logged).take_while(same).count();
    let (there_rest, logged_rest) = (&there[from..], &logged[from..]);
    let behind = there_rest.iter().rev().zip(logged_rest.iter().rev());
    let behind = behind.take_while(same).count();
    let (there_end, logged_end) = (there.len() - behind, logged.len() - behind);
    let ids = entries[from..there_end]
        .iter()
        .map(|entry| name_of(entry))
        .collect();
    let (at, to) = (from as u64, logged_end as u64);
    match (there_end - from, logged_end - from) {
        (0, _) => Finding::EntriesRemoved { from: at, to },
        (_, 0) => Finding::EntriesInserted { at, ids },
        _ => Finding::EntriesAltered { from: at, to, ids },
    }
}

fn name_of(entry: &[u8]) -> String {
    Entry::parse(entry).map_or_else(|| "?".to_owned(), |entry| entry.id)
}

fn check_kept(
    entries: &[Vec<u8>],
    head: &Checkpoint,
    key: &VerifierKey,
    trust: &Trust,
    found: &mut Vec<Finding>,
    agreed: &mut u64,
) {
    let tree = Tree::of(tile::leaves(entries.iter().map(Vec::as_slice)));
    let mut from = 0;
    let mut kept = Vec::new();
    for note in &trust.kept {
        match head_of(note, &trust.key) {
            Some((old, by)) if by == *key => kept.push(old),
            Some((old, _)) => found.push(Finding::OtherLog { origin: old.origin }),
            None => found.push(Finding::CheckpointUnsigned),
        }
    }
    kept.sort_by_key(|old| old.size);
    for old in kept {
        if old.size > head.size {
            let (size, kept) = (head.size, old.size);
            found.push(Finding::HistoryCut { size, kept });
        } else if root(&tree, old.size) == Some(old.root) {
            *agreed += 1;
            from = old.size;
        } else {
            let to = old.size;
            found.push(Finding::HistoryRewritten { from, to });
            return;
        }
    }
}

fn check_records(entries: &[Vec<u8>], records: &[Record], report: &mut Report) {
    let found = &mut report.findings;
    let mut by_id: BTreeMap<&str, &Record> = BTreeMap::new();
    for record in records {
        // The same line again says nothing new.
        if by_id
            .insert(&record.id, record)
            .is_some_and(|other| other != record)
        {
            let id = record.id.clone();
            found.push(Finding::RecordInserted { id });
        }
    }
    let mut ids = BTreeSet::new();
    let (mut gone, mut runs) = (Vec::new(), Vec::new());
    for (place, entry) in (0..).zip(entries) {
        let Some(entry) = Entry::parse(entry) else {
            found.push(Finding::EntryUnreadable { place });
            continue;
        };
        let id = entry.id;
        if !ids.insert(id.clone()) {
            found.push(Finding::EntryRepeated { place, id });
            continue;
        }
        let record = by_id.remove(id.as_str());
        match (record, entry.what) {
            (Some(record), _) if made_of(record) == Some(entry.commitment) => report.records += 1,
            (Some(_), _) => found.push(Finding::RecordAltered { place, id }),
            (None, What::Record) => gone.push((place, id, entry.time_ms)),
            // What a run says of itself has no end.
            (None, What::Retention { .. }) => found.push(Finding::RecordRemoved { place, id }),
        }
        if let What::Retention { before_ms, count } = entry.what {
            runs.push((place, before_ms, count));
        }
    }
    let mut deleted: BTreeMap<u64, u64> = BTreeMap::new();
    for (place, id, time_ms) in gone {
        // The first run after it that was meant for its time.
        let run = runs
            .iter()
            .find(|(at, before_ms, _)| *at > place && time_ms < *before_ms);
        match run {
            None => found.push(Finding::RecordRemoved { place, id }),
            Some((at, ..)) => {
                *deleted.entry(*at).or_default() += 1;
                report.expired += 1;
            }
        }
    }
    for (place, _, deleted_then) in &runs {
        let gone = deleted.get(place).copied().unwrap_or_default();
        if gone > *deleted_then {
            found.push(Finding::RemovedBeforeRetention {
                place: *place,
                gone,
                deleted: *deleted_then,
            });
        }
    }
    report.retention_runs = runs.len() as u64;
    for id in by_id.into_keys().map(str::to_owned) {
        found.push(Finding::RecordInserted { id });
    }
}

fn made_of(record: &Record) -> Option<Hash> {
    let salt = decode_hex(record.salt.as_bytes())?.try_into().ok()?;
    Some(audit::leaf_hash(&salt, &record.record))
}
