//! HTTP Message Signatures (RFC 9421), and the digest of a body (RFC 9530).
//!
//! One signature a message, under any label: of several it would not be known which one is meant. It
//! covers what the scheme demands; the algorithm is the scheme's, and `keyid` chooses nothing: the
//! source's keys are tried. Fields are covered as they stand, so components have no parameters; of
//! `@query-param` and of those that only answers have there are none. The text is read strictly, as a
//! structured field is written (RFC 9651), because it is signed as it stands.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ctutils::CtEq as _;
use sha2::{Digest as _, Sha256, Sha512};

use super::Claims;
use super::pieces::Piece;
use super::signature::Fields;
use super::stated::is_name;
use crate::request::{Head, Inbound};
use crate::scheme::{Algorithm, MessageSignatureForm};
use crate::verdict::{Reject, Shape};

const INPUT: &str = "signature-input";
const SIGNATURE: &str = "signature";
const CONTENT_DIGEST: &str = "content-digest";
/// Each field among them is looked up before the sender is known.
const COMPONENTS_MAX: usize = 32;

/// What a signature says it covers.
#[derive(Debug)]
pub(crate) struct Covered {
    pub(super) components: Vec<String>,
    /// The list and its parameters as they stand: the last line of what is signed.
    pub(super) params: String,
}

/// What the two headers say: the signature, its parameters by name, and what it covers.
pub(super) fn read(
    form: &MessageSignatureForm,
    algorithm: Algorithm,
    head: &Head,
) -> Result<(Vec<u8>, Fields, Covered), Reject> {
    let malformed = Reject::MalformedSignature;
    let text = |name| head.header(name).ok_or(Reject::MissingSignature);
    let (label, input) = member(text(INPUT)?).ok_or(malformed(Shape::NotAField))?;
    let (signed_label, signature) = member(text(SIGNATURE)?).ok_or(malformed(Shape::NotAField))?;
    if label != signed_label {
        return Err(malformed(Shape::NoKnownVersion));
    }
    let signature = bytes(signature).ok_or(malformed(Shape::NotBase64))?;
    if algorithm
        .tag_bytes()
        .is_some_and(|length| length != signature.len())
        || signature.is_empty()
    {
        return Err(malformed(Shape::WrongLength));
    }
    let (components, fields) = input_of(input)?;
    let named = fields.iter().find(|(name, _)| name == "alg");
    if named.is_some_and(|(_, named)| Some(named.as_str()) != registered(algorithm)) {
        return Err(malformed(Shape::WrongAlgorithm));
    }
    let covers = |list: &Vec<String>| list.iter().all(|name| components.contains(name));
    if !form.required.is_empty() && !form.required.iter().any(covers) {
        return Err(Reject::MissingSignedPart);
    }
    let params = input.to_owned();
    Ok((signature, fields, Covered { components, params }))
}

/// The covered fields that are not in the head yet.
pub(super) fn fields_named(head: &Head) -> Vec<String> {
    let input = head.header(INPUT).and_then(member);
    let covered = input.and_then(|(_, input)| input_of(input).ok());
    let (components, _) = covered.unwrap_or_default();
    let fields = components.into_iter().filter(|name| is_name(name));
    fields.filter(|name| head.header(name).is_none()).collect()
}

/// Whether a covered `Content-Digest` is the body's.
pub(super) fn check_digest(covered: &Covered, inbound: &Inbound<'_, '_>) -> Result<(), Reject> {
    if !covered.components.iter().any(|name| name == CONTENT_DIGEST) {
        return Ok(());
    }
    let text = inbound.head.header(CONTENT_DIGEST);
    let mut known = 0;
    for entry in text.ok_or(Reject::MissingSignedPart)?.split(',') {
        let malformed = Reject::MalformedSignedPart(Shape::NotAField);
        let (name, value) = member(entry.trim_matches([' ', '\t'])).ok_or(malformed)?;
        let claimed = bytes(value).ok_or(malformed)?;
        // Section 5 of RFC 9530: the others are not safe, or not known here.
        let matches = match name {
            "sha-256" => claimed.ct_eq(Sha256::digest(inbound.body).as_slice()),
            "sha-512" => claimed.ct_eq(Sha512::digest(inbound.body).as_slice()),
            _ => continue,
        };
        if !matches.to_bool() {
            return Err(Reject::BodyDigestMismatch);
        }
        known += 1;
    }
    match known {
        0 => Err(Reject::MalformedSignedPart(Shape::NoKnownVersion)),
        _ => Ok(()),
    }
}

/// Fields that tell events apart whose bodies are equal, where a signature covers them.
const NAMES_OF_EVENTS: [&str; 5] = [
    "ce-id",
    "ce-source",
    "ce-type",
    "idempotency-key",
    "webhook-id",
];

/// The signature base (section 2.5), and what of it is the same on every attempt: the body, and where
/// it was sent to.
pub(super) fn piece<'a>(
    claims: &Claims,
    inbound: &'a Inbound<'_, '_>,
) -> Result<Piece<'a>, Reject> {
    let covered = claims.covered.as_ref().ok_or(Reject::MissingSignature)?;
    let mut base = String::new();
    let mut same: Vec<Cow<'a, [u8]>> = vec![Cow::Borrowed(inbound.body)];
    for name in &covered.components {
        let value = match name.strip_prefix('@') {
            None => {
                let field = inbound
                    .head
                    .header(name)
                    .map(|value| value.trim().to_owned());
                let value = field.ok_or(Reject::MissingSignedPart)?;
                if NAMES_OF_EVENTS.contains(&name.as_str()) {
                    same.push(Cow::Owned(value.as_bytes().to_vec()));
                }
                value
            }
            Some(derived) => {
                let value = derive(derived, inbound.head, claims.url.as_deref());
                let value = value.ok_or(Reject::MalformedSignedPart(Shape::NoKnownVersion))?;
                same.push(Cow::Owned(value.as_bytes().to_vec()));
                value
            }
        };
        if value.chars().any(char::is_control) {
            return Err(Reject::MalformedSignedPart(Shape::ContainsDelimiter));
        }
        base.push_str(&format!("\"{name}\": {value}\n"));
    }
    base.push_str(&format!("\"@signature-params\": {}", covered.params));
    Ok(Piece::Means(base.into_bytes(), same))
}

/// Section 2.2. The platform may have changed the URL on its way, so what the request cannot say of
/// itself is what the source says.
fn derive(name: &str, head: &Head, url: Option<&str>) -> Option<String> {
    let authority = || {
        let (protocol, rest) = url?.split_once("://")?;
        let host = rest.split(['/', '?']).next()?.to_ascii_lowercase();
        let standard = if protocol == "http" { ":80" } else { ":443" };
        Some(
            host.strip_suffix(standard)
                .map_or(host.clone(), str::to_owned),
        )
    };
    match name {
        "method" => Some(head.method.clone()),
        "path" => Some(head.path.clone()),
        "query" => Some(format!("?{}", head.query.as_deref().unwrap_or_default())),
        "request-target" => Some(head.target()),
        "target-uri" => url.map(str::to_owned),
        "scheme" => Some(url?.split_once("://")?.0.to_owned()),
        "authority" => authority(),
        _ => None,
    }
}

/// The name in the registry of section 6.2.
const fn registered(algorithm: Algorithm) -> Option<&'static str> {
    match algorithm {
        Algorithm::HmacSha256 => Some("hmac-sha256"),
        Algorithm::RsaSha256 => Some("rsa-v1_5-sha256"),
        Algorithm::RsaPssSha512 => Some("rsa-pss-sha512"),
        Algorithm::EcdsaP256 => Some("ecdsa-p256-sha256"),
        Algorithm::Ed25519 => Some("ed25519"),
        _ => None,
    }
}

/// A dictionary's only member: its key and what stands behind it.
fn member(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.split_once('=')?;
    let letter = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'*';
    let inside =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.*".contains(&byte);
    let is_key = key.as_bytes().first().is_some_and(letter) && key.bytes().all(inside);
    is_key.then_some((key, value))
}

/// A byte sequence, and nothing behind it.
fn bytes(text: &str) -> Option<Vec<u8>> {
    STANDARD
        .decode(text.strip_prefix(':')?.strip_suffix(':')?)
        .ok()
}

/// An inner list of names with its parameters. A parameter is an integer or a text.
fn input_of(text: &str) -> Result<(Vec<String>, Fields), Reject> {
    let shape = |shape| Reject::MalformedSignature(shape);
    let no_field = shape(Shape::NotAField);
    let mut rest = text.strip_prefix('(').ok_or(no_field)?;
    let mut components: Vec<String> = Vec::new();
    while !rest.starts_with(')') {
        if !components.is_empty() {
            rest = rest.strip_prefix(' ').ok_or(no_field)?;
        }
        let (name, after) = quoted(rest).ok_or(no_field)?;
        // A parameter would change what is covered.
        if after.starts_with(';') || !is_name(name.strip_prefix('@').unwrap_or(&name)) {
            return Err(shape(Shape::NoKnownVersion));
        }
        if components.contains(&name) {
            return Err(shape(Shape::RepeatedName));
        }
        if components.len() == COMPONENTS_MAX {
            return Err(shape(Shape::TooMany));
        }
        components.push(name);
        rest = after;
    }
    rest = &rest[1..];
    let mut fields = Fields::new();
    while let Some(parameter) = rest.strip_prefix(';') {
        let (name, value) = member_at(parameter).ok_or(no_field)?;
        let (value, after) = match value.starts_with('"') {
            true => quoted(value).ok_or(no_field)?,
            false => {
                let end = value.find(';').unwrap_or(value.len());
                let (digits, after) = value.split_at(end);
                let is_number = (1..=15).contains(&digits.len())
                    && digits.bytes().all(|byte| byte.is_ascii_digit());
                is_number
                    .then_some((digits.to_owned(), after))
                    .ok_or(no_field)?
            }
        };
        if fields.iter().any(|(known, _)| known == name) {
            return Err(shape(Shape::RepeatedName));
        }
        fields.push((name.to_owned(), value));
        rest = after;
    }
    rest.is_empty()
        .then_some((components, fields))
        .ok_or(no_field)
}

/// As [`member`], of which more may follow.
fn member_at(text: &str) -> Option<(&str, &str)> {
    let equals = text.find('=')?;
    member(text).filter(|_| !text[..equals].contains(';'))
}

/// A text in quotation marks, printable (RFC 9651, section 3.3.3), and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inside = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut characters = inside.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((value, &inside[index + 1..])),
            '\\' => match characters.next()? {
                (_, escaped @ ('"' | '\\')) => value.push(escaped),
                _ => return None,
            },
            ' '..='~' => value.push(character),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_read_strictly() {
        let (components, fields) =
            input_of(r#"("@method" "content-digest");created=1618884473;keyid="a\"b""#).unwrap();
        assert_eq!(components, ["@method", "content-digest"]);
        let expected = [("created", "1618884473"), ("keyid", "a\"b")];
        assert_eq!(fields, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
        assert!(input_of("()").is_ok());
        for (text, shape) in [
            ("", Shape::NotAField),
            (r#"("@method""#, Shape::NotAField),
            (r#"("@method"  "date")"#, Shape::NotAField),
            (r#"( "@method")"#, Shape::NotAField),
            (r#"("@method" )"#, Shape::NotAField),
            (r#"("@method")x"#, Shape::NotAField),
            (r#"("@method"); created=1"#, Shape::NotAField),
            (r#"("@method");created"#, Shape::NotAField),
            (r#"("@method");created=-1"#, Shape::NotAField),
            (r#"("@method");created=1.5"#, Shape::NotAField),
            (r#"("@method");created=1234567890123456"#, Shape::NotAField),
            (r#"("@method");keyid=token"#, Shape::NotAField),
            (r#"("@method");keyid="é""#, Shape::NotAField),
            (r#"("@method");Created=1"#, Shape::NotAField),
            (r#"("@method");created=1;created=1"#, Shape::RepeatedName),
            (r#"("date" "date")"#, Shape::RepeatedName),
            (r#"("Date")"#, Shape::NoKnownVersion),
            (r#"("date";bs)"#, Shape::NoKnownVersion),
            (r#"("@query-param";name="a")"#, Shape::NoKnownVersion),
            (r#"("")"#, Shape::NoKnownVersion),
        ] {
            assert_eq!(
                input_of(text),
                Err(Reject::MalformedSignature(shape)),
                "{text}"
            );
        }
        let many: Vec<String> = (0..33).map(|number| format!("\"x-{number}\"")).collect();
        let many = format!("({})", many.join(" "));
        assert_eq!(
            input_of(&many),
            Err(Reject::MalformedSignature(Shape::TooMany))
        );
    }

    #[test]
    fn what_a_request_cannot_say_of_itself_is_what_the_source_says() {
        let head = Head::new("POST", "/a?b=1", []);
        let url = Some("https://Gate.example:443/a?b=1");
        for (name, value) in [
            ("method", Some("POST")),
            ("path", Some("/a")),
            ("query", Some("?b=1")),
            ("request-target", Some("/a?b=1")),
            ("target-uri", Some("https://Gate.example:443/a?b=1")),
            ("scheme", Some("https")),
            ("authority", Some("gate.example")),
            ("status", None),
            ("query-param", None),
        ] {
            assert_eq!(derive(name, &head, url).as_deref(), value, "{name}");
        }
        assert_eq!(derive("authority", &head, None), None);
    }
}
