//! Which schemes can be verified while the body goes by.

use super::{IdentityRule, Part, Place, Scheme};

impl Scheme {
    /// Why a body must be read whole under this scheme. `None`: it can go by as a stream, because what
    /// is signed is the body as received with something of the head around it, and the identity needs
    /// nothing that stands inside.
    pub fn must_be_read_whole(&self) -> Option<&'static str> {
        let bodies = self.signed.iter().filter(|part| **part == Part::Body);
        let is_plain = self.signed.iter().all(|part| {
            matches!(
                part,
                Part::Body | Part::Literal(_) | Part::Time | Part::Id | Part::Nonce
            )
        });
        let in_head = |place: &Place| matches!(place, Place::Header(_) | Place::Query(_));
        let knows_without_body = self.identity.iter().all(|rule| match rule {
            IdentityRule::SignedId(place) => in_head(place),
            IdentityRule::Fields(places) => places.iter().all(in_head),
            IdentityRule::Digest(rule) => rule.discriminator.iter().chain(&rule.with).all(in_head),
            IdentityRule::Ping(_) => true,
            IdentityRule::Bearer(_) => false,
        });
        let time_in_body = self
            .time
            .as_ref()
            .is_some_and(|time| matches!(time.at, Place::Json(_) | Place::Form(_)));
        if self.is_public() {
            Some("a public key checks its signature")
        } else if self.is_stated() {
            Some("what it signs is stated beside the body")
        } else if bodies.count() != 1 || !is_plain || self.key.append.is_some() {
            Some("it signs something else than the body with text of the head around it")
        } else if !knows_without_body {
            Some("an event is known by what stands in its body")
        } else if time_in_body {
            Some("its time stands in the body")
        } else if self.objects_only {
            Some("its body must be an object")
        } else if !self.handshakes.is_empty() || self.question.is_some() {
            Some("what asks for an answer is told by its body")
        } else {
            None
        }
    }
}
