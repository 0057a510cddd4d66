//! What of a request a scheme asks for, so that it is looked up once and nothing else is.

use super::{IdentityRule, Label, Place, Scheme};

impl Scheme {
    /// The headers that the claims of a request stand in: what [`crate::admission::open`] asks for,
    /// besides the body's length.
    pub fn claim_headers(&self) -> Vec<String> {
        let time = self.time.as_ref().map(|time| &time.at);
        let places = [Some(&self.signature.at), time, self.id.as_ref()];
        let more = [self.nonce.as_ref(), self.key.append.as_ref()];
        let mut names: Vec<String> = Vec::new();
        for place in places.into_iter().chain(more).flatten() {
            match place {
                Place::Header(name) if !names.contains(name) => names.push(name.clone()),
                _ => {}
            }
        }
        names
    }

    /// The pointers into a JSON body that may be asked for on the way of a request, each once.
    pub fn json_pointers(&self) -> Vec<String> {
        let labels = self.event_id.iter().chain(&self.event_type);
        let mut places: Vec<&Place> = labels.flat_map(Label::places).collect();
        for rule in &self.identity {
            match rule {
                IdentityRule::SignedId(place) => places.push(place),
                IdentityRule::Fields(fields) => places.extend(fields),
                IdentityRule::Digest(_) => {}
            }
        }
        if let Some(challenge) = &self.challenge {
            places.extend([&challenge.at, &challenge.echo]);
        }
        let mut pointers: Vec<String> = Vec::new();
        for place in places {
            match place {
                Place::Json(pointer) if !pointers.contains(pointer) => {
                    pointers.push(pointer.clone());
                }
                _ => {}
            }
        }
        pointers
    }
}
