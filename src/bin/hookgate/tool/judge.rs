//! A recorded request, judged as the gate does it.

use std::collections::BTreeMap;

use hookgate::admission::{self, Admission, Findings};
use hookgate::config::Config;
use hookgate::gate::{Gate, LiveSource};
use hookgate::public_key::native;
use hookgate::request::{Head, Inbound};
use hookgate::scheme::TimeUnit;
use hookgate::time;
use hookgate::verdict::{Reject, Trouble, Verdict};
use serde_json::{Value, json};

use super::recorded::Recorded;
use super::secrets::Secrets;

/// What time it is when a request is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// When the gate had read it, where that was recorded; otherwise now.
    Recorded,
    /// Its own signed time, so that freshness is not the question.
    Signed,
    At(i64),
}

impl Clock {
    /// `now`, `signed`, seconds or milliseconds since 1970, or RFC 3339.
    pub fn read(text: &str, now_ms: i64) -> Result<Self, String> {
        match text {
            "now" => return Ok(Clock::At(now_ms)),
            "signed" => return Ok(Clock::Signed),
            _ => {}
        }
        let units = [TimeUnit::Milliseconds, TimeUnit::Seconds, TimeUnit::Rfc3339];
        let known = units.iter().find_map(|unit| time::parse(text, *unit));
        known.map(Clock::At).ok_or_else(|| {
            format!("\"{text}\" is no time: use now, signed, 1760000000, 1760000000000 or 2025-10-09T08:53:20Z")
        })
    }
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    pub verdict: &'static str,
    pub reason: Option<&'static str>,
    /// The fact behind the reason.
    pub evidence: Option<(&'static str, Option<i64>)>,
    pub key_id: Option<String>,
    pub signed_ms: Option<i64>,
    pub now_ms: i64,
    /// Of an event: its key, the rule that made it, its id and its type.
    pub event: Option<Labels>,
    /// In words, for people.
    pub why: String,
    pub is_mismatch: bool,
    /// The verdict is about us, and not about the request: it was not judged.
    pub is_ours: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    pub dedup_key: String,
    pub rule: Option<&'static str>,
    pub id: String,
    pub kind: String,
}

/// A gate as this configuration and these secrets make it.
pub fn assemble(config: Config, secrets: &Secrets) -> Gate {
    // As at home: a backend is not asked for anything here.
    Gate::assemble(config, "development", |name| secrets.get(name))
}

/// The head, with the method of the scheme where none was recorded.
pub fn head_of(recorded: &Recorded, live: &LiveSource) -> Head {
    let method = recorded.method.as_deref();
    let method = method.or_else(|| live.scheme.methods.first().map(String::as_str));
    Head::new(
        method.unwrap_or("POST"),
        &recorded.target,
        recorded.headers.clone(),
    )
}

/// Judges a request of a source. `documents` is what stands elsewhere, by URL: nothing is fetched.
pub fn judge(
    live: &LiveSource,
    recorded: &Recorded,
    documents: &BTreeMap<String, String>,
    clock: Clock,
    now_ms: i64,
) -> Judged {
    let at = |ms| run(live, recorded, documents, ms);
    match clock {
        Clock::At(ms) => at(ms),
        Clock::Recorded => at(recorded.received_ms.unwrap_or(now_ms)),
        Clock::Signed => {
            let judged = at(now_ms);
            match judged.signed_ms {
                Some(signed_ms) => at(signed_ms),
                None => judged,
            }
        }
    }
}

fn run(
    live: &LiveSource,
    recorded: &Recorded,
    documents: &BTreeMap<String, String>,
    now_ms: i64,
) -> Judged {
    let head = head_of(recorded, live);
    let mut findings = Findings::default();
    let admitted = admission::open(live, &head).and_then(|mut opening| {
        let inbound = Inbound::new(&head, &recorded.body, &live.json_pointers);
        let proved = if live.scheme.is_public() {
            let statement = admission::state(live, &mut opening, &inbound, now_ms)?;
            let document = |url: &str| documents.get(url).cloned();
            let proof = native::settle(live, &statement, document, now_ms)?;
            Some(opening.signed(proof))
        } else {
            None
        };
        let matched = admission::check(live, &opening, &inbound, proved, now_ms, &mut findings)?;
        let admitted = admission::admit(live, &opening, &inbound, matched, now_ms, &mut findings)?;
        Ok(match admitted {
            Admission::Event(event) => {
                let (id, kind) = event.labels();
                Some(Labels {
                    dedup_key: event.dedup_key().to_owned(),
                    rule: None,
                    id: id.to_owned(),
                    kind: kind.to_owned(),
                })
            }
            _ => None,
        })
    });
    let (verdict, event) = match admitted {
        Ok(Some(labels)) => {
            let rule = findings.identity;
            (Verdict::Accepted, Some(Labels { rule, ..labels }))
        }
        Ok(None) => (Verdict::Challenged, None),
        Err(verdict) => (verdict, None),
    };
    Judged {
        verdict: verdict.name(),
        reason: verdict.reason(),
        evidence: match verdict {
            Verdict::Refused(reject) => reject.evidence(),
            _ => None,
        },
        why: why(verdict, live, documents.is_empty()),
        is_mismatch: verdict == Verdict::Refused(Reject::SignatureMismatch),
        is_ours: matches!(verdict, Verdict::Unavailable(_)),
        key_id: findings.key_id,
        signed_ms: findings.signed_time_ms,
        now_ms,
        event,
    }
}

/// The reason in a sentence.
fn why(verdict: Verdict, live: &LiveSource, has_no_documents: bool) -> String {
    match verdict {
        Verdict::Refused(Reject::SignatureMismatch) => {
            "none of the source's secrets made this signature over these bytes".into()
        }
        Verdict::Refused(Reject::MissingSignature) => format!(
            "there is no signature at {}",
            live.scheme.signature.at
        ),
        Verdict::Refused(Reject::Stale { age_ms }) => format!(
            "signed {} s before the clock, and {} s are tolerated",
            age_ms / 1_000,
            live.tolerance_seconds().unwrap_or_default()
        ),
        Verdict::Refused(Reject::FromFuture { ahead_ms }) => {
            format!("signed {} s ahead of the clock", ahead_ms / 1_000)
        }
        Verdict::Refused(Reject::MethodNotAllowed) => format!(
            "this scheme's events come by {}",
            live.scheme.methods.join(", ")
        ),
        Verdict::Refused(reject) => match reject.evidence() {
            Some((fact, Some(number))) => format!("{fact} {number}"),
            Some((fact, None)) => fact.replace('_', " "),
            None => reject.name().replace('_', " "),
        },
        Verdict::Unavailable(Trouble::SecretMissing) => {
            let names = live.source.secrets.iter().map(|secret| secret.name());
            format!(
                "a secret is not there: {} (in the environment, or in --secret-file)",
                names.collect::<Vec<_>>().join(", ")
            )
        }
        Verdict::Unavailable(Trouble::KeyUnfetched) if has_no_documents => {
            "the provider's key stands elsewhere, and nothing is fetched here: bring it with --document URL=FILE".into()
        }
        Verdict::Unavailable(trouble) => trouble.name().replace('_', " "),
        Verdict::Challenged => "verified; it asks for an answer and brings no event".into(),
        Verdict::Permitted { .. } => "it asks whether it may send, and may".into(),
        Verdict::Observed => "verified, and not taken: the source is in observe mode".into(),
        Verdict::Accepted | Verdict::Revived | Verdict::Duplicate => "verified and fresh".into(),
    }
}

impl Judged {
    /// Whether the gate would take it, or answer what it asks.
    pub fn is_taken(&self) -> bool {
        matches!(self.verdict, "accepted" | "challenged" | "permitted")
    }

    /// `accepted`, or the reason.
    pub fn word(&self) -> &'static str {
        self.reason.unwrap_or(self.verdict)
    }

    /// For programs.
    pub fn to_json(&self, live: &LiveSource) -> Value {
        let event = self.event.as_ref().map(|event| {
            json!({
                "id": event.id,
                "type": event.kind,
                "dedup_key": event.dedup_key,
                "identity": event.rule,
            })
        });
        json!({
            "verdict": self.verdict,
            "reason": self.reason,
            "evidence": self.evidence.map(|(name, _)| name),
            "evidence_value": self.evidence.and_then(|(_, value)| value),
            "why": self.why,
            "source": live.name,
            "tenant": live.source.tenant,
            "scheme": live.source.scheme,
            "key_id": self.key_id,
            "signed_time": self.signed_ms.map(time::rfc3339),
            "clock": time::rfc3339(self.now_ms),
            "skew_ms": self.signed_ms.map(|signed| self.now_ms.saturating_sub(signed)),
            "event": event,
        })
    }
}
