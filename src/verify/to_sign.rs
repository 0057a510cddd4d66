//! What is claimed by a request that is yet to be signed, for [`crate::sign`].

use super::message_signature::Covered;
use super::{ClaimedTime, Claims};
use crate::scheme::{Part, Place, Scheme};
use crate::time;

impl Claims {
    /// The claims of a request that is yet to be signed: what [`super::tag`] needs.
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
            // The least that such a scheme takes: the header with its time.
            signed_headers: match scheme.time.as_ref().map(|form| &form.at) {
                Some(Place::Header(name)) if scheme.signs_headers() => Some(name.clone()),
                _ => None,
            },
            ..Claims::default()
        }
    }

    /// Takes the URL as the provider knows it.
    pub(crate) fn take_url(&mut self, url: Option<String>) {
        self.url = url;
    }

    /// Takes what a message signature is to cover.
    pub(crate) fn cover(&mut self, components: Vec<String>, params: String) {
        self.covered = Some(Covered { components, params });
    }
}
