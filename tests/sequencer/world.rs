//! What outlives the object of a log, and what is to be seen of the log from outside.

use std::collections::BTreeMap;

use hookgate::tlog::checkpoint::Checkpoint;
use hookgate::tlog::merkle::{leaf_hash, root};
use hookgate::tlog::native::Tree;
use hookgate::tlog::proof::{consistency, is_consistent};
use hookgate::tlog::sequencer::{Means, Progress, Step};
use hookgate::tlog::tile::{File, Kind, WIDTH, entries, files, hashes, put_entry};

pub const PERIOD_MS: i64 = 60_000;
pub const NOW_MS: i64 = 1_000_000;
pub const MEANS: Means = Means {
    sign: true,
    witness: true,
    post: true,
    period_ms: PERIOD_MS,
};

/// What becomes of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Done,
    Failed,
    /// It takes effect, and nobody hears of it.
    Lost,
    /// It takes effect after everything else that happens.
    Late,
    /// The object dies before it, or after it and before it is written down.
    DiesBefore,
    DiesAfter,
}

pub const FATES: [Fate; 6] = [
    Fate::Done,
    Fate::Failed,
    Fate::Lost,
    Fate::Late,
    Fate::DiesBefore,
    Fate::DiesAfter,
];

/// What outlives the object, and everything that was ever to be seen outside.
#[derive(Clone, Default)]
pub struct World {
    // In the object's storage.
    pub progress: Progress,
    pub entries: Vec<Vec<u8>>,
    pub places: BTreeMap<String, u64>,
    pub tree: Tree,
    pub head: Option<Checkpoint>,
    // Elsewhere.
    pub bucket: BTreeMap<String, Vec<u8>>,
    pub checkpoint: Option<Checkpoint>,
    pub witness: Option<Checkpoint>,
    pub cosigned: Vec<Checkpoint>,
    pub seen: Vec<Checkpoint>,
    /// Sizes whose checkpoints were found complete.
    pub complete: Vec<u64>,
    pub late: Vec<(String, Vec<u8>)>,
    pub late_checkpoints: Vec<Checkpoint>,
    pub now_ms: i64,
}

impl World {
    pub fn at(now_ms: i64) -> Self {
        World {
            now_ms,
            ..World::default()
        }
    }

    pub fn append(&mut self, ids: &[String]) {
        for id in ids {
            let next = self.entries.len() as u64;
            let place = *self.places.entry(id.clone()).or_insert(next);
            if place == next {
                self.entries.push(id.as_bytes().to_vec());
            }
        }
        self.progress.staged = self.entries.len() as u64;
    }

    pub fn commit(&mut self, from: u64, to: u64) {
        assert_eq!(self.progress.size, from, "the head is still the old one");
        let leaves = self.entries[from as usize..to as usize].iter();
        self.tree
            .append(leaves.map(|entry| leaf_hash(entry)).collect());
        self.progress.size = to;
        self.progress.made_ms = self.now_ms;
        self.head = Some(Checkpoint {
            origin: "gate.example/audit/tenant".to_owned(),
            size: to,
            root: root(&self.tree, to).unwrap(),
        });
    }

    pub fn contents(&self, file: &File) -> Vec<u8> {
        let (from, to) = (file.index * WIDTH, file.index * WIDTH + file.width);
        match file.of {
            Kind::Entries => {
                let mut bundle = Vec::new();
                for entry in &self.entries[from as usize..to as usize] {
                    assert!(put_entry(&mut bundle, entry));
                }
                bundle
            }
            Kind::Hashes { level } => {
                use hookgate::tlog::merkle::Hashes as _;
                let hash = |index| self.tree.hash(level, index).unwrap();
                (from..to).flat_map(hash).collect()
            }
        }
    }

    /// One step. False: the run is over.
    pub fn step(&mut self, means: &mut Means, fate: impl FnOnce() -> Fate) -> bool {
        let step = self.progress.next(*means, self.now_ms);
        let fate = match step {
            Step::Rest => return false,
            // In one turn of the object: it is done or it is not.
            Step::Commit { from, to } => {
                self.commit(from, to);
                return true;
            }
            _ => fate(),
        };
        let takes_effect = matches!(fate, Fate::Done | Fate::Lost | Fate::DiesAfter);
        match step {
            Step::Write { from, to } => {
                let files = files(from, to);
                // A failure hits somewhere in between: the first half is there.
                let until = if takes_effect {
                    files.len()
                } else {
                    files.len() / 2
                };
                for (at, file) in files.iter().enumerate() {
                    let put = (file.path(), self.contents(file));
                    if at < until {
                        self.put(put);
                    } else if fate == Fate::Late {
                        self.late.push(put);
                    }
                }
                if fate == Fate::Done {
                    self.progress.written = to;
                }
            }
            Step::Publish => {
                let head = self.head.clone().unwrap();
                self.seen.push(head.clone());
                match fate {
                    _ if takes_effect => self.checkpoint = Some(head),
                    Fate::Late => self.late_checkpoints.push(head),
                    _ => {}
                }
                if fate == Fate::Done {
                    self.progress.published = self.progress.size;
                }
            }
            Step::Cosign { old } => {
                let answer = (takes_effect || fate == Fate::Late).then(|| self.ask_witness(old));
                match (fate, answer) {
                    (Fate::Done, Some(Ok(()))) => {
                        self.progress.known = self.progress.published;
                        self.progress.cosigned = self.progress.published;
                    }
                    (Fate::Done, Some(Err(known))) => self.progress.known = known,
                    _ => means.witness = false,
                }
            }
            Step::Post if fate == Fate::Done => self.progress.posted = self.progress.published,
            Step::Post => means.post = false,
            Step::Commit { .. } | Step::Rest => {}
        }
        !matches!(fate, Fate::DiesBefore | Fate::DiesAfter)
            && (fate == Fate::Done || matches!(step, Step::Cosign { .. } | Step::Post))
    }

    /// <https://c2sp.org/tlog-witness>, "add-checkpoint": its checks, in its order.
    pub fn ask_witness(&mut self, old: u64) -> Result<(), u64> {
        let new = self.head.clone().unwrap();
        assert_eq!(
            new.size, self.progress.published,
            "what is sent is published"
        );
        assert!(old <= new.size);
        let known = self.witness.as_ref().map_or(0, |known| known.size);
        if old != known {
            return Err(known);
        }
        let proof = consistency(&self.tree, old, new.size).unwrap();
        let old_root = self.witness.as_ref().map_or([0; 32], |known| known.root);
        assert!(
            is_consistent(&proof, (old, &old_root), (new.size, &new.root)),
            "the witness refuses an honest log"
        );
        self.witness = Some(new.clone());
        self.cosigned.push(new);
        Ok(())
    }

    /// A run of the alarm.
    pub fn run(&mut self, mut fate: impl FnMut() -> Fate) {
        let mut means = MEANS;
        while self.step(&mut means, &mut fate) {
            self.holds();
        }
        self.holds();
    }

    /// What must hold at every moment, for whoever looks from outside.
    pub fn holds(&mut self) {
        // What is in the bucket stays: a checkpoint that was complete once is complete.
        let now = self.checkpoint.clone();
        if let Some(checkpoint) = now.filter(|now| !self.complete.contains(&now.size)) {
            self.is_complete(&checkpoint);
            self.complete.push(checkpoint.size);
        }
        // Whatever was ever signed is one history.
        if let [.., one, other] = self.seen.as_slice() {
            assert!(one.size <= other.size);
            let proof = consistency(&self.tree, one.size, other.size).unwrap();
            assert!(is_consistent(
                &proof,
                (one.size, &one.root),
                (other.size, &other.root)
            ));
        }
        let progress = &self.progress;
        assert!(progress.published <= progress.written && progress.written <= progress.size);
        assert!(progress.size <= progress.staged);
        assert!(progress.cosigned <= progress.published && progress.posted <= progress.published);
        assert!(progress.known <= self.witness.as_ref().map_or(0, |known| known.size));
    }

    /// Every entry and every hash of the checkpoint's tree is in the bucket.
    pub fn is_complete(&self, checkpoint: &Checkpoint) {
        let mut leaves = Vec::new();
        for file in files(0, checkpoint.size) {
            let path = file.path();
            let full = File {
                width: WIDTH,
                ..file
            }
            .path();
            let found = self.bucket.get(&path).or_else(|| self.bucket.get(&full));
            let found = found.unwrap_or_else(|| panic!("{path} is missing"));
            match file.of {
                Kind::Entries => {
                    let bundle = entries(found).unwrap();
                    leaves.extend(bundle.into_iter().take(file.width as usize).map(leaf_hash));
                }
                Kind::Hashes { level: 0 } => {
                    let from = (file.index * WIDTH) as usize;
                    let tile = &hashes(found).unwrap()[..file.width as usize];
                    assert_eq!(tile, &leaves[from..from + tile.len()], "{path}");
                }
                Kind::Hashes { .. } => assert!(found.len() as u64 >= file.width * 32),
            }
        }
        assert_eq!(
            root(&Tree::of(leaves), checkpoint.size),
            Some(checkpoint.root)
        );
    }

    pub fn put(&mut self, (path, bytes): (String, Vec<u8>)) {
        if let Some(there) = self.bucket.insert(path.clone(), bytes.clone()) {
            assert_eq!(there, bytes, "{path} was written in two ways");
        }
    }

    /// What was late arrives now.
    pub fn arrive(&mut self) {
        for put in std::mem::take(&mut self.late) {
            self.put(put);
        }
        for checkpoint in std::mem::take(&mut self.late_checkpoints) {
            self.checkpoint = Some(checkpoint);
        }
        self.holds();
    }
}
