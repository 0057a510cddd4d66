//! What the check of an export found.

use std::collections::BTreeMap;

use serde::Serialize;

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
    /// When the newest of its entries was recorded, as the gate says: a checkpoint has no time of its own. In
    /// milliseconds since 1970.
    pub newest_entry_ms: Option<i64>,
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
    /// The newest that is known of the checkpoint's time is older than was asked for.
    TooOld {
        time_ms: Option<i64>,
        since_ms: i64,
    },
    /// The log's object had a newer checkpoint than the archive.
    ArchiveBehind {
        size: u64,
        newest: u64,
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
    /// Two checkpoints that the log's key signed tell of two histories: somewhere from `from` on.
    HistoryRewritten {
        from: u64,
        to: u64,
    },
    /// A checkpoint that was kept elsewhere is of a larger log.
    HistoryCut {
        size: u64,
        kept: u64,
    },
    /// A checkpoint that was kept elsewhere cannot be compared: too much of the archive was altered.
    KeptUncompared {
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
    /// The entry of a run of retention says something else than the run's own record.
    RunContradicted {
        place: u64,
        id: String,
    },
    /// More records are gone than this run of retention deleted.
    RemovedBeforeRetention {
        place: u64,
        gone: u64,
        deleted: u64,
    },
}

impl Report {
    /// The latest time that is known of the checkpoint: a witness's, or else that of the newest entry. In milliseconds
    /// since 1970.
    pub fn time_ms(&self) -> Option<i64> {
        let seconds = self.witnesses.values().max();
        let ms = |seconds: &u64| i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX);
        seconds.map(ms).or(self.newest_entry_ms)
    }
}
