//! The arithmetic of signatures where there is no WebCrypto, and a tree in memory: tests and the tool.

use ed25519_dalek::Signer as _;

use super::Hash;
use super::merkle::{Hashes, grow};
use super::note::{KeyKind, Note, Signature, SigningKey, VerifierKey};
use super::witness::{cosignature, cosigned};

/// All hashes of a tree, level by level.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    pub fn of(leaves: Vec<Hash>) -> Self {
        let mut tree = Tree::default();
        tree.append(leaves);
        tree
    }

    pub fn append(&mut self, leaves: Vec<Hash>) {
        for tile in grow(self, self.size(), leaves).unwrap_or_default() {
            let level = usize::from(tile.level);
            if self.levels.len() <= level {
                self.levels.push(Vec::new());
            }
            if let Some(hashes) = self.levels.get_mut(level) {
                hashes.truncate(usize::try_from(tile.index).unwrap_or(usize::MAX) * 256);
                hashes.extend(tile.hashes);
            }
        }
    }

    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }
}

impl Hashes for Tree {
    fn hash(&self, level: u8, index: u64) -> Option<Hash> {
        let hashes = self.levels.get(usize::from(level))?;
        hashes.get(usize::try_from(index).ok()?).copied()
    }
}

/// Whether the note bears a good signature of this key; of a witness, its time in seconds since 1970.
/// `None`: it bears none, or one that is not good.
pub fn verify(note: &Note, key: &VerifierKey) -> Option<Option<u64>> {
    let public_key = ed25519_dalek::VerifyingKey::from_bytes(&key.public_key).ok()?;
    let mut found = None;
    for signature in note.signatures_of(key) {
        let (time, text, bytes) = match key.kind {
            KeyKind::Ed25519 => (None, note.text.clone(), signature.bytes.as_slice()),
            KeyKind::Cosignature => {
                let (time, bytes) = cosignature(signature)?;
                (Some(time), cosigned(time, &note.text), bytes)
            }
        };
        let signature = ed25519_dalek::Signature::from_slice(bytes).ok()?;
        // One that is not good spoils the note: https://c2sp.org/signed-note, "Signatures".
        public_key.verify_strict(text.as_bytes(), &signature).ok()?;
        found = Some(time);
    }
    found
}

/// A key from its seed.
pub fn signing_key(name: &str, seed: [u8; 32]) -> SigningKey {
    let public = VerifierKey {
        name: name.to_owned(),
        kind: KeyKind::Ed25519,
        public_key: public_key(&seed),
    };
    SigningKey {
        name: name.to_owned(),
        key_id: public.id(),
        seed,
    }
}

/// The public half of a seed.
pub fn public_key(seed: &[u8; 32]) -> [u8; 32] {
    ed25519_dalek::SigningKey::from_bytes(seed)
        .verifying_key()
        .to_bytes()
}

/// A text, signed as the log of this tenant. `None`: the key's id is not its own, or no log is called so.
pub fn sign(text: String, key: &SigningKey, tenant: &str) -> Option<Note> {
    let public = key.of_log(tenant, public_key(&key.seed))?;
    let signature = ed25519_dalek::SigningKey::from_bytes(&key.seed).sign(text.as_bytes());
    Some(Note {
        signatures: vec![Signature {
            name: public.name.clone(),
            key_id: public.id(),
            bytes: signature.to_bytes().to_vec(),
        }],
        text,
    })
}

/// Signs as a witness would.
pub fn cosign(note: &Note, name: &str, seed: &[u8; 32], time: u64) -> Signature {
    let key = VerifierKey {
        name: name.to_owned(),
        kind: KeyKind::Cosignature,
        public_key: public_key(seed),
    };
    let text = cosigned(time, &note.text);
    let signature = ed25519_dalek::SigningKey::from_bytes(seed).sign(text.as_bytes());
    Signature {
        name: key.name.clone(),
        key_id: key.id(),
        bytes: [&time.to_be_bytes()[..], &signature.to_bytes()].concat(),
    }
}
