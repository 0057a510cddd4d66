//! What of a request a scheme asks for, so that it is looked up once and nothing else is.

use super::{ALWAYS_CARRIED, Handshake, IdentityRule, Label, Part, Place, Scheme};
use crate::uses;

/// What a sender asks for permission with ([`Scheme::allowed_origins`]).
const PERMISSION_HEADERS: [&str; 2] = ["webhook-request-origin", "webhook-request-rate"];

/// Where RFC 9421 and RFC 9530 put what is signed, the signature, and the body's digest.
const MESSAGE_SIGNATURE_HEADERS: [&str; 3] = ["signature-input", "signature", "content-digest"];

impl Scheme {
    /// The headers that the claims of a request stand in: what [`crate::admission::open`] asks for,
    /// besides the body's length. Those that a request names itself come on top
    /// ([`crate::verify::headers_named`]).
    pub fn claim_headers(&self) -> Vec<String> {
        let time = self.time.as_ref().map(|time| &time.at);
        let places = [time, self.id.as_ref()];
        let more = [self.nonce.as_ref(), self.key.append.as_ref()];
        let places = places.into_iter().chain(more).flatten();
        let mut names: Vec<String> = Vec::new();
        for place in self
            .credential_places()
            .chain(places)
            .chain(self.public_places())
            .chain(self.greetings().flat_map(Handshake::places))
        {
            match place {
                Place::Header(name) if !names.contains(name) => names.push(name.clone()),
                _ => {}
            }
        }
        if self.is_message_signature() {
            let more = MESSAGE_SIGNATURE_HEADERS.map(str::to_owned);
            names.extend(
                more.into_iter()
                    .filter(|name| !names.contains(name))
                    .collect::<Vec<_>>(),
            );
        }
        let echoed = self
            .greetings()
            .filter_map(|shake| shake.echo_header.clone());
        names.extend(echoed);
        if self.reads_cloudevents() {
            names.extend(PERMISSION_HEADERS.map(str::to_owned));
        }
        names
    }

    /// The headers that an event is asked for once it is verified: those that are carried, and those
    /// of its identity and its labels. A trailing `*` matches the rest of a name.
    pub fn event_headers(&self) -> Vec<String> {
        let mut names: Vec<String> = ALWAYS_CARRIED.map(str::to_owned).to_vec();
        names.extend(self.carry.iter().cloned());
        if self.reads_cloudevents() {
            // All attributes: each of them must be text.
            names.push("ce-*".to_owned());
        }
        for place in self.event_places() {
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
        let named = self.named_headers.iter().map(|form| &form.at);
        let digest = self.body_md5.iter().chain(named);
        let fixed = kinds.chain(version).chain(certificate).chain(digest);
        fixed.chain(lines).chain(values).chain(pins).chain(proof)
    }

    /// The pointers into a JSON body that may be asked for on the way of a request, each once.
    pub fn json_pointers(&self) -> Vec<String> {
        let time = self.time.as_ref().map(|time| &time.at);
        let of_the_body = time.into_iter().chain(&self.key.append);
        let signature = Some(&self.signature.at).filter(|_| self.has_body_signature());
        let fixed = self.signed.iter().filter_map(|part| match part {
            Part::Fixed(_, place) => Some(place),
            _ => None,
        });
        let of_the_body = of_the_body.chain(signature).chain(fixed);
        let mut pointers: Vec<String> = Vec::new();
        for place in self.event_places().into_iter().chain(of_the_body) {
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

    /// Whether the signature covers headers that the request itself names, in Huawei's way.
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

    /// Where the identity, the labels and what handshakes ask stand.
    fn event_places(&self) -> Vec<&Place> {
        let labels = self.event_id.iter().chain(&self.event_type);
        let mut places: Vec<&Place> = labels.flat_map(Label::places).collect();
        for rule in &self.identity {
            match rule {
                IdentityRule::SignedId(place) => places.push(place),
                IdentityRule::Fields(fields) => places.extend(fields),
                IdentityRule::Bearer(rule) => places.extend(rule.fields.iter().chain(&rule.unless)),
                IdentityRule::Digest(rule) => {
                    places.extend(rule.discriminator.iter().chain(&rule.with))
                }
                IdentityRule::Ping(_) => {}
            }
        }
        places.extend(self.handshakes.iter().flat_map(Handshake::places));
        if self.is_stated() {
            let joined = self.joined.iter();
            places.extend(joined.flat_map(|form| form.of.iter().chain(&form.absent)));
            places.push(&self.signature.at);
            places.extend(self.time.as_ref().map(|time| &time.at));
            places.extend(self.public_places());
        }
        places
    }
}
