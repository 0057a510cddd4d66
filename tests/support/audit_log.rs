//! A tenant's log, as its object would have written it.

use std::collections::BTreeMap;

use hookgate::audit::leaf_hash;
use hookgate::tlog::checkpoint::Checkpoint;
use hookgate::tlog::entry::{Entry, What};
use hookgate::tlog::export::{Record, Report, Trust, check};
use hookgate::tlog::merkle::{self, Hashes as _, root};
use hookgate::tlog::native::{Tree, public_key, sign, signing_key};
use hookgate::tlog::note::{KeyKind, Note, VerifierKey};
use hookgate::tlog::tile::{CHECKPOINT, Kind, WIDTH, files, put_entry};

pub const NAME: &str = "gate.example/audit";
pub const TENANT: &str = "acme";
pub const SEED: [u8; 32] = [42; 32];
pub const DAY_MS: i64 = 86_400_000;

#[derive(Clone)]
pub struct Log {
    pub entries: Vec<Vec<u8>>,
    pub records: Vec<Record>,
}

pub fn id(n: u64) -> String {
    format!("req_{n:032x}")
}

pub fn logged(record: &Record, time_ms: i64) -> Vec<u8> {
    entry(record, time_ms, What::Record)
}

pub fn entry(record: &Record, time_ms: i64, what: What) -> Vec<u8> {
    let salt: Vec<u8> = hookgate::hex::decode(record.salt.as_bytes()).unwrap();
    let entry = Entry {
        id: record.id.clone(),
        time_ms,
        commitment: leaf_hash(&salt.try_into().unwrap(), &record.record),
        what,
    };
    entry.to_text().unwrap().into_bytes()
}

pub fn record(n: u64) -> Record {
    Record {
        id: id(n),
        salt: format!("{n:032x}"),
        record: format!("{{\"v\":1,\"reason\":\"signature_mismatch\",\"n\":{n}}}"),
    }
}

impl Log {
    /// A record a day.
    pub fn of(size: u64) -> Self {
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

    pub fn tree(&self) -> Tree {
        Tree::of(
            self.entries
                .iter()
                .map(|entry| merkle::leaf_hash(entry))
                .collect(),
        )
    }

    /// The checkpoint that the log's key signs.
    pub fn note(&self, size: u64) -> Note {
        let head = Checkpoint {
            origin: format!("{NAME}/{TENANT}"),
            size,
            root: root(&self.tree(), size).unwrap(),
        };
        sign(head.to_text(), &signing_key(NAME, SEED), TENANT).unwrap()
    }

    pub fn files(&self, note: &Note) -> BTreeMap<String, Vec<u8>> {
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

    pub fn checked(&self, trust: &Trust) -> Report {
        let note = self.note(self.entries.len() as u64);
        look(&self.files(&note), &self.records, trust)
    }
}

pub fn look(files: &BTreeMap<String, Vec<u8>>, records: &[Record], trust: &Trust) -> Report {
    check(|path| files.get(path).cloned(), records, trust)
}

pub fn key() -> VerifierKey {
    VerifierKey {
        name: NAME.to_owned(),
        kind: KeyKind::Ed25519,
        public_key: public_key(&SEED),
    }
}

pub fn trust() -> Trust {
    Trust {
        key: key(),
        tenant: Some(TENANT.to_owned()),
        witnesses: Vec::new(),
        kept: Vec::new(),
        newest: None,
        since_ms: None,
    }
}

/// The log's own key, under the log's own name.
pub fn own_key() -> VerifierKey {
    VerifierKey {
        name: format!("{NAME}/{TENANT}"),
        ..key()
    }
}

/// What a run of retention says of itself.
pub fn run_record(n: u64, before_ms: i64, texts: u64) -> Record {
    let text = format!(
        "{{\"v\":1,\"record\":\"retention\",\"texts\":{texts},\"texts_before_ms\":{before_ms}}}"
    );
    Record {
        record: text,
        ..record(n)
    }
}

pub fn witness_key() -> VerifierKey {
    VerifierKey {
        name: "witness.example/w1".to_owned(),
        kind: KeyKind::Cosignature,
        public_key: public_key(&[7; 32]),
    }
}
