//! JSON Web Tokens (RFC 7519) as bearers: what is signed is the token, never the request around it.
//!
//! The scheme fixes the algorithm and where keys come from, and the source whose token it is. What
//! a token says of its own key (`jku`, `x5u`, `jwk`, `crit`) is refused (RFC 8725, sections 3.1 and
//! 3.10).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::canonical::{NotCanonical, object_members};
use crate::scheme::{Template, TimeUnit, TokenForm};
use crate::time;
use crate::verdict::{Reject, Shape};

/// Longer tokens are no webhook's.
const TOKEN_BYTES_MAX: usize = 16_384;
const KEY_ID_BYTES_MAX: usize = 256;
/// Members of a header by which a token would choose or change how it is checked. `crit` names extensions
/// that must be understood, and we know none; an empty list of them is not allowed (RFC 7515, section 4.1.11).
const REFUSED: [&str; 7] = ["jku", "x5u", "jwk", "x5c", "crit", "b64", "zip"];

/// Whether this member of a header is one of those.
pub(crate) fn is_refused(name: &str) -> bool {
    REFUSED.contains(&name)
}

/// A token whose form is right, not yet believed.
#[derive(Clone, Debug)]
pub struct Token {
    /// What is signed: header and claims as received.
    pub signed: String,
    pub signature: Vec<u8>,
    /// Which key of the set.
    pub key_id: String,
    /// From when to when it holds, without leeway, in milliseconds since 1970.
    pub valid_ms: (i64, i64),
    claims: Named,
}

impl Token {
    /// `of_a_set`: its `kid` chooses the key.
    ///
    /// # Errors
    /// [`Reject::MalformedSignature`] and [`Reject::TokenNotAllowed`].
    pub fn read(text: &str, form: &TokenForm, of_a_set: bool) -> Result<Self, Reject> {
        let malformed = Reject::MalformedSignature;
        if text.len() > TOKEN_BYTES_MAX {
            return Err(malformed(Shape::TooMany));
        }
        let parts: Vec<&str> = text.split('.').collect();
        let [header_text, claims_text, signature] = parts[..] else {
            return Err(malformed(Shape::NotAToken));
        };
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        let bytes = |text| decode(text).ok_or(malformed(Shape::NotBase64));
        let header = members(&bytes(header_text)?)?;
        let signature = bytes(signature)?;
        let names_its_key = header.iter().any(|(name, _)| is_refused(name));
        let text_of = |name| find(&header, name).and_then(text_in);
        if names_its_key || text_of("alg").as_ref() != Some(&form.alg) {
            return Err(Reject::TokenNotAllowed);
        }
        let key_id = text_of("kid").filter(|id| !id.is_empty() && id.len() <= KEY_ID_BYTES_MAX);
        let key_id = match key_id {
            None if of_a_set => return Err(Reject::TokenNotAllowed),
            id => id.unwrap_or_default(),
        };
        let claims = members(&bytes(claims_text)?)?;
        Ok(Token {
            signed: format!("{header_text}.{claims_text}"),
            valid_ms: valid_ms(&claims, form).ok_or(Reject::TokenNotAllowed)?,
            signature,
            key_id,
            claims,
        })
    }

    /// Whether it says what the scheme demands. `issuer_is` fills a template in.
    pub fn keeps(&self, form: &TokenForm, issuer_is: impl Fn(&Template, &str) -> bool) -> bool {
        let issuer = find(&self.claims, "iss").and_then(text_in);
        let known = |issuer: String| form.issuers.iter().any(|known| issuer_is(known, &issuer));
        let is_true = |name: &String| find(&self.claims, name) == Some("true");
        let is_known = form.issuers.is_empty() || issuer.is_some_and(known);
        is_known && form.true_claims.iter().all(is_true)
    }

    /// A claim that is a text. `None`: the token does not claim one.
    pub fn text(&self, name: &str) -> Option<String> {
        find(&self.claims, name).and_then(text_in)
    }

    /// Whether the claim is this text, or (`aud`, RFC 7519, section 4.1.3) a list that holds it.
    /// `None`: the token does not claim it.
    pub fn claims(&self, name: &str, wanted: &str) -> Option<bool> {
        let json = find(&self.claims, name)?;
        if name == "aud" && json.starts_with('[') {
            let listed: Result<Vec<String>, _> = serde_json::from_str(json);
            return Some(listed.is_ok_and(|listed| listed.iter().any(|known| known == wanted)));
        }
        Some(text_in(json).as_deref() == Some(wanted))
    }
}

/// Names with their JSON.
type Named = Vec<(String, String)>;

fn find<'a>(members: &'a Named, name: &str) -> Option<&'a str> {
    let found = members.iter().find(|(known, _)| known == name);
    found.map(|(_, json)| json.as_str())
}

fn text_in(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

/// A name that stands twice is refused: two readers would take two values (RFC 8259, section 4).
fn members(bytes: &[u8]) -> Result<Named, Reject> {
    let malformed = Reject::MalformedSignature;
    let text = std::str::from_utf8(bytes).map_err(|_| malformed(Shape::NotAJsonObject))?;
    let members = object_members(text).map_err(|wrong| {
        malformed(match wrong {
            NotCanonical::RepeatedName => Shape::RepeatedName,
            _ => Shape::NotAJsonObject,
        })
    })?;
    let members = members.into_iter();
    Ok(members
        .map(|(name, value)| (name, value.get().to_owned()))
        .collect())
}

/// `exp` and `iat` are demanded, because a token without an end would hold for ever.
fn valid_ms(claims: &Named, form: &TokenForm) -> Option<(i64, i64)> {
    // RFC 7519, section 2: a NumericDate may have a fraction, which is left out.
    let seconds = |name| {
        let json = find(claims, name)?;
        time::parse(
            json.split_once('.').map_or(json, |(whole, _)| whole),
            TimeUnit::Seconds,
        )
    };
    let (issued, expires) = (seconds("iat")?, seconds("exp")?);
    let lifetime_ms = i64::from(form.lifetime_seconds_max) * 1_000;
    let begins = match find(claims, "nbf") {
        None => issued,
        Some(_) => seconds("nbf")?.max(issued),
    };
    (begins <= expires && expires - issued <= lifetime_ms).then_some((begins, expires))
}
