//! Requests that ask for an answer and bring no event.

use serde::{Deserialize, Serialize};

use super::{Confirm, Part, Place, Scheme, public::where_used};
use crate::uses;

/// One kind of such requests: what marks them, who may ask, and what they are answered. The first
/// whose mark fits is taken.
///
/// With a MAC in it an answer could be a signature of an event, and an answer to a stranger could be a
/// page in our name. So a MAC is only made of what cannot be an event ([`Scheme::objects_only`]), and
/// only what is short and harmless is echoed.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Handshake {
    /// Its method, where it is none of those of events.
    #[serde(default)]
    pub method: Option<String>,
    /// The place that marks it. Without one its method does.
    #[serde(default)]
    pub at: Option<Place>,
    /// The value that stands there. Without one any does.
    #[serde(default)]
    pub equals: Option<String>,
    /// Where such a request has no value.
    #[serde(default)]
    pub unless: Option<Place>,
    /// It has no body. What has one is an event, whatever the head says.
    #[serde(default)]
    pub without_body: bool,
    /// Who may ask.
    #[serde(default)]
    pub trust: Trust,
    /// With `trust = "token"`: where the source's `handshake_token` stands.
    #[serde(default)]
    pub token: Option<Place>,
    #[serde(default = "ok")]
    pub status: u16,
    /// The value that is echoed as plain text: at most 512 printable ASCII characters.
    #[serde(default)]
    pub echo: Option<Place>,
    /// The members of the JSON object that is answered, in their order.
    #[serde(default)]
    pub members: Vec<Member>,
    /// The JSON that is answered to all.
    #[serde(default)]
    pub json: Option<String>,
    /// The header, one of [`ECHO_HEADERS`], that is answered with its own value.
    #[serde(default)]
    pub echo_header: Option<String>,
    /// A secret that the provider hands over: kept for the operator before it is answered.
    #[serde(default)]
    pub keep: Option<Place>,
    /// What is visited.
    #[serde(default, deserialize_with = "where_used")]
    pub confirm: Option<Confirm>,
}

fn ok() -> u16 {
    200
}

/// Who may ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// Who may bring an event: it is verified like one.
    #[default]
    AsEvent,
    /// Anyone: the provider signs no such request.
    Anyone,
    /// Who knows the source's `handshake_token`.
    Token,
    /// Anyone, while the source's window is open: fifteen minutes from its `handshake_opens` on.
    Window,
}

/// A member of a JSON object, its value a text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    pub name: String,
    /// What stands before the value.
    #[serde(default)]
    pub prefix: String,
    pub value: Echoed,
}

/// What is said of a value of the request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(remote = "Self")]
pub enum Echoed {
    /// The value itself.
    Plain(Place),
    /// The lower-case hex of the scheme's MAC over it, under the source's key.
    MacHex(Place),
    /// The same in base64.
    MacBase64(Place),
}

impl Member {
    /// Whether its value is a MAC.
    pub fn is_mac(&self) -> bool {
        !matches!(self.value, Echoed::Plain(_))
    }
}

impl Echoed {
    pub fn place(&self) -> &Place {
        match self {
            Echoed::Plain(place) | Echoed::MacHex(place) | Echoed::MacBase64(place) => place,
        }
    }
}

impl TryFrom<String> for Echoed {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let place = |text: &str| Place::try_from(text.to_owned());
        match text.split_once(':') {
            Some(("mac-hex", rest)) => place(rest).map(Echoed::MacHex),
            Some(("mac-base64", rest)) => place(rest).map(Echoed::MacBase64),
            _ => place(&text).map(Echoed::Plain),
        }
    }
}

impl From<Echoed> for String {
    fn from(echoed: Echoed) -> String {
        match echoed {
            Echoed::Plain(place) => place.to_string(),
            Echoed::MacHex(place) => format!("mac-hex:{place}"),
            Echoed::MacBase64(place) => format!("mac-base64:{place}"),
        }
    }
}

/// Headers that an answer may take over from a request: a name that a user chose could be `location`.
pub const ECHO_HEADERS: [&str; 1] = ["x-hook-secret"];

/// Characters of a text that a MAC may be made of: those of UUIDs, of hex and of base64.
pub fn is_token(text: &str) -> bool {
    let in_token = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.+/=".contains(&byte);
    (1..=128).contains(&text.len()) && text.bytes().all(in_token)
}

impl Handshake {
    /// Whether the request must prove what an event must prove.
    pub fn is_verified(&self) -> bool {
        self.trust == Trust::AsEvent
    }

    /// Whether the body marks it.
    pub fn is_marked_in_body(&self) -> bool {
        self.places().any(is_in_body)
    }

    /// Whether it may come with this method.
    pub fn has_method(&self, method: &str, of_events: &[String]) -> bool {
        match &self.method {
            Some(own) => own == method,
            None => of_events.iter().any(|known| known == method),
        }
    }

    /// Every place that is looked at.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        let members = self.members.iter().map(|member| member.value.place());
        let marks = self.at.iter().chain(&self.unless).chain(&self.token);
        let confirm = self.confirm.iter().map(|confirm| &confirm.at);
        marks
            .chain(&self.echo)
            .chain(&self.keep)
            .chain(members)
            .chain(confirm)
    }

    fn makes_macs(&self) -> bool {
        self.members.iter().any(Member::is_mac)
    }
}

fn is_in_body(place: &Place) -> bool {
    matches!(
        place,
        Place::Json(_) | Place::Form(_) | Place::CloudEvent(_)
    )
}

impl Scheme {
    /// Requests that need not prove what an event must prove.
    pub fn greetings(&self) -> impl Iterator<Item = &Handshake> {
        let unverified = |shake: &&Handshake| uses::GREETINGS && !shake.is_verified();
        self.handshakes.iter().filter(unverified)
    }

    /// Whether its provider hands a secret over that the operator must be given.
    pub fn keeps_offers(&self) -> bool {
        self.greetings().any(|shake| shake.keep.is_some())
    }

    /// Every method that a request may have.
    pub fn all_methods(&self) -> Vec<&str> {
        let own = self.handshakes.iter().flat_map(|shake| &shake.method);
        let mut methods: Vec<&str> = Vec::new();
        for method in self.methods.iter().chain(own) {
            if !methods.contains(&method.as_str()) {
                methods.push(method);
            }
        }
        methods
    }

    /// What is wrong with the handshakes, in sentences.
    pub(super) fn handshake_faults(&self, faults: &mut Vec<String>) {
        for shake in &self.handshakes {
            let answers = [
                shake.echo.is_some(),
                !shake.members.is_empty(),
                shake.json.is_some(),
                shake.confirm.is_some(),
            ];
            if answers.iter().filter(|given| **given).count() > 1 {
                faults.push(
                    "`handshakes`: one of `echo`, `members`, `json` and `confirm` is the answer"
                        .into(),
                );
            }
            let has_body = answers[..3].contains(&true);
            if !(200..300).contains(&shake.status)
                || (matches!(shake.status, 204 | 205) && has_body)
            {
                faults.push(format!(
                    "`handshakes`: status = {}: use 200 to 299, and no body with 204 and 205",
                    shake.status
                ));
            }
            let is_json = |text: &String| serde_json::from_str::<serde_json::Value>(text).is_ok();
            if shake.json.as_ref().is_some_and(|text| !is_json(text)) {
                faults.push("`handshakes`: `json` is no JSON".into());
            }
            if let Some(name) = &shake.echo_header
                && (!ECHO_HEADERS.contains(&name.as_str()) || shake.is_verified())
            {
                faults.push(format!(
                    "`handshakes`: echo_header = \"{name}\": use one of {}, and a `trust`",
                    ECHO_HEADERS.join(", ")
                ));
            }
            if shake.makes_macs() && !self.tells_tokens_from_events() {
                faults.push("`handshakes` makes a MAC of what the sender chose, and it could be the MAC of an event: begin `signed` with a literal that has a colon, or set objects_only = true".into());
            }
            if shake.is_verified() {
                self.verified_faults(shake, faults);
            } else {
                self.greeting_faults(shake, faults);
            }
        }
        if self.objects_only && !self.signed.contains(&Part::Body) {
            faults.push("`objects_only` is for schemes that sign \"body\"".into());
        }
    }

    fn verified_faults(&self, shake: &Handshake, faults: &mut Vec<String>) {
        if shake.at.is_none()
            || shake.method.is_some()
            || shake.token.is_some()
            || shake.keep.is_some()
            || shake.without_body
        {
            faults.push("`handshakes`: what is verified like an event needs `at`, and has no `method`, `token`, `keep` or `without_body`".into());
        }
        for place in shake.places() {
            // A bearer's echo proves as much as a bearer's event; a visit needs more.
            let proved = self.is_signed(place)
                || self.is_signed_for(shake, place)
                || (self.proves_the_sender_only() && shake.confirm.is_none());
            if !proved {
                faults.push(format!(
                    "`handshakes` uses \"{place}\", which is not signed: anyone could turn an event into a question"
                ));
            }
        }
    }

    /// Whether a line of each message that is this handshake has the place.
    fn is_signed_for(&self, shake: &Handshake, place: &Place) -> bool {
        match (&self.lines, &shake.at, &shake.equals) {
            (Some(lines), Some(at), Some(equals)) => {
                self.signed.contains(&Part::Lines) && lines.has_where(at, equals, place)
            }
            _ => false,
        }
    }

    fn greeting_faults(&self, shake: &Handshake, faults: &mut Vec<String>) {
        if shake.confirm.is_some() {
            faults
                .push("`handshakes`: nobody visits a URL for a stranger: leave `trust` out".into());
        }
        if shake.token.is_some() != (shake.trust == Trust::Token) {
            faults.push("`handshakes`: `token` and trust = \"token\" belong together".into());
        }
        if shake.keep.is_some() && shake.trust != Trust::Window {
            faults.push(
                "`handshakes`: `keep` takes a secret from a stranger: set trust = \"window\""
                    .into(),
            );
        }
        let is_bodiless = matches!(shake.method.as_deref(), Some("GET" | "HEAD"));
        if !is_bodiless && !matches!(shake.method.as_deref(), None | Some("POST")) {
            faults.push("`handshakes`: `method` is GET, HEAD or POST".into());
        }
        if !is_bodiless && shake.at.is_none() {
            faults.push(
                "`handshakes`: what comes like an event needs `at`, which tells it from one".into(),
            );
        }
        if shake.without_body && (shake.method.is_some() || shake.is_marked_in_body()) {
            faults.push("`handshakes`: `without_body` is for what comes like an event and is marked in its head".into());
        }
        let reads_no_body = is_bodiless || self.is_public() || self.has_body_signature();
        if shake.is_marked_in_body() && reads_no_body {
            faults.push("`handshakes`: its places are in the body, which is not read here: use a header or a query parameter".into());
        }
        if self.question.is_some() || self.content_is_query() {
            faults.push("`handshakes`: this scheme answers questions of its own".into());
        }
    }

    /// Whether no text of [`is_token`] is what an event's MAC is made of.
    fn tells_tokens_from_events(&self) -> bool {
        let keyed = !self.algorithm.is_public() && !self.is_bearer() && self.key.append.is_none();
        let has_another = |text: &String| !text.is_empty() && !is_token(text);
        let mut parts = self.signed.iter();
        let by_literal = parts.any(|part| matches!(part, Part::Literal(text) if has_another(text)));
        keyed && (by_literal || (self.objects_only && self.signed.contains(&Part::Body)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_echoed_is_written_as_it_is_read() {
        for text in ["json:/a", "mac-hex:json:/a/b", "mac-base64:query:crc_token"] {
            assert_eq!(
                String::from(Echoed::try_from(text.to_owned()).unwrap()),
                text
            );
        }
        for text in ["a", "mac-hex:a", "mac:json:/a", ""] {
            assert!(Echoed::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_is_no_message() {
        let long = "a".repeat(128);
        for text in [
            "qgg8vlvZRS6UYooatFL8Aw",
            "9b4507b3-9040-4669-9ca3-6b94edb50553",
            "a+/=",
            "a.b_c",
            &long,
        ] {
            assert!(is_token(text), "{text}");
        }
        let longer = "a".repeat(129);
        for text in [
            "", "{}", "v0:1:", "a b", "a&b", "é", "a\n", "[1]", "\"a\"", &longer,
        ] {
            assert!(!is_token(text), "{text}");
        }
    }
}
