//! Where the key of a message is: what the message says of it, within the entry's rules.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{jws, missing_part};
use crate::gate::LiveSource;
use crate::public_key::document::URL_BYTES_MAX;
use crate::public_key::token::Token;
use crate::request::Inbound;
use crate::scheme::{KeyEncoding, KeyRequestForm};
use crate::verdict::{Reject, Shape};

/// Where the key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyAt {
    /// The source has it.
    Own,
    /// In a certificate.
    Url(String),
    /// In a set, under this id.
    Set { url: String, id: String },
    /// Given out by its id. `body` asks for it, and has credentials in it; `url` ends with the id behind a `#`,
    /// which is never sent, so that each key is a document of its own.
    Asked {
        url: String,
        id: String,
        body: Secret,
    },
}

/// What is sent to the provider and shown to nobody else.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[REDACTED]")
    }
}

impl KeyAt {
    /// The document's URL. Of a source's own key there is none.
    pub fn url(&self) -> &str {
        match self {
            KeyAt::Own => "",
            KeyAt::Url(url) | KeyAt::Set { url, .. } | KeyAt::Asked { url, .. } => url,
        }
    }

    /// The key's id in a set.
    pub fn id(&self) -> &str {
        match self {
            KeyAt::Own | KeyAt::Url(_) => "",
            KeyAt::Set { id, .. } | KeyAt::Asked { id, .. } => id,
        }
    }

    /// What is posted to the document's URL, where it is not simply read.
    pub fn request(&self) -> Option<&Secret> {
        match self {
            KeyAt::Asked { body, .. } => Some(body),
            KeyAt::Own | KeyAt::Url(_) | KeyAt::Set { .. } => None,
        }
    }
}

pub(super) fn key_at(
    live: &LiveSource,
    inbound: &Inbound<'_, '_>,
    token: Option<&Token>,
) -> Result<KeyAt, Reject> {
    let scheme = &live.scheme;
    let allowed = match &scheme.certificate {
        None => None,
        Some(form) => {
            let mut url = inbound.value_at(&form.at).map_err(missing_part)?;
            if form.base64 {
                let bytes = STANDARD.decode(&url).ok();
                let decoded = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
                url = decoded.ok_or(Reject::MalformedSignedPart(Shape::NotBase64))?;
            }
            let allowed = url.len() <= URL_BYTES_MAX && form.allows(&url, &live.pins);
            Some(allowed.then_some(url).ok_or(Reject::UrlNotAllowed)?)
        }
    };
    Ok(
        match (scheme.key.encoding, allowed, &scheme.key_set, token) {
            (KeyEncoding::Certificate, Some(url), _, _) => KeyAt::Url(url),
            (KeyEncoding::KeySet, _, Some(form), Some(token)) => KeyAt::Set {
                url: form.url.fill(&live.pins).ok_or(Reject::UrlNotAllowed)?,
                id: token.key_id.clone(),
            },
            _ => KeyAt::Own,
        },
    )
}

/// The key that a JWS names, to be asked for with what the source pins.
pub(super) fn key_asked(
    form: &KeyRequestForm,
    live: &LiveSource,
    signed_token: Option<&str>,
) -> Result<KeyAt, Reject> {
    let id = signed_token.and_then(jws::key_id);
    let id = id.ok_or(Reject::TokenNotAllowed)?;
    let url = form.url.fill(&live.pins).ok_or(Reject::UrlNotAllowed)?;
    let mut members = serde_json::Map::new();
    for name in &form.pins {
        // `open` closed the source if it has none.
        let value = live.pins.get(name).ok_or(Reject::PinMismatch)?;
        members.insert(name.clone(), value.as_str().into());
    }
    members.insert(form.id.clone(), id.as_str().into());
    Ok(KeyAt::Asked {
        url: format!("{url}#{id}"),
        id,
        body: Secret(serde_json::Value::Object(members).to_string()),
    })
}
