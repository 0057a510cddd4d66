//! Verification of a body that goes by as a stream: hashed elsewhere, compared here.

use super::{AroundBody, Claims, Matched};
use crate::keys::LiveKey;
use crate::scheme::{Part, Scheme};
use crate::split_mac::MacHash;

/// What is to be hashed of a body that goes by: the body between these texts.
#[derive(Debug)]
pub struct Streaming {
    /// With this hash, one for each key: the inner hashes of the MACs (see [`crate::split_mac`]).
    pub hash: MacHash,
    pub macs: Vec<AroundBody>,
    /// With SHA-256: what [`super::Verified::digest`] is of a body that is here.
    pub identity: AroundBody,
}

impl Streaming {
    /// `None`: under this scheme a body must be read whole.
    pub fn of(scheme: &Scheme, keys: &[LiveKey], claims: &Claims, body_bytes: u64) -> Option<Self> {
        let hash = scheme.algorithm.hash()?;
        let around = AroundBody::of(scheme, claims)?;
        let mac = |key: &LiveKey| AroundBody {
            before: [key.inner_block(hash), around.before.clone()].concat(),
            after: around.after.clone(),
        };
        Some(Streaming {
            hash,
            macs: keys.iter().map(mac).collect(),
            identity: identity(scheme, claims, body_bytes)?,
        })
    }
}

/// As [`super::Verified::digest`] has it: each part with its length in front, without the time and the
/// nonce of the attempt.
fn identity(scheme: &Scheme, claims: &Claims, body_bytes: u64) -> Option<AroundBody> {
    let mut text = Vec::new();
    let mut before = None;
    let part = |text: &mut Vec<u8>, bytes: &[u8]| {
        text.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        text.extend_from_slice(bytes);
    };
    for signed in &scheme.signed {
        match signed {
            Part::Body => {
                text.extend_from_slice(&body_bytes.to_be_bytes());
                before = Some(std::mem::take(&mut text));
            }
            Part::Literal(literal) => part(&mut text, literal.as_bytes()),
            Part::Id => part(&mut text, claims.id.as_deref()?.as_bytes()),
            Part::Time | Part::Nonce => {}
            Part::Secret
            | Part::SortedJson
            | Part::SortedFields
            | Part::SortedQueryExcept(_)
            | Part::Jws
            | Part::CanonicalRequest
            | Part::MacHex(_)
            | Part::Sha256Hex(_)
            | Part::Method
            | Part::Target
            | Part::Url
            | Part::Fixed(..)
            | Part::FirstItem
            | Part::Value(_)
            | Part::Lines
            | Part::Token
            | Part::Stated(_) => return None,
        }
    }
    Some(AroundBody {
        before: before?,
        after: text,
    })
}

impl Claims {
    /// The hashes that [`Streaming`] asked for. `None`: under no key is the MAC one of the candidates.
    pub fn matched_stream(
        &self,
        scheme: &Scheme,
        keys: &[LiveKey],
        mac_hashes: &[Vec<u8>],
        identity: [u8; 32],
    ) -> Option<Matched> {
        let algorithm = scheme.algorithm.hash()?;
        let made = keys.iter().zip(mac_hashes);
        let key = made
            .map(|(key, hash)| key.tag_of(algorithm, hash))
            .position(|tag| self.has(&tag))?;
        Some(Matched::Streamed {
            key,
            digest: identity,
        })
    }
}
