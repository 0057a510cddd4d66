//! Requests and replies as they are written: JSON, because callers and objects of different versions
//! meet during a deploy.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Ask, Fresh, Owner, Reply, Request};

/// A request as it is written. Serde's own form for enumerations inside a structure would be four
/// times this code in the Worker.
#[derive(Deserialize, Serialize)]
struct WrittenRequest<'a> {
    key: Cow<'a, str>,
    expires_ms: i64,
    ask: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<Owner>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lease_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    fresh: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_second_max: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slow_seconds: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run_at_least: Option<u32>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    insist: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    newer: bool,
}

/// A reply as it is written.
#[derive(Deserialize, Serialize)]
struct WrittenReply<'a> {
    reply: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until_ms: Option<i64>,
}

impl Request {
    pub fn to_text(&self) -> String {
        let mut written = WrittenRequest {
            key: self.key.as_str().into(),
            expires_ms: self.expires_ms,
            ask: "".into(),
            run: None,
            owner: None,
            lease_ms: None,
            fresh: false,
            per_second_max: None,
            slow_seconds: None,
            run_at_least: None,
            insist: false,
            newer: self.newer,
        };
        let ask = match self.ask {
            Ask::Arrive => "arrive",
            Ask::Return => "return",
            Ask::Seek => "seek",
            Ask::Note => "note",
            Ask::Claim {
                run,
                owner,
                lease_ms,
                fresh,
            } => {
                written.run = Some(run);
                written.owner = Some(owner);
                written.lease_ms = Some(lease_ms);
                written.fresh = fresh.is_some();
                written.per_second_max = fresh.and_then(|fresh| fresh.per_second_max);
                "claim"
            }
            Ask::Turn { per_second_max } => {
                written.per_second_max = Some(per_second_max);
                "turn"
            }
            Ask::Done { run } => {
                written.run = Some(run);
                "done"
            }
            Ask::Dead { run, owner } => {
                written.run = Some(run);
                written.owner = owner;
                "dead"
            }
            Ask::Release {
                run,
                owner,
                slow_seconds,
            } => {
                written.run = Some(run);
                written.owner = Some(owner);
                written.slow_seconds = slow_seconds;
                "release"
            }
            Ask::Redrive {
                run_at_least,
                insist,
            } => {
                written.run_at_least = Some(run_at_least);
                written.insist = insist;
                "redrive"
            }
            Ask::Forget { insist } => {
                written.insist = insist;
                "forget"
            }
        };
        written.ask = ask.into();
        text(&written)
    }

    /// `None`: not a request of this version.
    pub fn from_text(text: &str) -> Option<Self> {
        let written: WrittenRequest = serde_json::from_str(text).ok()?;
        let ask = match &*written.ask {
            "arrive" => Ask::Arrive,
            "return" => Ask::Return,
            "seek" => Ask::Seek,
            "note" => Ask::Note,
            "claim" => Ask::Claim {
                run: written.run?,
                owner: written.owner?,
                lease_ms: written.lease_ms?,
                fresh: written.fresh.then_some(Fresh {
                    per_second_max: written.per_second_max,
                }),
            },
            "turn" => Ask::Turn {
                per_second_max: written.per_second_max?,
            },
            "done" => Ask::Done { run: written.run? },
            "dead" => Ask::Dead {
                run: written.run?,
                owner: written.owner,
            },
            "release" => Ask::Release {
                run: written.run?,
                owner: written.owner?,
                slow_seconds: written.slow_seconds,
            },
            "redrive" => Ask::Redrive {
                run_at_least: written.run_at_least?,
                insist: written.insist,
            },
            "forget" => Ask::Forget {
                insist: written.insist,
            },
            _ => return None,
        };
        Some(Request {
            key: written.key.into_owned(),
            expires_ms: written.expires_ms,
            newer: written.newer,
            ask,
        })
    }
}

impl Reply {
    pub fn to_text(self) -> String {
        let (reply, run, attempt, until_ms) = match self {
            Reply::New => ("new", None, None, None),
            Reply::Revived { run } => ("revived", Some(run), None, None),
            Reply::Duplicate => ("duplicate", None, None, None),
            Reply::Go { attempt } => ("go", None, Some(attempt), None),
            Reply::Busy { until_ms } => ("busy", None, None, Some(until_ms)),
            Reply::Later { until_ms } => ("later", None, None, Some(until_ms)),
            Reply::Settled => ("settled", None, None, None),
            Reply::Rerun { run } => ("rerun", Some(run), None, None),
            Reply::Redriven { run } => ("redriven", Some(run), None, None),
            Reply::Forgotten { run } => ("forgotten", Some(run), None, None),
            Reply::Unknown => ("unknown", None, None, None),
            Reply::Noted => ("noted", None, None, None),
            Reply::OnItsWay => ("on-its-way", None, None, None),
            Reply::Elsewhere => ("elsewhere", None, None, None),
        };
        text(&WrittenReply {
            reply: reply.into(),
            run,
            attempt,
            until_ms,
        })
    }

    /// `None`: not a reply of this version.
    pub fn from_text(text: &str) -> Option<Self> {
        let written: WrittenReply = serde_json::from_str(text).ok()?;
        Some(match &*written.reply {
            "new" => Reply::New,
            "revived" => Reply::Revived { run: written.run? },
            "duplicate" => Reply::Duplicate,
            "go" => Reply::Go {
                attempt: written.attempt?,
            },
            "busy" => Reply::Busy {
                until_ms: written.until_ms?,
            },
            "later" => Reply::Later {
                until_ms: written.until_ms?,
            },
            "settled" => Reply::Settled,
            "rerun" => Reply::Rerun { run: written.run? },
            "redriven" => Reply::Redriven { run: written.run? },
            "forgotten" => Reply::Forgotten { run: written.run? },
            "unknown" => Reply::Unknown,
            "noted" => Reply::Noted,
            "on-its-way" => Reply::OnItsWay,
            "elsewhere" => Reply::Elsewhere,
            _ => return None,
        })
    }
}

/// Texts and numbers alone: writing them cannot fail.
fn text(written: &impl Serialize) -> String {
    serde_json::to_string(written).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKS: [(Ask, &str); 17] = [
        (Ask::Arrive, r#""ask":"arrive""#),
        (Ask::Return, r#""ask":"return""#),
        (Ask::Seek, r#""ask":"seek""#),
        (Ask::Note, r#""ask":"note""#),
        (
            Ask::Claim {
                run: 1,
                owner: u64::MAX,
                lease_ms: 5,
                fresh: None,
            },
            r#""ask":"claim","run":1,"owner":18446744073709551615,"lease_ms":5"#,
        ),
        (
            Ask::Claim {
                run: 1,
                owner: 7,
                lease_ms: 5,
                fresh: Some(Fresh {
                    per_second_max: None,
                }),
            },
            r#""ask":"claim","run":1,"owner":7,"lease_ms":5,"fresh":true"#,
        ),
        (
            Ask::Claim {
                run: 1,
                owner: 7,
                lease_ms: 5,
                fresh: Some(Fresh {
                    per_second_max: Some(3),
                }),
            },
            r#""ask":"claim","run":1,"owner":7,"lease_ms":5,"fresh":true,"per_second_max":3"#,
        ),
        (
            Ask::Turn { per_second_max: 3 },
            r#""ask":"turn","per_second_max":3"#,
        ),
        (Ask::Done { run: 2 }, r#""ask":"done","run":2"#),
        (
            Ask::Dead {
                run: 2,
                owner: None,
            },
            r#""ask":"dead","run":2"#,
        ),
        (
            Ask::Dead {
                run: 2,
                owner: Some(7),
            },
            r#""ask":"dead","run":2,"owner":7"#,
        ),
        (
            Ask::Release {
                run: 2,
                owner: 7,
                slow_seconds: None,
            },
            r#""ask":"release","run":2,"owner":7"#,
        ),
        (
            Ask::Release {
                run: 2,
                owner: 7,
                slow_seconds: Some(4),
            },
            r#""ask":"release","run":2,"owner":7,"slow_seconds":4"#,
        ),
        (
            Ask::Redrive {
                run_at_least: 3,
                insist: false,
            },
            r#""ask":"redrive","run_at_least":3"#,
        ),
        (
            Ask::Redrive {
                run_at_least: 3,
                insist: true,
            },
            r#""ask":"redrive","run_at_least":3,"insist":true"#,
        ),
        (Ask::Forget { insist: false }, r#""ask":"forget""#),
        (
            Ask::Forget { insist: true },
            r#""ask":"forget","insist":true"#,
        ),
    ];

    const REPLIES: [(Reply, &str); 14] = [
        (Reply::New, r#"{"reply":"new"}"#),
        (Reply::Revived { run: 2 }, r#"{"reply":"revived","run":2}"#),
        (Reply::Duplicate, r#"{"reply":"duplicate"}"#),
        (Reply::Go { attempt: 2 }, r#"{"reply":"go","attempt":2}"#),
        (
            Reply::Busy { until_ms: 9 },
            r#"{"reply":"busy","until_ms":9}"#,
        ),
        (
            Reply::Later { until_ms: 9 },
            r#"{"reply":"later","until_ms":9}"#,
        ),
        (Reply::Settled, r#"{"reply":"settled"}"#),
        (Reply::Rerun { run: 2 }, r#"{"reply":"rerun","run":2}"#),
        (
            Reply::Forgotten { run: 2 },
            r#"{"reply":"forgotten","run":2}"#,
        ),
        (Reply::Unknown, r#"{"reply":"unknown"}"#),
        (
            Reply::Redriven { run: 2 },
            r#"{"reply":"redriven","run":2}"#,
        ),
        (Reply::Noted, r#"{"reply":"noted"}"#),
        (Reply::OnItsWay, r#"{"reply":"on-its-way"}"#),
        (Reply::Elsewhere, r#"{"reply":"elsewhere"}"#),
    ];

    /// Objects and callers of two versions meet during a deploy: these texts may be added to, and
    /// never changed.
    #[test]
    fn the_words_are_pinned() {
        for (ask, words) in ASKS {
            for newer in [false, true] {
                let request = Request {
                    key: "ab".into(),
                    expires_ms: 9,
                    newer,
                    ask,
                };
                let text = request.to_text();
                let newer = if newer { r#","newer":true"# } else { "" };
                assert_eq!(
                    text,
                    format!(r#"{{"key":"ab","expires_ms":9,{words}{newer}}}"#)
                );
                assert_eq!(Request::from_text(&text), Some(request));
            }
        }
        for (reply, words) in REPLIES {
            assert_eq!(reply.to_text(), words);
            assert_eq!(Reply::from_text(words), Some(reply));
        }
    }

    #[test]
    fn what_another_version_may_say_is_understood_or_refused_whole() {
        let with_more = r#"{"key":"ab","expires_ms":9,"ask":"done","run":1,"later":[1]}"#;
        assert!(Request::from_text(with_more).is_some());
        for text in [
            r#"{"key":"ab","expires_ms":9,"ask":"done"}"#,
            r#"{"key":"ab","expires_ms":9,"ask":"rename","run":1}"#,
            r#"{"key":"ab","ask":"note"}"#,
            "",
        ] {
            assert_eq!(Request::from_text(text), None, "{text}");
        }
        for text in [r#"{"reply":"go"}"#, r#"{"reply":"gone"}"#, "null", ""] {
            assert_eq!(Reply::from_text(text), None, "{text}");
        }
    }
}
