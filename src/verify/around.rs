//! Signed strings whose MAC can be made elsewhere.

use super::Claims;
use crate::scheme::{Part, Scheme};

/// The signed string, where it is the body as received with these bytes before and after it. Then
/// its MAC can be computed elsewhere.
#[derive(Debug, Default)]
pub struct AroundBody {
    pub before: Vec<u8>,
    pub after: Vec<u8>,
}

impl AroundBody {
    /// `None`: the signed string is made of more than that.
    pub fn of(scheme: &Scheme, claims: &Claims) -> Option<Self> {
        let mut around = AroundBody::default();
        let mut is_after = false;
        for part in &scheme.signed {
            let bytes = match part {
                Part::Body if is_after => return None,
                Part::Body => {
                    is_after = true;
                    continue;
                }
                Part::Literal(text) => text.as_bytes(),
                Part::Time => claims.time_text()?.as_bytes(),
                Part::Id => claims.id.as_deref()?.as_bytes(),
                Part::Nonce => claims.nonce.as_deref()?.as_bytes(),
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
            };
            let side = if is_after {
                &mut around.after
            } else {
                &mut around.before
            };
            side.extend_from_slice(bytes);
        }
        (is_after && scheme.key.append.is_none()).then_some(around)
    }
}
