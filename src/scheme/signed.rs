//! What the signature covers, and where one signed part ends.

use super::{IdentityRule, LinesForm, Part, Place, Scheme, SignatureEncoding, StatedPart};
use crate::uses;

impl Scheme {
    /// Whether the value at `place` is covered by the signature.
    pub fn is_signed(&self, place: &Place) -> bool {
        let named = [
            (Part::Time, self.time.as_ref().map(|time| &time.at)),
            (Part::Id, self.id.as_ref()),
            (Part::Nonce, self.nonce.as_ref()),
        ];
        if named
            .iter()
            .any(|(part, at)| *at == Some(place) && self.signed.contains(part))
        {
            return true;
        }
        if matches!(place, Place::Claim(_)) {
            return self.bears_token() || self.is_jws();
        }
        if self.bears_token() {
            return false;
        }
        let mut stated = self.stated_parts();
        if stated.any(|part| self.states(part, place)) {
            return true;
        }
        let mut lines = self.lines.iter();
        let in_lines = self.signed.contains(&Part::Lines) && lines.any(|lines| lines.has(place));
        let by_value = self
            .signed
            .iter()
            .any(|part| matches!(part, Part::Value(at) | Part::Fixed(_, at) if at == place));
        let appended = self.key.append.as_ref() == Some(place);
        let by_content = self
            .signed
            .iter()
            .any(|part| match (part.innermost(), place) {
                (
                    Part::Body
                    | Part::SortedJson
                    | Part::SortedFields
                    | Part::Jws
                    | Part::CanonicalRequest,
                    Place::Json(_),
                ) => true,
                (Part::Body | Part::Jws | Part::CanonicalRequest, Place::Form(_)) => true,
                (Part::CanonicalRequest, Place::Query(_)) => true,
                (Part::SortedQueryExcept(except), Place::Query(name)) => name != except,
                _ => false,
            });
        appended || in_lines || by_value || by_content
    }

    /// The first character that a variable part may not contain, because it ends it. JSON objects
    /// begin with a brace, also behind a time of fixed length.
    pub fn delimiter_after(&self, part: &Part) -> Option<char> {
        let index = self.signed.iter().position(|candidate| candidate == part)?;
        match &self.signed[index + 1..] {
            [Part::Literal(text), ..] => text.chars().next(),
            [Part::SortedJson] => Some('{'),
            [Part::Time, Part::SortedJson] if self.has_fixed_time() => Some('{'),
            _ => None,
        }
    }

    fn has_fixed_time(&self) -> bool {
        let time = self.time.as_ref();
        time.is_some_and(|time| time.unit.has_fixed_length())
    }

    /// Whether the verified form differs from the bytes as received.
    pub fn is_canonicalised(&self) -> bool {
        self.signed.iter().any(|part| {
            matches!(
                part.innermost(),
                Part::SortedJson
                    | Part::SortedFields
                    | Part::SortedQueryExcept(_)
                    | Part::Stated(StatedPart::UrlAndForm | StatedPart::Joined)
            )
        }) || self.lines.as_ref().is_some_and(LinesForm::are_content)
    }

    /// Whether a public key checks the signature.
    pub fn is_public(&self) -> bool {
        uses::PUBLIC_KEYS && self.algorithm.is_public()
    }

    /// Whether the signature is a bearer's token, so that it says nothing of the body.
    pub fn bears_token(&self) -> bool {
        uses::STATEMENTS && self.signature.encoding == SignatureEncoding::Token
    }

    /// Whether nothing of the event is signed.
    pub fn proves_the_sender_only(&self) -> bool {
        self.is_bearer() || self.bears_token() || self.signs_sender_only
    }

    /// Whether the signature, or the credential, stands in the body.
    pub fn has_body_signature(&self) -> bool {
        uses::BODY_SIGNATURES && !self.is_stated() && matches!(self.signature.at, Place::Json(_))
    }

    /// Whether a source lists the values of a header that tells equal bodies apart.
    pub fn takes_discriminator_values(&self) -> bool {
        self.identity.iter().any(|rule| match rule {
            IdentityRule::Digest(rule) => matches!(rule.discriminator, Some(Place::Header(_))),
            _ => false,
        })
    }

    /// How long a ping may be folded with others, in milliseconds. `None`: this scheme has none.
    pub fn ping_ms(&self) -> Option<i64> {
        let last = self.identity.last().filter(|_| uses::PINGS)?;
        match last {
            IdentityRule::Ping(rule) => Some(i64::from(rule.window_seconds) * 1_000),
            _ => None,
        }
    }

    /// Whether the content of an event is its query instead of its body.
    pub fn content_is_query(&self) -> bool {
        self.signed
            .iter()
            .any(|part| matches!(part.innermost(), Part::SortedQueryExcept(_)))
    }
}

impl Part {
    /// Looks through [`Part::MacHex`] and [`Part::Sha256Hex`].
    pub fn innermost(&self) -> &Part {
        match self {
            Part::MacHex(inner) | Part::Sha256Hex(inner) => inner.innermost(),
            other => other,
        }
    }
}
