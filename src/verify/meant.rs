//! Whether a signature that is right is about this body: what a MAC over the body answers by itself.

use super::{Claims, jws};
use crate::json;
use crate::request::Inbound;
use crate::scheme::{Algorithm, Scheme};
use crate::uses;

pub(super) fn means_body(scheme: &Scheme, claims: &Claims, inbound: &Inbound<'_, '_>) -> bool {
    jws::binds(scheme, claims, inbound) && is_not_lengthened(scheme, inbound.body)
}

/// Whether a plain hash cannot be one that was made longer by somebody without the secret
/// ([`Algorithm::Sha256`]).
fn is_not_lengthened(scheme: &Scheme, body: &[u8]) -> bool {
    !uses::PLAIN_HASHES
        || scheme.algorithm != Algorithm::Sha256
        || body.is_empty()
        || json::is_json(body)
}
