//! What is wrong with a scheme, before it verifies anything.

use super::{AnswerStyle, IdentityRule, Label, Part, Place, Scheme, StatedPart};

/// Methods that bring a body. The others can only bring what stands in the query.
const WITH_BODY: [&str; 3] = ["POST", "PUT", "PATCH"];
const WITHOUT_BODY: [&str; 1] = ["GET"];
/// Headers that belong to the connection or to the platform say nothing about an event.
const OF_THE_CONNECTION: [&str; 7] = [
    "connection",
    "content-length",
    "date",
    "host",
    "te",
    "transfer-encoding",
    "user-agent",
];

impl Scheme {
    /// What is wrong with this scheme, in sentences for the person who wrote it. Empty: nothing.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        self.content_faults(&mut faults);
        self.claim_faults(&mut faults);
        self.signature_faults(&mut faults);
        self.identity_faults(&mut faults);
        self.injectivity_faults(&mut faults);
        self.header_faults(&mut faults);
        self.answer_faults(&mut faults);
        self.handshake_faults(&mut faults);
        self.public_faults(&mut faults);
        self.stated_faults(&mut faults);
        faults
    }

    fn content_faults(&self, faults: &mut Vec<String>) {
        if self.is_bearer() {
            return self.bearer_faults(faults);
        }
        if self.signed.is_empty() {
            faults.push("`signed` is empty: name what is signed, for example [\"body\"]".into());
        }
        let in_lines = self
            .lines
            .iter()
            .filter(|lines| lines.are_content())
            .count();
        match in_lines + self.signed.iter().filter(|part| part.is_content()).count() {
            // A bearer's body is not signed, and a header may sign its digest.
            0 if self.bears_token() || self.signs_sender_only || self.body_md5.is_some() => {}
            0 => faults.push("`signed` does not cover the event: add \"body\" (a signature that leaves the body out would let anyone change it)".into()),
            1 => {}
            _ => faults.push("`signed` has two contents, and the backend can be given only one: use one of \"body\", \"sorted-json\" and \"sorted-query-except:NAME\"".into()),
        }
        self.jws_faults(faults);
        self.keyed_faults(faults);
        let fitting = if self.content_is_query() {
            &WITHOUT_BODY[..]
        } else {
            &WITH_BODY[..]
        };
        if self.methods.is_empty()
            || self.methods.iter().any(|method| {
                // Such a signature covers both, and says which it is.
                let signs_it = self.signs_headers() || self.signed.contains(&Part::Method);
                !(fitting.contains(&method.as_str()) || signs_it && method == "GET")
            })
        {
            faults.push(format!(
                "`methods` = {:?}: what this scheme signs comes with {}",
                self.methods,
                fitting.join(", ")
            ));
        }
    }

    fn claim_faults(&self, faults: &mut Vec<String>) {
        for (part, place, name) in [
            (Part::Time, self.time.as_ref().map(|time| &time.at), "time"),
            (Part::Id, self.id.as_ref(), "id"),
            (Part::Nonce, self.nonce.as_ref(), "nonce"),
        ] {
            let named = self.signed.iter().any(|signed| *signed.innermost() == part);
            match (named, place) {
                (true, None) => faults.push(format!(
                    "`signed` names \"{name}\" but `{name}` is not set: say where it stands"
                )),
                (false, Some(place)) if !self.is_signed(place) => faults.push(format!(
                    "`{name}` stands at \"{place}\", which is not signed: anyone could change it; add it to `signed` or leave `{name}` out"
                )),
                (_, Some(Place::Json(_))) if self.is_stated() => {}
                // The time of a body is judged once the body is there; it cannot be a part by itself.
                (false, Some(Place::Json(_))) if part == Part::Time => {}
                (true, Some(Place::Json(_))) if part == Part::Time && self.has_body_signature() => {}
                (_, Some(Place::Json(_) | Place::Form(_) | Place::CloudEvent(_))) => faults.push(format!(
                    "`{name}` cannot be read from the body in this version: use a header or a query parameter"
                )),
                (_, Some(Place::SignatureField(field))) if part != Part::Time => faults.push(format!(
                    "`{name}` cannot be the item \"{field}\" of the signature's list: use a header or a query parameter"
                )),
                _ => {}
            }
        }
        let time = self.time.as_ref().map(|time| &time.at);
        if let Some(place) = &self.key.append
            && !matches!(place, Place::Header(_) | Place::Query(_))
            && !(matches!(place, Place::Json(_)) && Some(place) == time)
        {
            faults.push(format!(
                "`key.append` = \"{place}\": use a header or a query parameter"
            ));
        }
        let kind = self.event_type.first().and_then(Label::place);
        if self.question.is_some() && !kind.is_some_and(|place| self.is_signed(place)) {
            faults.push(
                "`question` is a signed event type: let `event_type` begin with a signed place"
                    .into(),
            );
        }
    }

    fn signature_faults(&self, faults: &mut Vec<String>) {
        let form = &self.signature;
        match &form.at {
            Place::Header(_) | Place::Query(_) => {}
            Place::Json(_) if self.is_stated() || self.proves_the_sender_only() => {}
            _ => faults.push("`signature.at` must be a header or a query parameter".into()),
        }
        let time_field = match self.time.as_ref().map(|time| &time.at) {
            Some(Place::SignatureField(field)) => Some(field),
            _ => None,
        };
        match (&form.split, &form.pair) {
            (Some(split), Some(pair)) if !form.take.is_empty() => {
                if split.is_empty() || pair.is_empty() || split == pair {
                    faults.push("`signature.split` and `signature.pair` must be two different texts, for example \",\" and \"=\"".into());
                }
                if time_field.is_some_and(|field| form.take.contains(field)) {
                    faults.push("`signature.take` names the item that is the time".into());
                }
            }
            (None, None) if form.take.is_empty() => {
                if time_field.is_some() && !self.is_message_signature() {
                    faults.push("`time` stands in the signature's list, but the signature is no list: set `signature.split`, `pair` and `take`".into());
                }
            }
            _ => faults.push(
                "`signature.split`, `pair` and `take` belong together: set all three or none"
                    .into(),
            ),
        }
        for part in &self.signed {
            if let Part::SortedQueryExcept(name) = part.innermost()
                && form.at != Place::Query(name.clone())
            {
                faults.push(format!(
                    "\"{part}\" leaves out \"{name}\", but the signature stands at \"{}\": leave out the signature's own parameter",
                    form.at
                ));
            }
        }
    }

    fn header_faults(&self, faults: &mut Vec<String>) {
        let listed = self.carry.iter().chain(&self.credentials);
        for name in listed {
            let plain = name.strip_suffix('*').unwrap_or(name);
            if plain.is_empty() {
                faults.push("`carry` = \"*\" would hand on every header, credentials among them: name the headers".into());
            } else if !is_header_name(plain) {
                faults.push(format!("\"{name}\" is not a header's name"));
            }
        }
        let places = [
            Some(&self.signature.at),
            self.id.as_ref(),
            self.nonce.as_ref(),
            self.time.as_ref().map(|time| &time.at),
            self.key.append.as_ref(),
        ];
        let places = places
            .into_iter()
            .flatten()
            .chain(&self.signature.or)
            .chain(self.event_id.iter().flat_map(Label::places))
            .chain(self.event_type.iter().flat_map(Label::places));
        for place in places {
            if let Place::Header(name) = place
                && !is_header_name(name)
            {
                faults.push(format!("\"{place}\" does not name a header"));
            }
        }
    }

    fn answer_faults(&self, faults: &mut Vec<String>) {
        if self.answer_by_ms < 200 || self.answer_by_ms > 5_000 {
            faults.push("`answer_by_ms` must be between 200 and 5000: 0.6 × the provider's time-out, at most 5 s".into());
        }
        // Our answers are signed with the same key: they must not be messages of this scheme.
        let begins_otherwise =
            matches!(self.signed.first(), Some(Part::Literal(text)) if !text.starts_with('{'));
        let safe =
            self.key.append.is_some() || self.signed.contains(&Part::Secret) || begins_otherwise;
        if self.answer == AnswerStyle::Koogallery && !safe {
            faults.push("`answer` = \"koogallery\" signs our answers with the key alone, so a signature over the body alone could be had from an answer: only for schemes that sign \"secret\", set `key.append` or begin with a literal".into());
        }
        if let Some(accepted) = &self.accepted {
            let empty = matches!(accepted.status, 204 | 205) && !accepted.body.is_empty();
            if !(200..300).contains(&accepted.status) || empty {
                faults.push(format!(
                    "`accepted.status` = {}: use 200 to 299, and no body with 204 and 205",
                    accepted.status
                ));
            }
            if self.answer != AnswerStyle::Plain {
                faults.push("`accepted` only changes plain answers".into());
            }
        }
    }

    fn identity_faults(&self, faults: &mut Vec<String>) {
        if self.identity.is_empty() {
            faults.push("`identity` is missing: say what makes two deliveries the same event, for example [{ digest = {} }]".into());
        }
        let last = self.identity.len().saturating_sub(1);
        let always =
            |rule: &IdentityRule| matches!(rule, IdentityRule::Digest(_) | IdentityRule::Ping(_));
        if self.identity.iter().take(last).any(always) {
            faults.push(
                "`identity`: a digest always exists, so the rules behind it are never used".into(),
            );
        }
        for rule in &self.identity {
            let places = match rule {
                IdentityRule::SignedId(place) => std::slice::from_ref(place),
                IdentityRule::Fields(places) => {
                    if places.is_empty() {
                        faults.push("`identity` has a `fields` rule without a field".into());
                    }
                    places.as_slice()
                }
                IdentityRule::Bearer(_) => {
                    if !self.proves_the_sender_only() {
                        faults.push("`identity` has a `bearer` rule, but this scheme signs: use signed places or { digest = {} }".into());
                    }
                    continue;
                }
                IdentityRule::Digest(rule) => {
                    match &rule.discriminator {
                        None => {}
                        Some(Place::Header(name))
                            if !OF_THE_CONNECTION.contains(&name.as_str()) => {}
                        Some(Place::LastSegment) if !self.subpaths.is_empty() => {}
                        Some(_) => faults.push(
                            "`discriminator` must be a header that says what kind of event this is"
                                .into(),
                        ),
                    }
                    rule.with.as_slice()
                }
                IdentityRule::Ping(rule) => {
                    if !(1..=60).contains(&rule.window_seconds) {
                        faults.push("`identity`: a `ping` has window_seconds = 1 to 60".into());
                    }
                    continue;
                }
            };
            let time = self.time.as_ref().map(|time| &time.at);
            if !places.is_empty() && places.iter().all(|place| Some(place) == time) {
                faults.push(
                    "`identity` is the time alone: all events of one moment would be one".into(),
                );
            }
            for place in places.iter().filter(|place| !self.is_signed(place)) {
                faults.push(format!(
                    "`identity` uses \"{place}\", which is not signed: one captured request under fresh values would pass as many events; use a signed place or {{ digest = {{}} }}"
                ));
            }
        }
    }

    /// Two different requests must never have the same signed string.
    fn injectivity_faults(&self, faults: &mut Vec<String>) {
        for (index, part) in self.signed.iter().enumerate() {
            let rest = &self.signed[index + 1..];
            if part.is_fixed(self) || rest.iter().all(|next| next.is_fixed(self)) {
                continue;
            }
            match rest.first() {
                // Every line of them ends with a line feed.
                Some(_) if *part == Part::Lines => {}
                Some(Part::Literal(text)) if part.is_line() && !text.starts_with('\n') => {
                    faults.push(format!("`signed`: \"{part}\" is a line, so \"literal:\\n\" must follow it"));
                }
                Some(Part::Literal(text))
                    if *part == Part::Time && text.starts_with(|first: char| first.is_ascii_digit()) =>
                {
                    faults.push(format!(
                        "`signed`: \"{}\" begins with a digit, so a digit could be moved out of \"time\" under the same signature",
                        rest[0]
                    ));
                }
                Some(Part::Literal(text)) if !text.is_empty() => {}
                // A brace begins the object, and the part may not contain one.
                _ if self.delimiter_after(part) == Some('{') => {}
                _ => faults.push(format!(
                    "`signed`: \"{part}\" has no fixed length and no literal follows it, so a character could be moved between it and \"{}\" under the same signature",
                    rest[0]
                )),
            }
            if part.is_content() {
                faults.push(format!(
                    "`signed`: \"{part}\" may contain anything, so it must be the last part of variable length"
                ));
            }
        }
    }
}

impl Part {
    fn is_content(&self) -> bool {
        matches!(
            self.innermost(),
            Part::Body
                | Part::SortedJson
                | Part::SortedFields
                | Part::SortedQueryExcept(_)
                | Part::Jws
                | Part::CanonicalRequest
        ) || matches!(self, Part::Stated(part) if part.is_content())
    }

    /// Ended by a line feed that it cannot hold itself.
    fn is_line(&self) -> bool {
        matches!(
            self,
            Part::Method
                | Part::Target
                | Part::Url
                | Part::Value(_)
                | Part::Stated(StatedPart::TargetEncodedTwice)
        )
    }

    fn is_fixed(&self, scheme: &Scheme) -> bool {
        match self {
            Part::Literal(_)
            | Part::Secret
            | Part::MacHex(_)
            | Part::Sha256Hex(_)
            | Part::Fixed(..) => true,
            Part::Method => scheme.methods_are_told_apart(),
            Part::Time => scheme
                .time
                .as_ref()
                .is_some_and(|time| time.unit.has_fixed_length()),
            Part::Stated(part) => part.is_fixed(),
            Part::Body
            | Part::Id
            | Part::Nonce
            | Part::SortedJson
            | Part::SortedFields
            | Part::SortedQueryExcept(_)
            | Part::Jws
            | Part::CanonicalRequest
            | Part::FirstItem
            | Part::Target
            | Part::Url
            | Part::Value(_)
            | Part::Lines
            | Part::Token => false,
        }
    }
}

/// A field name (RFC 9110, section 5.1) in lower case.
pub(super) fn is_header_name(text: &str) -> bool {
    let token = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte)
    };
    !text.is_empty() && text.bytes().all(token)
}
