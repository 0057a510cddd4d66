//! The signed string in its parts, as the scheme orders them.

use std::borrow::Cow;

use super::canonical_request::CanonicalRequest;
use super::jws::payload_of;
use super::lines::lines;
use super::{Claims, missing_part, stated};
use crate::canonical::{self, NotCanonical};
use crate::hex;
use crate::json;
use crate::keys::{LiveKey, Mac};
use crate::request::{Absent, Head, Inbound, encode_pairs};
use crate::scheme::{Part, Scheme};
use crate::uses;
use crate::verdict::{Reject, Shape};

/// Every part with its bytes, or why there is none.
pub(super) fn pieces<'a>(
    scheme: &'a Scheme,
    claims: &'a Claims,
    inbound: &'a Inbound<'_, '_>,
) -> Result<Vec<Piece<'a>>, Reject> {
    if scheme.is_bearer() {
        // Nothing of it is signed; it tells one event from another all the same.
        return Ok(vec![Piece::Plain(Cow::Borrowed(inbound.body))]);
    }
    let mut pieces = Vec::with_capacity(scheme.signed.len());
    for part in &scheme.signed {
        pieces.push(Piece::of(part, scheme, claims, inbound)?);
    }
    if uses::PARTIAL_SIGNATURES && scheme.signs_sender_only {
        let names_the_event = scheme.signed.contains(&Part::FirstItem);
        pieces.push(match names_the_event {
            true => Piece::Behind(inbound.body),
            false => Piece::Unsigned(inbound.body),
        });
    }
    Ok(pieces)
}

/// The MAC over all parts.
pub(super) fn mac_over(
    pieces: &[Piece<'_>],
    scheme: &Scheme,
    key: &LiveKey,
    suffix: Option<&str>,
) -> Mac {
    let keyed = || key.mac(scheme.algorithm, suffix);
    let mut mac = keyed();
    for piece in pieces {
        piece.feed(&mut mac, key, &keyed);
    }
    mac
}

/// A part of the signed string with its bytes.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    Plain(Cow<'a, [u8]>),
    /// Different on every attempt: signed, but no part of the identity.
    PerAttempt(Cow<'a, [u8]>),
    Secret,
    /// Not signed; it tells one event from another all the same.
    Unsigned(&'a [u8]),
    /// Not signed, behind something that is and that names the event: it makes no other event of it, but
    /// differs from what was seen.
    Behind(&'a [u8]),
    /// Canonical bytes that stand for the body; the second value is what the backend is given.
    Canonical(Vec<u8>, Vec<u8>),
    MacHex(Box<Piece<'a>>),
    /// A JWS, and the body that it binds: the JWS is what is signed, the body what it means.
    Jws(&'a str, &'a [u8]),
    /// What is signed, and what of it is the same on every attempt.
    Means(Vec<u8>, Vec<Cow<'a, [u8]>>),
    /// A request in canonical form, its digest, and what of it is the same on every attempt.
    Digested(Box<CanonicalRequest<'a>>),
}

impl<'a> Piece<'a> {
    fn of(
        part: &'a Part,
        scheme: &'a Scheme,
        claims: &'a Claims,
        inbound: &'a Inbound<'_, '_>,
    ) -> Result<Self, Reject> {
        Ok(match part {
            Part::Body => Piece::Plain(Cow::Borrowed(inbound.body)),
            Part::Literal(text) => Piece::Plain(Cow::Borrowed(text.as_bytes())),
            Part::Secret => Piece::Secret,
            Part::Time if scheme.has_body_signature() && scheme.has_body_time() => {
                let time = scheme.time.as_ref().ok_or(Reject::MissingTime)?;
                let text = inbound.value_at(&time.at);
                let text = text.map_err(|_| Reject::MissingTime)?;
                Piece::PerAttempt(Cow::Owned(text.into_bytes()))
            }
            Part::Time => {
                let time = claims.time.as_ref().ok_or(Reject::MissingTime)?;
                Piece::PerAttempt(Cow::Borrowed(time.text.as_bytes()))
            }
            Part::Nonce => Piece::per_attempt(claims.nonce.as_deref())?,
            Part::Token => {
                inbound.claims_are(claims.token.as_deref().and_then(payload_of));
                Piece::per_attempt(claims.token.as_deref())?
            }
            Part::Url => Piece::per_attempt(claims.url.as_deref())?,
            Part::Fixed(length, place) if uses::PARTIAL_SIGNATURES => {
                let value = inbound.value_at(place).map_err(missing_part)?;
                if value.len() != *length {
                    return Err(Reject::MalformedSignedPart(Shape::WrongLength));
                }
                Piece::Plain(Cow::Owned(value.into_bytes()))
            }
            Part::FirstItem if uses::PARTIAL_SIGNATURES => {
                let item = json::first_item(inbound.body);
                let item = item.ok_or(Reject::MalformedSignedPart(Shape::NotAJsonArray))?;
                Piece::Plain(Cow::Borrowed(item))
            }
            Part::Method => Piece::Plain(Cow::Borrowed(inbound.head.method.as_bytes())),
            Part::Target => Piece::Plain(Cow::Owned(inbound.head.target().into_bytes())),
            Part::Value(place) => match inbound.value_at(place) {
                // Its line would have a second end.
                Ok(value) if value.chars().any(char::is_control) => {
                    return Err(Reject::MalformedSignedPart(Shape::ContainsDelimiter));
                }
                Ok(value) => Piece::PerAttempt(Cow::Owned(value.into_bytes())),
                Err(Absent::Missing) => Piece::PerAttempt(Cow::Borrowed(&[])),
                Err(absent) => return Err(missing_part(absent)),
            },
            Part::Lines if uses::PUBLIC_KEYS => {
                let form = scheme.lines.as_ref().ok_or(Reject::MissingSignedPart)?;
                match lines(form, claims, inbound)? {
                    (signed, Some(given)) => Piece::Canonical(signed, given),
                    (signed, None) => Piece::PerAttempt(Cow::Owned(signed)),
                }
            }
            Part::Id => Piece::Plain(Cow::Borrowed(
                claims
                    .id
                    .as_deref()
                    .ok_or(Reject::MissingSignedPart)?
                    .as_bytes(),
            )),
            Part::SortedJson => {
                let bytes = canonical::sorted_json(inbound.body).map_err(not_canonical)?;
                Piece::Canonical(bytes.clone(), bytes)
            }
            Part::SortedFields if uses::SORTED_FIELDS => {
                let fields = canonical::sorted_fields(inbound.body).map_err(not_canonical)?;
                inbound.read_as(&fields.object);
                Piece::Canonical(fields.joined, fields.object)
            }
            Part::Jws if uses::JWS => {
                let token = claims.token.as_deref();
                inbound.claims_are(token.and_then(payload_of));
                Piece::Jws(token.ok_or(Reject::MissingSignature)?, inbound.body)
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
            Part::MacHex(inner) => {
                Piece::MacHex(Box::new(Piece::of(inner, scheme, claims, inbound)?))
            }
            // The whole is a kilobyte, its digest 64 characters: nobody signs it as it is.
            Part::CanonicalRequest | Part::Sha256Hex(_) if uses::CANONICAL_REQUESTS => {
                let names = claims.signed_headers.as_deref();
                let names = names.ok_or(Reject::MissingSignedPart)?;
                Piece::Digested(Box::new(CanonicalRequest::of(inbound, names)?))
            }
            Part::Stated(part) if uses::STATED_PARTS => {
                return stated::piece(part, scheme, claims, inbound);
            }
            // The build left out what none of its sources says.
            Part::Stated(_)
            | Part::SortedFields
            | Part::Jws
            | Part::CanonicalRequest
            | Part::Sha256Hex(_)
            | Part::Fixed(..)
            | Part::FirstItem
            | Part::Lines => {
                return Err(Reject::MissingSignedPart);
            }
        })
    }

    fn per_attempt(text: Option<&'a str>) -> Result<Self, Reject> {
        let text = text.ok_or(Reject::MissingSignedPart)?;
        Ok(Piece::PerAttempt(Cow::Borrowed(text.as_bytes())))
    }

    /// The bytes that are signed. `None`: they are made with a secret.
    pub(super) fn plain(&self) -> Option<Cow<'_, [u8]>> {
        match self {
            Piece::Plain(bytes) | Piece::PerAttempt(bytes) => Some(Cow::Borrowed(bytes)),
            Piece::Canonical(bytes, _) | Piece::Means(bytes, _) => Some(Cow::Borrowed(bytes)),
            Piece::Jws(token, _) => Some(Cow::Borrowed(token.as_bytes())),
            Piece::Secret
            | Piece::Unsigned(_)
            | Piece::Behind(_)
            | Piece::MacHex(_)
            | Piece::Digested(_) => None,
        }
    }

    /// `keyed` is the MAC before its first byte.
    fn feed(&self, mac: &mut Mac, key: &LiveKey, keyed: &dyn Fn() -> Mac) {
        match self {
            Piece::Plain(bytes) => mac.update(bytes),
            Piece::PerAttempt(bytes) => mac.update(bytes),
            Piece::Secret => mac.update(key.text()),
            Piece::Unsigned(_) | Piece::Behind(_) => {}
            Piece::Canonical(signed, _) | Piece::Means(signed, _) => mac.update(signed),
            Piece::MacHex(inner) => {
                let mut nested = keyed();
                inner.feed(&mut nested, key, keyed);
                mac.update(hex::encode(&nested.tag()).as_bytes());
            }
            Piece::Jws(token, _) => mac.update(token.as_bytes()),
            Piece::Digested(request) => mac.update(request.sha256_hex().as_bytes()),
        }
    }

    /// Shows what is the same on every attempt at one message.
    pub(super) fn identify(&self, each: &mut dyn FnMut(&[u8])) {
        match self {
            Piece::Plain(bytes) => each(bytes),
            Piece::Unsigned(bytes) => each(bytes),
            Piece::Canonical(signed, _) => each(signed),
            Piece::PerAttempt(_) | Piece::Secret | Piece::Behind(_) => {}
            Piece::MacHex(inner) => inner.identify(each),
            Piece::Jws(_, body) => each(body),
            Piece::Means(_, same) => same.iter().for_each(|bytes| each(bytes)),
            Piece::Digested(request) => request.identify(each),
        }
    }

    /// What the backend is given, where it is not the body.
    pub(super) fn into_canonical(self) -> Option<Vec<u8>> {
        match self {
            Piece::Canonical(_, given) => Some(given),
            Piece::MacHex(inner) => inner.into_canonical(),
            Piece::Plain(_)
            | Piece::PerAttempt(_)
            | Piece::Secret
            | Piece::Unsigned(_)
            | Piece::Behind(_)
            | Piece::Jws(..)
            | Piece::Means(..) => None,
            Piece::Digested(request) => request.into_content(),
        }
    }
}

fn not_canonical(wrong: NotCanonical) -> Reject {
    Reject::MalformedSignedPart(match wrong {
        NotCanonical::NotAnObject => Shape::NotAJsonObject,
        NotCanonical::RepeatedName => Shape::RepeatedName,
        NotCanonical::TooDeep => Shape::TooDeep,
        NotCanonical::ContainsDelimiter => Shape::ContainsDelimiter,
    })
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
