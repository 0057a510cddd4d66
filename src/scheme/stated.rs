//! What some senders state about a message before they sign it: values of it in a row, headers that it
//! names itself, the URL they were given. Whoever signs so is read as a whole
//! ([`crate::verify::Statement`]), with a shared secret as with a public key.

use serde::{Deserialize, Serialize};

use super::{Algorithm, Part, Place, Scheme};
use crate::uses;

/// A piece of such a signed string.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum StatedPart {
    /// The source's URL with the query as received, then each field of the form, sorted by name: name
    /// and value, equal pairs once, nothing between them. Providers' own code disagrees on whether the
    /// port belongs to the URL, so both are tried. Where the query has `bodySHA256`, the body is no
    /// form, and must have that digest.
    UrlAndForm,
    /// Values in a row ([`JoinedForm`]).
    Joined,
    /// The names of the headers that the message names, as it joins them ([`NamedHeadersForm`]).
    HeaderNames,
    /// Those headers.
    Headers,
    /// The path as received, and the query percent-encoded twice, as `escape` and `encodeURI` of
    /// JavaScript do it.
    TargetEncodedTwice,
    /// A value that the source pins.
    Pin(String),
    /// The CRC-32 of the body (ISO 3309) in decimal. It finds accidents and no forgeries: whoever has one
    /// message can make others with the same.
    BodyCrc32,
    /// The signature base of RFC 9421, section 2.5 ([`MessageSignatureForm`]).
    MessageSignature,
}

/// Values joined by a separator that is not escaped.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct JoinedForm {
    /// One character.
    pub by: String,
    /// Members of the body; one that is missing counts as empty. They are what the backend is given.
    pub of: Vec<Place>,
    /// The only one whose value may hold the separator: with two of them the string would have several
    /// readings.
    #[serde(default)]
    pub free: Option<Place>,
    /// Must have no value: what stands there would be taken for a part of the event.
    #[serde(default)]
    pub absent: Vec<Place>,
}

/// Headers that the message itself says it signs.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NamedHeadersForm {
    /// Where their names stand.
    pub at: Place,
    /// What separates the names.
    pub split: String,
    /// What separates one header from the next in the signed string.
    pub join: String,
    /// What stands between name and value. `None`: values alone.
    #[serde(default)]
    pub pair: Option<String>,
    /// Names that must be among them.
    #[serde(default)]
    pub required: Vec<String>,
    /// Those that tell one event from another. The others are of the attempt.
    #[serde(default)]
    pub of_the_event: Vec<String>,
    /// Where values stand alone: those in which `join` stands, each `NAME=TIMES`. It must stand in them
    /// exactly so often, and never in the others, so that there is one way to cut the signed string.
    #[serde(default)]
    pub separators: Vec<String>,
}

impl NamedHeadersForm {
    /// How often `join` stands in the value of the header of this name.
    pub fn separators_in(&self, name: &str) -> usize {
        let mut stated = self.separators.iter().filter_map(|text| counted(text));
        let found = stated.find(|(known, _)| *known == name);
        found.map_or(0, |(_, times)| times)
    }
}

/// `NAME=TIMES`, as [`NamedHeadersForm::separators`] has it.
pub(super) fn counted(text: &str) -> Option<(&str, usize)> {
    let (name, times) = text.split_once('=')?;
    Some((name, times.parse().ok().filter(|times| *times > 0)?))
}

/// What an HTTP Message Signature (RFC 9421) must cover. The algorithm is the scheme's.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessageSignatureForm {
    /// Lists of component names (section 2). All of one list must be covered, `content-digest` in each:
    /// it alone covers the body (RFC 9530).
    pub required: Vec<Vec<String>>,
}

impl Scheme {
    /// Whether the message is read as a whole before anything is checked: where a public key checks it,
    /// and where a MAC is made over something that the source or the message itself states.
    pub fn is_stated(&self) -> bool {
        self.is_public() || self.states_mac()
    }

    /// Whether it is read as a whole, and signed with a shared secret.
    pub fn states_mac(&self) -> bool {
        let is_mac = !self.algorithm.is_public() && self.algorithm != Algorithm::Credential;
        let in_claim = |form: &super::TimeForm| matches!(form.at, Place::Claim(_));
        let states = self.token.is_some()
            || self.pins.iter().any(|pin| !pin.at.is_empty())
            || self.time.as_ref().is_some_and(in_claim)
            || self.stated_parts().any(|part| !part.is_fixed());
        uses::STATED_MACS && is_mac && states
    }

    /// The parts that only a statement has.
    pub fn stated_parts(&self) -> impl Iterator<Item = &StatedPart> {
        let parts = self.signed.iter().filter(|_| uses::STATED_PARTS);
        parts.filter_map(|part| match part {
            Part::Stated(part) => Some(part),
            _ => None,
        })
    }

    /// Whether a MAC is made over pins, and over nothing else that is stated: the whole need not be read
    /// for that.
    pub fn signs_pins(&self) -> bool {
        uses::STATED_PARTS && self.stated_parts().next().is_some() && !self.is_stated()
    }

    /// Whether the signature is one of RFC 9421.
    pub fn is_message_signature(&self) -> bool {
        uses::MESSAGE_SIGNATURES && self.message_signature.is_some()
    }

    /// Whether the body is signed by its CRC-32 alone.
    pub fn signs_crc(&self) -> bool {
        self.stated_parts()
            .any(|part| *part == StatedPart::BodyCrc32)
    }

    /// Whether a value of such a part is signed.
    pub(super) fn states(&self, part: &StatedPart, place: &Place) -> bool {
        let header = match place {
            Place::Header(name) => Some(name),
            _ => None,
        };
        match part {
            StatedPart::Joined => {
                let form = self.joined.as_ref();
                form.is_some_and(|form| form.of.contains(place))
            }
            StatedPart::Headers => {
                let form = self.named_headers.as_ref();
                let required = form.map_or(&[][..], |form| &form.required);
                header.is_some_and(|name| required.contains(name))
            }
            StatedPart::TargetEncodedTwice => matches!(place, Place::Query(_)),
            StatedPart::MessageSignature => match (place, &self.message_signature) {
                (Place::Json(_) | Place::Form(_), _) => true,
                (Place::Header(name), Some(form)) => {
                    form.required.iter().all(|list| list.contains(name))
                }
                // A parameter of the signature.
                (Place::SignatureField(_), _) => true,
                _ => false,
            },
            // Of the form nothing says where a name ends and its value begins: one string is many forms,
            // and only the string as a whole is the same in all of them.
            StatedPart::UrlAndForm
            | StatedPart::HeaderNames
            | StatedPart::Pin(_)
            | StatedPart::BodyCrc32 => false,
        }
    }
}

impl StatedPart {
    /// Whether the source's URL is in it.
    pub fn needs_url(&self) -> bool {
        matches!(self, StatedPart::UrlAndForm | StatedPart::MessageSignature)
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        Some(match text {
            "url-and-form" => StatedPart::UrlAndForm,
            "joined" => StatedPart::Joined,
            "header-names" => StatedPart::HeaderNames,
            "named-headers" => StatedPart::Headers,
            "target-encoded-twice" => StatedPart::TargetEncodedTwice,
            "crc32:body" => StatedPart::BodyCrc32,
            "message-signature" => StatedPart::MessageSignature,
            other => match other.strip_prefix("pin:") {
                Some(name) if !name.is_empty() => StatedPart::Pin(name.to_owned()),
                _ => return None,
            },
        })
    }

    /// Whether the event's content is in it.
    pub(super) fn is_content(&self) -> bool {
        match self {
            StatedPart::UrlAndForm
            | StatedPart::Joined
            | StatedPart::BodyCrc32
            | StatedPart::MessageSignature => true,
            StatedPart::HeaderNames
            | StatedPart::Headers
            | StatedPart::TargetEncodedTwice
            | StatedPart::Pin(_) => false,
        }
    }

    /// Whether it ends where it must, whatever the message says.
    pub(super) fn is_fixed(&self) -> bool {
        matches!(self, StatedPart::Pin(_))
    }
}

impl std::fmt::Display for StatedPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StatedPart::UrlAndForm => f.write_str("url-and-form"),
            StatedPart::Joined => f.write_str("joined"),
            StatedPart::HeaderNames => f.write_str("header-names"),
            StatedPart::Headers => f.write_str("named-headers"),
            StatedPart::TargetEncodedTwice => f.write_str("target-encoded-twice"),
            StatedPart::Pin(name) => write!(f, "pin:{name}"),
            StatedPart::BodyCrc32 => f.write_str("crc32:body"),
            StatedPart::MessageSignature => f.write_str("message-signature"),
        }
    }
}
