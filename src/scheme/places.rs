//! What of a request a scheme asks for, so that it is looked up once and nothing else is.

use super::{IdentityRule, Label, Part, Place, Scheme};
use crate::uses;

/// What a sender asks for permission with ([`Scheme::allowed_origins`]).
const PERMISSION_HEADERS: [&str; 2] = ["webhook-request-origin", "webhook-request-rate"];

impl Scheme {
    /// The headers that the claims of a request stand in: what [`crate::admission::open`] asks for,
    /// besides the body's length.
    pub fn claim_headers(&self) -> Vec<String> {
        let time = self.time.as_ref().map(|time| &time.at);
        let places = [time, self.id.as_ref()];
        let more = [self.nonce.as_ref(), self.key.append.as_ref()];
        let places = places.into_iter().chain(more).flatten();
        let mut names: Vec<String> = Vec::new();
        for place in self.credential_places().chain(places) {
            match place {
                Place::Header(name) if !names.contains(name) => names.push(name.clone()),
                _ => {}
            }
        }
        if self.reads_cloudevents() {
            names.extend(PERMISSION_HEADERS.map(str::to_owned));
        }
        names
    }

    /// Whether the signature covers headers that the request itself names, so that the whole head is
    /// needed to verify it.
    pub fn signs_headers(&self) -> bool {
        let mut parts = self.signed.iter().map(Part::innermost);
        uses::CANONICAL_REQUESTS && parts.any(|part| *part == Part::CanonicalRequest)
    }

    /// Whether events are CloudEvents over HTTP.
    pub fn reads_cloudevents(&self) -> bool {
        let labels = self.event_id.iter().chain(&self.event_type);
        let mut places = labels.flat_map(Label::places);
        uses::CLOUDEVENTS && places.any(|place| matches!(place, Place::CloudEvent(_)))
    }

    /// Whether the signed time stands in the body.
    pub fn has_body_time(&self) -> bool {
        let at = self.time.as_ref().map(|form| &form.at);
        uses::BODY_TIMES && matches!(at, Some(Place::Json(_)))
    }

    /// The pointers into a JSON body that may be asked for on the way of a request, each once.
    pub fn json_pointers(&self) -> Vec<String> {
        let labels = self.event_id.iter().chain(&self.event_type);
        let mut places: Vec<&Place> = labels.flat_map(Label::places).collect();
        for rule in &self.identity {
            match rule {
                IdentityRule::SignedId(place) => places.push(place),
                IdentityRule::Fields(fields) => places.extend(fields),
                IdentityRule::Bearer(rule) => places.extend(rule.fields.iter().chain(&rule.unless)),
                IdentityRule::Digest(_) => {}
            }
        }
        let body_time = self.time.as_ref().map(|time| &time.at);
        places.extend(body_time.into_iter().chain(&self.key.append));
        if let Some(challenge) = &self.challenge {
            places.extend([&challenge.at, &challenge.echo]);
        }
        let mut pointers: Vec<String> = Vec::new();
        for place in places {
            let pointer = match place {
                Place::Json(pointer) => pointer.clone(),
                Place::CloudEvent(name) => format!("/{name}"),
                _ => continue,
            };
            if !pointers.contains(&pointer) {
                pointers.push(pointer);
            }
        }
        pointers
    }
}
