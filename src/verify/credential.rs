//! Credentials as they travel: presented, not proved by a MAC.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::shape_of;
use crate::request::{Absent, Head, Inbound};
use crate::scheme::{Scheme, SignatureEncoding};
use crate::verdict::{Reject, Shape};

/// SHA-256 of each credential that the request presents: digests are compared, so that the time says
/// nothing about a length either.
pub(super) fn read(scheme: &Scheme, head: &Head) -> Result<Vec<Vec<u8>>, Reject> {
    let form = &scheme.signature;
    let others = form.or.iter();
    let others = others.map(|place| (place, None, SignatureEncoding::Verbatim));
    let first = (&form.at, form.strip.as_deref(), form.encoding);
    let mut presented = Vec::new();
    let mut wrong = Reject::MissingSignature;
    for (place, strip, encoding) in std::iter::once(first).chain(others) {
        match read_value(head.value_at(place), strip, encoding) {
            Ok(Some(digest)) => presented.push(digest.to_vec()),
            Ok(None) => {}
            Err(shape) => wrong = Reject::MalformedSignature(shape),
        }
    }
    if presented.is_empty() {
        return Err(wrong);
    }
    Ok(presented)
}

/// The same for a credential in the body.
pub(super) fn read_in_body(scheme: &Scheme, inbound: &Inbound<'_, '_>) -> Result<Vec<u8>, Reject> {
    let form = &scheme.signature;
    let text = inbound.value_at(&form.at);
    match read_value(text, form.strip.as_deref(), form.encoding) {
        Ok(Some(digest)) => Ok(digest.to_vec()),
        Ok(None) => Err(Reject::MissingSignature),
        Err(shape) => Err(Reject::MalformedSignature(shape)),
    }
}

#[inline(never)]
fn read_value(
    text: Result<String, Absent>,
    strip: Option<&str>,
    encoding: SignatureEncoding,
) -> Result<Option<[u8; 32]>, Shape> {
    let text = match text {
        Ok(text) => text,
        Err(Absent::Missing) => return Ok(None),
        Err(absent) => return Err(shape_of(absent).unwrap_or(Shape::Undecodable)),
    };
    // A repeated header arrives joined by ", ".
    if text.contains(", ") {
        return Err(Shape::Repeated);
    }
    let text = match strip {
        None => text.as_str(),
        Some(prefix) => without(&text, prefix).ok_or(Shape::NoPrefix)?,
    };
    if text.is_empty() {
        return Err(Shape::Empty);
    }
    let bytes = match encoding {
        SignatureEncoding::Base64 => STANDARD.decode(text).map_err(|_| Shape::NotBase64)?,
        _ => text.as_bytes().to_vec(),
    };
    Ok(Some(Sha256::digest(bytes).into()))
}

/// The names of authentication schemes have no case (RFC 9110, section 11.1).
fn without<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}
