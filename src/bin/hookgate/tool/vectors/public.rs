//! Vectors whose signature a public key checks: what the receiver knows, and the document that is
//! fetched elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hookgate::admission::{self, Opening};
use hookgate::gate::LiveSource;
use hookgate::json;
use hookgate::public_key::native;
use hookgate::public_key::rules::Pins;
use hookgate::request::{Head, Inbound};
use hookgate::scheme::{CertificateForm, KeyEncoding, PinForm, Place, Scheme, StatedPart};
use hookgate::verdict::Verdict;
use hookgate::verify::Matched;

use super::entry::Entry;

/// What the receiver of a vector knows besides the scheme.
pub struct Setting {
    pub pins: Pins,
    pub public_keys: Vec<String>,
}

/// The scheme as the vector needs it, and what is known. `None`: nothing but the secret.
///
/// A vector says who is expected, or is of its own topic; it cannot say what is not in it. A
/// certificate made for a test cannot bear the provider's name, and the examples of RFC 9421 do not cover
/// what an entry demands.
pub fn setting(entry: &Entry, mut scheme: Scheme) -> (Scheme, Option<Setting>) {
    if !scheme.is_stated() {
        return (scheme, None);
    }
    if let Some(form) = &mut scheme.certificate
        && entry
            .members
            .get("published")
            .and_then(serde_json::Value::as_bool)
            != Some(true)
    {
        form.subjects.clear();
    }
    // A capture whose body was not published can only be checked without it.
    if entry.body.is_empty() {
        scheme.body_md5 = None;
    }
    let is_published = entry
        .members
        .get("published")
        .and_then(serde_json::Value::as_bool);
    if let Some(form) = &mut scheme.message_signature
        && is_published == Some(true)
    {
        form.required.clear();
    }
    let mut public_keys = Vec::new();
    if let Some(certificate) = entry.text("certificate_pem") {
        // The test that it is from hands it over instead of fetching it.
        scheme.certificate = None;
        scheme.key.encoding = KeyEncoding::PublicKey;
        public_keys.push(certificate.to_owned());
    } else if scheme.key.encoding == KeyEncoding::PublicKey {
        let keys = entry.secrets.iter().map(|key| {
            let stripped = scheme
                .key
                .strip
                .iter()
                .find_map(|prefix| key.strip_prefix(prefix));
            stripped.unwrap_or(key).to_owned()
        });
        public_keys.extend(keys);
    } else if let (Some(key), None) = (entry.text("public_key_pem"), entry.text("cert_pem")) {
        // The certificate was not kept, only its key. What its URL may be is looked at all the same.
        scheme.key.encoding = KeyEncoding::PublicKey;
        public_keys.push(key.to_owned());
    }
    let head = entry.head();
    let signed_pins: Vec<String> = scheme
        .stated_parts()
        .filter_map(|part| match part {
            StatedPart::Pin(name) => Some(name.clone()),
            _ => None,
        })
        .collect();
    let token = entry.head().value_at(&scheme.signature.at).ok();
    let claim = |pin: &PinForm| claim_of(token.as_deref()?, pin);
    let mut pins = Pins::default();
    scheme.pins.retain(|pin| {
        let value = match signed_pins.contains(&pin.name) {
            true => entry.secrets.first().cloned(),
            false => pin_of(entry, scheme.certificate.as_ref(), pin, &head).or_else(|| claim(pin)),
        };
        value.is_some_and(|value| pins.insert(pin.name.clone(), value).is_none())
    });
    (scheme, Some(Setting { pins, public_keys }))
}

/// The proof of a vector, where a public key makes it.
pub fn prove(
    entry: &Entry,
    live: &LiveSource,
    opening: &mut Opening,
    inbound: &Inbound<'_, '_>,
    now_ms: i64,
) -> Result<Option<Matched>, Verdict> {
    if !live.scheme.is_public() {
        return Ok(None);
    }
    let statement = admission::state(live, opening, inbound, now_ms)?;
    let set = entry.members.get("jwks").map(ToString::to_string);
    let document = entry.text("cert_pem").map(str::to_owned).or(set);
    let proof = native::settle(live, &statement, |_| document.clone(), now_ms)?;
    Ok(Some(opening.signed(proof)))
}

fn pin_of(
    entry: &Entry,
    certificate: Option<&CertificateForm>,
    pin: &PinForm,
    head: &Head,
) -> Option<String> {
    let inbound = Inbound::new(head, &entry.body, &[]);
    match pin.name.as_str() {
        "audience" => return entry.text("expected_audience").map(str::to_owned),
        "service_account" => return entry.text("expected_email").map(str::to_owned),
        "tenant" => {
            let mut words = entry.text("expected_issuer")?.split('/');
            return words.find(|word| word.len() == 36).map(str::to_owned);
        }
        "url" => return Some(entry.url.split('?').next()?.to_owned()),
        // Where nothing else does, the host of the key says which region is meant.
        "region" => return region_of(certificate?, &inbound),
        _ => {}
    }
    if let Some(only) = pin.one_of.first() {
        return Some(only.clone());
    }
    let value_at = |place: &Place| inbound.value_at(place).ok();
    pin.at.iter().find_map(value_at)
}

/// The claim that a pin is compared with.
fn claim_of(token: &str, pin: &PinForm) -> Option<String> {
    let [Place::Claim(name)] = pin.at.as_slice() else {
        return None;
    };
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    json::find(&payload, &[&format!("/{name}")]).pop()?
}

fn region_of(form: &CertificateForm, inbound: &Inbound<'_, '_>) -> Option<String> {
    let written = inbound.value_at(&form.at).ok()?;
    let url = match form.base64 {
        true => String::from_utf8(STANDARD.decode(written).ok()?).ok()?,
        false => written,
    };
    let allows = |region: &&String| {
        let pins = Pins::from([("region".to_owned(), (*region).clone())]);
        form.allows(&url, &pins)
    };
    form.regions.iter().find(allows).cloned()
}
