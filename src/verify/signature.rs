//! Reads signatures from where the scheme says they stand, strictly.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ctutils::{Choice, CtEq as _};

use super::{CANDIDATES_MAX, credential, jws, shape_of};
use crate::hex;
use crate::request::{Absent, Head};
use crate::scheme::{Scheme, SignatureEncoding};
use crate::uses;
use crate::verdict::{Reject, Shape};

/// Named items that stand beside the signatures, as `t` does in `t=1,v1=…`.
pub(super) type Fields = Vec<(String, String)>;

/// What a request presents as proof.
pub(super) struct Presented {
    /// Well-formed signatures.
    pub candidates: Vec<Vec<u8>>,
    pub fields: Fields,
    /// Of a JWS, everything but its signature.
    pub token: Option<String>,
}

/// The well-formed signatures, and the named items that stand beside them.
pub(super) fn read_signatures(scheme: &Scheme, head: &Head) -> Result<Presented, Reject> {
    if scheme.has_body_signature() {
        // It is read with the body (`late`).
        return Ok(Presented {
            candidates: Vec::new(),
            fields: Fields::new(),
            token: None,
        });
    }
    if scheme.is_bearer() {
        return Ok(Presented {
            candidates: credential::read(scheme, head)?,
            fields: Fields::new(),
            token: None,
        });
    }
    if uses::SEVERAL_SIGNATURES && !scheme.signature.or.is_empty() {
        return signatures_at_each_place(scheme, head);
    }
    signatures_in(scheme, head.value_at(&scheme.signature.at))
}

/// Of several places, those that are there. A signature that is malformed stops no other.
fn signatures_at_each_place(scheme: &Scheme, head: &Head) -> Result<Presented, Reject> {
    let mut candidates = Vec::new();
    let mut wrong = Reject::MissingSignature;
    for place in scheme.credential_places() {
        match signatures_in(scheme, head.value_at(place)) {
            Ok(presented) => candidates.extend(presented.candidates),
            Err(Reject::MissingSignature) => {}
            Err(reject) => wrong = reject,
        }
    }
    if candidates.is_empty() {
        return Err(wrong);
    }
    Ok(Presented {
        candidates,
        fields: Fields::new(),
        token: None,
    })
}

/// The same for what stands at the signature's place, wherever that is.
pub(super) fn signatures_in(
    scheme: &Scheme,
    text: Result<String, Absent>,
) -> Result<Presented, Reject> {
    let only = |candidates, token| Presented {
        candidates,
        fields: Fields::new(),
        token,
    };
    let form = &scheme.signature;
    let malformed = |shape| Err(Reject::MalformedSignature(shape));
    let text = text.map_err(|absent| match shape_of(absent) {
        None => Reject::MissingSignature,
        Some(shape) => Reject::MalformedSignature(shape),
    })?;
    if text.is_empty() {
        return malformed(Shape::Empty);
    }
    // A repeated header arrives joined by ", "; only lists split at a comma could contain that.
    if form.split.as_deref() != Some(",") && text.contains(", ") {
        return malformed(Shape::Repeated);
    }
    let length = scheme.algorithm.tag_bytes();
    if scheme.is_jws() {
        let (tag, signed) = jws::split(scheme, &text).map_err(Reject::MalformedSignature)?;
        if Some(tag.len()) != length {
            return malformed(Shape::WrongLength);
        }
        return Ok(only(vec![tag], Some(signed)));
    }
    let text = match &form.prefix {
        None => text.as_str(),
        Some(prefix) => match text.strip_prefix(prefix.as_str()) {
            None => return malformed(Shape::NoPrefix),
            Some(list) if list.contains(prefix.as_str()) => return malformed(Shape::Repeated),
            Some(list) => list,
        },
    };
    let mut fields: Fields = Vec::new();
    let mut written: Vec<&str> = Vec::new();
    match (&form.split, &form.pair) {
        (Some(split), Some(pair)) => {
            for item in text.split(split.as_str()) {
                let Some((name, value)) = item.trim().split_once(pair.as_str()) else {
                    continue;
                };
                if form.take.iter().any(|take| take == name) {
                    written.push(value);
                } else {
                    fields.push((name.to_owned(), value.to_owned()));
                }
            }
        }
        _ => written.push(text),
    }
    if written.is_empty() {
        return malformed(Shape::NoKnownVersion);
    }
    if written.len() > CANDIDATES_MAX {
        return malformed(Shape::TooMany);
    }
    let mut candidates = Vec::with_capacity(written.len());
    let mut wrong = Shape::Empty;
    for item in written {
        match read_signature(item, form.strip.as_deref(), form.encoding, length) {
            Ok(tag) => candidates.push(tag),
            Err(shape) => wrong = shape,
        }
    }
    if candidates.is_empty() {
        return malformed(wrong);
    }
    Ok(Presented {
        candidates,
        fields,
        token: None,
    })
}

/// `length` is what the algorithm makes, where it always makes as many bytes.
fn read_signature(
    text: &str,
    strip: Option<&str>,
    encoding: SignatureEncoding,
    length: Option<usize>,
) -> Result<Vec<u8>, Shape> {
    let text = match strip {
        None => text,
        Some(prefix) => text.strip_prefix(prefix).ok_or(Shape::NoPrefix)?,
    };
    let bytes = match encoding {
        SignatureEncoding::Hex if text.bytes().any(|byte| byte.is_ascii_uppercase()) => None,
        SignatureEncoding::Hex | SignatureEncoding::HexAnyCase => hex::decode(text.as_bytes()),
        SignatureEncoding::Base64 => STANDARD.decode(text).ok(),
        SignatureEncoding::Base64Url if uses::BASE64_URL => URL_SAFE_NO_PAD.decode(text).ok(),
        // A credential, a JWS or a token: none is read here.
        SignatureEncoding::Base64Url
        | SignatureEncoding::Verbatim
        | SignatureEncoding::Jws
        | SignatureEncoding::Token => None,
    };
    let Some(bytes) = bytes else {
        return Err(match encoding {
            SignatureEncoding::Base64
            | SignatureEncoding::Base64Url
            | SignatureEncoding::Verbatim
            | SignatureEncoding::Jws
            | SignatureEncoding::Token => Shape::NotBase64,
            SignatureEncoding::Hex | SignatureEncoding::HexAnyCase => Shape::NotHex,
        });
    };
    if length.is_some_and(|length| bytes.len() != length) || bytes.is_empty() {
        return Err(Shape::WrongLength);
    }
    Ok(bytes)
}

pub(super) fn field(fields: &[(String, String)], name: &str) -> Result<String, Absent> {
    let mut found = fields.iter().filter(|(known, _)| known == name);
    let value = found.next().ok_or(Absent::Missing)?.1.clone();
    match found.next() {
        None => Ok(value),
        Some(_) => Err(Absent::Repeated),
    }
}

/// In constant time: every candidate is compared, right or wrong, so which one was right is not
/// in the time.
pub(super) fn is_among(candidates: &[Vec<u8>], tag: &[u8]) -> bool {
    let mut found = Choice::FALSE;
    for candidate in candidates {
        found |= candidate.as_slice().ct_eq(tag);
    }
    found.to_bool()
}
