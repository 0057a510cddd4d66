//! Signatures that a public key checks.
//!
//! The arithmetic is an effect: what is to be checked is a value, [`Question`], and the edge asks
//! WebCrypto, while tests and the tool ask the crates of `native`. Everything else is decided here:
//! which key, over which bytes, and whether the key may be used at all.
//!
//! ```text
//! statement      what the message says of itself: pins, where its key is   refused before any fetch
//! inquiry        the key: remembered, in KV, or fetched; then the question  503 where there is none
//! chain          who issued the certificate, as far as its document says   503 where that does not hold
//! memory         what an isolate knows of keys, and how often it may ask
//! ```

pub mod certificate;
pub mod chain;
mod der;
pub mod document;
pub mod inquiry;
pub mod jwk;
pub mod memory;
#[cfg(not(target_arch = "wasm32"))]
pub mod native;
mod questions;
pub mod rules;
pub mod token;

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::hex;
use crate::scheme::Algorithm;
use sha2::{Digest as _, Sha256};

use certificate::{Certificate, pem_block};
use der::{BIT_STRING, OBJECT_IDENTIFIER, Reader, SEQUENCE, element, unsigned_element};

/// Shorter RSA keys are within reach of those who would forge (NIST SP 800-131A): only for entries
/// that say so, and sources that accept it.
pub const RSA_BITS_MIN: usize = 2_048;
/// What WebCrypto in workerd imports.
const RSA_BITS_MAX: usize = 16_384;

/// `rsaEncryption`, 1.2.840.113549.1.1.1, with the NULL behind it (RFC 3279, section 2.3.1).
const RSA: [u8; 13] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
/// `id-ecPublicKey` with `secp256r1` (RFC 5480, section 2.1.1).
const P256: [u8; 19] = [
    6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7,
];
/// `id-Ed25519` (RFC 8410, section 3).
const ED25519: [u8; 5] = [6, 3, 0x2b, 0x65, 0x70];
/// `id-ecPublicKey` with `secp384r1` (RFC 5480, section 2.1.1): authorities have such keys.
const P384: [u8; 16] = [
    6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 5, 0x2b, 0x81, 4, 0, 0x22,
];

/// A public key as a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7), which every library reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    pub kind: KeyKind,
    pub spki: Vec<u8>,
    /// The same for the same key: SHA-256 over it, in hex.
    pub id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    Rsa {
        bits: usize,
    },
    P256,
    /// Signs certificates only: no scheme names an algorithm for it.
    P384,
    Ed25519,
}

/// How a signature is made. An ECDSA key brings its curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2).
    Rsa(SignatureHash),
    /// RSASSA-PSS with SHA-512 and a salt as long (RFC 9421, section 3.3.1).
    RsaPss,
    /// `r` then `s`, each as long as the curve's order.
    Ecdsa(SignatureHash),
    /// The same two numbers in DER (RFC 3279, section 2.2.3).
    EcdsaDer(SignatureHash),
    Ed25519,
}

/// What of the message is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureHash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Method {
    /// How a scheme's signatures are made. `None`: a MAC is no signature.
    pub fn of(algorithm: Algorithm) -> Option<Self> {
        match algorithm {
            Algorithm::RsaSha1 => Some(Method::Rsa(SignatureHash::Sha1)),
            Algorithm::RsaSha256 => Some(Method::Rsa(SignatureHash::Sha256)),
            Algorithm::RsaPssSha512 => Some(Method::RsaPss),
            Algorithm::EcdsaP256 => Some(Method::Ecdsa(SignatureHash::Sha256)),
            Algorithm::EcdsaP256Der => Some(Method::EcdsaDer(SignatureHash::Sha256)),
            Algorithm::Ed25519 => Some(Method::Ed25519),
            Algorithm::HmacSha1
            | Algorithm::HmacSha256
            | Algorithm::HmacSha512
            | Algorithm::Sha256
            | Algorithm::Credential => None,
        }
    }
}

/// What is to be checked: did the holder of `key` sign `message` so?
#[derive(Clone, Debug)]
pub struct Question {
    pub method: Method,
    pub key: Arc<PublicKey>,
    pub message: Vec<u8>,
    pub signature: Vec<u8>,
}

impl Question {
    /// The signature as WebCrypto has it. `None`: it has not its algorithm's form, so nobody made it.
    /// WebCrypto itself throws for some of those, and would take a raw signature where DER is due.
    pub fn raw_signature(&self) -> Option<Cow<'_, [u8]>> {
        let plain = Cow::Borrowed(self.signature.as_slice());
        // Two numbers of 32 bytes, of P-256 and of Ed25519 alike, or of 48 (RFC 7518, section 3.4; RFC 8032,
        // section 5.1.6).
        let half = if self.key.kind == KeyKind::P384 {
            48
        } else {
            32
        };
        match self.method {
            Method::EcdsaDer(_) => raw_ecdsa(&self.signature, half).map(Cow::Owned),
            Method::Ecdsa(_) | Method::Ed25519 => (plain.len() == 2 * half).then_some(plain),
            Method::Rsa(_) | Method::RsaPss => Some(plain),
        }
    }
}

impl PublicKey {
    /// Reads a key from its text: PEM (a public key or a certificate), a JWK (RFC 7517), or the bare
    /// bytes of an Ed25519 key (in base64 or hex) or of a SubjectPublicKeyInfo (in base64).
    pub fn from_text(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.starts_with('{') {
            return jwk::read_key(text).map(|(_, key)| key);
        }
        if text.contains("-----BEGIN CERTIFICATE-----") {
            return Certificate::from_pem(text).map(|certificate| certificate.key);
        }
        if text.contains("-----BEGIN") {
            return Self::from_spki(&pem_block(text, "PUBLIC KEY")?);
        }
        // 64 characters of base64 are 48 bytes, which no key has.
        if text.len() == 64
            && let Some(bytes) = hex::decode(text.as_bytes())
        {
            return Self::from_ed25519(&bytes);
        }
        let bytes = STANDARD.decode(text).ok()?;
        if bytes.len() == 32 {
            return Self::from_ed25519(&bytes);
        }
        Self::from_spki(&bytes)
    }

    /// # Errors
    /// `None`: not a key of a kind that is checked here.
    pub fn from_spki(bytes: &[u8]) -> Option<Self> {
        let mut outer = Reader::new(bytes);
        let mut fields = outer.inside(SEQUENCE)?;
        let algorithm = fields.tagged(SEQUENCE)?.content;
        let [0, key @ ..] = fields.tagged(BIT_STRING)?.content else {
            return None;
        };
        if !outer.is_empty() || !fields.is_empty() {
            return None;
        }
        let kind = if algorithm == RSA {
            let mut numbers = Reader::new(key).inside(SEQUENCE)?;
            let modulus = numbers.unsigned()?;
            let exponent = numbers.unsigned()?;
            // An even exponent is none, and 1 would make every message its own signature.
            let sound = exponent.last().is_some_and(|last| last & 1 == 1) && exponent != [1];
            let bits = modulus.len() * 8 - modulus.first()?.leading_zeros() as usize;
            (sound && bits <= RSA_BITS_MAX).then_some(KeyKind::Rsa { bits })?
        } else if algorithm == P256 {
            // Uncompressed (SEC 1, section 2.3.3).
            (key.len() == 65 && key[0] == 4).then_some(KeyKind::P256)?
        } else if algorithm == P384 {
            (key.len() == 97 && key[0] == 4).then_some(KeyKind::P384)?
        } else if algorithm == ED25519 {
            (key.len() == 32).then_some(KeyKind::Ed25519)?
        } else {
            return None;
        };
        Some(PublicKey {
            kind,
            spki: bytes.to_vec(),
            id: hex::encode(&Sha256::digest(bytes)),
        })
    }

    pub fn from_ed25519(key: &[u8]) -> Option<Self> {
        Self::from_spki(&spki(&ED25519, key))
    }

    /// Modulus and exponent in big-endian bytes.
    pub fn from_rsa(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let numbers = [unsigned_element(modulus), unsigned_element(exponent)].concat();
        Self::from_spki(&spki(&RSA, &element(SEQUENCE, &numbers)))
    }

    /// Both coordinates in 32 big-endian bytes.
    pub fn from_p256(x: &[u8], y: &[u8]) -> Option<Self> {
        (x.len() == 32 && y.len() == 32).then_some(())?;
        Self::from_spki(&spki(&P256, &[&[4], x, y].concat()))
    }

    /// Whether signatures of this algorithm are made with keys of this kind and strength.
    pub fn serves(&self, algorithm: Algorithm, rsa_bits_min: usize) -> bool {
        match (algorithm, self.kind) {
            (
                Algorithm::RsaSha1 | Algorithm::RsaSha256 | Algorithm::RsaPssSha512,
                KeyKind::Rsa { bits },
            ) => bits >= rsa_bits_min,
            (Algorithm::EcdsaP256 | Algorithm::EcdsaP256Der, KeyKind::P256) => true,
            (Algorithm::Ed25519, KeyKind::Ed25519) => true,
            _ => false,
        }
    }
}

fn spki(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    let bits = [&[0], key].concat();
    let fields = [element(SEQUENCE, algorithm), element(BIT_STRING, &bits)].concat();
    element(SEQUENCE, &fields)
}

/// An ECDSA signature as `r` then `s`, each in so many bytes (32 for P-256), from its DER form (RFC 3279,
/// section 2.2.3).
pub fn raw_ecdsa(der: &[u8], half: usize) -> Option<Vec<u8>> {
    let mut outer = Reader::new(der);
    let mut numbers = outer.inside(SEQUENCE)?;
    let mut raw = Vec::with_capacity(2 * half);
    for _ in 0..2 {
        let number = numbers.unsigned()?;
        raw.resize(raw.len() + half.checked_sub(number.len())?, 0);
        raw.extend_from_slice(number);
    }
    (outer.is_empty() && numbers.is_empty()).then_some(raw)
}

/// The object identifiers above are read as they are written here.
const _: () = assert!(RSA[0] == OBJECT_IDENTIFIER && ED25519[0] == OBJECT_IDENTIFIER);

#[cfg(test)]
mod tests {
    use super::*;

    /// WebCrypto throws for an Ed25519 signature of another length, which would be our failure, and takes
    /// 64 bytes for a raw signature of P-256 even where the scheme has DER.
    #[test]
    fn what_has_not_the_algorithms_form_is_not_asked() {
        let key = Arc::new(PublicKey::from_ed25519(&[9; 32]).unwrap());
        for (method, lengths_asked) in [
            (Method::Ecdsa(SignatureHash::Sha256), &[64][..]),
            (Method::EcdsaDer(SignatureHash::Sha256), &[]),
            (Method::Ed25519, &[64]),
            (Method::Rsa(SignatureHash::Sha256), &[0, 63, 64, 65]),
        ] {
            for length in [0, 63, 64, 65] {
                let question = Question {
                    method,
                    key: key.clone(),
                    message: Vec::new(),
                    signature: vec![1; length],
                };
                let asked = question.raw_signature().is_some();
                assert_eq!(
                    asked,
                    lengths_asked.contains(&length),
                    "{method:?}, {length}"
                );
            }
        }
    }
}
