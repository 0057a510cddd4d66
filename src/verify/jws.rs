//! Signatures that are a JWS in compact form (RFC 7515), with an algorithm that the scheme fixes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::{Claims, missing_part};
use crate::canonical::{NotCanonical, object_members};
use crate::hex;
use crate::json;
use crate::public_key::token::is_refused;
use crate::request::{Absent, Head, Inbound, encode_percent};
use crate::scheme::{Claimed, Scheme};
use crate::verdict::{Reject, Shape};

/// The signature of a JWS, and what it is made over. What it says of its algorithm must be
/// what the scheme says, and is not used.
pub(super) fn split(scheme: &Scheme, token: &str) -> Result<(Vec<u8>, String), Shape> {
    let (signed, signature) = token.rsplit_once('.').ok_or(Shape::NotAToken)?;
    let (header, payload) = signed.split_once('.').ok_or(Shape::NotAToken)?;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| Shape::NotBase64);
    let header = decode(header)?;
    // A name that stands twice is refused (section 4): two readers would take two values.
    let text = std::str::from_utf8(&header).map_err(|_| Shape::NotAJsonObject)?;
    let named = object_members(text).map_err(|wrong| match wrong {
        NotCanonical::RepeatedName => Shape::RepeatedName,
        _ => Shape::NotAJsonObject,
    })?;
    let [alg] = members(&header, ["/alg"]);
    if alg.as_deref() != scheme.algorithm.jws_name()
        || named.iter().any(|(name, _)| is_refused(name))
    {
        return Err(Shape::WrongAlgorithm);
    }
    decode(payload)?;
    Ok((decode(signature)?, signed.to_owned()))
}

/// The longest id of a key: half of what a document's URL may have.
const KEY_ID_BYTES_MAX: usize = 200;

/// The id of the key that a JWS names (section 4.1.4), as far as it can stand in a URL.
pub(super) fn key_id(signed: &str) -> Option<String> {
    let (header, _) = signed.split_once('.')?;
    let [id] = members(&URL_SAFE_NO_PAD.decode(header).ok()?, ["/kid"]);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    id.filter(|id| (1..=KEY_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(plain))
}

/// Whether the JWS, whose MAC is right, is about this body. True for schemes without one.
pub(super) fn binds(scheme: &Scheme, claims: &Claims, inbound: &Inbound<'_, '_>) -> bool {
    !scheme.is_jws() || keeps(scheme, claims.token.as_deref(), inbound).is_ok()
}

/// Whether a JWS or a token claims what the scheme demands of this request.
pub(super) fn keeps(
    scheme: &Scheme,
    token: Option<&str>,
    inbound: &Inbound<'_, '_>,
) -> Result<(), Reject> {
    let payload = token.and_then(payload_of).ok_or(Reject::TokenNotAllowed)?;
    for (name, claimed) in scheme.claim_pairs() {
        let [is] = members(&payload, [&format!("/{name}")]);
        let (demanded, otherwise) = match claimed {
            Claimed::Text(text) => (text.to_owned(), Reject::TokenNotAllowed),
            Claimed::BodyDigest => (
                hex::encode(&Sha256::digest(inbound.body)),
                Reject::BodyDigestMismatch,
            ),
            Claimed::QueryStringHash => (query_string_hash(inbound.head)?, Reject::TokenNotAllowed),
        };
        if is.as_deref() != Some(demanded.as_str()) {
            return Err(otherwise);
        }
    }
    Ok(())
}

/// The claims of a token, as JSON. `None`: it has none, or a name stands twice, and two readers would
/// take two values.
pub(super) fn payload_of(token: &str) -> Option<Vec<u8>> {
    let payload = token.split_once('.')?.1;
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    object_members(std::str::from_utf8(&payload).ok()?).ok()?;
    Some(payload)
}

/// A claim of a token.
pub(super) fn claim(token: Option<&str>, name: &str) -> Result<String, Absent> {
    let payload = token.and_then(payload_of).ok_or(Absent::Undecodable)?;
    let [found] = members(&payload, [&format!("/{name}")]);
    found.ok_or(Absent::Missing)
}

/// Atlassian's `qsh`: SHA-256 of `METHOD&path&query`, where the query's pairs are percent-encoded and
/// sorted by name, the values of one name sorted and joined by commas, and `jwt` is left out.
///
/// Source: <https://developer.atlassian.com/cloud/jira/platform/understanding-jwt-for-connect-apps/>,
/// and npm's `atlassian-jwt`, which does it so.
pub(crate) fn query_string_hash(head: &Head) -> Result<String, Reject> {
    let mut pairs = head.query_pairs().map_err(missing_part)?;
    pairs.retain(|(name, _)| name != "jwt");
    pairs.sort();
    let mut query = String::new();
    let mut last = None;
    for (name, value) in &pairs {
        if last == Some(name) {
            query.push(',');
        } else {
            let separator = if query.is_empty() { "" } else { "&" };
            query.push_str(&format!("{separator}{}=", encode_percent(name)));
        }
        query.push_str(&encode_percent(value));
        last = Some(name);
    }
    let path = head.path.replace('&', "%26");
    let path = match path.strip_suffix('/') {
        Some(shorter) if !shorter.is_empty() => shorter,
        _ => path.as_str(),
    };
    let canonical = format!("{}&{path}&{query}", head.method.to_ascii_uppercase());
    Ok(hex::encode(&Sha256::digest(canonical)))
}

fn members<const N: usize>(json: &[u8], pointers: [&str; N]) -> [Option<String>; N] {
    let mut found = json::find(json, &pointers).into_iter();
    pointers.map(|_| found.next().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_nothing_of_how_it_is_checked() {
        let (_, netlify) = crate::schemes::BUILT_IN
            .iter()
            .find(|(name, _)| *name == "netlify")
            .unwrap();
        let scheme: Scheme = toml::from_str(netlify.split("[about]").next().unwrap()).unwrap();
        for (header, expected) in [
            (r#"{"alg":"HS256","typ":"JWT"}"#, None),
            (r#"{"alg":"HS256","kid":"1"}"#, None),
            (r#"{"alg":"HS256","crit":[]}"#, Some(Shape::WrongAlgorithm)),
            (
                r#"{"alg":"HS256","crit":["exp"]}"#,
                Some(Shape::WrongAlgorithm),
            ),
            (
                r#"{"alg":"HS256","crit":null}"#,
                Some(Shape::WrongAlgorithm),
            ),
            (
                r#"{"alg":"HS256","b64":false}"#,
                Some(Shape::WrongAlgorithm),
            ),
            (r#"{"alg":"HS256","b64":true}"#, Some(Shape::WrongAlgorithm)),
            (
                r#"{"alg":"HS256","jwk":{"kty":"oct","k":""}}"#,
                Some(Shape::WrongAlgorithm),
            ),
            (
                r#"{"alg":"HS256","jku":"https://a.example"}"#,
                Some(Shape::WrongAlgorithm),
            ),
            (
                r#"{"alg":"HS256","zip":"DEF"}"#,
                Some(Shape::WrongAlgorithm),
            ),
            (r#"{"alg":"none"}"#, Some(Shape::WrongAlgorithm)),
            (r#"{"alg":["HS256"]}"#, Some(Shape::WrongAlgorithm)),
            (r#"{"alg":"none","alg":"HS256"}"#, Some(Shape::RepeatedName)),
            (
                r#"{"alg":"HS256","\u0061lg":"none"}"#,
                Some(Shape::RepeatedName),
            ),
            (r#"["HS256"]"#, Some(Shape::NotAJsonObject)),
            ("HS256", Some(Shape::NotAJsonObject)),
        ] {
            let token = [header, "{}", "mac"].map(|part| URL_SAFE_NO_PAD.encode(part));
            let split = split(&scheme, &token.join("."));
            assert_eq!(split.err(), expected, "{header}");
        }
    }

    /// Made with npm's `atlassian-jwt` 2.0.3, `createQueryStringHash`.
    #[test]
    fn queries_are_hashed_as_atlassian_does() {
        for (method, target, hash) in [
            (
                "POST",
                "/installed?b=2&a=1&a=0",
                "895da19ba37530857952daccdbe6611f79dfe47b13587b85bee9f24141168887",
            ),
            (
                "get",
                "/",
                "c88caad15a1c1a900b8ac08aa9686f4e8184539bea1deda36e2f649430df3239",
            ),
            (
                "POST",
                "/hooks/jira?user_id=5b&user_key=a%20b%2Bc",
                "9519a37cba0119c81b247275b94c73cebad53f5d633018b067a8be214485e425",
            ),
            (
                "POST",
                "/a&b/?z=1&jwt=x",
                "168a02b00ee973a78925bc5ff2716647f68501ae5214e4a0ddb4e0d8f3b1e4a2",
            ),
            (
                "POST",
                "/a?x=%C3%A9*&x=!'()",
                "14e5ce76f3d67e57074755c523934e06f9e460d24cdffa8334f45627be3b8c6c",
            ),
        ] {
            let head = Head::new(method, target, []);
            assert_eq!(query_string_hash(&head).as_deref(), Ok(hash), "{target}");
        }
    }
}
