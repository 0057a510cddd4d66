//! Whether a request that was refused would be right if something about it were otherwise. The answer
//! is the number of a key: a word for a diagnosis ([`crate::diagnosis`]). No [`super::Verified`] and no
//! [`super::Matched`] can be made of it, so nothing is ever accepted by it.

use super::Claims;
use super::late::Late;
use super::meant::means_body;
use super::pieces::{Piece, mac_over, pieces};
use super::signature::is_among;
use crate::keys::LiveKey;
use crate::request::Inbound;
use crate::scheme::Scheme;

/// Which of the keys made one of the signatures. `None` also where the signed string cannot be built.
pub fn guess(
    scheme: &Scheme,
    keys: &[LiveKey],
    claims: &Claims,
    inbound: &Inbound<'_, '_>,
) -> Option<usize> {
    let pieces = pieces(scheme, claims, inbound).ok()?;
    let late = Late::read(scheme, inbound).ok()?;
    maker(scheme, keys, claims, inbound, &pieces, &late)
}

/// Which of the keys made one of the signatures over these pieces.
pub(super) fn maker(
    scheme: &Scheme,
    keys: &[LiveKey],
    claims: &Claims,
    inbound: &Inbound<'_, '_>,
    pieces: &[Piece<'_>],
    late: &Late,
) -> Option<usize> {
    let suffix = claims.key_suffix.as_deref().or(late.key_suffix.as_deref());
    let has = |key: &LiveKey| {
        let tag = mac_over(pieces, scheme, key, suffix).tag();
        claims.has(&tag) | is_among(&late.candidates, &tag)
    };
    let key = keys.iter().position(has)?;
    means_body(scheme, claims, inbound).then_some(key)
}

impl Claims {
    /// The same claims with another signed time, wherever the scheme puts it.
    #[must_use]
    pub fn with_time_text(mut self, scheme: &Scheme, text: &str) -> Self {
        let place = scheme.time.as_ref().map(|form| &form.at);
        if self.key_suffix.is_some() && scheme.key.append.as_ref() == place {
            self.key_suffix = Some(text.to_owned());
        }
        if let Some(time) = &mut self.time {
            text.clone_into(&mut time.text);
        }
        self
    }
}
