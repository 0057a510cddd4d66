//! The one interpreter of [`Scheme`]: was this request signed with one of these keys?
//!
//! Two steps, both pure. [`Claims::read`] takes what the sender claims from the head (signature,
//! time, id, nonce) and refuses wrong shapes before a byte of the body is read. [`verify`] computes
//! the MAC over the characters as received and compares in constant time. Freshness is judged by
//! the caller, after the MAC, so that a stale request can be told from a forged one.

mod around;
mod canonical_request;
mod credential;
mod guess;
mod jws;
mod key_at;
mod late;
mod lines;
mod meant;
mod message_signature;
mod named;
mod pieces;
mod signature;
mod stated;
mod statement;
mod stream;
#[cfg(not(target_arch = "wasm32"))]
mod to_sign;

use sha2::{Digest as _, Sha256};
use xxhash_rust::xxh64::Xxh64;

use crate::keys::LiveKey;
use crate::public_key::rules::Pins;
use crate::request::{Absent, Head, Inbound};
use crate::scheme::{Part, Place, Scheme};
use crate::time;
use crate::verdict::{Reject, Shape};
use late::{Late, key_suffix};
use pieces::{Piece, mac_over, pieces};
use signature::{Presented, field, is_among, read_signatures};
pub use stream::Streaming;

pub use around::AroundBody;
pub use guess::guess;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use jws::query_string_hash;
pub use key_at::{KeyAt, Secret};
pub use named::headers_named;
pub use statement::Statement;

/// How many signatures one request may carry. Providers send one for each live secret; each costs
/// one comparison for each of ours.
pub const CANDIDATES_MAX: usize = 16;

/// What a request claims about itself, well-formed and not yet believed.
#[derive(Debug, Default)]
pub struct Claims {
    candidates: Vec<Vec<u8>>,
    time: Option<ClaimedTime>,
    id: Option<String>,
    nonce: Option<String>,
    key_suffix: Option<String>,
    /// From when to when a token holds, in milliseconds since 1970.
    valid_ms: Option<(i64, i64)>,
    /// The URL as the provider knows it.
    url: Option<String>,
    /// What the source pins, where that is signed.
    pins: Pins,
    /// Which reading of what was signed, where providers' own code differs: in the second, optional
    /// lines whose value is empty stand in the signed string, and the URL has its other form.
    reading: usize,
    /// What a message signature covers.
    covered: Option<message_signature::Covered>,
    /// Of a JWS or a token, everything but its signature.
    pub(crate) token: Option<String>,
    /// The names of the signed headers, as the signature's list gives them.
    pub(crate) signed_headers: Option<String>,
}

#[derive(Debug)]
struct ClaimedTime {
    text: String,
    ms: i64,
}

impl Claims {
    /// Reads the claims, or says what is wrong with their shape.
    pub fn read(scheme: &Scheme, head: &Head) -> Result<Self, Reject> {
        if scheme.is_stated() {
            // The rest stands in the body, or is read with it (`Statement`).
            let missing = matches!(scheme.signature.at, Place::Header(_) | Place::Query(_))
                && head.value_at(&scheme.signature.at) == Err(Absent::Missing);
            return if missing {
                Err(Reject::MissingSignature)
            } else {
                Ok(Claims::default())
            };
        }
        let Presented {
            candidates,
            fields,
            token,
        } = read_signatures(scheme, head)?;
        let signed_headers = match scheme.signs_headers() {
            false => None,
            true => Some(canonical_request::signed_headers(scheme, head, &fields)?),
        };
        let time = match &scheme.time {
            None => None,
            // The body is not there yet.
            Some(form) if matches!(form.at, Place::Json(_)) => None,
            Some(form) => {
                let text = match &form.at {
                    Place::SignatureField(name) => field(&fields, name),
                    place => head.value_at(place),
                };
                let text = text.map_err(|absent| match shape_of(absent) {
                    None => Reject::MissingTime,
                    Some(shape) => Reject::MalformedTime(shape),
                })?;
                let ms =
                    time::parse(&text, form.unit).ok_or(Reject::MalformedTime(Shape::NotATime))?;
                Some(ClaimedTime { text, ms })
            }
        };
        Ok(Claims {
            candidates,
            time,
            id: signed_value(scheme, head, &Part::Id, scheme.id.as_ref())?,
            nonce: signed_value(scheme, head, &Part::Nonce, scheme.nonce.as_ref())?,
            key_suffix: match &scheme.key.append {
                None | Some(Place::Json(_)) => None,
                Some(place) => Some(key_suffix(head.value_at(place))?),
            },
            token,
            signed_headers,
            ..Claims::default()
        })
    }

    /// Takes the reading that was proved.
    pub(crate) fn take_reading(&mut self, proof: &Proof) {
        self.reading = proof.variant;
    }

    pub(crate) fn read_as(&mut self, reading: usize) {
        self.reading = reading;
    }

    /// From when to when a token holds, in milliseconds since 1970.
    pub fn valid_ms(&self) -> Option<(i64, i64)> {
        self.valid_ms
    }

    /// `tag` is the MAC of the signed string under the key of this number, computed elsewhere.
    /// `None`: it is none of the candidates.
    pub fn matched(&self, key: usize, tag: &[u8]) -> Option<Matched> {
        self.has(tag).then_some(Matched::Mac { key })
    }

    fn has(&self, tag: &[u8]) -> bool {
        is_among(&self.candidates, tag)
    }

    /// What the source pins, where that is signed and stands nowhere in the request.
    pub(crate) fn take_pins(&mut self, pins: &Pins) {
        pins.clone_into(&mut self.pins);
    }

    /// The signed time in milliseconds since 1970.
    pub fn time_ms(&self) -> Option<i64> {
        self.time.as_ref().map(|time| time.ms)
    }

    /// The characters of the signed time.
    pub fn time_text(&self) -> Option<&str> {
        self.time.as_ref().map(|time| time.text.as_str())
    }
}

/// Proof that the request is the source's.
#[derive(Clone, Debug)]
pub enum Matched {
    /// One of the candidates is the MAC under the key of this number.
    Mac { key: usize },
    /// So it is, and the body went by: this is the digest of what was signed.
    Streamed { key: usize, digest: [u8; 32] },
    /// A public key's holder signed it.
    Signed(Proof),
}

/// The word of WebCrypto, or of the crates natively, that a signature is right. Made by
/// [`crate::public_key::inquiry`] alone.
#[derive(Clone, Debug)]
pub struct Proof {
    key_name: String,
    /// Which reading of the statement.
    variant: usize,
}

impl Proof {
    pub(crate) fn of(key_name: String, variant: usize) -> Self {
        Proof { key_name, variant }
    }
}

/// Proof that the source's scheme verified the request. Made by [`verify`] alone.
#[derive(Debug)]
pub struct Verified<'a> {
    matched: Matched,
    time_ms: Option<i64>,
    pieces: Vec<Piece<'a>>,
    /// What was appended to the key, where it is the same on every attempt.
    key_suffix: Option<&'a str>,
}

impl Verified<'_> {
    /// The proof alone, without what was verified.
    pub fn matched(&self) -> Matched {
        self.matched.clone()
    }

    /// The name of the key that matched, for the record.
    pub fn key_name<'n>(&'n self, keys: &'n [LiveKey]) -> Option<&'n str> {
        match &self.matched {
            Matched::Mac { key } | Matched::Streamed { key, .. } => {
                keys.get(*key).map(|key| key.name.as_str())
            }
            Matched::Signed(proof) => Some(&proof.key_name),
        }
    }

    pub fn time_ms(&self) -> Option<i64> {
        self.time_ms
    }

    /// SHA-256 over the signed parts, each with its length, without the time and the nonce of the
    /// attempt: equal for two attempts at one message.
    pub fn digest(&self) -> [u8; 32] {
        if let Matched::Streamed { digest, .. } = &self.matched {
            return *digest;
        }
        let mut digest = Sha256::new();
        self.identify(&mut |bytes| digest_part(&mut digest, bytes));
        digest.finalize().into()
    }

    /// The same parts under XXH64, and what came unsigned behind them: tells whether two messages of one
    /// event differ. It decides nothing, so it need not withstand a forger.
    pub fn fingerprint(&self) -> u64 {
        if let Matched::Streamed { digest, .. } = &self.matched {
            let [a, b, c, d, e, f, g, h, ..] = *digest;
            return u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        }
        let mut hash = Xxh64::new(0);
        let mut add = |bytes: &[u8]| {
            hash.update(&(bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        self.identify(&mut add);
        for piece in &self.pieces {
            if let Piece::Behind(bytes) = piece {
                add(bytes);
            }
        }
        hash.digest()
    }

    fn identify(&self, each: &mut dyn FnMut(&[u8])) {
        if let Some(suffix) = self.key_suffix {
            each(suffix.as_bytes());
        }
        for piece in &self.pieces {
            piece.identify(each);
        }
    }

    /// What was verified, where it is not the body as received.
    pub fn into_canonical(self) -> Option<Vec<u8>> {
        self.pieces.into_iter().find_map(Piece::into_canonical)
    }
}

/// Checks the claims against every key, or takes the word of `matched`, which was made for this
/// request by [`Claims::matched`].
///
/// # Errors
/// [`Reject::MalformedSignedPart`] where the signed string cannot be built,
/// [`Reject::SignatureMismatch`] where no key made any of the signatures.
pub fn verify<'a>(
    scheme: &'a Scheme,
    keys: &[LiveKey],
    claims: &'a Claims,
    inbound: &'a Inbound<'_, '_>,
    matched: Option<Matched>,
) -> Result<Verified<'a>, Reject> {
    let pieces = pieces(scheme, claims, inbound)?;
    let late = match &matched {
        // A statement was read from the whole.
        Some(Matched::Signed(_)) => Late::default(),
        _ => Late::read(scheme, inbound)?,
    };
    let matched = matched.or_else(|| {
        let key = guess::maker(scheme, keys, claims, inbound, &pieces, &late)?;
        Some(Matched::Mac { key })
    });
    // What is appended to the key is signed as well. Where it is the time, it is the attempt's.
    let time = scheme.time.as_ref().map(|form| &form.at);
    let of_the_attempt = scheme.key.append.as_ref() == time;
    Ok(Verified {
        matched: matched.ok_or(Reject::SignatureMismatch)?,
        time_ms: claims.time_ms().or(late.time_ms),
        pieces,
        key_suffix: claims.key_suffix.as_deref().filter(|_| !of_the_attempt),
    })
}

/// The signature that the holder of `key` would make.
///
/// # Errors
/// As [`verify`], where the signed string cannot be built.
pub fn tag(
    scheme: &Scheme,
    key: &LiveKey,
    claims: &Claims,
    inbound: &Inbound<'_, '_>,
) -> Result<Vec<u8>, Reject> {
    let pieces = pieces(scheme, claims, inbound)?;
    let late = Late::to_sign(scheme, inbound);
    let suffix = claims.key_suffix.as_deref().or(late.as_deref());
    Ok(mac_over(&pieces, scheme, key, suffix).tag())
}

/// Adds a part with its length in front, so that no two lists of parts digest alike.
pub fn digest_part(digest: &mut Sha256, bytes: &[u8]) {
    digest.update((bytes.len() as u64).to_be_bytes());
    digest.update(bytes);
}

/// A signed value that the sender chose. It may not contain what ends it in the signed string.
fn signed_value(
    scheme: &Scheme,
    head: &Head,
    part: &Part,
    place: Option<&Place>,
) -> Result<Option<String>, Reject> {
    let Some(place) = place else { return Ok(None) };
    let value = head.value_at(place).map_err(missing_part)?;
    if value.is_empty() {
        return Err(Reject::MalformedSignedPart(Shape::Empty));
    }
    if scheme
        .delimiter_after(part)
        .is_some_and(|delimiter| value.contains(delimiter))
    {
        return Err(Reject::MalformedSignedPart(Shape::ContainsDelimiter));
    }
    Ok(Some(value))
}

fn missing_part(absent: Absent) -> Reject {
    match shape_of(absent) {
        None => Reject::MissingSignedPart,
        Some(shape) => Reject::MalformedSignedPart(shape),
    }
}

fn shape_of(absent: Absent) -> Option<Shape> {
    match absent {
        Absent::Missing => None,
        Absent::Repeated => Some(Shape::Repeated),
        Absent::Undecodable => Some(Shape::Undecodable),
    }
}
