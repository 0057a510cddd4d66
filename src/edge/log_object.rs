//! The Durable Object of a tenant's log: it gives out the places, and keeps the tree. See
//! [`crate::tlog::sequencer`] for the order of what it does.
//!
//! The object's class is in `audit_log.mjs`; it calls in here and sees to the alarm. What is here and not in
//! `log_run` is synchronous: each call is one turn, and its rows are written together or not at all.

use std::cell::RefCell;

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use worker::Env;

use super::ledger_object::{Storage, query, rows};
use super::log_proof::place_of;
use super::log_run::means;
use super::platform::now_ms;
use crate::hex;
use crate::tlog::entry::Entry;
use crate::tlog::merkle::{Hashes, grow, leaf_hash, root};
use crate::tlog::sequencer::{KNOWN_MS, Progress};
use crate::tlog::tile::{self, File, Kind, WIDTH};
use crate::tlog::{Hash, is_tenant};

/// The tree stays, 33 bytes for an entry: a witness may ask for a proof from any size. Entries stay until
/// none can come again.
const TABLES: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS log (
       tenant TEXT NOT NULL, staged INTEGER NOT NULL, size INTEGER NOT NULL, written INTEGER NOT NULL,
       published INTEGER NOT NULL, known INTEGER NOT NULL, cosigned INTEGER NOT NULL,
       posted INTEGER NOT NULL, made_ms INTEGER NOT NULL, root TEXT NOT NULL, note TEXT NOT NULL
     )",
    "CREATE TABLE IF NOT EXISTS entries (
       place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, staged_ms INTEGER NOT NULL, entry TEXT NOT NULL
     )",
    "CREATE TABLE IF NOT EXISTS tiles (
       level INTEGER NOT NULL, place INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (level, place)
     ) WITHOUT ROWID",
];

/// An entry that is older than this may have been here, and its id be forgotten: it is a dead letter that was sent again. A
/// day sooner than that, because its time is the gate's and the other one is the object's.
const FORGOTTEN_MS: i64 = KNOWN_MS - 86_400_000;

/// Entries looked at for each that is staged, so that those whose time is over are gone in the end.
const SWEPT_FOR_EACH: u32 = 2;

/// Prepares the object.
#[wasm_bindgen(js_name = logOpen)]
pub fn open(storage: &Storage) -> Result<(), JsValue> {
    for table in TABLES {
        query(storage, table, &[])?;
    }
    Ok(())
}

/// Gives each entry of a bundle its place: a new one behind all others; one whose id is known, or whose hash the tree has, the
/// place that it has.
#[wasm_bindgen(js_name = logAppend)]
pub fn append(storage: &Storage, tenant: &str, bundle: &[u8]) -> Result<Vec<f64>, JsValue> {
    if !is_tenant(tenant) {
        return Err(not_a_tenant());
    }
    // Read first: of a bundle that is none, nothing is staged.
    let read = |text: &[u8]| Some((Entry::parse(text)?, str::from_utf8(text).ok()?.to_owned()));
    let entries: Option<Vec<(Entry, String)>> =
        tile::entries(bundle).and_then(|entries| entries.into_iter().map(read).collect());
    let entries = entries.ok_or_else(|| JsValue::from_str("not a bundle of this version"))?;
    let begin = "INSERT INTO log SELECT ?, 0, 0, 0, 0, 0, 0, 0, 0, '', ''
                 WHERE NOT EXISTS (SELECT 1 FROM log)";
    query(storage, begin, &[tenant.into()])?;
    let log = Log::read(storage)?;
    if log.tenant != tenant {
        return Err(JsValue::from_str("another tenant's log"));
    }
    let mut staged = log.progress.staged;
    let mut places = Vec::with_capacity(entries.len());
    let forgotten_before_ms = now_ms().saturating_sub(FORGOTTEN_MS);
    for (Entry { id, time_ms, .. }, entry) in entries {
        let known = query(
            storage,
            "SELECT place FROM entries WHERE id = ?",
            &[(&*id).into()],
        )?;
        if known.length() > 0 {
            places.push(
                Array::from(&known.get(0))
                    .get(0)
                    .as_f64()
                    .unwrap_or_default(),
            );
            continue;
        }
        if time_ms < forgotten_before_ms
            && let Some(place) = place_of(storage, &entry)?
        {
            places.push(place);
            continue;
        }
        let place = staged as f64;
        let row = [
            place.into(),
            id.into(),
            (now_ms() as f64).into(),
            entry.into(),
        ];
        query(storage, "INSERT INTO entries VALUES (?, ?, ?, ?)", &row)?;
        places.push(place);
        staged += 1;
    }
    let added = staged - log.progress.staged;
    if added > 0 {
        query(
            storage,
            "UPDATE log SET staged = ?",
            &[(staged as f64).into()],
        )?;
        sweep(storage, &log.progress, added)?;
    }
    Ok(places)
}

/// The entry of this id, in its place or on its way to one.
#[wasm_bindgen(js_name = logEntry)]
pub fn entry(storage: &Storage, id: &str) -> Result<Option<String>, JsValue> {
    let found = query(
        storage,
        "SELECT entry FROM entries WHERE id = ?",
        &[id.into()],
    )?;
    if found.length() == 0 {
        return Ok(None);
    }
    Ok(Array::from(&found.get(0)).get(0).as_string())
}

/// The newest checkpoint, with the cosignature that it has by now; empty before there is one.
#[wasm_bindgen(js_name = logNewest)]
pub fn newest(storage: &Storage) -> Result<String, JsValue> {
    Ok(Log::read(storage)?.note)
}

/// How long to rest, in milliseconds. `None`: until an entry comes.
#[wasm_bindgen(js_name = logRest)]
pub fn rest(storage: &Storage, env: &Env, period_ms: f64) -> Result<Option<f64>, JsValue> {
    let progress = Log::read(storage)?.progress;
    let rest = progress.rest_ms(means(env, period_ms), now_ms());
    Ok(rest.map(|ms| ms as f64))
}

/// Deletes entries that are in full bundles and so old that they cannot come again.
fn sweep(storage: &Storage, progress: &Progress, added: u64) -> Result<(), JsValue> {
    let written = progress.written - progress.written % WIDTH;
    let sql = "DELETE FROM entries WHERE place < ? AND staged_ms < ? AND place IN
               (SELECT place FROM entries ORDER BY place LIMIT ?)";
    let before_ms = now_ms().saturating_sub(KNOWN_MS) as f64;
    let rows = added as f64 * f64::from(SWEPT_FOR_EACH);
    query(
        storage,
        sql,
        &[(written as f64).into(), before_ms.into(), rows.into()],
    )?;
    Ok(())
}

/// The one row of the log.
pub(super) struct Log {
    pub tenant: String,
    pub progress: Progress,
    /// Of the head.
    pub root: Option<Hash>,
    /// The newest checkpoint, with the cosignature that it has by now.
    pub note: String,
}

impl Log {
    /// One that is empty, where nothing was ever staged.
    pub fn read(storage: &Storage) -> Result<Log, JsValue> {
        let found = query(storage, "SELECT * FROM log", &[])?;
        // Before the first entry there is none, and the log is empty.
        let row = if found.length() > 0 {
            Array::from(&found.get(0))
        } else {
            Array::new()
        };
        let text = |index| row.get(index).as_string().unwrap_or_default();
        let number = |index| row.get(index).as_f64().unwrap_or_default() as u64;
        Ok(Log {
            tenant: text(0),
            progress: Progress {
                staged: number(1),
                size: number(2),
                written: number(3),
                published: number(4),
                known: number(5),
                cosigned: number(6),
                posted: number(7),
                made_ms: number(8) as i64,
            },
            root: hex::decode(text(9).as_bytes()).and_then(|root| root.try_into().ok()),
            note: text(10),
        })
    }
}

/// Makes the head of a larger tree, unless somebody else has: all in one turn.
pub(super) fn commit(storage: &Storage, from: u64, to: u64) -> Result<(), JsValue> {
    if Log::read(storage)?.progress.size != from {
        return Err(JsValue::from_str("another head"));
    }
    let mut leaves = Vec::new();
    for entry in entries(storage, from, to)? {
        leaves.push(leaf_hash(entry?.as_bytes()));
    }
    if leaves.len() as u64 != to - from {
        return Err(missing());
    }
    let sql = "INSERT INTO tiles VALUES (?, ?, ?)
               ON CONFLICT (level, place) DO UPDATE SET hashes = excluded.hashes";
    for tile in grow(&Tiles::of(storage), from, leaves).ok_or_else(missing)? {
        let hashes = Uint8Array::from(tile.hashes.as_flattened());
        query(
            storage,
            sql,
            &[tile.level.into(), (tile.index as f64).into(), hashes.into()],
        )?;
    }
    let root = root(&Tiles::of(storage), to).ok_or_else(missing)?;
    let sql = "UPDATE log SET size = ?, root = ?, made_ms = ?";
    let head = [
        (to as f64).into(),
        hex::encode(&root).into(),
        (now_ms() as f64).into(),
    ];
    query(storage, sql, &head)?;
    Ok(())
}

/// What stands in a file of the log.
pub(super) fn contents(storage: &Storage, file: &File) -> Result<Vec<u8>, JsValue> {
    match file.of {
        Kind::Hashes { level } => {
            let tile = Tiles::of(storage).read(level, file.index);
            let bytes = usize::try_from(file.width * 32).unwrap_or_default();
            tile.and_then(|tile| Some(tile.get(..bytes)?.to_vec()))
                .ok_or_else(missing)
        }
        Kind::Entries => {
            let (from, mut bundle, mut count) = (file.index * WIDTH, Vec::new(), 0);
            for entry in entries(storage, from, from + file.width)? {
                count += u64::from(tile::put_entry(&mut bundle, entry?.as_bytes()));
            }
            (count == file.width).then_some(bundle).ok_or_else(missing)
        }
    }
}

fn entries(
    storage: &Storage,
    from: u64,
    to: u64,
) -> Result<impl Iterator<Item = Result<String, JsValue>>, JsValue> {
    let sql = "SELECT entry FROM entries WHERE place >= ? AND place < ? ORDER BY place";
    let found = rows(storage, sql, &[(from as f64).into(), (to as f64).into()])?;
    Ok(found.map(|row| Ok(Array::from(&row?).get(0).as_string().unwrap_or_default())))
}

/// Whoever had an entry brought here under this name: no log is called so.
pub(super) fn not_a_tenant() -> JsValue {
    JsValue::from_str("no tenant is called so")
}

fn missing() -> JsValue {
    JsValue::from_str("a part of the log is not there")
}

/// The tree, as it was in the object when this was made.
pub(super) struct Tiles<'a> {
    storage: &'a Storage,
    /// The tile that was read last: its hashes are asked for one by one.
    last: RefCell<Option<(u8, u64, Vec<u8>)>>,
}

impl<'a> Tiles<'a> {
    pub fn of(storage: &'a Storage) -> Self {
        let last = RefCell::default();
        Tiles { storage, last }
    }

    fn read(&self, level: u8, index: u64) -> Option<Vec<u8>> {
        let sql = "SELECT hashes FROM tiles WHERE level = ? AND place = ?";
        let place = [level.into(), (index as f64).into()];
        let found = query(self.storage, sql, &place).ok()?;
        (found.length() > 0).then(|| Uint8Array::new(&Array::from(&found.get(0)).get(0)).to_vec())
    }
}

impl Hashes for Tiles<'_> {
    fn hash(&self, level: u8, index: u64) -> Option<Hash> {
        let (tile, place) = (index / WIDTH, usize::try_from(index % WIDTH).ok()?);
        let mut last = self.last.borrow_mut();
        if !matches!(&*last, Some((of, at, _)) if (*of, *at) == (level, tile)) {
            *last = Some((level, tile, self.read(level, tile)?));
        }
        let (_, _, bytes) = last.as_ref()?;
        tile::hashes(bytes)?.get(place).copied()
    }
}
