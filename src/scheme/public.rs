//! What schemes with public keys need besides: where the key is, whose messages are meant, and what
//! is signed where that is not the body.

use super::*;

/// The algorithm of each version that a message may name. Any other version is malformed.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VersionForm {
    pub at: Place,
    pub algorithms: ByName<Algorithm>,
}

/// A certificate that the message names by its URL.
///
/// The URL must be `https`, one of `hosts` exactly and `path`, and nothing else. Hosts are written out;
/// `{region}` in them is the region of the source's pins, and must stand in `regions`: a pattern on a
/// cloud's domain could be registered as a bucket.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateForm {
    pub at: Place,
    /// The URL is written in base64.
    #[serde(default)]
    pub base64: bool,
    pub hosts: Vec<Template>,
    pub path: Template,
    #[serde(default)]
    pub regions: Vec<String>,
    /// Common names that the certificate may have. Empty: the provider documents none.
    #[serde(default)]
    pub subjects: Vec<Template>,
    /// The provider's keys are shorter than [`crate::public_key::RSA_BITS_MIN`] would allow: little
    /// is proved. A source must accept that, and needs a secret in its URL besides.
    #[serde(default)]
    pub weak_key: bool,
}

/// A set of keys (RFC 7517, section 5). The token's `kid` chooses one of it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KeySetForm {
    /// An https URL; `{NAME}` in it is the source's pin of that name.
    pub url: Template,
}

/// A key that is asked for by the id (`kid`) which a JWS names, with the account's own credentials: a POST of a
/// JSON object, answered with another whose member `key` is a JWK. A key with an `expired_at` is none.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRequestForm {
    /// An https URL. `{NAME}` in it is the source's pin of that name, which must be `one_of` some.
    pub url: Template,
    /// The member that names the key.
    pub id: String,
    /// The members that are the source's pins of these names.
    pub pins: Vec<String>,
}

/// What a source must state, and a message must equal, character by character.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PinForm {
    /// Its name in the source's `pins`.
    pub name: String,
    /// Where the message has it: at one of these places at least, and at none otherwise. Empty: it
    /// only fills in templates.
    #[serde(default)]
    pub at: Vec<Place>,
    /// The form of the value. Its `{NAME}` can be used in other templates.
    #[serde(default)]
    pub form: Option<Template>,
    /// The only values there are. Empty: any.
    #[serde(default)]
    pub one_of: Vec<String>,
    /// The value is a secret, so a source names a Worker secret (`$NAME`) instead of writing it.
    #[serde(default)]
    pub secret: bool,
}

/// Labels and their values, each line ended by a line feed.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LinesForm {
    /// What stands between label and value.
    pub between: String,
    /// The lines, by kind of message. The first kind that fits is taken; where none does, the message
    /// is malformed.
    pub of: Vec<LinesOf>,
    /// Members of the body that prove the others, and are handed on with them.
    #[serde(default)]
    pub proof: Vec<Place>,
}

/// The lines of one kind of message.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LinesOf {
    /// Where the kind stands. `None`: there is one kind only.
    #[serde(default)]
    pub at: Option<Place>,
    #[serde(default)]
    pub equals: Vec<String>,
    pub lines: Vec<SignedLine>,
}

/// A line: the label is the last word of its place. Only the first may have more than one line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(remote = "Self")]
pub struct SignedLine {
    pub at: Place,
    /// Left out where it is missing or null; where it is empty, providers' own code differs on
    /// whether it is left out, so both are tried.
    pub optional: bool,
}

/// What a JSON Web Token must say besides what the source pins (RFC 7519, RFC 8725).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TokenForm {
    /// The `alg` of its header; the token cannot choose.
    pub alg: String,
    /// Its `iss`; `{NAME}` is the source's pin of that name. Empty: pins say whose token it is.
    #[serde(default)]
    pub issuers: Vec<Template>,
    /// Claims that must be the JSON value `true`.
    #[serde(default)]
    pub true_claims: Vec<String>,
    /// From `iat` to `exp` no longer than this, in seconds.
    pub lifetime_seconds_max: u32,
    /// How far the two clocks may differ, in seconds.
    pub leeway_seconds: u32,
}

/// A URL of the message that is visited once the message is verified. It is rebuilt from its parts
/// and never followed elsewhere.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    pub at: Place,
    /// As in [`CertificateForm`].
    pub hosts: Vec<Template>,
    pub path: Template,
    /// The whole query, name and value: a template, or `json:/POINTER` for the value there.
    pub query: Vec<(String, String)>,
}

impl LinesForm {
    /// Whether the value there is signed whatever kind the message is of: what only one kind signs, anyone
    /// could write into a message of another.
    pub fn has(&self, place: &Place) -> bool {
        self.of.iter().all(|kind| kind.has(place))
    }

    /// The same for messages that have this text at `at`.
    pub fn has_where(&self, at: &Place, equals: &str, place: &Place) -> bool {
        let mut kinds = self.of.iter();
        kinds.all(|kind| {
            let is_another =
                kind.at.as_ref() == Some(at) && !kind.equals.iter().any(|known| known == equals);
            is_another || kind.has(place)
        })
    }

    /// Whether the lines are what the event consists of: members of its body.
    pub fn are_content(&self) -> bool {
        let mut lines = self.of.iter().flat_map(|kind| &kind.lines);
        lines.any(|line| matches!(line.at, Place::Json(_)))
    }
}

impl LinesOf {
    fn has(&self, place: &Place) -> bool {
        self.lines.iter().any(|line| line.at == *place)
    }
}

impl SignedLine {
    /// What stands before the value.
    pub fn label(&self) -> &str {
        match &self.at {
            Place::Json(pointer) => pointer.trim_start_matches('/'),
            Place::Header(name)
            | Place::Query(name)
            | Place::Form(name)
            | Place::SignatureField(name)
            | Place::Claim(name)
            | Place::CloudEvent(name) => name,
            Place::LastSegment => "",
        }
    }
}

impl TryFrom<String> for SignedLine {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (place, optional) = match text.strip_suffix('?') {
            Some(place) => (place.to_owned(), true),
            None => (text, false),
        };
        let at = Place::try_from(place)?;
        Ok(SignedLine { at, optional })
    }
}

impl From<SignedLine> for String {
    fn from(line: SignedLine) -> String {
        let mark = if line.optional { "?" } else { "" };
        format!("{}{mark}", line.at)
    }
}

/// Reads what only these schemes have, in a Worker that has one of them. In the others it is never
/// there, which postcard writes as a zero byte whatever it is, and the code that would read it falls
/// away.
pub(super) fn where_used<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    if crate::uses::STATEMENTS {
        return T::deserialize(input);
    }
    <Option<()>>::deserialize(input).map(|_| T::default())
}

/// The same for the pins, which a signed URL needs as well.
pub(super) fn where_pinned<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<PinForm>, D::Error> {
    if crate::uses::PINS {
        return Vec::deserialize(input);
    }
    <Option<()>>::deserialize(input).map(|_| Vec::new())
}
