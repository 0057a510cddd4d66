//! What is wrong with a scheme, before it verifies anything.

use super::{IdentityRule, Part, Place, Scheme};

impl Scheme {
    /// What is wrong with this scheme, in sentences for the person who wrote it. Empty: nothing.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.signed.is_empty() {
            faults.push("`signed` is empty: name what is signed, for example [\"body\"]".into());
        }
        if !self.signed.iter().any(Part::is_content) {
            faults.push("`signed` does not cover the event: add \"body\" (a signature that leaves the body out would let anyone change it)".into());
        }
        for (part, place, name) in [
            (Part::Time, self.time.as_ref().map(|time| &time.at), "time"),
            (Part::Id, self.id.as_ref(), "id"),
            (Part::Nonce, self.nonce.as_ref(), "nonce"),
        ] {
            match (self.signed.contains(&part), place) {
                (true, None) => faults.push(format!(
                    "`signed` names \"{name}\" but `{name}` is not set: say where it stands"
                )),
                (false, Some(place)) if !self.is_signed(place) => faults.push(format!(
                    "`{name}` stands at \"{place}\", which is not signed: anyone could change it; add it to `signed` or leave `{name}` out"
                )),
                (_, Some(Place::Json(_) | Place::Form(_))) => faults.push(format!(
                    "`{name}` cannot be read from the body in this version: use a header or a query parameter"
                )),
                _ => {}
            }
        }
        if matches!(
            self.signature.at,
            Place::Json(_) | Place::Form(_) | Place::SignatureField(_)
        ) {
            faults.push("`signature.at` must be a header or a query parameter".into());
        }
        let form = &self.signature;
        if form.split.is_some() != form.pair.is_some()
            || form.pair.is_some() == form.take.is_empty()
        {
            faults.push(
                "`signature.split`, `pair` and `take` belong together: set all three or none"
                    .into(),
            );
        }
        self.identity_faults(&mut faults);
        self.injectivity_faults(&mut faults);
        if self.answer_by_ms < 200 || self.answer_by_ms > 5_000 {
            faults.push("`answer_by_ms` must be between 200 and 5000: 0.6 × the provider's time-out, at most 5 s".into());
        }
        faults
    }

    fn identity_faults(&self, faults: &mut Vec<String>) {
        if self.identity.is_empty() {
            faults.push("`identity` is missing: say what makes two deliveries the same event, for example [{ digest = {} }]".into());
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
                IdentityRule::Digest(rule) => {
                    if let Some(place) = &rule.discriminator
                        && !matches!(place, Place::Header(_))
                    {
                        faults.push("`discriminator` must be a header".into());
                    }
                    continue;
                }
            };
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
                Some(Part::Literal(text)) if !text.is_empty() => {}
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
            Part::Body | Part::SortedJson | Part::SortedQueryExcept(_)
        )
    }

    fn is_fixed(&self, scheme: &Scheme) -> bool {
        match self {
            Part::Literal(_) | Part::Secret | Part::MacHex(_) => true,
            Part::Time => scheme
                .time
                .as_ref()
                .is_some_and(|time| time.unit.has_fixed_length()),
            Part::Body | Part::Id | Part::Nonce | Part::SortedJson | Part::SortedQueryExcept(_) => {
                false
            }
        }
    }
}
