//! Signing as a provider would, from the same table that verifies: for trying the gate out.
//!
//! This proves nothing about a provider (both sides read one table); the vectors and the
//! providers' own SDKs in `tests/` do that.

mod in_body;
mod sample;
mod stated;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
pub use sample::sample;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::hex;
use crate::keys::LiveKey;
use crate::public_key::rules::Pins;
use crate::request::{Head, Inbound, encode_pairs};
use crate::scheme::{
    Claimed, IdentityRule, KeyEncoding, Label, Part, Place, Scheme, SignatureEncoding,
};
use crate::verify::{Claims, query_string_hash, tag, verify};

/// A request to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    pub method: String,
    /// Path and query.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What to sign.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    pub source: &'a str,
    pub scheme: &'a Scheme,
    /// For a scheme that signs a query: the query, form-encoded.
    pub body: &'a [u8],
    pub event_id: &'a str,
    /// Goes where the scheme has an unsigned header for the event's type.
    pub event_type: &'a str,
    pub nonce: &'a str,
    pub time_ms: i64,
    /// The source's, for schemes that sign some.
    pub pins: &'a Pins,
}

/// Signs a draft.
///
/// # Errors
/// A sentence: the scheme's signed string cannot be built from this body.
pub fn sign(draft: &Draft<'_>, key: &LiveKey) -> Result<Signed, String> {
    let scheme = draft.scheme;
    if let Some(why) = unsignable(scheme) {
        return Err(why);
    }
    let mut claims = Claims::to_sign(scheme, draft.time_ms, draft.event_id, draft.nonce);
    claims.take_pins(draft.pins);
    let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    let mut query: Vec<(String, String)> = Vec::new();
    let (content_query, body) = if scheme.content_is_query() {
        headers.clear();
        (
            String::from_utf8_lossy(draft.body).trim().to_owned(),
            Vec::new(),
        )
    } else {
        (String::new(), in_body::values(draft, claims.time_text()))
    };

    let mut put = |place: &Place, value: &str| match place {
        Place::Header(name) => headers.push((name.clone(), value.to_owned())),
        Place::Query(name) => query.push((name.clone(), value.to_owned())),
        Place::CloudEvent(name) => headers.push((format!("ce-{name}"), value.to_owned())),
        Place::Json(_)
        | Place::Form(_)
        | Place::SignatureField(_)
        | Place::LastSegment
        | Place::Claim(_) => {}
    };
    if let (Some(form), Some(text)) = (&scheme.time, claims.time_text()) {
        put(&form.at, text);
    }
    if let Some(place) = &scheme.id {
        put(place, draft.event_id);
    }
    if let Some(place) = &scheme.nonce {
        put(place, draft.nonce);
    }
    for place in scheme
        .event_id
        .iter()
        .filter_map(Label::place)
        .filter(|place| !scheme.is_signed(place))
        .take(1)
    {
        put(place, draft.event_id);
    }
    for place in scheme
        .event_type
        .iter()
        .filter_map(Label::place)
        .filter(|place| !scheme.is_signed(place))
        .take(1)
    {
        put(place, draft.event_type);
    }
    for rule in &scheme.identity {
        if let IdentityRule::Digest(digest) = rule
            && let Some(place) = &digest.discriminator
            && !scheme
                .event_type
                .iter()
                .any(|label| label.place() == Some(place))
        {
            put(place, draft.event_type);
        }
    }
    if scheme.reads_cloudevents() {
        for (name, value) in [
            ("ce-specversion", "1.0"),
            ("ce-source", "/hookgate/sign"),
            ("ce-id", draft.event_id),
            ("ce-type", draft.event_type),
        ] {
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    let target = |query: &[(String, String)]| {
        let mut parts: Vec<String> = Vec::new();
        if !content_query.is_empty() {
            parts.push(content_query.clone());
        }
        if !query.is_empty() {
            parts.push(encode_pairs(query));
        }
        let separator = if parts.is_empty() { "" } else { "?" };
        format!("/hooks/{}{separator}{}", draft.source, parts.join("&"))
    };
    if scheme.states_mac() {
        stated::state(draft, &mut claims, &mut headers, &mut query, &body);
    }
    let method = scheme
        .methods
        .first()
        .cloned()
        .unwrap_or_else(|| "POST".to_owned());
    let head = Head::new(&method, &target(&query), headers.clone());
    let inbound = Inbound::new(&head, &body, &[]);
    if scheme.states_mac() {
        claims.take_url(stated::url(draft, &head));
    }
    if let Some(form) = &scheme.token {
        claims.token = Some(stated::token(draft, form, &inbound)?);
    }
    let written = signature(scheme, key, claims, &inbound)?;
    let mut body = body;
    match &scheme.signature.at {
        Place::Json(pointer) => body = in_body::insert(&body, &[(pointer, written)]),
        Place::Query(name) => query.push((name.clone(), written)),
        place => headers.push((name_of(place), written)),
    }
    Ok(Signed {
        target: target(&query),
        method,
        headers,
        body,
    })
}

/// What the holder of `key` puts where the signature of this request belongs.
///
/// # Errors
/// A sentence: the scheme's signed string cannot be built from this request.
pub fn signature(
    scheme: &Scheme,
    key: &LiveKey,
    mut claims: Claims,
    inbound: &Inbound<'_, '_>,
) -> Result<String, String> {
    if scheme.is_bearer() {
        return Ok(write_credential(scheme, key));
    }
    if scheme.is_jws() {
        claims.token = Some(jws(scheme, inbound)?);
    }
    let tag = tag(scheme, key, &claims, inbound).map_err(|reject| {
        format!(
            "cannot be signed: {} {:?}",
            reject.name(),
            reject.evidence()
        )
    })?;
    Ok(write_signature(scheme, &claims, &tag))
}

/// Signs a made-up request and reads it back: a scheme that cannot verify its own signature would
/// refuse every delivery, and tell the senders that it is their fault.
///
/// # Errors
/// A sentence: what came of the request.
pub fn self_test(scheme: &Scheme) -> Result<(), String> {
    // There is no private key here.
    if scheme.is_public() {
        return Ok(());
    }
    // Decodes as text, as base64 and as hex.
    let secret = "0123456789abcdef0123456789abcdef";
    let broken = |what: &str| format!("a request signed by this scheme does not verify: {what}");
    let key = LiveKey::new("SELF_TEST", secret, &scheme.key, scheme.algorithm)
        .map_err(|_| broken("no key"))?;
    let body: &[u8] = if scheme.content_is_query() || sample::is_form(scheme) {
        b"a=1&b=2"
    } else if scheme.signed.contains(&Part::FirstItem) {
        br#"[{"a":"1"},{"b":2}]"#
    } else {
        br#"{"a":"1","b":2}"#
    };
    let url = "https://gate.example/hooks/self-test";
    let pins = scheme.pins.iter();
    let pins = pins.map(|pin| (pin.name.clone(), url.to_owned()));
    let pins: Pins = pins.collect();
    let signed = sign(
        &Draft {
            source: "self-test",
            scheme,
            body,
            event_id: "event-1",
            event_type: &a_type(scheme, "type"),
            nonce: "nonce-1",
            time_ms: 1_760_000_000_000,
            pins: &pins,
        },
        &key,
    )
    .map_err(|error| broken(&error))?;
    let head = Head::new(&signed.method, &signed.target, signed.headers);
    if scheme.states_mac() {
        let inbound = Inbound::new(&head, &signed.body, &[]);
        return stated::is_taken(scheme, secret, &pins, &inbound).map_err(broken);
    }
    let mut claims = Claims::read(scheme, &head).map_err(|reject| broken(reject.name()))?;
    claims.take_pins(&pins);
    verify(
        scheme,
        &[key],
        &claims,
        &Inbound::new(&head, &signed.body, &[]),
        None,
    )
    .map(|_| ())
    .map_err(|reject| broken(reject.name()))
}

/// Changes one letter or digit, as a forger would.
pub fn tamper(signed: &mut Signed) {
    let flip = |byte: u8| {
        if byte.is_ascii_digit() {
            b'0' + (byte - b'0' + 1) % 10
        } else {
            byte ^ 0x20
        }
    };
    if let Some(byte) = signed
        .body
        .iter_mut()
        .rev()
        .find(|byte| byte.is_ascii_alphanumeric())
    {
        *byte = flip(*byte);
    } else if let Some((path, query)) = signed.target.split_once('?') {
        signed.target = format!("{path}?tampered=1&{query}");
    } else {
        signed.body.push(b'x');
    }
}

/// An event's type, from a word: of as many parts as the scheme wants one to have.
pub fn a_type(scheme: &Scheme, word: &str) -> String {
    let parts = scheme.named_headers.as_ref().map_or(1, |form| {
        let names = form.of_the_event.iter();
        1 + names
            .map(|name| form.separators_in(name))
            .max()
            .unwrap_or(0)
    });
    let between = scheme.named_headers.as_ref().map_or("", |form| &form.join);
    vec![word; parts].join(between)
}

/// Why nobody but its sender can sign so, and what to do instead. `None`: a secret is all it takes.
pub fn unsignable(scheme: &Scheme) -> Option<String> {
    if !scheme.is_public() {
        return None;
    }
    let provider = &scheme.provider;
    let instead = match scheme.key.encoding {
        KeyEncoding::PublicKey => {
            "make a pair of keys, give the source the public one, and sign with the sender's library".to_owned()
        }
        _ => format!("have {provider} send one ({})", scheme.page),
    };
    Some(format!(
        "cannot be signed: {provider} signs with a private key, of which the gate knows the public half. For a first event {instead}"
    ))
}

fn write_signature(scheme: &Scheme, claims: &Claims, tag: &[u8]) -> String {
    let form = &scheme.signature;
    if scheme.is_message_signature() {
        return stated::message_signature(tag);
    }
    let encoded = match form.encoding {
        SignatureEncoding::Hex | SignatureEncoding::HexAnyCase => hex::encode(tag),
        SignatureEncoding::Base64 => STANDARD.encode(tag),
        SignatureEncoding::Base64Url => URL_SAFE_NO_PAD.encode(tag),
        SignatureEncoding::Jws | SignatureEncoding::Token | SignatureEncoding::Verbatim => {
            let signed = claims.token.as_deref().unwrap_or_default();
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
        }
    };
    let value = format!("{}{encoded}", form.strip.as_deref().unwrap_or_default());
    let (Some(split), Some(pair), Some(name)) = (&form.split, &form.pair, form.take.first()) else {
        return value;
    };
    let mut items = Vec::new();
    if let Some(time) = &scheme.time
        && let Place::SignatureField(field) = &time.at
    {
        items.push(format!(
            "{field}{pair}{}",
            claims.time_text().unwrap_or_default()
        ));
    }
    let named_at = match scheme.named_headers.as_ref().map(|form| &form.at) {
        None => Some("SignedHeaders"),
        Some(Place::SignatureField(field)) => Some(field.as_str()),
        Some(_) => None,
    };
    if let (Some(names), Some(field)) = (&claims.signed_headers, named_at) {
        items.push(format!("{field}{pair}{names}"));
    }
    items.push(format!("{name}{pair}{value}"));
    let prefix = form.prefix.as_deref().unwrap_or_default();
    format!("{prefix}{}", items.join(split))
}

/// The credential as it travels.
fn write_credential(scheme: &Scheme, key: &LiveKey) -> String {
    let form = &scheme.signature;
    let written = match form.encoding {
        SignatureEncoding::Base64 => STANDARD.encode(key.bytes()),
        _ => String::from_utf8_lossy(key.bytes()).into_owned(),
    };
    format!("{}{written}", form.strip.as_deref().unwrap_or_default())
}

/// Everything of a JWS but its signature.
fn jws(scheme: &Scheme, inbound: &Inbound<'_, '_>) -> Result<String, String> {
    let header = serde_json::json!({ "alg": scheme.algorithm.jws_name(), "typ": "JWT" });
    let claims = Value::Object(claims_of(scheme, inbound)?);
    let encode = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    Ok(format!("{}.{}", encode(header), encode(claims)))
}

/// What the scheme demands of the claims.
fn claims_of(scheme: &Scheme, inbound: &Inbound<'_, '_>) -> Result<Map<String, Value>, String> {
    let mut claims = Map::new();
    for (name, value) in scheme.claim_pairs() {
        let value = match value {
            Claimed::Text(text) => text.to_owned(),
            Claimed::BodyDigest => hex::encode(&Sha256::digest(inbound.body)),
            Claimed::QueryStringHash => query_string_hash(inbound.head)
                .map_err(|reject| format!("cannot be signed: {}", reject.name()))?,
        };
        claims.insert(name.to_owned(), value.into());
    }
    Ok(claims)
}

fn name_of(place: &Place) -> String {
    match place {
        Place::Header(name)
        | Place::Query(name)
        | Place::Json(name)
        | Place::Form(name)
        | Place::SignatureField(name)
        | Place::Claim(name)
        | Place::CloudEvent(name) => name.clone(),
        Place::LastSegment => String::new(),
    }
}
