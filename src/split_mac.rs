//! HMAC over a text that is hashed elsewhere, a chunk after the other (RFC 2104, section 2):
//! `H(key ^ opad, H(key ^ ipad, text))`. `WebCrypto` makes a MAC of a whole text only, but the platform's
//! `DigestStream` hashes a stream: it makes the inner hash, and the outer one is made here.

use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::keys::LiveKey;
use crate::scheme::Algorithm;

impl Algorithm {
    /// The name of its hash, as the platform knows it.
    pub const fn hash_name(self) -> &'static str {
        match self {
            Algorithm::HmacSha1 => "SHA-1",
            Algorithm::HmacSha256 => "SHA-256",
            Algorithm::HmacSha512 => "SHA-512",
        }
    }

    /// Length in bytes of what the hash takes at a time.
    const fn block_bytes(self) -> usize {
        match self {
            Algorithm::HmacSha1 | Algorithm::HmacSha256 => 64,
            Algorithm::HmacSha512 => 128,
        }
    }

    fn hash(self, parts: [&[u8]; 2]) -> Vec<u8> {
        fn of<D: sha2::Digest>(parts: [&[u8]; 2]) -> Vec<u8> {
            let digest = D::new().chain_update(parts[0]).chain_update(parts[1]);
            digest.finalize().to_vec()
        }
        match self {
            Algorithm::HmacSha1 => of::<Sha1>(parts),
            Algorithm::HmacSha256 => of::<Sha256>(parts),
            Algorithm::HmacSha512 => of::<Sha512>(parts),
        }
    }
}

impl LiveKey {
    /// What the inner hash begins with. As secret as the key.
    pub fn inner_block(&self, algorithm: Algorithm) -> Vec<u8> {
        self.block(algorithm, 0x36)
    }

    /// The MAC, from the inner hash over that block and the text.
    pub fn tag_of(&self, algorithm: Algorithm, inner_hash: &[u8]) -> Vec<u8> {
        algorithm.hash([&self.block(algorithm, 0x5c), inner_hash])
    }

    fn block(&self, algorithm: Algorithm, pad: u8) -> Vec<u8> {
        let mut block = self.bytes().to_vec();
        if block.len() > algorithm.block_bytes() {
            block = algorithm.hash([&block, &[]]);
        }
        block.resize(algorithm.block_bytes(), 0);
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
            // Shorter than a block, as long as one, and longer.
            for length in [1, 20, 63, 64, 65, 127, 128, 129, 300] {
                let key = LiveKey::new("KEY", &"k".repeat(length), &form, algorithm).unwrap();
                let text = b"a text that went by";
                let inner = algorithm.hash([&key.inner_block(algorithm), text]);
                let mut mac = key.mac(algorithm, None);
                mac.update(text);
                assert_eq!(
                    key.tag_of(algorithm, &inner),
                    mac.tag(),
                    "{algorithm:?}, {length}"
                );
            }
        }
    }
}
