//! The tree: RFC 9162, section 2.1.1, which is RFC 6962's with SHA-256.

use sha2::{Digest as _, Sha256};

use super::Hash;
use super::tile::{HEIGHT, Tile, WIDTH};

/// Where the hashes of a tree are found: at every eighth height, as tiles have them.
pub trait Hashes {
    /// The hash of the `index`-th full run of 256^`level` leaves. `None`: it is not there.
    fn hash(&self, level: u8, index: u64) -> Option<Hash>;
}

/// The hash of a leaf.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(entry)
        .finalize()
        .into()
}

/// The hash of what stands above two hashes.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// The root of the first `size` leaves. `None`: a hash is missing.
pub fn root(tree: &impl Hashes, size: u64) -> Option<Hash> {
    match size {
        0 => Some(Sha256::digest([]).into()),
        _ => range(tree, 0, size),
    }
}

/// The hash of the leaves `from..to`, which must be a subtree of some tree: not empty, and `from` a multiple
/// of every power of two up to its length.
pub(super) fn range(tree: &impl Hashes, from: u64, to: u64) -> Option<Hash> {
    let length = to.checked_sub(from).filter(|length| *length > 0)?;
    if length.is_power_of_two() {
        let height = length.trailing_zeros();
        return node(tree, height, from >> height);
    }
    let middle = from + split(length);
    Some(node_hash(
        &range(tree, from, middle)?,
        &range(tree, middle, to)?,
    ))
}

/// The largest power of two below `length`, which is at least 2.
pub(super) fn split(length: u64) -> u64 {
    1 << (63 - (length - 1).leading_zeros())
}

/// The `index`-th node of this height.
fn node(tree: &impl Hashes, height: u32, index: u64) -> Option<Hash> {
    if height.is_multiple_of(HEIGHT) {
        return tree.hash(u8::try_from(height / HEIGHT).ok()?, index);
    }
    Some(node_hash(
        &node(tree, height - 1, index * 2)?,
        &node(tree, height - 1, index * 2 + 1)?,
    ))
}

/// The tiles that change when `leaves` are put behind the first `size`, each with all of its hashes, and
/// those of a lower level first. `None`: a hash of the tree is missing.
pub fn grow(tree: &impl Hashes, size: u64, leaves: Vec<Hash>) -> Option<Vec<Tile>> {
    let mut tiles = Vec::new();
    let (mut level, mut count, mut added) = (0, size, leaves);
    while !added.is_empty() {
        let mut above = Vec::new();
        let mut tile = Tile::new(level, count / WIDTH);
        for index in count - count % WIDTH..count {
            tile.hashes.push(tree.hash(level, index)?);
        }
        for hash in added {
            tile.hashes.push(hash);
            if let Some(full) = tile.root() {
                above.push(full);
                let next = Tile::new(level, tile.index + 1);
                tiles.push(std::mem::replace(&mut tile, next));
            }
        }
        if !tile.hashes.is_empty() {
            tiles.push(tile);
        }
        (level, count, added) = (level + 1, count / WIDTH, above);
    }
    Some(tiles)
}
