//! How key, signature and time are written.

use serde::{Deserialize, Serialize};

use super::Place;

/// The keyed hash of a scheme, or its public-key signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    HmacSha1,
    HmacSha256,
    HmacSha512,
    /// No MAC: SHA-256 of the parts, of which the secret is the first. Whoever has seen such a hash can
    /// make the one of a longer text, but what is added to it begins with the byte 0x80, so the content
    /// must be one JSON value, or nothing. For providers that sign so; a scheme of a user's own may not.
    Sha256,
    /// RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2).
    RsaSha1,
    RsaSha256,
    /// RSASSA-PSS with SHA-512 and a salt of 64 bytes (RFC 8017, section 8.1; RFC 9421, section 3.3.1).
    RsaPssSha512,
    /// ECDSA over P-256 with SHA-256, the signature in 64 bytes (as in RFC 7518, section 3.4).
    EcdsaP256,
    /// The same, the signature in DER (RFC 3279, section 2.2.3).
    EcdsaP256Der,
    /// RFC 8032.
    Ed25519,
    /// The signature is the shared secret itself, as it travels. The body is not signed: whoever
    /// has seen one request can send any other.
    Credential,
}

impl Algorithm {
    /// Length of a signature in bytes. `None`: it is the key's, or varies.
    pub const fn tag_bytes(self) -> Option<usize> {
        match self {
            Algorithm::HmacSha1 => Some(20),
            // A credential is compared by its SHA-256.
            Algorithm::HmacSha256 | Algorithm::Sha256 | Algorithm::Credential => Some(32),
            Algorithm::HmacSha512 | Algorithm::EcdsaP256 | Algorithm::Ed25519 => Some(64),
            Algorithm::RsaSha1
            | Algorithm::RsaSha256
            | Algorithm::RsaPssSha512
            | Algorithm::EcdsaP256Der => None,
        }
    }

    /// Whether a public key checks it.
    pub const fn is_public(self) -> bool {
        match self {
            Algorithm::HmacSha1
            | Algorithm::HmacSha256
            | Algorithm::HmacSha512
            | Algorithm::Sha256
            | Algorithm::Credential => false,
            Algorithm::RsaSha1
            | Algorithm::RsaSha256
            | Algorithm::RsaPssSha512
            | Algorithm::EcdsaP256
            | Algorithm::EcdsaP256Der
            | Algorithm::Ed25519 => true,
        }
    }
}

/// How the text of a secret becomes the key of the MAC.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KeyForm {
    pub encoding: KeyEncoding,
    /// Prefixes of which the first that is there is removed before decoding.
    #[serde(default)]
    pub strip: Vec<String>,
    /// A value of the request whose characters are appended to the key.
    #[serde(default)]
    pub append: Option<Place>,
}

impl KeyForm {
    /// The secret's own characters.
    pub fn verbatim() -> Self {
        KeyForm {
            encoding: KeyEncoding::Utf8,
            strip: Vec::new(),
            append: None,
        }
    }
}

/// Keys are decoded leniently (padding optional, trailing bits ignored): providers print them so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyEncoding {
    Utf8,
    Base64,
    /// Base64 behind one of the prefixes of `strip`; without one, the characters themselves.
    Base64IfPrefixed,
    Hex,
    /// A public key in PEM, as a JWK or in base64: from a secret, or from the source's `public_keys`.
    PublicKey,
    /// The message names the URL of a certificate ([`CertificateForm`]).
    Certificate,
    /// The message names a key of a set at a fixed URL ([`KeySetForm`]).
    KeySet,
    /// The message names a key by its id, and the provider gives it to the account alone
    /// ([`KeyRequestForm`]).
    KeyRequest,
}

impl KeyEncoding {
    /// Whether the key is fetched from the provider, so that a source has none of its own.
    pub const fn is_fetched(self) -> bool {
        matches!(
            self,
            KeyEncoding::Certificate | KeyEncoding::KeySet | KeyEncoding::KeyRequest
        )
    }
}

/// Where the signature stands and how it is written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureForm {
    pub at: Place,
    /// Where it may stand instead, or as well: a credential in its own characters, a MAC in the form of
    /// the first. One that is right is enough.
    #[serde(default)]
    pub or: Vec<Place>,
    /// What stands in front of the list.
    #[serde(default)]
    pub prefix: Option<String>,
    /// Separator of a list of items, as in `t=1,v1=…,v1=…`.
    #[serde(default)]
    pub split: Option<String>,
    /// Separator of name and value inside an item.
    #[serde(default)]
    pub pair: Option<String>,
    /// Names of the items that are signatures; other names are ignored.
    #[serde(default)]
    pub take: Vec<String>,
    /// A prefix that must be there and is removed.
    #[serde(default)]
    pub strip: Option<String>,
    pub encoding: SignatureEncoding,
}

/// Signatures are decoded strictly: a second spelling of one signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureEncoding {
    /// Lower-case hex.
    Hex,
    /// Hex whose case the provider does not fix.
    HexAnyCase,
    /// RFC 4648 section 4, padded, canonical.
    Base64,
    /// RFC 4648 section 5, without padding, canonical.
    Base64Url,
    /// A JSON Web Token (RFC 7519) in compact form. It signs itself and nothing of the body.
    Token,
    /// A credential in its own characters.
    Verbatim,
    /// A compact JWS (RFC 7515, section 7.1): the signature is what stands behind the last dot.
    Jws,
}

/// The signed time of an attempt or of an event.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TimeForm {
    pub at: Place,
    pub unit: TimeUnit,
    /// How old a delivery may be, in seconds. A source may set its own.
    pub tolerance_seconds: u32,
    /// How far ahead of our clock a delivery may be, in seconds.
    pub future_seconds: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeUnit {
    /// Unix seconds: canonical decimal, no sign, no leading zero, at most 11 digits.
    Seconds,
    /// Unix seconds in exactly 10 digits (years 2001 to 2286), where nothing marks their end.
    TenDigitSeconds,
    /// Unix milliseconds: exactly 13 digits (years 2001 to 2286).
    Milliseconds,
    /// `yyyyMMddHHmmssSSS` in UTC: exactly 17 digits.
    CompactUtc,
    /// RFC 3339 in UTC, `yyyy-MM-ddTHH:mm:ssZ`, with up to three digits of a second.
    Rfc3339,
    /// RFC 3339 in whole seconds, with `Z` (20 characters) or an offset such as `-07:00` (25). Its 20th
    /// character says which from the front, its last one from behind.
    Rfc3339Seconds,
    /// An IMF-fixdate (RFC 9110, section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
    HttpDate,
    /// `yyyyMMdd'T'HHmmss'Z'`: exactly 16 characters.
    BasicUtc,
}

impl TimeUnit {
    /// How much later than its stamp a delivery of this unit may have been signed: a stamp in
    /// seconds leaves out up to 999 ms, which tolerances are not meant to count.
    pub const fn grain_ms(self) -> i64 {
        match self {
            TimeUnit::Seconds
            | TimeUnit::TenDigitSeconds
            | TimeUnit::Rfc3339
            | TimeUnit::Rfc3339Seconds
            | TimeUnit::HttpDate
            | TimeUnit::BasicUtc => 999,
            TimeUnit::Milliseconds | TimeUnit::CompactUtc => 0,
        }
    }

    /// Whether every value has the same length, or says its own, so that it needs no delimiter.
    pub const fn has_fixed_length(self) -> bool {
        match self {
            TimeUnit::Seconds | TimeUnit::Rfc3339 => false,
            TimeUnit::TenDigitSeconds
            | TimeUnit::Milliseconds
            | TimeUnit::CompactUtc
            | TimeUnit::Rfc3339Seconds
            | TimeUnit::HttpDate
            | TimeUnit::BasicUtc => true,
        }
    }
}
