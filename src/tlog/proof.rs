//! Proofs, made and checked: RFC 9162, sections 2.1.3 and 2.1.4.

use super::Hash;
use super::merkle::{Hashes, node_hash, range, split};

/// That the leaf of this index is in the tree of this size. `None`: it is not, or a hash is missing.
pub fn inclusion(tree: &impl Hashes, index: u64, size: u64) -> Option<Vec<Hash>> {
    if index >= size {
        return None;
    }
    let mut proof = Vec::new();
    let (mut from, mut to) = (0, size);
    while to - from > 1 {
        let middle = from + split(to - from);
        let beside;
        if index < middle {
            beside = range(tree, middle, to)?;
            to = middle;
        } else {
            beside = range(tree, from, middle)?;
            from = middle;
        }
        proof.push(beside);
    }
    proof.reverse();
    Some(proof)
}

/// That the tree of size `new` begins with the tree of size `old`. `None`: it is smaller, or a hash is missing.
pub fn consistency(tree: &impl Hashes, old: u64, new: u64) -> Option<Vec<Hash>> {
    if old > new {
        return None;
    }
    let mut proof = Vec::new();
    let (mut from, mut to) = (0, new);
    if old == 0 || old == new {
        return Some(proof);
    }
    while old < to {
        let middle = from + split(to - from);
        let beside;
        if old <= middle {
            beside = range(tree, middle, to)?;
            to = middle;
        } else {
            beside = range(tree, from, middle)?;
            from = middle;
        }
        proof.push(beside);
    }
    // The old tree's own root is known to whoever checks, unless the way went to the right.
    if from > 0 {
        proof.push(range(tree, from, to)?);
    }
    proof.reverse();
    Some(proof)
}

/// RFC 9162, section 2.1.3.2.
pub fn includes(proof: &[Hash], index: u64, size: u64, leaf: &Hash, root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for beside in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(beside, &hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, beside);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

/// RFC 9162, section 2.1.4.2, with the empty tree before every other: whoever never saw a tree learns
/// nothing of an old one.
pub fn is_consistent(
    proof: &[Hash],
    (old, old_root): (u64, &Hash),
    (new, new_root): (u64, &Hash),
) -> bool {
    if old == 0 || old == new {
        return proof.is_empty() && (old == 0 || old_root == new_root);
    }
    if old > new {
        return false;
    }
    let mut rest = proof.iter();
    let first = if old.is_power_of_two() {
        Some(old_root)
    } else {
        rest.next()
    };
    let Some(first) = first else { return false };
    let (mut node, mut last) = (old - 1, new - 1);
    while node & 1 == 1 {
        (node, last) = (node >> 1, last >> 1);
    }
    let (mut of_old, mut of_new) = (*first, *first);
    for beside in rest {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            of_old = node_hash(beside, &of_old);
            of_new = node_hash(beside, &of_new);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            of_new = node_hash(&of_new, beside);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    last == 0 && of_old == *old_root && of_new == *new_root
}
