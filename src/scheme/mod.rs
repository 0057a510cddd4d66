//! How a provider signs, as data.
//!
//! A [`Scheme`] says where the signature, the time and the id of a delivery stand and which bytes
//! are signed, in what order. The built-in schemes (`src/schemes/*.toml`) and the ones a user
//! writes in `sources.toml` share this one vocabulary, and [`crate::verify`] is the one interpreter.
//! What the vocabulary cannot say is added as a variant that names the idea; there is no code per
//! provider, so "what can this gate verify?" stays a list one can read.
//!
//! A scheme is checked ([`Scheme::faults`]) when the Worker is built: an entry whose identity is
//! not signed, or whose signed string could be read two ways, never reaches production.

#[cfg(not(target_arch = "wasm32"))]
mod about;
mod bearer;
mod jws;
mod label;
mod lint;
mod places;
mod signed;
mod stream;
mod text;

use serde::{Deserialize, Deserializer, Serialize};

#[cfg(not(target_arch = "wasm32"))]
pub use about::About;
pub use bearer::BearerRule;
pub use label::Label;

/// One way of signing a webhook.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// Who signs this way, for people.
    pub provider: String,
    /// The provider's page that defines the scheme.
    pub page: String,
    /// HTTP methods that deliver an event. Anything else is answered 405.
    #[serde(default = "post_only")]
    pub methods: Vec<String>,
    /// What may stand behind the source's name in the path (`/hooks/{source}/…`), each in full.
    #[serde(default)]
    pub subpaths: Vec<String>,
    pub algorithm: Algorithm,
    pub key: KeyForm,
    pub signature: SignatureForm,
    /// What is signed, in order. Must contain the whole content of the event; empty only where
    /// nothing is signed ([`Algorithm::Credential`]).
    pub signed: Vec<Part>,
    /// What must be true of the token, where the signature is one ([`SignatureEncoding::Jws`]): each
    /// `NAME=VALUE`. The value `sha256-hex:body` is that digest of the body, and binds the body.
    #[serde(default)]
    pub claims: Vec<String>,
    /// The signed time, where the scheme has one.
    #[serde(default)]
    pub time: Option<TimeForm>,
    /// Where [`Part::Id`] stands.
    #[serde(default)]
    pub id: Option<Place>,
    /// Where [`Part::Nonce`] stands: different on every attempt, so never part of a digest identity.
    #[serde(default)]
    pub nonce: Option<Place>,
    /// What makes two deliveries the same event. The first rule whose places are all present is
    /// used; where none is, the digest of the signed parts is, because a genuine event is never
    /// turned away for lacking an id. A scheme must state at least one rule: keys taken from an
    /// unsigned id would let one captured request in as often as the attacker likes.
    pub identity: Vec<IdentityRule>,
    /// What the provider calls the event: a label for the backend, never a key. The first that is
    /// there is used.
    #[serde(default)]
    pub event_id: Vec<Label>,
    /// The provider's event type: a label for the backend.
    #[serde(default)]
    pub event_type: Vec<Label>,
    /// Header names passed on to the backend, besides `content-type` and `content-encoding`.
    /// A trailing `*` matches the rest of a name.
    #[serde(default, deserialize_with = "lower_case")]
    pub carry: Vec<String>,
    /// Headers of `carry` whose value is a live credential; replaced before anything is held.
    #[serde(default, deserialize_with = "lower_case")]
    pub credentials: Vec<String>,
    /// Members of the content whose values KooGallery encrypts ([`crate::koogallery::EncryptedField`]).
    #[serde(default)]
    pub encrypted_fields: Vec<String>,
    /// How the sender wants to be answered.
    #[serde(default)]
    pub answer: AnswerStyle,
    /// The exact answer to an accepted event or a duplicate, where the provider demands one.
    #[serde(default)]
    pub accepted: Option<ExactAnswer>,
    /// A signed message that asks for an echo instead of bringing an event.
    #[serde(default)]
    pub challenge: Option<Challenge>,
    /// The event type of messages that ask for an answer and bring no event.
    #[serde(default)]
    pub question: Option<String>,
    /// Origins that the provider documents and that may ask for permission to send: CloudEvents'
    /// abuse protection, `OPTIONS` with `WebHook-Request-Origin`, answered with
    /// `WebHook-Allowed-Origin`. A source may name more; whoever is not named is answered 405. It lets
    /// nobody in: events still bring their credential.
    ///
    /// Source: <https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md>, section 4.
    #[serde(default)]
    pub allowed_origins: Vec<String>,
    /// Milliseconds until the sender must have its answer: 0.6 × the provider's documented
    /// time-out, at most 5,000.
    pub answer_by_ms: u32,
    /// Seconds over which the provider may send one event again by itself; 0 where it never does.
    pub retry_horizon_seconds: u32,
}

/// Header names have no case; the platform writes them small.
fn lower_case<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<String>, D::Error> {
    let names = Vec::<String>::deserialize(reader)?;
    Ok(names.iter().map(|name| name.to_ascii_lowercase()).collect())
}

fn post_only() -> Vec<String> {
    vec!["POST".to_owned()]
}

/// How the sender proves itself: by a keyed hash, but for the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    HmacSha1,
    HmacSha256,
    HmacSha512,
    /// The signature is the shared secret itself, as it travels. The body is not signed: whoever
    /// has seen one request can send any other.
    Credential,
}

impl Algorithm {
    /// Length of a signature in bytes.
    pub const fn tag_bytes(self) -> usize {
        match self {
            Algorithm::HmacSha1 => 20,
            // A credential is compared by its SHA-256.
            Algorithm::HmacSha256 | Algorithm::Credential => 32,
            Algorithm::HmacSha512 => 64,
        }
    }
}

/// How the text of a secret becomes the key of the MAC.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KeyForm {
    pub encoding: KeyEncoding,
    /// Prefixes of which the first that is there is removed before decoding.
    #[serde(default)]
    pub strip: Vec<String>,
    /// A value of the request whose characters are appended to the key.
    #[serde(default)]
    pub append: Option<Place>,
}

/// Keys are decoded leniently (padding optional, trailing bits ignored): providers print them so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyEncoding {
    Utf8,
    Base64,
    Hex,
}

/// Where the signature stands and how it is written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureForm {
    pub at: Place,
    /// Where a credential may stand instead, in its own characters.
    #[serde(default)]
    pub or: Vec<Place>,
    /// What stands in front of the list.
    #[serde(default)]
    pub prefix: Option<String>,
    /// Separator of a list of items, as in `t=1,v1=…,v1=…`.
    #[serde(default)]
    pub split: Option<String>,
    /// Separator of name and value inside an item.
    #[serde(default)]
    pub pair: Option<String>,
    /// Names of the items that are signatures; other names are ignored.
    #[serde(default)]
    pub take: Vec<String>,
    /// A prefix that must be there and is removed.
    #[serde(default)]
    pub strip: Option<String>,
    pub encoding: SignatureEncoding,
}

/// Signatures are decoded strictly: a second spelling of one signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureEncoding {
    /// Lower-case hex.
    Hex,
    /// Hex whose case the provider does not fix.
    HexAnyCase,
    /// RFC 4648 section 4, padded, canonical.
    Base64,
    /// A credential in its own characters.
    Verbatim,
    /// A compact JWS (RFC 7515, section 7.1): the signature is what stands behind the last dot.
    Jws,
}

/// The signed time of an attempt or of an event.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TimeForm {
    pub at: Place,
    pub unit: TimeUnit,
    /// How old a delivery may be, in seconds. A source may set its own.
    pub tolerance_seconds: u32,
    /// How far ahead of our clock a delivery may be, in seconds.
    pub future_seconds: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeUnit {
    /// Unix seconds: canonical decimal, no sign, no leading zero, at most 11 digits.
    Seconds,
    /// Unix milliseconds: exactly 13 digits (years 2001 to 2286).
    Milliseconds,
    /// `yyyyMMddHHmmssSSS` in UTC: exactly 17 digits.
    CompactUtc,
    /// `yyyyMMdd'T'HHmmss'Z'`: exactly 16 characters.
    BasicUtc,
}

impl TimeUnit {
    /// How much later than its stamp a delivery of this unit may have been signed: a stamp in
    /// seconds leaves out up to 999 ms, which tolerances are not meant to count.
    pub const fn grain_ms(self) -> i64 {
        match self {
            TimeUnit::Seconds | TimeUnit::BasicUtc => 999,
            TimeUnit::Milliseconds | TimeUnit::CompactUtc => 0,
        }
    }

    /// Whether every value has the same length, so that it needs no delimiter.
    pub const fn has_fixed_length(self) -> bool {
        match self {
            TimeUnit::Seconds => false,
            TimeUnit::Milliseconds | TimeUnit::CompactUtc | TimeUnit::BasicUtc => true,
        }
    }
}

/// A place in a request where a value may stand.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Place {
    /// A header, by its lower-case name.
    Header(String),
    /// A query parameter, percent-decoded.
    Query(String),
    /// A JSON pointer (RFC 6901) into the body; strings and integers have a value there.
    Json(String),
    /// A field of an `application/x-www-form-urlencoded` body.
    Form(String),
    /// A named item of the signature's list (`t` in `t=1,v1=…`).
    SignatureField(String),
    /// A context attribute of a CloudEvent: a header in binary mode, a member of the body in
    /// structured mode; a batch has none ([`crate::cloudevents`]).
    CloudEvent(String),
    /// The last segment of the path, as received.
    LastSegment,
}

/// A piece of the signed string.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Part {
    /// The body's bytes as received.
    Body,
    /// The characters of the signed time as received.
    Time,
    /// The characters of the signed id as received.
    Id,
    /// The characters of the nonce as received.
    Nonce,
    /// The characters of the secret, as a part (besides being the key).
    Secret,
    Literal(String),
    /// The body as JSON with its top-level members sorted by name, nulls dropped, written
    /// compactly. The backend is given this form, because this is what was verified.
    SortedJson,
    /// The query's decoded `name=value` pairs sorted by name and joined by `&`, without the named
    /// parameter. The backend is given these pairs, form-encoded.
    SortedQueryExcept(String),
    /// The body as JSON with nothing inside its members, as `name=value` sorted by name and joined
    /// by `&`; what is empty is left out. The backend is given these members.
    SortedFields,
    /// Everything of a compact JWS but its signature. The token binds the body ([`Scheme::claims`]).
    Jws,
    /// Method, path, query, the headers that the signature's list names, and SHA-256 of the body,
    /// in Huawei's canonical form ([`crate::verify`]).
    CanonicalRequest,
    /// The lower-case hex of the same MAC, under the same key, over another part.
    MacHex(Box<Part>),
    /// The lower-case hex of SHA-256 over another part.
    Sha256Hex(Box<Part>),
}

/// What makes two deliveries the same event.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityRule {
    /// The signed id.
    SignedId(Place),
    /// Several signed values together.
    Fields(Vec<Place>),
    /// SHA-256 over the signed parts, without the time and the nonce of the attempt; over the body
    /// where nothing is signed.
    Digest(DigestRule),
    /// Values that are not signed, where nothing is: a name, no proof.
    Bearer(BearerRule),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DigestRule {
    /// An unsigned header that tells events with equal bodies apart. Only values listed in the
    /// source's `discriminator_values` count, so that a captured request can be replayed at most
    /// once for each of the others, and once more for all other values together. Those share one
    /// identity, so a source should list every value it can get.
    #[serde(default)]
    pub discriminator: Option<Place>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerStyle {
    /// The status says it all.
    #[default]
    Plain,
    /// HTTP 200 with a `resultCode` and a signed body ([`crate::koogallery`]).
    Koogallery,
}

/// What a provider demands to read when it hands an event over.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ExactAnswer {
    /// 200 to 299.
    pub status: u16,
    #[serde(default)]
    pub content_type: Option<String>,
    #[serde(default)]
    pub body: String,
}

/// A verified message that wants its own value back (Slack's `url_verification`).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    /// The place and the value that mark such a message.
    pub at: Place,
    pub equals: String,
    /// The value that is echoed as `text/plain`: at most 512 printable ASCII characters.
    pub echo: Place,
}

/// Headers that are carried whatever the scheme says: without them the body cannot be read.
pub const ALWAYS_CARRIED: [&str; 2] = ["content-type", "content-encoding"];
