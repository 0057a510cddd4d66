//! The order in which a log grows, as a step function: what to do next is read off what is done.
//!
//! ```text
//! stage    entries and their places                 the object, in the turn that answers
//! commit   the hashes and the head of a larger tree the object, in one turn, if the head is still the old one
//! write    its tiles and entries                    R2
//! publish  its checkpoint, signed                   R2
//! send     the checkpoint                           the witness, and whoever else keeps it
//! ```
//!
//! What is written outside was committed inside before, and follows from it byte for byte. So a step that is
//! done twice, or by an object that should be gone, writes what is there already; a crash anywhere costs the
//! step that it interrupted; and a head is never signed before the object holds to it. A tile that nobody
//! wrote is never under a checkpoint.
//!
//! A late copy of an older checkpoint can take a newer one's place in R2 until the next is written. It is a
//! stale head and not a false one: the two are consistent.

/// Entries that one head may add: their hashes, and the tiles above, take 4 MB of an isolate's 128.
pub const COMMIT_ENTRIES_MAX: u64 = 65_536;
/// Entries whose files are written in one step: four bundles of text and what is above them.
pub const WRITE_ENTRIES_MAX: u64 = 1_024;
/// An id is known for so long. A queue keeps a message for fourteen days at most, so that none comes again
/// after that.
pub const KNOWN_MS: i64 = 15 * 86_400_000;
/// How far a log is. All are numbers of entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Progress {
    /// They have their places.
    pub staged: u64,
    /// The head.
    pub size: u64,
    /// Their files are in R2.
    pub written: u64,
    /// The newest checkpoint.
    pub published: u64,
    /// The newest that the witness remembers, as far as is known here.
    pub known: u64,
    /// The newest that bears the witness's signature.
    pub cosigned: u64,
    /// The newest that left for the other place.
    pub posted: u64,
    /// When the last head or checkpoint was made. In milliseconds since 1970.
    pub made_ms: i64,
}

/// What can be done here and now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Means {
    /// There is a key. Without one nothing is published.
    pub sign: bool,
    /// There is a witness, and it was not asked in vain just now.
    pub witness: bool,
    /// There is another place to send to, and it was not tried in vain just now.
    pub post: bool,
    /// The least time between two checkpoints, and until whoever was not reached is tried again. In
    /// milliseconds.
    pub period_ms: i64,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Commit {
        from: u64,
        to: u64,
    },
    Write {
        from: u64,
        to: u64,
    },
    Publish,
    /// Ask the witness, which remembers the log up to `old`.
    Cosign {
        old: u64,
    },
    Post,
    Rest,
}

impl Progress {
    /// The step function.
    pub fn next(&self, means: Means, now_ms: i64) -> Step {
        let (from, size) = (self.written, self.size);
        if from < size {
            // Up to the end of a bundle: what is not full is written for the head alone.
            let end = (from / WRITE_ENTRIES_MAX + 1) * WRITE_ENTRIES_MAX;
            let to = end.min(size);
            return Step::Write { from, to };
        }
        if means.sign && self.published < size {
            return Step::Publish;
        }
        if size < self.staged && self.due_in_ms(means, now_ms) == 0 {
            let to = self.staged.min(size + COMMIT_ENTRIES_MAX);
            return Step::Commit { from: size, to };
        }
        if means.sign && means.witness && self.cosigned < self.published {
            return Step::Cosign { old: self.known };
        }
        if means.sign && means.post && self.posted < self.published {
            return Step::Post;
        }
        Step::Rest
    }

    /// How long to rest, with everybody who is configured among the means. `None`: until something is staged.
    pub fn rest_ms(&self, configured: Means, now_ms: i64) -> Option<i64> {
        let alone = Means {
            witness: false,
            post: false,
            ..configured
        };
        if self.next(alone, now_ms) != Step::Rest {
            return Some(0);
        }
        if self.size < self.staged {
            return Some(self.due_in_ms(configured, now_ms));
        }
        (self.next(configured, now_ms) != Step::Rest).then_some(configured.period_ms)
    }

    /// When the next head may be made. A clock that went back does not hold it up.
    fn due_in_ms(&self, means: Means, now_ms: i64) -> i64 {
        match now_ms.saturating_sub(self.made_ms) {
            since if (0..means.period_ms).contains(&since) => means.period_ms - since,
            _ => 0,
        }
    }
}
