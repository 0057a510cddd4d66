//! One vector through the gate: what came of it, and where that differs from what it says.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookgate::admission::{self, Admission, Findings};
use hookgate::answer::{Answer, Known, answer};
use hookgate::config::{Config, about, built_in};
use hookgate::gate::{Gate, LiveSource};
use hookgate::koogallery::{EncryptedField, body_sign};
use hookgate::request::Inbound;
use hookgate::scheme::{About, AnswerStyle, Place, Scheme, SignatureEncoding};
use hookgate::schemes::BUILT_IN;
use hookgate::verdict::Verdict;
use serde_json::{Value, json};

use super::entry::{Entry, ExpectedAnswer};
use super::{handshake, public};

/// How an entry came out.
pub enum Outcome {
    Accepted(Seen),
    Refused {
        reason: &'static str,
        evidence: Option<&'static str>,
    },
    /// The gate has no such scheme.
    Unknown,
}

/// What was found in an accepted request.
#[derive(Default)]
pub struct Seen {
    pub id: Option<String>,
    pub kind: Option<String>,
    /// The answer, where the request asked for one.
    answer: Option<Answer>,
}

/// The name of the one source that a vector meets.
const SOURCE: &str = "vector";

pub fn run(entry: &Entry) -> Outcome {
    let mut outcome = Outcome::Unknown;
    // More than one scheme may go by a name; the vector is of the one that takes it.
    for scheme in schemes_of(entry) {
        outcome = match entry.method.as_str() {
            "RESPONSE" | "FIELD" if scheme.answer != AnswerStyle::Koogallery => Outcome::Unknown,
            "RESPONSE" => response(entry, scheme),
            "FIELD" => field(entry),
            _ => request(entry, scheme),
        };
        if matches!(outcome, Outcome::Accepted(_)) {
            break;
        }
    }
    outcome
}

/// The table, read once: a file may have thousands of vectors.
static TABLE: LazyLock<Vec<(About, Scheme)>> = LazyLock::new(|| {
    BUILT_IN
        .iter()
        .filter_map(|(name, _)| Some((about(name)?.ok()?, built_in(name)?.ok()?)))
        .collect()
});

/// Those of the table that the entry's names mean.
fn schemes_of(entry: &Entry) -> Vec<Scheme> {
    TABLE
        .iter()
        .filter(|(about, _)| about.is_meant_by(&entry.scheme, &entry.provider))
        .map(|(_, scheme)| scheme.clone())
        .collect()
}

/// A request as it came in. Without a clock, it is judged at its own time.
fn request(entry: &Entry, scheme: Scheme) -> Outcome {
    let signed = handshake::signed(entry, &scheme);
    let entry = signed.as_ref().unwrap_or(entry);
    let Some(gate) = gate(entry, scheme) else {
        return refused("configuration_broken");
    };
    let Some(live) = gate.source(SOURCE) else {
        return refused("configuration_broken");
    };
    let mut findings = Findings::default();
    let clock = entry.now_ms.unwrap_or(0);
    let outcome = at(entry, live, clock, &mut findings);
    match (entry.now_ms, findings.signed_time_ms) {
        (None, Some(signed_ms)) => at(entry, live, signed_ms, &mut Findings::default()),
        _ => outcome,
    }
}

fn at(entry: &Entry, live: &LiveSource, now_ms: i64, findings: &mut Findings) -> Outcome {
    let head = entry.head();
    let inbound = Inbound::new(&head, &entry.body, &live.json_pointers);
    let admitted = admission::open(live, &head).and_then(|mut opening| {
        let proved = public::prove(entry, live, &mut opening, &inbound, now_ms)?;
        let matched = admission::check(live, &opening, &inbound, proved, now_ms, findings)?;
        admission::admit(live, &opening, &inbound, matched, now_ms, findings)
    });
    match admitted {
        Ok(Admission::Event(event)) => {
            let (id, kind) = event.labels();
            // A label that the gate made up itself was not extracted.
            let id = Some(id).filter(|id| *id != event.dedup_key());
            let kind = Some(kind).filter(|_| has_type(live, &inbound));
            Outcome::Accepted(Seen {
                id: id.map(str::to_owned),
                kind: kind.map(str::to_owned),
                answer: None,
            })
        }
        Ok(Admission::Question(kind)) => {
            let known = Known {
                kind: Some(&kind),
                key_id: findings.key_id.as_deref(),
                ..Known::default()
            };
            Outcome::Accepted(Seen {
                answer: Some(answer(Verdict::Challenged, Some(live), "", known)),
                ..Seen::default()
            })
        }
        // It asks for an answer; the event behind it is none, so it has no labels.
        Ok(Admission::Challenge(reply)) => {
            let known = Known {
                reply: Some(&reply),
                ..Known::default()
            };
            Outcome::Accepted(Seen {
                id: entry.event_id.clone(),
                kind: entry.event_type.clone(),
                answer: Some(answer(Verdict::Challenged, Some(live), "", known)),
            })
        }
        // Visiting the URL is what is to be done.
        Ok(Admission::Confirm(_)) => Outcome::Accepted(Seen {
            id: entry.event_id.clone(),
            kind: entry.event_type.clone(),
            answer: None,
        }),
        // It was allowed to send: that is all such a request asks for.
        Err(permitted @ Verdict::Permitted { .. }) => Outcome::Accepted(Seen {
            answer: Some(answer(permitted, Some(live), "", Known::default())),
            ..Seen::default()
        }),
        Err(verdict) if is_answered(verdict, entry, live) => {
            let known = Known {
                reply: findings.reply.as_ref(),
                ..Known::default()
            };
            Outcome::Accepted(Seen {
                answer: Some(answer(verdict, Some(live), "", known)),
                ..Seen::default()
            })
        }
        Err(verdict) => Outcome::Refused {
            reason: verdict.reason().unwrap_or(verdict.name()),
            evidence: match verdict {
                Verdict::Refused(reject) => reject.evidence().map(|(name, _)| name),
                _ => None,
            },
        },
    }
}

/// A handshake with a sender that proves nothing; or one whose entry says how it is to be refused.
fn is_answered(verdict: Verdict, entry: &Entry, live: &LiveSource) -> bool {
    let status = answer(verdict, Some(live), "", Known::default()).status;
    let refusal = entry.answer.as_ref().and_then(|answer| answer.status);
    let is_refused = status >= 400 && refusal == Some(u64::from(status));
    verdict == Verdict::Challenged || is_refused
}

/// Whether the request says of what type it is; the gate has a word for those that do not.
fn has_type(live: &LiveSource, inbound: &Inbound<'_, '_>) -> bool {
    let value_at = |place: &Place| inbound.value_at(place).ok().filter(|text| !text.is_empty());
    let mut labels = live.scheme.event_type.iter();
    labels.any(|label| label.read(value_at).is_some())
}

/// A gate with one source, of this scheme. It is not checked as a `sources.toml` is: a vector brings
/// what it is about and nothing else.
fn gate(entry: &Entry, scheme: Scheme) -> Option<Gate> {
    let (scheme, public) = public::setting(entry, scheme);
    let count = if scheme.is_public() {
        0
    } else {
        entry.secrets.len()
    };
    let names: Vec<String> = (0..count).map(|index| format!("KEY_{index}")).collect();
    let mut config: Config = serde_json::from_value(json!({
        "version": 1,
        "queue_retention_seconds": 86_400,
        "sources": { SOURCE: {
            "tenant": "tenant",
            "scheme": "scheme",
            "secrets": names,
            "destination": "none",
            "dedup_retention_seconds": 86_400,
            "handshake_token": handshake::TOKEN,
            "handshake_opens": handshake::opens(entry),
        }},
    }))
    .ok()?;
    let is_bearer = scheme.is_bearer();
    let is_basic = is_bearer && scheme.signature.encoding == SignatureEncoding::Base64;
    let signs_url = scheme.signs_pins();
    config.schemes.insert("scheme".to_owned(), scheme);
    if let (Some(public), Some(source)) = (public, config.sources.get_mut(SOURCE)) {
        source.pins = public.pins;
        source.public_keys = public.public_keys;
        source.accept_weak_key = true;
    }
    if let Some(source) = config.sources.get_mut(SOURCE).filter(|_| signs_url) {
        source.pins.insert("url".to_owned(), entry.url.clone());
    }
    Some(Gate::assemble(config, "test", |name| {
        if name == handshake::TOKEN {
            return handshake::token(entry);
        }
        let index = names.iter().position(|known| known == name)?;
        // A handshake is not about secrets, where it brings none.
        let secret = Some(entry.secrets[index].as_str()).filter(|secret| !secret.is_empty());
        let secret = secret.unwrap_or(handshake::ANY_SECRET);
        // Some entries name a credential within a sentence: "basic user:password in the URL".
        let mut words = secret.split(' ').filter(|word| word.contains(':'));
        if let Some(named) = words.next().filter(|_| is_bearer) {
            return Some(named.to_owned());
        }
        // Others give it as it travels.
        let travels = STANDARD.decode(secret).ok().filter(|_| is_basic);
        let bare = travels.and_then(|bytes| String::from_utf8(bytes).ok());
        Some(bare.unwrap_or_else(|| secret.to_owned()))
    }))
}

/// An answer that we must emit: its signature is the whole of it.
fn response(entry: &Entry, scheme: Scheme) -> Outcome {
    let gate = gate(entry, scheme);
    let key = gate
        .as_ref()
        .and_then(|gate| gate.source(SOURCE)?.keys.first());
    let body = std::str::from_utf8(&entry.body).ok();
    let (Some(key), Some(body)) = (key, body) else {
        return refused("secret_unusable");
    };
    let demanded = entry
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("body-sign"));
    match demanded {
        Some((_, value)) if *value == body_sign(key, body) => Outcome::Accepted(Seen::default()),
        _ => refused("signature_mismatch"),
    }
}

/// An encrypted field and its plain text.
fn field(entry: &Entry) -> Outcome {
    let plain = entry.secrets.first().and_then(|secret| {
        let kind = entry.text("encryptType")?;
        let value = std::str::from_utf8(&entry.body).ok()?;
        EncryptedField::read(secret.as_bytes(), kind, value)?.decrypt()
    });
    match plain {
        Some(plain) if Some(plain.as_str()) == entry.text("plaintext") => {
            Outcome::Accepted(Seen::default())
        }
        _ => refused("field_not_decrypted"),
    }
}

fn refused(reason: &'static str) -> Outcome {
    Outcome::Refused {
        reason,
        evidence: None,
    }
}

impl Outcome {
    pub fn verdict(&self) -> &'static str {
        match self {
            Outcome::Accepted(_) => "accept",
            Outcome::Refused { .. } => "reject",
            Outcome::Unknown => "unknown",
        }
    }

    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Outcome::Refused { reason, .. } => Some(reason),
            Outcome::Accepted(_) | Outcome::Unknown => None,
        }
    }

    pub fn seen(&self) -> Option<&Seen> {
        match self {
            Outcome::Accepted(seen) => Some(seen),
            Outcome::Refused { .. } | Outcome::Unknown => None,
        }
    }

    /// Where it differs from what the entry says, in words. An id or a type that an entry does not
    /// name may be anything.
    pub fn differences(&self, entry: &Entry) -> Vec<String> {
        let seen = match self {
            Outcome::Unknown => return Vec::new(),
            Outcome::Refused { reason, evidence } if entry.expect == "accept" => {
                let evidence = evidence
                    .map(|name| format!(" ({name})"))
                    .unwrap_or_default();
                return vec![format!("expected accept, got {reason}{evidence}")];
            }
            Outcome::Refused { .. } => return Vec::new(),
            Outcome::Accepted(_) if entry.expect != "accept" => {
                return vec!["expected reject, got accept".to_owned()];
            }
            Outcome::Accepted(seen) => seen,
        };
        let mut wrong = Vec::new();
        for (what, expected, got) in [
            ("id", &entry.event_id, &seen.id),
            ("type", &entry.event_type, &seen.kind),
        ] {
            // An answer ends the matter: no event, no labels.
            if expected.is_some() && expected != got && seen.answer.is_none() {
                wrong.push(format!("expected the {what} {expected:?}, got {got:?}"));
            }
        }
        match (&entry.answer, &seen.answer) {
            (None, _) => {}
            (Some(_), None) => wrong.push("expected an answer, got an event".to_owned()),
            (Some(expected), Some(answer)) => wrong.extend(expected.differences(answer)),
        }
        wrong
    }
}

impl ExpectedAnswer {
    fn differences(&self, answer: &Answer) -> Vec<String> {
        let mut wrong = Vec::new();
        if self
            .status
            .is_some_and(|status| status != u64::from(answer.status))
        {
            wrong.push(format!(
                "expected the status {:?}, got {}",
                self.status, answer.status
            ));
        }
        for (name, expected) in &self.headers {
            let got = answer
                .headers
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.as_str());
            let is_type = name.eq_ignore_ascii_case("content-type");
            let bare = got.and_then(|value| value.split(';').next());
            if got != Some(expected) && !(is_type && bare == Some(expected)) {
                wrong.push(format!("expected {name}: {expected}, got {got:?}"));
            }
        }
        let is_as_expected = match &self.body {
            None => true,
            Some(Value::String(text)) => *text == answer.body,
            Some(content) => {
                serde_json::from_str::<Value>(&answer.body).is_ok_and(|body| body == *content)
            }
        };
        if !is_as_expected {
            wrong.push(format!(
                "expected the body {:?}, got {:?}",
                self.body, answer.body
            ));
        }
        wrong
    }
}
