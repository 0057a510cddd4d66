//! What a sender states beside the message, as it would: for schemes that make a MAC over such things.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::sample::is_form;
use super::{Draft, claims_of};
use crate::by_name::ByName;
use crate::config::Config;
use crate::gate::Gate;
use crate::hex;
use crate::public_key::rules::Pins;
use crate::request::{Head, Inbound};
use crate::scheme::{NamedHeadersForm, Place, Scheme, TokenForm};
use crate::verify::{Claims, Statement};

/// A token is for a call that is made at once.
const TOKEN_SECONDS: u32 = 180;
/// The label of a message signature: any will do (RFC 9421, section 4).
const LABEL: &str = "hookgate";

type Headers = Vec<(String, String)>;

/// Puts what is to be signed into the head, and into the claims.
pub(super) fn state(
    draft: &Draft<'_>,
    claims: &mut Claims,
    headers: &mut Headers,
    query: &mut Headers,
    body: &[u8],
) {
    let scheme = draft.scheme;
    if is_form(scheme) {
        // What is no form is signed by its digest, which stands last in the URL.
        if body.starts_with(b"{") || body.starts_with(b"[") {
            let digest = hex::encode(&Sha256::digest(body));
            query.push(("bodySHA256".to_owned(), digest));
        } else {
            headers.clear();
            let form = "application/x-www-form-urlencoded";
            headers.push(("Content-Type".to_owned(), form.to_owned()));
        }
    }
    if let Some(form) = &scheme.named_headers {
        name_headers(draft, form, claims, headers);
    }
    if let Some(form) = &scheme.message_signature {
        let least = || vec!["@method".to_owned(), "content-digest".to_owned()];
        let components = form.required.first().cloned().unwrap_or_else(least);
        let digest = STANDARD.encode(Sha256::digest(body));
        headers.push(("Content-Digest".to_owned(), format!("sha-256=:{digest}:")));
        for name in components.iter().filter(|name| !name.starts_with('@')) {
            if !has(headers, name) {
                headers.push((name.clone(), draft.event_id.to_owned()));
            }
        }
        let listed: Vec<String> = components
            .iter()
            .map(|name| format!("\"{name}\""))
            .collect();
        let created = claims.time_text().unwrap_or_default();
        let params = format!("({});created={created}", listed.join(" "));
        headers.push(("Signature-Input".to_owned(), format!("{LABEL}={params}")));
        claims.cover(components, params);
    }
}

/// Those that must be named and those that tell events apart, and a value for each.
fn name_headers(
    draft: &Draft<'_>,
    form: &NamedHeadersForm,
    claims: &mut Claims,
    headers: &mut Headers,
) {
    for name in &form.of_the_event {
        // The type is what is made of several words.
        let value = match form.separators_in(name) {
            0 => draft.event_id,
            _ => draft.event_type,
        };
        if !has(headers, name) {
            headers.push((name.clone(), value.to_owned()));
        }
    }
    let mut names: Vec<&str> = form.required.iter().map(String::as_str).collect();
    let more = form.of_the_event.iter().map(String::as_str);
    names.extend(more.filter(|name| !form.required.iter().any(|known| known == name)));
    let names = names.join(&form.split);
    if let Place::Header(at) = &form.at {
        headers.push((at.clone(), names.clone()));
    }
    claims.signed_headers = Some(names);
}

fn has(headers: &Headers, name: &str) -> bool {
    let mut known = headers.iter().map(|(known, _)| known);
    known.any(|known| known.eq_ignore_ascii_case(name))
}

/// A member of a message signature's dictionary (RFC 9421, section 4.2).
pub(super) fn message_signature(tag: &[u8]) -> String {
    format!("{LABEL}=:{}:", STANDARD.encode(tag))
}

/// A token for this request, without its signature.
///
/// # Errors
/// A sentence: what it must claim cannot be told.
pub(super) fn token(
    draft: &Draft<'_>,
    form: &TokenForm,
    inbound: &Inbound<'_, '_>,
) -> Result<String, String> {
    let scheme = draft.scheme;
    let issued = draft.time_ms.div_euclid(1_000);
    let seconds = TOKEN_SECONDS.min(form.lifetime_seconds_max);
    let mut claims = Map::new();
    claims.insert("iat".to_owned(), issued.into());
    claims.insert("exp".to_owned(), (issued + i64::from(seconds)).into());
    for name in &form.true_claims {
        claims.insert(name.clone(), true.into());
    }
    if let Some(issuer) = form.issuers.iter().find_map(|known| known.fill(draft.pins)) {
        claims.insert("iss".to_owned(), issuer.into());
    }
    for pin in &scheme.pins {
        let stated = pin.at.iter().find_map(|place| match place {
            Place::Claim(name) => Some(name.clone()),
            _ => None,
        });
        if let (Some(name), Some(value)) = (stated, draft.pins.get(&pin.name)) {
            claims.insert(name, value.as_str().into());
        }
    }
    claims.extend(claims_of(scheme, inbound)?);
    let header = json!({ "alg": form.alg, "typ": "JWT" });
    let encode = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    Ok(format!("{}.{}", encode(header), encode(claims.into())))
}

/// Whether a gate with this secret and these pins takes what was signed.
///
/// # Errors
/// The name of the refusal, or what is wrong with the gate.
pub(super) fn is_taken(
    scheme: &Scheme,
    secret: &str,
    pins: &Pins,
    inbound: &Inbound<'_, '_>,
) -> Result<(), &'static str> {
    const NAME: &str = "self-test";
    let source = json!({
        "tenant": NAME,
        "scheme": NAME,
        "secrets": ["SELF_TEST"],
        "pins": pins,
        "destination": NAME,
        "dedup_retention_seconds": 2_592_000,
    });
    let source = serde_json::from_value(source).map_err(|_| "no source")?;
    let config = Config {
        version: 1,
        queue_retention_seconds: 345_600,
        diagnosis: false,
        access: false,
        destinations: ByName::default(),
        sources: [(NAME.to_owned(), source)].into_iter().collect(),
        tenants: ByName::default(),
        schemes: [(NAME.to_owned(), scheme.clone())].into_iter().collect(),
        audit: Default::default(),
        alerts: Default::default(),
    };
    let gate = Gate::assemble(config, "test", |_| Some(secret.to_owned()));
    let live = gate.source(NAME).ok_or("no source")?;
    let (statement, _) = Statement::read(live, inbound).map_err(|reject| reject.name())?;
    let found = statement.matched(live);
    found.map(|_| ()).ok_or("signature_mismatch")
}

/// The URL as the provider knows it: the pinned one, with the query as it is sent.
pub(super) fn url(draft: &Draft<'_>, head: &Head) -> Option<String> {
    let url = draft.pins.get("url")?;
    Some(match &head.query {
        None => url.clone(),
        Some(query) => format!("{url}?{query}"),
    })
}
