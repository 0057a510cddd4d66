//! Pieces of signed strings that a sender states about its message ([`crate::scheme::StatedPart`]).

use std::borrow::Cow;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::pieces::Piece;
use super::signature::{Fields, field};
use super::{Claims, message_signature, missing_part};
use crate::hex;
use crate::request::{Absent, Head, Inbound, decode_pairs, encode_pairs};
use crate::scheme::{JoinedForm, NamedHeadersForm, Place, Scheme, StatedPart};
use crate::uses;
use crate::verdict::{Reject, Shape};

/// Each is looked up before the sender is known.
const HEADERS_MAX: usize = 32;
/// The parameter that says that a body is no form (Twilio).
const BODY_DIGEST: &str = "bodySHA256";

/// The piece of a part.
pub(super) fn piece<'a>(
    part: &'a StatedPart,
    scheme: &'a Scheme,
    claims: &'a Claims,
    inbound: &'a Inbound<'_, '_>,
) -> Result<Piece<'a>, Reject> {
    let missing = Reject::MissingSignedPart;
    Ok(match part {
        StatedPart::UrlAndForm => url_and_form(claims, inbound)?,
        StatedPart::Joined => joined(scheme.joined.as_ref().ok_or(missing)?, inbound)?,
        StatedPart::HeaderNames => {
            let names = claims.signed_headers.as_deref().ok_or(missing)?;
            Piece::PerAttempt(Cow::Borrowed(names.as_bytes()))
        }
        StatedPart::Headers => {
            let form = scheme.named_headers.as_ref().ok_or(missing)?;
            let names = claims.signed_headers.as_deref().ok_or(missing)?;
            named_headers(form, names, inbound.head)?
        }
        StatedPart::TargetEncodedTwice => {
            Piece::Plain(Cow::Owned(target_encoded_twice(inbound.head).into_bytes()))
        }
        StatedPart::Pin(name) => {
            let value = claims.pins.get(name).ok_or(missing)?;
            Piece::PerAttempt(Cow::Borrowed(value.as_bytes()))
        }
        StatedPart::BodyCrc32 => Piece::Means(
            crc32(inbound.body).to_string().into_bytes(),
            vec![Cow::Borrowed(inbound.body)],
        ),
        StatedPart::MessageSignature if uses::MESSAGE_SIGNATURES => {
            message_signature::piece(claims, inbound)?
        }
        StatedPart::MessageSignature => return Err(missing),
    })
}

/// The URL in both forms that may have been signed: as it stands, and with the port left out or the
/// standard one put in.
fn urls(url: &str) -> [String; 2] {
    let as_it_stands = url.to_owned();
    let Some((protocol, rest)) = url.split_once("://") else {
        return [as_it_stands.clone(), as_it_stands];
    };
    let (host, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let other = match host.rsplit_once(':') {
        Some((host, _)) => format!("{protocol}://{host}{target}"),
        None => {
            let port = if protocol == "http" { 80 } else { 443 };
            format!("{protocol}://{host}:{port}{target}")
        }
    };
    [as_it_stands, other]
}

/// Names and values stand beside each other without a separator, so a captured request could be cut in
/// another place. All cuts of one string are one event, because the string is its identity.
fn url_and_form<'a>(claims: &Claims, inbound: &Inbound<'_, '_>) -> Result<Piece<'a>, Reject> {
    let url = claims.url.as_deref().ok_or(Reject::MissingSignedPart)?;
    let mut signed = urls(url)[claims.reading.min(1)].clone();
    let digest = inbound.head.value_at(&Place::Query(BODY_DIGEST.to_owned()));
    match digest {
        // Twilio puts it last. Elsewhere it could be the text of a form's field, in another cut.
        Ok(digest)
            if digest == hex::encode(&Sha256::digest(inbound.body))
                && signed.ends_with(&format!("{BODY_DIGEST}={digest}")) =>
        {
            return Ok(Piece::Plain(Cow::Owned(signed.into_bytes())));
        }
        Ok(_) => return Err(Reject::BodyDigestMismatch),
        Err(Absent::Missing) => {}
        Err(absent) => return Err(missing_part(absent)),
    }
    let mut pairs = decode_pairs(inbound.body).map_err(missing_part)?;
    pairs.sort();
    pairs.dedup();
    for (name, value) in &pairs {
        if name.is_empty() {
            return Err(Reject::MalformedSignedPart(Shape::Empty));
        }
        signed.push_str(name);
        signed.push_str(value);
    }
    let given = encode_pairs(&pairs).into_bytes();
    Ok(Piece::Canonical(signed.into_bytes(), given))
}

fn joined<'a>(form: &JoinedForm, inbound: &Inbound<'_, '_>) -> Result<Piece<'a>, Reject> {
    let malformed = |shape| Err(Reject::MalformedSignedPart(shape));
    if form
        .absent
        .iter()
        .any(|place| inbound.value_at(place).is_ok())
    {
        return malformed(Shape::TooMany);
    }
    let mut values = Vec::with_capacity(form.of.len());
    let mut given = Value::Null;
    for place in &form.of {
        let value = match inbound.value_at(place) {
            Ok(value) => value,
            Err(Absent::Missing) => String::new(),
            Err(absent) => return Err(missing_part(absent)),
        };
        if form.free.as_ref() != Some(place) && value.contains(form.by.as_str()) {
            return malformed(Shape::ContainsDelimiter);
        }
        if let Place::Json(pointer) = place
            && !value.is_empty()
        {
            put(&mut given, pointer, &value);
        }
        values.push(value);
    }
    let given = given.to_string().into_bytes();
    inbound.read_as(&given);
    Ok(Piece::Canonical(values.join(&form.by).into_bytes(), given))
}

/// Puts a text where the pointer leads, and makes the way there.
fn put(root: &mut Value, pointer: &str, text: &str) {
    let mut node = root;
    for word in pointer.split('/').skip(1) {
        node = match word.parse::<usize>() {
            Ok(index) => {
                if !node.is_array() {
                    *node = Value::Array(Vec::new());
                }
                let Value::Array(items) = node else { return };
                if items.len() <= index {
                    items.resize(index.min(HEADERS_MAX) + 1, Value::Null);
                }
                let Some(item) = items.get_mut(index) else {
                    return;
                };
                item
            }
            Err(_) => {
                if !node.is_object() {
                    *node = Value::Object(serde_json::Map::new());
                }
                let Value::Object(members) = node else { return };
                members.entry(word).or_insert(Value::Null)
            }
        };
    }
    *node = Value::String(text.to_owned());
}

/// The list of names as the message has it.
pub(super) fn header_names(
    form: &NamedHeadersForm,
    head: &Head,
    fields: &Fields,
) -> Result<String, Reject> {
    let names = match &form.at {
        Place::SignatureField(name) => field(fields, name),
        place => head.value_at(place),
    };
    let names = names.map_err(missing_part)?;
    let listed: Vec<&str> = names.split(form.split.as_str()).collect();
    let malformed = |shape| Err(Reject::MalformedSignedPart(shape));
    if listed.len() > HEADERS_MAX {
        return malformed(Shape::TooMany);
    }
    for (index, name) in listed.iter().enumerate() {
        if listed[..index].contains(name) {
            return malformed(Shape::RepeatedName);
        }
        if !is_name(name) || name.contains(form.join.as_str()) {
            return malformed(Shape::ContainsDelimiter);
        }
    }
    let required = |name: &String| listed.contains(&name.as_str());
    match form.required.iter().all(required) {
        true => Ok(names),
        false => Err(Reject::MissingSignedPart),
    }
}

/// Those of the names that can be looked up.
pub(super) fn headers_listed(form: &NamedHeadersForm, head: &Head, fields: &Fields) -> Vec<String> {
    let names = header_names(form, head, fields).unwrap_or_default();
    let names = names
        .split(form.split.as_str())
        .filter(|name| is_name(name));
    names.map(str::to_owned).collect()
}

/// A name as the platform writes it (RFC 9110, section 5.1), in lower case.
pub(super) fn is_name(name: &str) -> bool {
    let token = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte)
    };
    !name.is_empty() && name.bytes().all(token)
}

/// A value may not hold what would end it: where values stand alone another number of separators than the
/// scheme states, and where names stand with them the separator with the beginning of another header.
fn named_headers<'a>(
    form: &NamedHeadersForm,
    names: &str,
    head: &Head,
) -> Result<Piece<'a>, Reject> {
    let listed: Vec<&str> = names.split(form.split.as_str()).collect();
    let mut texts = Vec::with_capacity(listed.len());
    let mut of_the_event = Vec::new();
    for name in &listed {
        // What is not there was there when it was signed.
        let value = head.header(name).ok_or(Reject::MissingSignedPart)?.trim();
        let is_cut = match &form.pair {
            None => value.matches(form.join.as_str()).count() != form.separators_in(name),
            Some(pair) => listed
                .iter()
                .any(|name| value.contains(&[form.join.as_str(), name, pair].concat())),
        };
        if is_cut || value.chars().any(char::is_control) {
            return Err(Reject::MalformedSignedPart(Shape::ContainsDelimiter));
        }
        if form.of_the_event.iter().any(|known| known == name) {
            of_the_event.push(Cow::Owned(value.as_bytes().to_vec()));
        }
        texts.push(match &form.pair {
            None => value.to_owned(),
            Some(pair) => [name, pair.as_str(), value].concat(),
        });
    }
    let signed = texts.join(&form.join).into_bytes();
    Ok(Piece::Means(signed, of_the_event))
}

fn target_encoded_twice(head: &Head) -> String {
    let target = match head.query.as_deref().filter(|query| !query.is_empty()) {
        None => head.path.clone(),
        Some(query) => format!("{}?{}", head.path, encoded_but(query, b"-_.!~*'()")),
    };
    encoded_but(&target, b"-_.!~*'();,/?:@&=+$#")
}

/// Percent-encodes everything but letters, digits and what is kept: `encodeURI` and `escape` of
/// JavaScript (ECMA-262, section 19.2.6).
fn encoded_but(text: &str, kept: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex::encode(&[byte]).to_ascii_uppercase());
        }
    }
    encoded
}

/// CRC-32 with the polynomial of ISO 3309, as zlib has it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32_of_the_check_string() {
        // The check value that every catalogue of CRCs has.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn a_url_has_two_forms() {
        for (url, other) in [
            ("https://a.example/x?y=1", "https://a.example:443/x?y=1"),
            ("http://a.example/x", "http://a.example:80/x"),
            ("https://a.example:8443/x", "https://a.example/x"),
            (
                "https://a.example?y=http://b:1/",
                "https://a.example:443?y=http://b:1/",
            ),
            ("https://a.example", "https://a.example:443"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(urls(url), [url.to_owned(), other.to_owned()]);
        }
    }

    #[test]
    fn targets_are_encoded_as_the_toolkit_of_contentful_does() {
        for (target, encoded) in [
            ("/api/hook", "/api/hook"),
            ("/api/hook?", "/api/hook"),
            ("/api/hook?q=1&w=2", "/api/hook?q%253D1%2526w%253D2"),
            ("/a%20b?c=%20", "/a%2520b?c%253D%252520"),
        ] {
            let head = Head::new("POST", target, []);
            assert_eq!(target_encoded_twice(&head), encoded);
        }
    }

    #[test]
    fn values_are_put_where_pointers_lead() {
        let mut root = Value::Null;
        put(&mut root, "/a/0/b", "1");
        put(&mut root, "/a/0/c/d", "2");
        assert_eq!(root.to_string(), r#"{"a":[{"b":"1","c":{"d":"2"}}]}"#);
    }
}
