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
pub use super::report::{Finding, Report};
use super::tile::{self, CHECKPOINT, File, Kind, WIDTH, files};
use crate::audit;
use crate::audit::queued::what_of;
use crate::hex;

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
    /// Whose log it must be. `None`: `key` is the log's own, since another vouches for every tenant's.
    pub tenant: Option<String>,
    /// Witnesses that must have signed the checkpoint.
    pub witnesses: Vec<VerifierKey>,
    /// Checkpoints of this log that were kept elsewhere.
    pub kept: Vec<Note>,
    /// What the log's object gave as its newest checkpoint when the export was made. It proves nothing that its
    /// signature does not; but whoever puts old files into the archive does not reach it.
    pub newest: Option<Note>,
    /// The checkpoint must not be older, in milliseconds since 1970.
    pub since_ms: Option<i64>,
}

/// Checks an export. `file` gives a file of the log by its path.
pub fn check(file: impl Fn(&str) -> Option<Vec<u8>>, records: &[Record], trust: &Trust) -> Report {
    let mut report = Report::default();
    let found = &mut report.findings;
    let text = file(CHECKPOINT).and_then(|bytes| String::from_utf8(bytes).ok());
    let Some(note) = text.and_then(|text| Note::parse(&text)) else {
        found.push(Finding::CheckpointUnsigned);
        return report;
    };
    let (head, key) = match head_of(&note, trust) {
        Ok(known) => known,
        Err(finding) => {
            found.push(finding);
            return report;
        }
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
    let (entries, sound) = check_tree(&file, &head, found);
    report.kept = check_kept(sound.as_ref(), &head, &key, trust, found);
    check_records(&entries, records, &mut report);
    if let (Some(since_ms), time_ms) = (trust.since_ms, report.time_ms())
        && time_ms.is_none_or(|time_ms| time_ms < since_ms)
    {
        report.findings.push(Finding::TooOld { time_ms, since_ms });
    }
    report.origin = head.origin;
    report.size = head.size;
    report.ok = report.findings.is_empty();
    report
}

/// The head that a note is of, and the key that signed it. A key may stand for the logs below its name: then the log
/// must be that of the tenant who is asked for.
fn head_of(note: &Note, trust: &Trust) -> Result<(Checkpoint, VerifierKey), Finding> {
    let head = Checkpoint::parse(&note.text).ok_or(Finding::CheckpointUnsigned)?;
    let named = &trust.key.name;
    let is_own = |tenant: &String| named.strip_suffix(tenant).is_some_and(|n| n.ends_with('/'));
    let is_asked = match &trust.tenant {
        None => head.origin == *named,
        Some(tenant) => {
            head.origin == format!("{named}/{tenant}") || head.origin == *named && is_own(tenant)
        }
    };
    let key = VerifierKey {
        name: head.origin.clone(),
        ..trust.key.clone()
    };
    if key.kind != KeyKind::Ed25519 || verify(note, &key).is_none() {
        return Err(Finding::CheckpointUnsigned);
    }
    if !is_asked {
        let origin = head.origin;
        return Err(Finding::OtherLog { origin });
    }
    Ok((head, key))
}

/// The entries as they are in the export, having said what is wrong with them; and the tree that the checkpoint is
/// the head of, if entries or hashes still make it.
fn check_tree(
    file: &impl Fn(&str) -> Option<Vec<u8>>,
    head: &Checkpoint,
    found: &mut Vec<Finding>,
) -> (Vec<Vec<u8>>, Option<Tree>) {
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
            return (entries, None);
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
    (entries, Some(sound))
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

/// Compares the log with checkpoints that it must continue; brings how many it continues. What is compared is the
/// tree that the checkpoint signs, never files that somebody altered since: two signed heads that contradict each other
/// are the doing of whoever has the key, and nobody is accused of that for what a writer of the archive can do.
fn check_kept(
    sound: Option<&Tree>,
    head: &Checkpoint,
    key: &VerifierKey,
    trust: &Trust,
    found: &mut Vec<Finding>,
) -> u64 {
    let mut known = Vec::new();
    let newest = trust.newest.iter().map(|note| (note, true));
    for (note, is_newest) in newest.chain(trust.kept.iter().map(|note| (note, false))) {
        match head_of(note, trust) {
            Ok((old, by)) if by == *key => known.push((old, is_newest)),
            Ok((Checkpoint { origin, .. }, _)) => found.push(Finding::OtherLog { origin }),
            Err(finding) => found.push(finding),
        }
    }
    known.sort_by_key(|(old, _)| old.size);
    let (mut from, mut agreed) = (0, 0);
    for (old, is_newest) in known {
        let (size, kept) = (head.size, old.size);
        let root_then = match sound {
            _ if kept == size => Some(head.root),
            Some(tree) if kept < size => root(tree, kept),
            _ => None,
        };
        match root_then {
            _ if kept > size && is_newest => {
                found.push(Finding::ArchiveBehind { size, newest: kept });
            }
            _ if kept > size => found.push(Finding::HistoryCut { size, kept }),
            None => found.push(Finding::KeptUncompared { kept }),
            Some(then) if then == old.root => {
                agreed += u64::from(!is_newest);
                from = kept;
            }
            Some(_) => {
                found.push(Finding::HistoryRewritten { from, to: kept });
                return agreed;
            }
        }
    }
    agreed
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
        report.newest_entry_ms = report.newest_entry_ms.max(Some(entry.time_ms));
        let id = entry.id;
        if !ids.insert(id.clone()) {
            found.push(Finding::EntryRepeated { place, id });
            continue;
        }
        let record = by_id.remove(id.as_str());
        match (record, entry.what) {
            (Some(record), what) if made_of(record) == Some(entry.commitment) => {
                report.records += 1;
                if what_of(what.verdict(), &record.record) != Some(what) {
                    found.push(Finding::RunContradicted { place, id });
                }
            }
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
    let salt = hex::decode(record.salt.as_bytes())?.try_into().ok()?;
    Some(audit::leaf_hash(&salt, &record.record))
}
