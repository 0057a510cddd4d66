//! What a message says of itself where a public key checks it, or where a MAC is made over more than the
//! message. A provider's key signs for anyone: whose message this is, is pinned.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ctutils::CtEq as _;
use md5::{Digest as _, Md5};

use super::key_at::{KeyAt, key_asked, key_at};
use super::message_signature::{self, Covered};
use super::pieces::pieces;
use super::signature::{Fields, field, is_among, signatures_in};
use super::{ClaimedTime, Claims, Matched, missing_part, shape_of, signed_value};
use super::{jws, stated};
use crate::canonical::{NotCanonical, object_members};
use crate::gate::LiveSource;
use crate::hex;
use crate::public_key::rules::Pins;
use crate::public_key::token::Token;
use crate::request::Inbound;
use crate::scheme::{Algorithm, KeyEncoding, Part, Place, Scheme, StatedPart, TimeUnit};
use crate::time;
use crate::uses;
use crate::verdict::{Reject, Shape};

/// How many signatures one message may carry: each is a question for each key and each reading.
const SIGNATURES_MAX: usize = 4;

/// A well-formed message with the source's pins in it. Nothing of it is believed yet.
#[derive(Debug)]
pub struct Statement {
    pub key: KeyAt,
    pub algorithm: Algorithm,
    /// One, or several of a sender that is changing its key.
    pub signatures: Vec<Vec<u8>>,
    /// What may have been signed: one reading, or two where providers' own code differs.
    pub messages: Vec<Vec<u8>>,
    /// The length of the body it was read from.
    pub body_bytes: usize,
}

impl Statement {
    /// Reads what the message says. The claims that come with it are those of the reading that
    /// `Proof` then names.
    ///
    /// # Errors
    /// What is wrong with its form, its pins, or where it says its key is: before anything is fetched.
    pub fn read(live: &LiveSource, inbound: &Inbound<'_, '_>) -> Result<(Self, Claims), Reject> {
        let scheme = &live.scheme;
        let malformed = Reject::MalformedSignedPart;
        if scheme
            .lines
            .as_ref()
            .is_some_and(|lines| lines.are_content())
        {
            let text = std::str::from_utf8(inbound.body);
            object_members(text.map_err(|_| malformed(Shape::NotAJsonObject))?).map_err(
                |wrong| {
                    malformed(match wrong {
                        NotCanonical::RepeatedName => Shape::RepeatedName,
                        _ => Shape::NotAJsonObject,
                    })
                },
            )?;
        }
        let Presented {
            signatures,
            fields,
            token,
            signed_token,
            covered,
        } = presented(scheme, inbound)?;
        check_pins(live, inbound, token.as_ref())?;
        if !scheme.claims.is_empty() {
            jws::keeps(scheme, signed_token.as_deref(), inbound)?;
        }
        if let Some(covered) = covered.as_ref().filter(|_| uses::MESSAGE_SIGNATURES) {
            message_signature::check_digest(covered, inbound)?;
        }
        if let Some(place) = &scheme.body_md5 {
            check_md5(
                &inbound.value_at(place).map_err(missing_part)?,
                inbound.body,
            )?;
        }
        let key = match &scheme.key_request {
            Some(form) if uses::KEY_REQUESTS => key_asked(form, live, signed_token.as_deref())?,
            _ => key_at(live, inbound, token.as_ref())?,
        };
        let algorithm = match &scheme.version {
            None => scheme.algorithm,
            Some(version) => {
                let named = inbound.value_at(&version.at).map_err(missing_part)?;
                let known = version.algorithms.get(&named);
                *known.ok_or(Reject::MalformedSignature(Shape::NoKnownVersion))?
            }
        };
        let mut claims = Claims {
            time: time_of(scheme, inbound, &fields, signed_token.as_deref())?,
            id: signed_value(scheme, inbound.head, &Part::Id, scheme.id.as_ref())?,
            nonce: signed_value(scheme, inbound.head, &Part::Nonce, scheme.nonce.as_ref())?,
            valid_ms: match &token {
                Some(token) => Some(token.valid_ms),
                None => expires_ms(&fields)
                    .filter(|_| covered.is_some())
                    .map(|expires_ms| (i64::MIN, expires_ms)),
            },
            token: signed_token,
            signed_headers: match &scheme.named_headers {
                Some(form) if uses::STATED_PARTS => {
                    Some(stated::header_names(form, inbound.head, &fields)?)
                }
                _ => None,
            },
            pins: match scheme.stated_parts().next() {
                Some(_) => live.pins.clone(),
                None => Pins::default(),
            },
            url: url_of(live, inbound),
            covered,
            ..Claims::default()
        };
        let mut messages = vec![message(scheme, &claims, inbound)?];
        claims.reading = 1;
        let other = message(scheme, &claims, inbound)?;
        claims.reading = 0;
        if other != messages[0] {
            messages.push(other);
        }
        let statement = Statement {
            key,
            algorithm,
            signatures,
            messages,
            body_bytes: inbound.body.len(),
        };
        Ok((statement, claims))
    }

    /// Which of the source's secrets made one of the signatures, and of which reading. `None`: none did.
    pub fn matched(&self, live: &LiveSource) -> Option<(Matched, usize)> {
        for (reading, message) in self.messages.iter().enumerate() {
            for (key, live_key) in live.keys.iter().enumerate() {
                let mut mac = live_key.mac(self.algorithm, None);
                mac.update(message);
                if is_among(&self.signatures, mac.tag().as_slice()) {
                    return Some((Matched::Mac { key }, reading));
                }
            }
        }
        None
    }

    /// What the record calls the key: the set's id, or the certificate's file.
    pub fn key_name(&self) -> String {
        match &self.key {
            KeyAt::Own => String::new(),
            KeyAt::Url(url) => url.rsplit('/').next().unwrap_or_default().to_owned(),
            KeyAt::Set { id, .. } | KeyAt::Asked { id, .. } => {
                id.chars().filter(char::is_ascii_graphic).collect()
            }
        }
    }
}

/// What a message presents as proof.
#[derive(Default)]
struct Presented {
    signatures: Vec<Vec<u8>>,
    fields: Fields,
    token: Option<Token>,
    /// Of a token or a JWS, everything but its signature.
    signed_token: Option<String>,
    covered: Option<Covered>,
}

fn presented(scheme: &Scheme, inbound: &Inbound<'_, '_>) -> Result<Presented, Reject> {
    if let Some(form) = scheme
        .message_signature
        .as_ref()
        .filter(|_| uses::MESSAGE_SIGNATURES)
    {
        let (signature, fields, covered) =
            message_signature::read(form, scheme.algorithm, inbound.head)?;
        return Ok(Presented {
            signatures: vec![signature],
            fields,
            covered: Some(covered),
            ..Presented::default()
        });
    }
    if let Some(form) = &scheme.token {
        let text = inbound.value_at(&scheme.signature.at);
        let text = text.map_err(|absent| match shape_of(absent) {
            None => Reject::MissingSignature,
            Some(shape) => Reject::MalformedSignature(shape),
        })?;
        let strip = scheme.signature.strip.as_deref().unwrap_or_default();
        // The name of an authentication scheme has no case (RFC 9110, section 11.1).
        let bare = text
            .get(..strip.len())
            .filter(|prefix| prefix.eq_ignore_ascii_case(strip));
        bare.ok_or(Reject::MalformedSignature(Shape::NoPrefix))?;
        let of_a_set = scheme.key.encoding == KeyEncoding::KeySet;
        let token = Token::read(&text[strip.len()..], form, of_a_set)?;
        return Ok(Presented {
            signatures: vec![token.signature.clone()],
            signed_token: Some(token.signed.clone()),
            token: Some(token),
            ..Presented::default()
        });
    }
    let read = signatures_in(scheme, inbound.value_at(&scheme.signature.at))?;
    if read.candidates.len() > SIGNATURES_MAX {
        return Err(Reject::MalformedSignature(Shape::TooMany));
    }
    Ok(Presented {
        signatures: read.candidates,
        fields: read.fields,
        signed_token: read.token,
        ..Presented::default()
    })
}

fn check_pins(
    live: &LiveSource,
    inbound: &Inbound<'_, '_>,
    token: Option<&Token>,
) -> Result<(), Reject> {
    for pin in live.scheme.pins.iter().filter(|pin| !pin.at.is_empty()) {
        // `open` closed the source if it has none.
        let wanted = live.pins.get(&pin.name).ok_or(Reject::PinMismatch)?;
        let equals = |place: &Place| match place {
            Place::Claim(name) => token.and_then(|token| token.claims(name, wanted)),
            place => match inbound.value_at(place) {
                Ok(value) => Some(value.as_bytes().ct_eq(wanted.as_bytes()).to_bool()),
                Err(absent) => shape_of(absent).map(|_| false),
            },
        };
        let found: Vec<bool> = pin.at.iter().filter_map(equals).collect();
        if found.is_empty() || found.contains(&false) {
            return Err(Reject::PinMismatch);
        }
    }
    match (&live.scheme.token, token) {
        (Some(form), Some(token)) => {
            let issuer = |known: &crate::scheme::Template, issuer: &str| {
                known.fill(&live.pins).is_some_and(|known| known == issuer)
            };
            token
                .keeps(form, issuer)
                .then_some(())
                .ok_or(Reject::TokenNotAllowed)
        }
        _ => Ok(()),
    }
}

fn time_of(
    scheme: &Scheme,
    inbound: &Inbound<'_, '_>,
    fields: &Fields,
    token: Option<&str>,
) -> Result<Option<ClaimedTime>, Reject> {
    let Some(form) = &scheme.time else {
        return Ok(None);
    };
    let text = match &form.at {
        Place::SignatureField(name) => field(fields, name),
        Place::Claim(name) => jws::claim(token, name),
        place => inbound.value_at(place),
    };
    let text = text.map_err(|absent| match shape_of(absent) {
        None => Reject::MissingTime,
        Some(shape) => Reject::MalformedTime(shape),
    })?;
    let ms = time::parse(&text, form.unit).ok_or(Reject::MalformedTime(Shape::NotATime))?;
    Ok(Some(ClaimedTime { text, ms }))
}

/// The end that a message signature may have (RFC 9421, section 2.3).
fn expires_ms(fields: &Fields) -> Option<i64> {
    time::parse(&field(fields, "expires").ok()?, TimeUnit::Seconds)
}

/// The URL as the provider knows it: the source's, with the query as received.
fn url_of(live: &LiveSource, inbound: &Inbound<'_, '_>) -> Option<String> {
    let mut parts = live.scheme.stated_parts();
    (live.scheme.signed.contains(&Part::Url) || parts.any(StatedPart::needs_url)).then_some(())?;
    let url = live.pins.get("url")?;
    Some(match &inbound.head.query {
        None => url.clone(),
        Some(query) => format!("{url}?{query}"),
    })
}

fn message(scheme: &Scheme, claims: &Claims, inbound: &Inbound<'_, '_>) -> Result<Vec<u8>, Reject> {
    let pieces = pieces(scheme, claims, inbound)?;
    let texts: Vec<Cow<'_, [u8]>> = pieces.iter().filter_map(|piece| piece.plain()).collect();
    Ok(texts.concat())
}

/// The providers of such headers differ in how they write it, so each way is taken.
fn check_md5(written: &str, body: &[u8]) -> Result<(), Reject> {
    let digest = Md5::digest(body);
    let hex = hex::encode(&digest);
    let matches = written.eq_ignore_ascii_case(&hex)
        || written == STANDARD.encode(digest)
        || [hex.to_ascii_uppercase(), hex]
            .iter()
            .any(|hex| written == STANDARD.encode(hex));
    matches.then_some(()).ok_or(Reject::BodyDigestMismatch)
}
