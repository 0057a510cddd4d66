//! HMAC over a text that is hashed elsewhere, a chunk after the other (RFC 2104, section 2):
//! `H(key ^ opad, H(key ^ ipad, text))`. `WebCrypto` makes a MAC of a whole text only, but the platform's
//! `DigestStream` hashes a stream: it makes the inner hash, and the outer one is made here.

use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::keys::LiveKey;
use crate::scheme::Algorithm;

/// What a MAC is made with.
#[derive(Clone, Copy, Debug)]
pub enum MacHash {
    Sha1,
    Sha256,
    Sha512,
}

impl MacHash {
    /// The name, as the platform knows it.
    pub const fn name(self) -> &'static str {
        match self {
            MacHash::Sha1 => "SHA-1",
            MacHash::Sha256 => "SHA-256",
            MacHash::Sha512 => "SHA-512",
        }
    }

    /// Length in bytes of what it takes at a time.
    const fn block_bytes(self) -> usize {
        match self {
            MacHash::Sha1 | MacHash::Sha256 => 64,
            MacHash::Sha512 => 128,
        }
    }

    fn of(self, parts: [&[u8]; 2]) -> Vec<u8> {
        fn of<D: sha2::Digest>(parts: [&[u8]; 2]) -> Vec<u8> {
            let digest = D::new().chain_update(parts[0]).chain_update(parts[1]);
            digest.finalize().to_vec()
        }
        match self {
            MacHash::Sha1 => of::<Sha1>(parts),
            MacHash::Sha256 => of::<Sha256>(parts),
            MacHash::Sha512 => of::<Sha512>(parts),
        }
    }
}

impl Algorithm {
    /// The hash of its MAC. `None`: it makes none.
    pub const fn hash(self) -> Option<MacHash> {
        match self {
            Algorithm::HmacSha1 => Some(MacHash::Sha1),
            Algorithm::HmacSha256 => Some(MacHash::Sha256),
            Algorithm::HmacSha512 => Some(MacHash::Sha512),
            Algorithm::Sha256
            | Algorithm::Credential
            | Algorithm::RsaSha1
            | Algorithm::RsaSha256
            | Algorithm::RsaPssSha512
            | Algorithm::EcdsaP256
            | Algorithm::EcdsaP256Der
            | Algorithm::Ed25519 => None,
        }
    }
}

impl LiveKey {
    /// What the inner hash begins with. As secret as the key.
    pub fn inner_block(&self, hash: MacHash) -> Vec<u8> {
        self.block(hash, 0x36)
    }

    /// The MAC, from the inner hash over that block and the text.
    pub fn tag_of(&self, hash: MacHash, inner_hash: &[u8]) -> Vec<u8> {
        hash.of([&self.block(hash, 0x5c), inner_hash])
    }

    fn block(&self, hash: MacHash, pad: u8) -> Vec<u8> {
        let mut block = self.bytes().to_vec();
        if block.len() > hash.block_bytes() {
            block = hash.of([&block, &[]]);
        }
        block.resize(hash.block_bytes(), 0);
        for byte in &mut block {
            *byte ^= pad;
        }
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::{KeyEncoding, KeyForm};

    #[test]
    fn in_two_halves_it_is_the_same_mac() {
        let form = KeyForm {
            encoding: KeyEncoding::Utf8,
            strip: Vec::new(),
            append: None,
        };
        for algorithm in [
            Algorithm::HmacSha1,
            Algorithm::HmacSha256,
            Algorithm::HmacSha512,
        ] {
            let hash = algorithm.hash().unwrap();
            // Shorter than a block, as long as one, and longer.
            for length in [1, 20, 63, 64, 65, 127, 128, 129, 300] {
                let key = LiveKey::new("KEY", &"k".repeat(length), &form, algorithm).unwrap();
                let text = b"a text that went by";
                let inner = hash.of([&key.inner_block(hash), text]);
                let mut mac = key.mac(algorithm, None);
                mac.update(text);
                assert_eq!(
                    key.tag_of(hash, &inner),
                    mac.tag(),
                    "{algorithm:?}, {length}"
                );
            }
        }
    }
}
