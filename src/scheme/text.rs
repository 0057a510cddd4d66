//! How places and parts are written in TOML.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Echoed, Label, Part, Place, SignedLine, StatedPart, Template};

/// For people it is a text. In what the build embeds it is its members, so that no Worker has the code that
/// reads the text and says what is wrong with it.
macro_rules! is_text_for_people {
    ($($kind:ident)*) => {$(
        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                if !input.is_human_readable() {
                    return $kind::deserialize(input);
                }
                let text = String::deserialize(input)?;
                $kind::try_from(text).map_err(D::Error::custom)
            }
        }

        impl Serialize for $kind {
            fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
                if !output.is_human_readable() {
                    return $kind::serialize(self, output);
                }
                output.serialize_str(&String::from(self.clone()))
            }
        }
    )*};
}

is_text_for_people!(Echoed Label Part Place SignedLine Template);

/// A hash in hex is no longer.
const FIXED_CHARACTERS_MAX: usize = 128;

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let Some((kind, name)) = text.split_once(':') else {
            return Err(format!(
                "\"{text}\" is not a place: write header:NAME, query:NAME, json:/POINTER, form:NAME, signature:NAME, claim:NAME, cloudevents:ATTRIBUTE or path:last"
            ));
        };
        if name.is_empty() {
            return Err(format!("\"{text}\" names nothing after the colon"));
        }
        match kind {
            "header" => Ok(Place::Header(name.to_ascii_lowercase())),
            "query" => Ok(Place::Query(name.to_owned())),
            "form" => Ok(Place::Form(name.to_owned())),
            "signature" => Ok(Place::SignatureField(name.to_owned())),
            "claim" => Ok(Place::Claim(name.to_owned())),
            "path" if name == "last" => Ok(Place::LastSegment),
            "cloudevents" => Ok(Place::CloudEvent(name.to_owned())),
            "json" if name.starts_with('/') => Ok(Place::Json(name.to_owned())),
            "json" => Err(format!(
                "\"{text}\": a JSON pointer starts with a slash, as in json:/data/id"
            )),
            _ => Err(format!(
                "\"{text}\": \"{kind}\" is unknown; use header, query, json, form, signature, claim, cloudevents or path:last"
            )),
        }
    }
}

impl TryFrom<String> for Part {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Some(part) = StatedPart::from_text(&text) {
            return Ok(Part::Stated(part));
        }
        Ok(match text.as_str() {
            "body" => Part::Body,
            "time" => Part::Time,
            "id" => Part::Id,
            "nonce" => Part::Nonce,
            "secret" => Part::Secret,
            "sorted-json" => Part::SortedJson,
            "method" => Part::Method,
            "target" => Part::Target,
            "url" => Part::Url,
            "first-item" => Part::FirstItem,
            "lines" => Part::Lines,
            "token" => Part::Token,
            "sorted-fields" => Part::SortedFields,
            "jws" => Part::Jws,
            "canonical-request" => Part::CanonicalRequest,
            other => match other.split_once(':') {
                Some(("literal", rest)) if !rest.is_empty() => Part::Literal(rest.to_owned()),
                Some(("sorted-query-except", rest)) if !rest.is_empty() => {
                    Part::SortedQueryExcept(rest.to_owned())
                }
                Some(("value", rest)) => Part::Value(Place::try_from(rest.to_owned())?),
                Some(("fixed", rest)) => fixed(rest)?,
                Some(("mac-hex", rest)) => Part::MacHex(Box::new(Part::try_from(rest.to_owned())?)),
                Some(("sha256-hex", rest)) => {
                    Part::Sha256Hex(Box::new(Part::try_from(rest.to_owned())?))
                }
                _ => {
                    return Err(format!(
                        "\"{other}\" is not a part: write body, time, id, nonce, secret, literal:TEXT, sorted-json, sorted-fields, sorted-query-except:NAME, jws, canonical-request, mac-hex:PART, sha256-hex:PART, method, target, url, value:PLACE, fixed:LENGTH:PLACE, first-item, lines, token, url-and-form, joined, header-names, named-headers, target-encoded-twice, pin:NAME, crc32:body or message-signature"
                    ));
                }
            },
        })
    }
}

/// `LENGTH:PLACE`.
fn fixed(text: &str) -> Result<Part, String> {
    let (length, place) = text.split_once(':').unwrap_or_default();
    match length.parse() {
        Ok(length) if (1..=FIXED_CHARACTERS_MAX).contains(&length) => {
            Ok(Part::Fixed(length, Place::try_from(place.to_owned())?))
        }
        _ => Err(format!(
            "\"fixed:{text}\": write fixed:LENGTH:PLACE, with a length of 1 to {FIXED_CHARACTERS_MAX}"
        )),
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Header(name) => write!(f, "header:{name}"),
            Place::Query(name) => write!(f, "query:{name}"),
            Place::Json(pointer) => write!(f, "json:{pointer}"),
            Place::Form(name) => write!(f, "form:{name}"),
            Place::SignatureField(name) => write!(f, "signature:{name}"),
            Place::Claim(name) => write!(f, "claim:{name}"),
            Place::LastSegment => f.write_str("path:last"),
            Place::CloudEvent(name) => write!(f, "cloudevents:{name}"),
        }
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Part::Body => f.write_str("body"),
            Part::Time => f.write_str("time"),
            Part::Id => f.write_str("id"),
            Part::Nonce => f.write_str("nonce"),
            Part::Secret => f.write_str("secret"),
            Part::SortedJson => f.write_str("sorted-json"),
            Part::Method => f.write_str("method"),
            Part::Target => f.write_str("target"),
            Part::Url => f.write_str("url"),
            Part::FirstItem => f.write_str("first-item"),
            Part::Fixed(length, place) => write!(f, "fixed:{length}:{place}"),
            Part::Value(place) => write!(f, "value:{place}"),
            Part::Lines => f.write_str("lines"),
            Part::Token => f.write_str("token"),
            Part::SortedFields => f.write_str("sorted-fields"),
            Part::Jws => f.write_str("jws"),
            Part::CanonicalRequest => f.write_str("canonical-request"),
            Part::Stated(part) => part.fmt(f),
            Part::Literal(text) => write!(f, "literal:{text}"),
            Part::SortedQueryExcept(name) => write!(f, "sorted-query-except:{name}"),
            Part::MacHex(inner) => write!(f, "mac-hex:{inner}"),
            Part::Sha256Hex(inner) => write!(f, "sha256-hex:{inner}"),
        }
    }
}

impl From<Place> for String {
    fn from(place: Place) -> String {
        place.to_string()
    }
}

impl From<Part> for String {
    fn from(part: Part) -> String {
        part.to_string()
    }
}
