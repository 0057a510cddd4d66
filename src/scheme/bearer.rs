//! Senders that prove themselves by a shared secret in the request.

use serde::{Deserialize, Serialize};

use super::{Algorithm, IdentityRule, Label, Place, Scheme, SignatureEncoding};
use crate::uses;

/// What the sender calls an event, where nothing is signed. It folds the sender's own retries; it
/// stops nobody who has the credential.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BearerRule {
    /// Used where all of these have a value.
    pub fields: Vec<Place>,
    /// Not used where this has a value: a body with more than one event has no single id.
    #[serde(default)]
    pub unless: Option<Place>,
}

impl Scheme {
    /// Whether nothing is signed.
    pub fn is_bearer(&self) -> bool {
        uses::CREDENTIALS && self.algorithm == Algorithm::Credential
    }

    /// Every place where the credential may stand.
    pub fn credential_places(&self) -> impl Iterator<Item = &Place> {
        std::iter::once(&self.signature.at).chain(&self.signature.or)
    }

    /// What is wrong with a scheme of this class, in sentences.
    pub(super) fn bearer_faults(&self, faults: &mut Vec<String>) {
        if !self.signed.is_empty() {
            faults.push("`signed` must be empty with `algorithm` = \"credential\": a credential signs nothing".into());
        }
        if self.time.is_some() || self.id.is_some() || self.nonce.is_some() {
            faults.push("`time`, `id` and `nonce` are signed values, and a credential signs nothing: leave them out".into());
        }
        if !matches!(
            self.signature.encoding,
            SignatureEncoding::Verbatim | SignatureEncoding::Base64
        ) {
            faults.push("a credential is written \"verbatim\" or, as Basic has it, in \"base64\": use one of these for `signature.encoding`".into());
        }
        if self
            .credential_places()
            .any(|place| !matches!(place, Place::Header(_) | Place::Query(_) | Place::Json(_)))
        {
            faults
                .push("a credential stands in a header, a query parameter or the JSON body".into());
        }
        if self.has_body_signature() && !self.signature.or.is_empty() {
            faults.push(
                "a credential in the body is looked for there alone: leave out `signature.or`"
                    .into(),
            );
        }
        let labels = self.event_id.iter().chain(&self.event_type);
        for place in labels.flat_map(Label::places) {
            if self.credential_places().any(|known| known == place) {
                faults.push(format!("\"{place}\" holds the credential, and `event_id` and `event_type` are handed on and written down: use other places"));
            }
        }
        for rule in &self.identity {
            match rule {
                IdentityRule::Bearer(rule) if !rule.fields.is_empty() => {}
                IdentityRule::Digest(rule) if rule.discriminator.is_none() && !rule.time => {}
                IdentityRule::Ping(_) => {}
                _ => faults.push("`identity`: nothing is signed here, so write { bearer = { fields = [PLACES] } } for what the sender calls an event, or { digest = {} } for its body".into()),
            }
        }
    }
}
