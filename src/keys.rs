//! Secrets as keys. Nothing here prints one.

use std::fmt;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use crate::request::hex_value;
use crate::scheme::{Algorithm, KeyEncoding, KeyForm};
use crate::uses;

/// Keys are printed by providers with and without padding, and with stray trailing bits.
pub(crate) const LENIENT_BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One live secret of a source.
#[derive(Clone)]
pub struct LiveKey {
    /// The name of the Worker secret it came from. Not secret: it is what the record names.
    pub name: String,
    text: Vec<u8>,
    bytes: Vec<u8>,
    prepared: Mac,
}

/// Why a secret is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAKey {
    Empty,
    /// It does not decode as the scheme says.
    Undecodable,
}

impl LiveKey {
    pub fn new(
        name: &str,
        secret: &str,
        form: &KeyForm,
        algorithm: Algorithm,
    ) -> Result<Self, NotAKey> {
        let secret = secret.trim();
        if secret.is_empty() {
            return Err(NotAKey::Empty);
        }
        let stripped = form
            .strip
            .iter()
            .find_map(|prefix| secret.strip_prefix(prefix.as_str()))
            .unwrap_or(secret);
        let bytes = match form.encoding {
            KeyEncoding::Utf8 => stripped.as_bytes().to_vec(),
            KeyEncoding::Base64IfPrefixed if stripped.len() == secret.len() => {
                secret.as_bytes().to_vec()
            }
            KeyEncoding::Base64 | KeyEncoding::Base64IfPrefixed => LENIENT_BASE64
                .decode(stripped)
                .map_err(|_| NotAKey::Undecodable)?,
            KeyEncoding::Hex => decode_hex(stripped.as_bytes()).ok_or(NotAKey::Undecodable)?,
            KeyEncoding::PublicKey
            | KeyEncoding::Certificate
            | KeyEncoding::KeySet
            | KeyEncoding::KeyRequest => {
                return Err(NotAKey::Undecodable);
            }
        };
        if bytes.is_empty() {
            return Err(NotAKey::Empty);
        }
        Ok(LiveKey {
            name: name.to_owned(),
            text: secret.as_bytes().to_vec(),
            prepared: Mac::new(algorithm, &bytes),
            bytes,
        })
    }

    /// What a sender may have made of the same secret, for a diagnosis. An empty key is one: some senders
    /// sign with it without knowing.
    pub(crate) fn mistaken(&self, algorithm: Algorithm, bytes: &[u8]) -> Self {
        LiveKey {
            name: self.name.clone(),
            text: bytes.to_vec(),
            prepared: Mac::new(algorithm, bytes),
            bytes: bytes.to_vec(),
        }
    }

    /// Makes it a key for another hash.
    pub(crate) fn serve(&mut self, algorithm: Algorithm) {
        self.prepared = Mac::new(algorithm, &self.bytes);
    }

    /// The MAC under this key, or under this key followed by `suffix`.
    pub fn mac(&self, algorithm: Algorithm, suffix: Option<&str>) -> Mac {
        match suffix {
            None => self.prepared.clone(),
            Some(suffix) => Mac::new(algorithm, &[&self.bytes, suffix.as_bytes()].concat()),
        }
    }

    /// The key itself, for a MAC that is made elsewhere.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The characters of the secret, for schemes that sign them.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Equal for equal keys, and of no use to find the key: it never leaves memory. Not inlined: it would stand in the
    /// Worker several times, and is asked for once in an isolate's life.
    #[inline(never)]
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }
}

impl fmt::Debug for LiveKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LiveKey({} [REDACTED])", self.name)
    }
}

/// A keyed hash under way.
#[derive(Clone)]
pub enum Mac {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha512(Box<Hmac<Sha512>>),
    /// A hash without a key: the secret is one of its parts.
    Plain(Sha256),
    /// Of an algorithm that makes none. It matches nothing.
    None,
    /// No hash of anything that is sent: the credential's own SHA-256, so that comparing takes as
    /// long for every length.
    Credential([u8; 32]),
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mac([REDACTED])")
    }
}

impl Mac {
    pub fn new(algorithm: Algorithm, key: &[u8]) -> Self {
        // HMAC takes keys of every length (RFC 2104, section 2), so `new_from_slice` cannot fail.
        #[allow(clippy::expect_used, reason = "infallible for HMAC")]
        match algorithm {
            Algorithm::HmacSha1 => Mac::Sha1(Hmac::new_from_slice(key).expect("any length")),
            Algorithm::HmacSha256 => Mac::Sha256(Hmac::new_from_slice(key).expect("any length")),
            Algorithm::HmacSha512 => {
                Mac::Sha512(Box::new(Hmac::new_from_slice(key).expect("any length")))
            }
            Algorithm::Sha256 if uses::PLAIN_HASHES => Mac::Plain(Sha256::new()),
            Algorithm::Sha256
            | Algorithm::RsaSha1
            | Algorithm::RsaSha256
            | Algorithm::RsaPssSha512
            | Algorithm::EcdsaP256
            | Algorithm::EcdsaP256Der
            | Algorithm::Ed25519 => Mac::None,
            Algorithm::Credential => Mac::Credential(Sha256::digest(key).into()),
        }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Mac::Sha1(mac) => mac.update(bytes),
            Mac::Sha256(mac) => mac.update(bytes),
            Mac::Sha512(mac) => mac.update(bytes),
            Mac::Plain(hash) => hash.update(bytes),
            Mac::None => {}
            Mac::Credential(_) => {}
        }
    }

    /// Not inlined: with every hash's end it would stand in the Worker at each place that asks for it.
    #[inline(never)]
    pub fn tag(self) -> Vec<u8> {
        match self {
            Mac::Sha1(mac) => mac.finalize().into_bytes().to_vec(),
            Mac::Sha256(mac) => mac.finalize().into_bytes().to_vec(),
            Mac::Sha512(mac) => mac.finalize().into_bytes().to_vec(),
            Mac::Plain(hash) => hash.finalize().to_vec(),
            Mac::None => Vec::new(),
            Mac::Credential(digest) => digest.to_vec(),
        }
    }
}

/// Decodes hex of either case.
pub fn decode_hex(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| Some(hex_value(*high)? << 4 | hex_value(*low)?))
        .collect()
}

/// Lower-case hex.
pub fn encode_hex(bytes: &[u8]) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digit = |four_bits: u8| HEX[usize::from(four_bits)];
    let digits = bytes
        .iter()
        .map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    // ASCII is UTF-8.
    String::from_utf8(digits.collect::<Vec<_>>().into_flattened()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str, encoding: KeyEncoding) -> Result<LiveKey, NotAKey> {
        let form = KeyForm {
            encoding,
            strip: vec!["whsec_".into()],
            append: None,
        };
        LiveKey::new("A_SECRET", secret, &form, Algorithm::HmacSha256)
    }

    #[test]
    fn an_empty_secret_is_not_a_key() {
        for secret in ["", "  ", "whsec_", "\n"] {
            assert_eq!(
                key(secret, KeyEncoding::Base64).err(),
                Some(NotAKey::Empty),
                "{secret:?}"
            );
            assert_eq!(
                key(secret, KeyEncoding::Utf8).err(),
                Some(NotAKey::Empty),
                "{secret:?}"
            );
        }
        assert_eq!(
            key("whsec_*", KeyEncoding::Base64).err(),
            Some(NotAKey::Undecodable)
        );
        assert_eq!(
            key("abc", KeyEncoding::Hex).err(),
            Some(NotAKey::Undecodable)
        );
    }

    #[test]
    fn base64_keys_are_read_leniently() {
        let fingerprint = |secret| key(secret, KeyEncoding::Base64).unwrap().fingerprint();
        assert_eq!(fingerprint("whsec_AAA="), fingerprint("AAA"));
        assert_eq!(fingerprint("AAB="), fingerprint("AAA="));
    }

    #[test]
    fn a_key_without_a_prefix_may_be_text() {
        let bytes = |secret| key(secret, KeyEncoding::Base64IfPrefixed).unwrap().bytes;
        assert_eq!(bytes("whsec_AAAA"), [0, 0, 0]);
        assert_eq!(bytes("AAAA"), b"AAAA");
        let empty = key("whsec_", KeyEncoding::Base64IfPrefixed);
        assert_eq!(empty.err(), Some(NotAKey::Empty));
    }

    #[test]
    fn nothing_prints_a_key() {
        let key = key("top-secret", KeyEncoding::Utf8).unwrap();
        assert!(!format!("{key:?}").contains("top-secret"));
    }

    #[test]
    fn hex_comes_back() {
        assert_eq!(decode_hex(b"00fFa1").as_deref(), Some(&[0, 255, 161][..]));
        assert_eq!(encode_hex(&[0, 255, 161]), "00ffa1");
        assert_eq!((decode_hex(b"0"), decode_hex(b"0g")), (None, None));
    }
}
