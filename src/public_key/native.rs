//! The arithmetic where there is no WebCrypto: tests and the tool.

use ed25519_dalek::Verifier as _;
use rsa::pkcs8::DecodePublicKey as _;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::inquiry::{Fetched, Inquiry, Step};
use super::memory::KeyMemory;
use super::{KeyKind, Method, Question, SignatureHash};
use crate::gate::LiveSource;
use crate::verdict::Verdict;
use crate::verify::{Proof, Statement};

/// DigestInfo up to the hash (RFC 8017, section 9.2, note 1).
const SHA1_PREFIX: [u8; 15] = [
    0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14,
];

/// The same of SHA-2, whose members differ in their number and their length.
fn sha2_prefix(number: u8, length: u8) -> [u8; 19] {
    let whole = 17 + length;
    [
        0x30, whole, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
        number, 0x05, 0x00, 0x04, length,
    ]
}

/// Takes a statement to its proof. `document` gives what stands at a URL: there is no network here.
///
/// # Errors
/// What the edge would answer, with 404 for a document that is not given.
pub fn settle(
    live: &LiveSource,
    statement: &Statement,
    document: impl Fn(&str) -> Option<String>,
    now_ms: i64,
) -> Result<Proof, Verdict> {
    let mut memory = KeyMemory::default();
    let (mut inquiry, mut step) = Inquiry::begin(live, statement, &mut memory, now_ms);
    loop {
        step = match step {
            Step::Recall { .. } => inquiry.recalled(live, statement, &mut memory, None, now_ms),
            Step::Fetch { url, .. } => {
                let fetched = document(&url).map(|text| Fetched {
                    text,
                    cache_control: None,
                });
                inquiry
                    .fetched(live, statement, &mut memory, fetched, now_ms)
                    .0
            }
            Step::Ask(question) => {
                let answer = Some(verifies(&question));
                inquiry
                    .answered(live, statement, &mut memory, answer, now_ms)
                    .0
            }
            Step::Done(end) => return end,
        }
    }
}

/// Answers a question.
pub fn verifies(question: &Question) -> bool {
    let message = question.message.as_slice();
    let Some(signature) = question.raw_signature() else {
        return false;
    };
    let verified = match question.method {
        Method::Rsa(hash) => rsa(question, hash),
        Method::RsaPss => rsa_pss(question),
        Method::Ecdsa(hash) | Method::EcdsaDer(hash) => {
            let digest = digest(hash, message);
            match question.key.kind {
                KeyKind::P256 => p256(question, &digest, &signature),
                KeyKind::P384 => p384(question, &digest, &signature),
                KeyKind::Rsa { .. } | KeyKind::Ed25519 => None,
            }
        }
        Method::Ed25519 => ed25519(question),
    };
    verified.is_some()
}

fn digest(hash: SignatureHash, message: &[u8]) -> Vec<u8> {
    match hash {
        SignatureHash::Sha1 => Sha1::digest(message).to_vec(),
        SignatureHash::Sha256 => Sha256::digest(message).to_vec(),
        SignatureHash::Sha384 => Sha384::digest(message).to_vec(),
        SignatureHash::Sha512 => Sha512::digest(message).to_vec(),
    }
}

fn rsa(question: &Question, hash: SignatureHash) -> Option<()> {
    let key = rsa::RsaPublicKey::from_public_key_der(&question.key.spki).ok()?;
    let digest = digest(hash, &question.message);
    let padding = rsa::Pkcs1v15Sign {
        hash_len: Some(digest.len()),
        prefix: match hash {
            SignatureHash::Sha1 => Box::from(SHA1_PREFIX),
            SignatureHash::Sha256 => Box::from(sha2_prefix(1, 32)),
            SignatureHash::Sha384 => Box::from(sha2_prefix(2, 48)),
            SignatureHash::Sha512 => Box::from(sha2_prefix(3, 64)),
        },
    };
    key.verify(padding, &digest, &question.signature).ok()
}

/// The salt is as long as the hash (RFC 9421, section 3.3.1).
fn rsa_pss(question: &Question) -> Option<()> {
    use rsa::sha2::Sha512;
    let key = rsa::RsaPublicKey::from_public_key_der(&question.key.spki).ok()?;
    let padding = rsa::Pss::new_with_salt::<Sha512>(64);
    let hash = <Sha512 as rsa::sha2::Digest>::digest(&question.message);
    key.verify(padding, &hash, &question.signature).ok()
}

fn p256(question: &Question, digest: &[u8], raw: &[u8]) -> Option<()> {
    use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
    // The point is the last part of the key's encoding.
    let point = question.key.spki.last_chunk::<65>()?;
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
    let signature = p256::ecdsa::Signature::from_slice(raw).ok()?;
    key.verify_prehash(digest, &signature).ok()
}

fn p384(question: &Question, digest: &[u8], raw: &[u8]) -> Option<()> {
    use p384::ecdsa::signature::hazmat::PrehashVerifier as _;
    let point = question.key.spki.last_chunk::<97>()?;
    let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
    let signature = p384::ecdsa::Signature::from_slice(raw).ok()?;
    key.verify_prehash(digest, &signature).ok()
}

fn ed25519(question: &Question) -> Option<()> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(question.key.spki.last_chunk()?).ok()?;
    let signature = ed25519_dalek::Signature::from_slice(&question.signature).ok()?;
    key.verify(&question.message, &signature).ok()
}
