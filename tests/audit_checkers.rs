//! Checkers of a log that are not ours read the files that we write: Cloudflare's crates signed_note and
//! tlog_tiles.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

#[path = "support/audit_log.rs"]
#[allow(dead_code, reason = "shared with audit_export.rs")]
mod audit_log;

use std::collections::BTreeMap;

use audit_log::{Log, NAME, SEED, TENANT, key};
use hookgate::tlog::merkle::root;
use hookgate::tlog::native::{public_key, signing_key};
use hookgate::tlog::tile::{CHECKPOINT, Kind, WIDTH};
use tlog_tiles::{Hash as TheirHash, HashReader as _, TileHashReader, TileReader};

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
