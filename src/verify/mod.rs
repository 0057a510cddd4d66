//! The one interpreter of [`Scheme`]: was this request signed with one of these keys?
//!
//! Two steps, both pure. [`Claims::read`] takes what the sender claims from the head (signature,
//! time, id, nonce) and refuses wrong shapes before a byte of the body is read. [`verify`] computes
//! the MAC over the characters as received and compares in constant time. Freshness is judged by
//! the caller, after the MAC, so that a stale request can be told from a forged one.

mod signature;

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

use crate::canonical::{self, NotCanonical};
use crate::keys::{LiveKey, Mac, encode_hex};
use crate::request::{Absent, Head, Inbound, encode_pairs};
use crate::scheme::{Part, Place, Scheme};
use crate::time;
use crate::verdict::{Reject, Shape};
use signature::{field, read_signatures};

/// How many signatures one request may carry. Providers send one for each live secret; each costs
/// one comparison for each of ours.
pub const CANDIDATES_MAX: usize = 16;

/// What a request claims about itself, well-formed and not yet believed.
#[derive(Debug)]
pub struct Claims {
    candidates: Vec<Vec<u8>>,
    time: Option<ClaimedTime>,
    id: Option<String>,
    nonce: Option<String>,
    key_suffix: Option<String>,
}

#[derive(Debug)]
struct ClaimedTime {
    text: String,
    ms: i64,
}

impl Claims {
    /// Reads the claims, or says what is wrong with their shape.
    pub fn read(scheme: &Scheme, head: &Head) -> Result<Self, Reject> {
        let (candidates, fields) = read_signatures(scheme, head)?;
        let time = match &scheme.time {
            None => None,
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
                None => None,
                Some(place) => {
                    let suffix = head.value_at(place).map_err(missing_part)?;
                    // HMAC fills a short key up with zero bytes (RFC 2104, section 2), so a NUL at
                    // the end would be another value under the same MAC.
                    if suffix.contains('\0') {
                        return Err(Reject::MalformedSignedPart(Shape::ContainsDelimiter));
                    }
                    Some(suffix)
                }
            },
        })
    }

    /// The claims of a request that is yet to be signed: what [`tag`] needs.
    pub fn to_sign(scheme: &Scheme, time_ms: i64, id: &str, nonce: &str) -> Self {
        let text = |part: Part, text: &str| scheme.signed.contains(&part).then(|| text.to_owned());
        let time = scheme.time.as_ref().map(|form| ClaimedTime {
            text: time::format(time_ms, form.unit),
            ms: time_ms,
        });
        Claims {
            candidates: Vec::new(),
            key_suffix: match (&scheme.key.append, &scheme.time, &time) {
                (Some(place), Some(form), Some(time)) if *place == form.at => {
                    Some(time.text.clone())
                }
                _ => None,
            },
            time,
            id: text(Part::Id, id),
            nonce: text(Part::Nonce, nonce),
        }
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

/// Proof that the source's scheme verified the request. Made by [`verify`] alone.
#[derive(Debug)]
pub struct Verified {
    key: usize,
    time_ms: Option<i64>,
    digest: [u8; 32],
    canonical: Option<Vec<u8>>,
}

impl Verified {
    /// Which of the keys matched.
    pub fn key(&self) -> usize {
        self.key
    }

    pub fn time_ms(&self) -> Option<i64> {
        self.time_ms
    }

    /// SHA-256 over the signed parts, each with its length, without the time and the nonce of the
    /// attempt: equal for two attempts at one message.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// What was verified, where it is not the body as received.
    pub fn into_canonical(self) -> Option<Vec<u8>> {
        self.canonical
    }
}

/// Checks the claims against every key.
///
/// # Errors
/// [`Reject::MalformedSignedPart`] where the signed string cannot be built,
/// [`Reject::SignatureMismatch`] where no key made any of the signatures.
pub fn verify(
    scheme: &Scheme,
    keys: &[LiveKey],
    claims: &Claims,
    inbound: &Inbound<'_>,
) -> Result<Verified, Reject> {
    let pieces = pieces(scheme, claims, inbound)?;
    let matched = keys.iter().position(|key| {
        let mac = mac_over(&pieces, scheme, key, claims);
        // Every candidate is compared, right or wrong: which one was right is not in the time.
        claims
            .candidates
            .iter()
            .fold(false, |found, candidate| mac.clone().is(candidate) | found)
    });
    let key = matched.ok_or(Reject::SignatureMismatch)?;
    let mut digest = Sha256::new();
    // What is appended to the key is signed as well. Where it is the time, it is the attempt's.
    let time = scheme.time.as_ref().map(|form| &form.at);
    if let (Some(suffix), true) = (&claims.key_suffix, scheme.key.append.as_ref() != time) {
        digest_part(&mut digest, suffix.as_bytes());
    }
    for piece in &pieces {
        piece.identify(&mut digest);
    }
    Ok(Verified {
        key,
        time_ms: claims.time_ms(),
        digest: digest.finalize().into(),
        canonical: pieces.into_iter().find_map(Piece::into_canonical),
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
    inbound: &Inbound<'_>,
) -> Result<Vec<u8>, Reject> {
    Ok(mac_over(&pieces(scheme, claims, inbound)?, scheme, key, claims).tag())
}

fn pieces<'a>(
    scheme: &'a Scheme,
    claims: &'a Claims,
    inbound: &Inbound<'a>,
) -> Result<Vec<Piece<'a>>, Reject> {
    scheme
        .signed
        .iter()
        .map(|part| Piece::of(part, claims, inbound))
        .collect()
}

fn mac_over(pieces: &[Piece<'_>], scheme: &Scheme, key: &LiveKey, claims: &Claims) -> Mac {
    let keyed = key.mac(scheme.algorithm, claims.key_suffix.as_deref());
    let mut mac = keyed.clone();
    for piece in pieces {
        piece.feed(&mut mac, key, &keyed);
    }
    mac
}

/// A part of the signed string with its bytes.
enum Piece<'a> {
    Plain(Cow<'a, [u8]>),
    /// Different on every attempt: signed, but no part of the identity.
    PerAttempt(&'a [u8]),
    Secret,
    /// Canonical bytes that stand for the body; the second value is what the backend is given.
    Canonical(Vec<u8>, Vec<u8>),
    MacHex(Box<Piece<'a>>),
}

impl<'a> Piece<'a> {
    fn of(part: &'a Part, claims: &'a Claims, inbound: &Inbound<'a>) -> Result<Self, Reject> {
        Ok(match part {
            Part::Body => Piece::Plain(Cow::Borrowed(inbound.body)),
            Part::Literal(text) => Piece::Plain(Cow::Borrowed(text.as_bytes())),
            Part::Secret => Piece::Secret,
            Part::Time => Piece::PerAttempt(
                claims
                    .time
                    .as_ref()
                    .ok_or(Reject::MissingTime)?
                    .text
                    .as_bytes(),
            ),
            Part::Nonce => Piece::PerAttempt(
                claims
                    .nonce
                    .as_deref()
                    .ok_or(Reject::MissingSignedPart)?
                    .as_bytes(),
            ),
            Part::Id => Piece::Plain(Cow::Borrowed(
                claims
                    .id
                    .as_deref()
                    .ok_or(Reject::MissingSignedPart)?
                    .as_bytes(),
            )),
            Part::SortedJson => {
                let bytes = canonical::sorted_json(inbound.body).map_err(|wrong| {
                    Reject::MalformedSignedPart(match wrong {
                        NotCanonical::NotAnObject => Shape::NotAJsonObject,
                        NotCanonical::RepeatedName => Shape::RepeatedName,
                        NotCanonical::TooDeep => Shape::TooDeep,
                    })
                })?;
                Piece::Canonical(bytes.clone(), bytes)
            }
            Part::SortedQueryExcept(except) => {
                let pairs = sorted_query(inbound.head, except)?;
                let signed: Vec<String> = pairs
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                Piece::Canonical(
                    signed.join("&").into_bytes(),
                    encode_pairs(&pairs).into_bytes(),
                )
            }
            Part::MacHex(inner) => Piece::MacHex(Box::new(Piece::of(inner, claims, inbound)?)),
        })
    }

    /// `keyed` is the MAC before its first byte.
    fn feed(&self, mac: &mut Mac, key: &LiveKey, keyed: &Mac) {
        match self {
            Piece::Plain(bytes) => mac.update(bytes),
            Piece::PerAttempt(bytes) => mac.update(bytes),
            Piece::Secret => mac.update(key.text()),
            Piece::Canonical(signed, _) => mac.update(signed),
            Piece::MacHex(inner) => {
                let mut nested = keyed.clone();
                inner.feed(&mut nested, key, keyed);
                mac.update(encode_hex(&nested.tag()).as_bytes());
            }
        }
    }

    fn identify(&self, digest: &mut Sha256) {
        match self {
            Piece::Plain(bytes) => digest_part(digest, bytes),
            Piece::Canonical(signed, _) => digest_part(digest, signed),
            Piece::PerAttempt(_) | Piece::Secret => {}
            Piece::MacHex(inner) => inner.identify(digest),
        }
    }

    fn into_canonical(self) -> Option<Vec<u8>> {
        match self {
            Piece::Canonical(_, given) => Some(given),
            Piece::MacHex(inner) => inner.into_canonical(),
            Piece::Plain(_) | Piece::PerAttempt(_) | Piece::Secret => None,
        }
    }
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

/// Sorted by name. Refuses a repeated name, and characters that would give the joined string a
/// second reading.
fn sorted_query(head: &Head, except: &str) -> Result<Vec<(String, String)>, Reject> {
    let mut pairs = head.query_pairs().map_err(missing_part)?;
    pairs.retain(|(name, _)| name != except);
    pairs.sort();
    if pairs.windows(2).any(|two| two[0].0 == two[1].0) {
        return Err(Reject::MalformedSignedPart(Shape::RepeatedName));
    }
    if pairs
        .iter()
        .any(|(name, value)| name.contains(['=', '&']) || value.contains('&'))
    {
        return Err(Reject::MalformedSignedPart(Shape::ContainsDelimiter));
    }
    Ok(pairs)
}

fn shape_of(absent: Absent) -> Option<Shape> {
    match absent {
        Absent::Missing => None,
        Absent::Repeated => Some(Shape::Repeated),
        Absent::Undecodable => Some(Shape::Undecodable),
    }
}
