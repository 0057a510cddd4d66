//! Claims that stand in the body.

use super::credential;
use super::missing_part;
use super::signature::signatures_in;
use crate::request::{Absent, Inbound};
use crate::scheme::{Place, Scheme};
use crate::time;
use crate::verdict::{Reject, Shape};

/// What stands in the body although the head was read without it.
#[derive(Default)]
pub(super) struct Late {
    pub candidates: Vec<Vec<u8>>,
    pub time_ms: Option<i64>,
    pub key_suffix: Option<String>,
}

impl Late {
    pub(super) fn read(scheme: &Scheme, inbound: &Inbound<'_, '_>) -> Result<Self, Reject> {
        let mut late = Late {
            candidates: candidates(scheme, inbound)?,
            ..Late::default()
        };
        if !scheme.has_body_time() {
            return Ok(late);
        }
        late.time_ms = match &scheme.time {
            Some(form) if matches!(form.at, Place::Json(_)) => {
                let text = inbound
                    .value_at(&form.at)
                    .map_err(|_| Reject::MissingTime)?;
                let time = time::parse(&text, form.unit);
                Some(time.ok_or(Reject::MalformedTime(Shape::NotATime))?)
            }
            _ => None,
        };
        late.key_suffix = match &scheme.key.append {
            Some(place @ Place::Json(_)) => Some(key_suffix(inbound.value_at(place))?),
            _ => None,
        };
        Ok(late)
    }

    /// What a request that is yet to be signed says besides its signature.
    pub(super) fn to_sign(scheme: &Scheme, inbound: &Inbound<'_, '_>) -> Option<String> {
        match &scheme.key.append {
            Some(place @ Place::Json(_)) => key_suffix(inbound.value_at(place)).ok(),
            _ => None,
        }
    }
}

fn candidates(scheme: &Scheme, inbound: &Inbound<'_, '_>) -> Result<Vec<Vec<u8>>, Reject> {
    if !scheme.has_body_signature() {
        return Ok(Vec::new());
    }
    if scheme.is_bearer() {
        return Ok(vec![credential::read_in_body(scheme, inbound)?]);
    }
    let presented = signatures_in(scheme, inbound.value_at(&scheme.signature.at))?;
    Ok(presented.candidates)
}

/// A value that is appended to the key.
pub(super) fn key_suffix(value: Result<String, Absent>) -> Result<String, Reject> {
    let suffix = value.map_err(missing_part)?;
    // HMAC fills a short key up with zero bytes (RFC 2104, section 2), so a NUL at the end would be
    // another value under the same MAC.
    if suffix.contains('\0') {
        return Err(Reject::MalformedSignedPart(Shape::ContainsDelimiter));
    }
    Ok(suffix)
}
