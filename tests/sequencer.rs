//! The log's object, its bucket and its witness as a model: every way in which up to three effects fail, or
//! take effect and deny it, or take effect late, or the object dies before or after one; and what must hold
//! after each of them.
//!
//! What is committed here is what `edge/log_object.rs` commits in one turn; what is done outside goes through
//! the same functions of `tlog` as there.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

use std::collections::BTreeMap;

use hookgate::tlog::checkpoint::Checkpoint;
use hookgate::tlog::merkle::{leaf_hash, root};
use hookgate::tlog::native::Tree;
use hookgate::tlog::proof::{consistency, is_consistent};
use hookgate::tlog::sequencer::{COMMIT_ENTRIES_MAX, Means, Progress, Step, WRITE_ENTRIES_MAX};
use hookgate::tlog::tile::{File, Kind, WIDTH, entries, files, hashes, put_entry};

const PERIOD_MS: i64 = 60_000;
const MEANS: Means = Means {
    sign: true,
    witness: true,
    post: true,
    period_ms: PERIOD_MS,
};

/// What becomes of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
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

const FATES: [Fate; 6] = [
    Fate::Done,
    Fate::Failed,
    Fate::Lost,
    Fate::Late,
    Fate::DiesBefore,
    Fate::DiesAfter,
];

/// What outlives the object, and everything that was ever to be seen outside.
#[derive(Clone, Default)]
struct World {
    // In the object's storage.
    progress: Progress,
    entries: Vec<Vec<u8>>,
    places: BTreeMap<String, u64>,
    tree: Tree,
    head: Option<Checkpoint>,
    // Elsewhere.
    bucket: BTreeMap<String, Vec<u8>>,
    checkpoint: Option<Checkpoint>,
    witness: Option<Checkpoint>,
    cosigned: Vec<Checkpoint>,
    seen: Vec<Checkpoint>,
    late: Vec<(String, Vec<u8>)>,
    late_checkpoints: Vec<Checkpoint>,
    now_ms: i64,
}

impl World {
    fn append(&mut self, ids: &[String]) {
        for id in ids {
            let next = self.entries.len() as u64;
            let place = *self.places.entry(id.clone()).or_insert(next);
            if place == next {
                self.entries.push(id.as_bytes().to_vec());
            }
        }
        self.progress.staged = self.entries.len() as u64;
    }

    fn commit(&mut self, from: u64, to: u64) {
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

    fn contents(&self, file: &File) -> Vec<u8> {
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
    fn step(&mut self, means: &mut Means, fate: impl FnOnce() -> Fate) -> bool {
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
                        self.bucket.insert(put.0, put.1);
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
    fn ask_witness(&mut self, old: u64) -> Result<(), u64> {
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
    fn run(&mut self, mut fate: impl FnMut() -> Fate) {
        let mut means = MEANS;
        while self.step(&mut means, &mut fate) {
            self.holds();
        }
        self.holds();
    }

    /// What must hold at every moment, for whoever looks from outside.
    fn holds(&self) {
        if let Some(checkpoint) = &self.checkpoint {
            self.is_complete(checkpoint);
        }
        // Whatever was ever signed is one history.
        for pair in self.seen.windows(2) {
            let (one, other) = (&pair[0], &pair[1]);
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
    fn is_complete(&self, checkpoint: &Checkpoint) {
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

    /// What was late arrives now.
    fn arrive(&mut self) {
        for (path, bytes) in std::mem::take(&mut self.late) {
            if let Some(there) = self.bucket.insert(path.clone(), bytes.clone()) {
                assert_eq!(there, bytes, "{path} was written in two ways");
            }
        }
        for checkpoint in std::mem::take(&mut self.late_checkpoints) {
            self.checkpoint = Some(checkpoint);
        }
        self.holds();
    }
}

fn ids(from: u64, count: u64) -> Vec<String> {
    (from..from + count).map(|n| format!("req_{n}")).collect()
}

/// Three rounds of records, with copies of the last ones, and `fates` for the effects in their order; then
/// rest, without faults. True: the fates were all used.
fn play(fates: &[Fate], sizes: [u64; 3]) -> bool {
    let mut world = World::default();
    world.now_ms = 1_000_000;
    let mut rest = fates.iter();
    let mut from = 0;
    for size in sizes {
        let again = ids(from, 0)
            .into_iter()
            .chain(ids(from.saturating_sub(2), size + 2.min(from)));
        world.append(&again.collect::<Vec<_>>());
        from += size;
        // Two runs each: what the first left undone, the second finds.
        for _ in 0..2 {
            world.run(|| rest.next().copied().unwrap_or(Fate::Done));
            world.now_ms += PERIOD_MS;
        }
        world.arrive();
    }
    let is_used = rest.next().is_none();
    for _ in 0..2 {
        world.run(|| Fate::Done);
        world.now_ms += PERIOD_MS;
    }
    world.append(&ids(from, 1));
    world.run(|| Fate::Done);
    let (total, progress) = (from + 1, world.progress);
    assert_eq!(
        world.entries.len() as u64,
        total,
        "each record has one place"
    );
    let done = [
        progress.size,
        progress.written,
        progress.published,
        progress.cosigned,
        progress.posted,
    ];
    assert_eq!(done, [total; 5], "{fates:?}");
    assert_eq!(world.checkpoint.as_ref().unwrap().size, total);
    assert_eq!(world.witness.as_ref().unwrap().size, total);
    assert_eq!(
        progress.rest_ms(MEANS, world.now_ms),
        None,
        "nothing more to do"
    );
    is_used
}

#[test]
fn a_log_recovers_from_every_failure_at_every_step() {
    let mut played = 0;
    for sizes in [[3, 4, 5], [255, 2, 300]] {
        assert!(
            !play(&[Fate::Done; 40], sizes),
            "forty effects are more than there are"
        );
        let effects = (0..40)
            .find(|count| !play(&vec![Fate::Done; count + 1], sizes))
            .unwrap();
        assert!(effects >= 12, "{effects}");
        for first in 0..effects {
            for one in FATES {
                for second in first + 1..effects {
                    for other in FATES {
                        let mut fates = vec![Fate::Done; effects];
                        (fates[first], fates[second]) = (one, other);
                        play(&fates, sizes);
                        played += 1;
                    }
                }
            }
        }
    }
    assert!(played > 4_000, "{played}");
}

#[test]
fn three_failures_in_a_row_change_nothing() {
    for one in FATES {
        for two in FATES {
            for three in FATES {
                for start in 0..6 {
                    let mut fates = vec![Fate::Done; start];
                    fates.extend([one, two, three]);
                    play(&fates, [2, 300, 1]);
                }
            }
        }
    }
}

#[test]
fn there_is_one_checkpoint_a_minute_and_none_without_new_entries() {
    let mut world = World::default();
    world.now_ms = 1_000_000;
    for second in 0..600 {
        if second < 300 {
            world.append(&ids(second, 1));
        }
        world.now_ms += 1_000;
        world.run(|| Fate::Done);
    }
    assert_eq!(world.progress.published, 300);
    let sizes: Vec<u64> = world.seen.iter().map(|seen| seen.size).collect();
    assert_eq!(sizes.len(), 6, "{sizes:?}");
}

#[test]
fn a_clock_that_goes_back_does_not_stop_the_log() {
    let mut world = World::default();
    world.now_ms = 1_000_000_000;
    world.append(&ids(0, 1));
    world.run(|| Fate::Done);
    world.now_ms = 1_000;
    world.append(&ids(1, 1));
    assert_eq!(world.progress.rest_ms(MEANS, world.now_ms), Some(0));
    world.run(|| Fate::Done);
    assert_eq!(world.progress.published, 2);
}

#[test]
fn without_a_key_the_log_grows_and_nothing_is_published() {
    let progress = Progress {
        staged: 5,
        ..Progress::default()
    };
    let unsigned = Means {
        sign: false,
        ..MEANS
    };
    assert_eq!(progress.next(unsigned, 1), Step::Commit { from: 0, to: 5 });
    let grown = Progress {
        size: 5,
        written: 5,
        ..progress
    };
    assert_eq!(grown.next(unsigned, 1), Step::Rest);
    assert_eq!(grown.rest_ms(unsigned, 1), None);
    assert_eq!(
        grown.next(MEANS, 1),
        Step::Publish,
        "with the key what is there is signed"
    );
}

#[test]
fn a_head_and_a_step_have_their_bounds() {
    let progress = Progress {
        staged: 10 * COMMIT_ENTRIES_MAX,
        ..Progress::default()
    };
    let to = COMMIT_ENTRIES_MAX;
    assert_eq!(progress.next(MEANS, 1), Step::Commit { from: 0, to });
    let mut progress = Progress {
        size: to - 1,
        made_ms: 1,
        ..progress
    };
    let mut steps = 0;
    while let Step::Write { from, to } = progress.next(MEANS, 1) {
        assert!(from < to && to - from <= WRITE_ENTRIES_MAX);
        assert!(files(from, to).len() <= 16, "{}", files(from, to).len());
        progress.written = to;
        steps += 1;
    }
    assert_eq!((progress.written, steps), (to - 1, 64));
}

/// Who was not reached is tried again once a period, and holds nobody else up.
#[test]
fn a_witness_that_is_away_stops_nothing() {
    let mut world = World::default();
    world.now_ms = 1_000_000;
    world.append(&ids(0, 3));
    let mut asked = 0;
    for _ in 0..5 {
        let mut means = MEANS;
        loop {
            let is_asking = matches!(
                world.progress.next(means, world.now_ms),
                Step::Cosign { .. }
            );
            asked += u32::from(is_asking);
            let fate = if is_asking { Fate::Failed } else { Fate::Done };
            if !world.step(&mut means, || fate) {
                break;
            }
        }
        assert_eq!(world.progress.rest_ms(MEANS, world.now_ms), Some(PERIOD_MS));
        world.now_ms += PERIOD_MS;
    }
    assert_eq!(asked, 5);
    assert_eq!((world.progress.published, world.progress.posted), (3, 3));
}
