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
mod forms;
mod handshake;
mod jws;
mod label;
mod lint;
mod lint_keyed;
#[cfg(not(target_arch = "wasm32"))]
mod lint_own;
mod lint_public;
mod lint_stated;
mod places;
mod public;
mod signed;
mod stated;
mod stream;
mod template;
mod text;

use serde::{Deserialize, Deserializer, Serialize};

use crate::by_name::ByName;

#[cfg(not(target_arch = "wasm32"))]
pub use about::{About, Proof};
pub use bearer::BearerRule;
pub use forms::{
    Algorithm, KeyEncoding, KeyForm, SignatureEncoding, SignatureForm, TimeForm, TimeUnit,
};
pub use handshake::{ECHO_HEADERS, Echoed, Handshake, Member, Trust, is_token};
pub use jws::Claimed;
pub use label::Label;
pub use public::{
    CertificateForm, Confirm, KeyRequestForm, KeySetForm, LinesForm, LinesOf, PinForm, SignedLine,
    TokenForm, VersionForm,
};
use public::{where_pinned, where_used};
pub use stated::{JoinedForm, MessageSignatureForm, NamedHeadersForm, StatedPart};
pub use template::{Known, Template};

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
    /// Where the message names another algorithm by its version.
    #[serde(default, deserialize_with = "where_used")]
    pub version: Option<VersionForm>,
    pub key: KeyForm,
    /// Where the key comes from with `key.encoding = "certificate"`.
    #[serde(default, deserialize_with = "where_used")]
    pub certificate: Option<CertificateForm>,
    /// Where the key comes from with `key.encoding = "key-set"`.
    #[serde(default, deserialize_with = "where_used")]
    pub key_set: Option<KeySetForm>,
    /// Where the key comes from with `key.encoding = "key-request"`.
    #[serde(default, deserialize_with = "where_used")]
    pub key_request: Option<KeyRequestForm>,
    /// What a source must state, because the key is the provider's and not the sender's: whose
    /// messages these are. Or because it is signed and stands nowhere in the request: the URL.
    #[serde(default, deserialize_with = "where_pinned")]
    pub pins: Vec<PinForm>,
    pub signature: SignatureForm,
    /// What is signed, in order. Must contain the whole content of the event; empty only where
    /// nothing is signed ([`Algorithm::Credential`]).
    pub signed: Vec<Part>,
    /// `signed` leaves the rest of the event out, so that it proves the sender as a credential does, and
    /// no more.
    #[serde(default)]
    pub signs_sender_only: bool,
    /// What [`Part::Lines`] is made of.
    #[serde(default, deserialize_with = "where_used")]
    pub lines: Option<LinesForm>,
    /// What [`StatedPart::Joined`] is made of.
    #[serde(default, deserialize_with = "where_used")]
    pub joined: Option<JoinedForm>,
    /// What [`StatedPart::Headers`] is made of.
    #[serde(default, deserialize_with = "where_used")]
    pub named_headers: Option<NamedHeadersForm>,
    /// What [`StatedPart::MessageSignature`] must cover.
    #[serde(default, deserialize_with = "where_used")]
    pub message_signature: Option<MessageSignatureForm>,
    /// A signed header with the body's MD5, which is how a scheme that signs its headers covers the
    /// body: in hex or base64, or in base64 of hex.
    #[serde(default)]
    pub body_md5: Option<Place>,
    /// What a token must say, with `signature.encoding = "token"`.
    #[serde(default, deserialize_with = "where_used")]
    pub token: Option<TokenForm>,
    /// What a JWS or a token must claim ([`SignatureEncoding`]): each `NAME=VALUE`. The value
    /// `sha256-hex:body` is that digest of the body, and binds the body; `query-string-hash` is
    /// Atlassian's digest of method, path and query.
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
    /// Requests that ask for an answer instead of bringing an event.
    #[serde(default)]
    pub handshakes: Vec<Handshake>,
    /// A body that does not begin with a brace is no event.
    #[serde(default)]
    pub objects_only: bool,
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

/// A place in a request where a value may stand.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(remote = "Self")]
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
    /// A claim of the token or JWS. Strings and integers have a value there, and in pins `true`.
    Claim(String),
    /// A context attribute of a CloudEvent: a header in binary mode, a member of the body in
    /// structured mode; a batch has none ([`crate::cloudevents`]).
    CloudEvent(String),
    /// The last segment of the path, as received.
    LastSegment,
}

/// A piece of the signed string.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(remote = "Self")]
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
    /// The request's method.
    Method,
    /// Path and query as received.
    Target,
    /// The URL that the source states in its pin `url`, with the query as received.
    Url,
    /// The characters at a place, none where it is empty or missing.
    Value(Place),
    /// The characters at a place, of which there must be exactly so many, so that none can be moved to
    /// what stands beside them.
    Fixed(usize, Place),
    /// The first item of the body, which is a JSON array: its bytes as received.
    FirstItem,
    /// Labels and values, a line each ([`LinesForm`]).
    Lines,
    /// The token up to its signature.
    Token,
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
    /// What the sender states about the message.
    Stated(StatedPart),
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
    /// For messages that say no more than "look": two that are equal may well be two events, so equal
    /// ones are only folded while they come in a burst.
    Ping(PingRule),
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PingRule {
    /// How long a burst may be: 1 to 60. The one that is delivered waits for its end, so that whoever
    /// looks then sees what the others were about.
    pub window_seconds: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DigestRule {
    /// An unsigned header that tells events with equal bodies apart. Only values listed in the
    /// source's `discriminator_values` count, so that a captured request can be replayed at most
    /// once for each of the others, and once more for all other values together. Those share one
    /// identity, so a source should list every value it can get.
    /// Or `path:last`, of which the scheme's `subpaths` are the list.
    #[serde(default)]
    pub discriminator: Option<Place>,
    /// Signed values that stand in none of the signed parts as they are: claims of a token.
    #[serde(default)]
    pub with: Vec<Place>,
    /// The signed time is a part of it, for senders whose bodies repeat themselves: what is stamped
    /// anew is another event, which a retry may be, too.
    #[serde(default)]
    pub time: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerStyle {
    /// The status says it all.
    #[default]
    Plain,
    /// The status says it all, and no answer has a body.
    Silent,
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

/// Headers that are carried whatever the scheme says: without them the body cannot be read.
pub const ALWAYS_CARRIED: [&str; 2] = ["content-type", CONTENT_ENCODING];
/// Says how the body was compressed; nothing of what is handed on instead of it ([`Scheme::is_canonicalised`]).
pub const CONTENT_ENCODING: &str = "content-encoding";
