//! What of a request a scheme asks for, so that it is looked up once and nothing else is.

use super::{IdentityRule, Label, Part, Place, Scheme};

impl Scheme {
    /// The headers that the claims of a request stand in: what [`crate::admission::open`] asks for,
    /// besides the body's length.
    pub fn claim_headers(&self) -> Vec<String> {
        let time = self.time.as_ref().map(|time| &time.at);
        let places = [Some(&self.signature.at), time, self.id.as_ref()];
        let more = [self.nonce.as_ref(), self.key.append.as_ref()];
        let mut names: Vec<String> = Vec::new();
        let claims = places.into_iter().chain(more).flatten();
        for place in claims.chain(self.public_places()) {
            match place {
                Place::Header(name) if !names.contains(name) => names.push(name.clone()),
                _ => {}
            }
        }
        names
    }

    /// What a statement is read from ([`crate::verify::Statement`]).
    fn public_places(&self) -> impl Iterator<Item = &Place> {
        let lines = self.lines.iter().flat_map(|lines| &lines.of);
        let kinds = lines.clone().filter_map(|kind| kind.at.as_ref());
        let lines = lines.flat_map(|kind| &kind.lines).map(|line| &line.at);
        let values = self.signed.iter().filter_map(|part| match part {
            Part::Value(place) => Some(place),
            _ => None,
        });
        let version = self.version.iter().map(|version| &version.at);
        let certificate = self.certificate.iter().map(|certificate| &certificate.at);
        let pins = self.pins.iter().flat_map(|pin| &pin.at);
        let proof = self.lines.iter().flat_map(|lines| &lines.proof);
        let digest = self.body_md5.iter();
        let fixed = kinds.chain(version).chain(certificate).chain(digest);
        fixed.chain(lines).chain(values).chain(pins).chain(proof)
    }

    /// The pointers into a JSON body that may be asked for on the way of a request, each once.
    pub fn json_pointers(&self) -> Vec<String> {
        let labels = self.event_id.iter().chain(&self.event_type);
        let mut places: Vec<&Place> = labels.flat_map(Label::places).collect();
        for rule in &self.identity {
            match rule {
                IdentityRule::SignedId(place) => places.push(place),
                IdentityRule::Fields(fields) => places.extend(fields),
                IdentityRule::Bearer(rule) => places.extend(&rule.fields),
                IdentityRule::Digest(_) => {}
            }
        }
        if let Some(challenge) = &self.challenge {
            places.push(&challenge.at);
            places.extend(&challenge.echo);
            places.extend(challenge.confirm.as_ref().map(|confirm| &confirm.at));
        }
        if self.is_public() {
            places.push(&self.signature.at);
            places.extend(self.time.as_ref().map(|time| &time.at));
            places.extend(self.public_places());
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
