//! What of a request a scheme asks for, so that it is looked up once and nothing else is.

use super::{ALWAYS_CARRIED, IdentityRule, Place, Scheme};

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

    /// The headers that an event is asked for once it is verified: those that are carried, and those
    /// of its identity and its labels. A trailing `*` matches the rest of a name.
    pub fn event_headers(&self) -> Vec<String> {
        let mut names: Vec<String> = ALWAYS_CARRIED.map(str::to_owned).to_vec();
        names.extend(self.carry.iter().cloned());
        for place in self.event_places() {
            match place {
                Place::Header(name) if !names.contains(name) => names.push(name.clone()),
                _ => {}
            }
        }
        names
    }

    /// The pointers into a JSON body that may be asked for on the way of a request, each once.
    pub fn json_pointers(&self) -> Vec<String> {
        let mut pointers: Vec<String> = Vec::new();
        for place in self.event_places() {
            match place {
                Place::Json(pointer) if !pointers.contains(pointer) => {
                    pointers.push(pointer.clone());
                }
                _ => {}
            }
        }
        pointers
    }

    /// Where the identity, the labels and a challenge stand.
    fn event_places(&self) -> Vec<&Place> {
        let mut places: Vec<&Place> = self.event_id.iter().chain(&self.event_type).collect();
        for rule in &self.identity {
            match rule {
                IdentityRule::SignedId(place) => places.push(place),
                IdentityRule::Fields(fields) => places.extend(fields),
                IdentityRule::Digest(rule) => places.extend(&rule.discriminator),
            }
        }
        if let Some(challenge) = &self.challenge {
            places.extend([&challenge.at, &challenge.echo]);
        }
        places
    }
}
