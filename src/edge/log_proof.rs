//! The proof that a record is in its tenant's log.
//!
//! The log's object has the tree, and for at least [`crate::tlog::sequencer::KNOWN_MS`] the place of each id. After that it is
//! looked for in the tree by its hash, which follows from the record. It answers in one turn, so proof and checkpoint are
//! of one head.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use worker::Env;

use super::ledger_object::{Storage, query};
use super::log;
use super::log_object::{Log, Tiles};
use super::platform::{self, Stub};
use crate::admin::one_record::{Inclusion, Logged, OneRecord};
use crate::audit::Notice;
use crate::tlog::merkle::leaf_hash;
use crate::tlog::proof::inclusion;
use crate::tlog::tile::{self, WIDTH};

/// An operator waits for it, and gets the record without it.
const ASK_MS: u32 = 5_000;

/// Tiles of leaves that are looked through for one: two million entries, more than a tenant's bounds let him have while
/// texts are kept ([`crate::audit::store::Bounds`]). They are 67 MB, which is a tenth of a second.
const TILES_MAX: u32 = 8_192;

/// In the object: the entry of this id as place and text, and if a checkpoint has it, the checkpoint's size, the hashes one
/// after the other, and the checkpoint. `expected` is the text that the entry should have. Nothing where neither is known.
#[wasm_bindgen(js_name = logProve)]
pub fn prove(storage: &Storage, id: &str, expected: &str) -> Result<JsValue, JsValue> {
    let sql = "SELECT place, entry FROM entries WHERE id = ?";
    let found = query(storage, sql, &[id.into()])?;
    let row = if found.length() > 0 {
        Array::from(&found.get(0))
    } else if let Some(place) = place_of(storage, expected)? {
        Array::of2(&place.into(), &expected.into())
    } else {
        return Ok(JsValue::UNDEFINED);
    };
    let place = row.get(0).as_f64().unwrap_or_default() as u64;
    let log = Log::read(storage)?;
    let size = log.progress.published;
    // A run that was taken for dead and came back may have left an older note.
    let is_newest = log.note.lines().nth(1) == Some(&*size.to_string());
    if let Some(hashes) = inclusion(&Tiles::of(storage), place, size).filter(|_| is_newest) {
        row.push(&(size as f64).into());
        row.push(&Uint8Array::from(hashes.as_flattened()));
        row.push(&log.note.into());
    }
    Ok(row.into())
}

/// In the object: where the tree has the hash of this entry, among the newest [`TILES_MAX`].
pub(super) fn place_of(storage: &Storage, entry: &str) -> Result<Option<f64>, JsValue> {
    let sql = "SELECT place, instr(hashes, ?) FROM tiles WHERE level = 0 AND instr(hashes, ?) > 0
               AND place > (SELECT max(place) FROM tiles WHERE level = 0) - ? ORDER BY place DESC LIMIT 1";
    let leaf = Uint8Array::from(&leaf_hash(entry.as_bytes())[..]);
    let asked = [leaf.clone().into(), leaf.into(), TILES_MAX.into()];
    let found = query(storage, sql, &asked)?;
    if found.length() == 0 {
        return Ok(None);
    }
    let row = Array::from(&found.get(0));
    let number = |index| row.get(index).as_f64();
    // Hashes lie one behind the other, 32 bytes each.
    let place = number(0).zip(number(1));
    Ok(place.map(|(tile, byte)| tile * WIDTH as f64 + (byte - 1.0) / 32.0))
}

/// What the log says of a record. `None`: nothing, or it was not reached; the log line says which.
pub async fn of(env: &Env, record: &OneRecord) -> Option<Logged> {
    let expected = record.expected_entry().unwrap_or_default();
    let prove = |stub: &Stub| stub.prove(&record.id, &expected);
    match log::told(env, &record.tenant, ASK_MS, prove).await {
        Ok(found) => read(&found),
        Err(detail) => {
            platform::notice(&Notice::LogFailed { detail: &detail });
            None
        }
    }
}

fn read(found: &JsValue) -> Option<Logged> {
    let row = found.dyn_ref::<Array>()?;
    let number = |index| Some(row.get(index).as_f64()? as u64);
    let proof = || {
        let hashes = row.get(3).dyn_into::<Uint8Array>().ok()?.to_vec();
        Some(Inclusion {
            size: number(2)?,
            hashes: tile::hashes(&hashes)?.to_vec(),
            checkpoint: row.get(4).as_string()?,
        })
    };
    Some(Logged {
        index: number(0)?,
        entry: row.get(1).as_string()?,
        proof: proof(),
    })
}
