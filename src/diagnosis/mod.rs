//! Why a signature does not match: a bounded list of the mistakes that senders make, each tried out.
//!
//! A [`Hypothesis`] is a way in which the sender's request, secret or signed string may differ from what
//! the scheme says. Each varies the [`Case`] and has the one interpreter judge it
//! ([`crate::verify::guess`]), so there is nothing per provider here, and a scheme of one's own is
//! diagnosed like a built-in one.
//!
//! **Nothing is accepted by it.** What comes out is a [`Diagnosis`], made of names and numbers; an event
//! needs a [`crate::verify::Verified`], which nothing here can make. Only the source's own secrets are
//! tried, those that are live and those that its configuration says it has retired: whether a request
//! would be right for somebody else's secret is never asked.
//!
//! In the Worker it runs a while after the answer, for the few refusals of a source that are stored one by
//! one ([`crate::audit::REFUSALS_A_MINUTE`]), and for at most [`HASHED_BYTES_MAX`] of hashing. All that is affordable is tried whatever is found, so the
//! time it takes says nothing of what was found. The tool tries more, and each two mistakes together.

mod bodies;
mod case;
#[cfg(not(target_arch = "wasm32"))]
mod dear;
mod hypothesis;
mod json_style;
#[cfg(not(target_arch = "wasm32"))]
mod more;
mod remedy;
mod secrets;
mod signatures;
mod signed_string;
#[cfg(not(target_arch = "wasm32"))]
mod together;
#[cfg(not(target_arch = "wasm32"))]
mod url;

use crate::request::Head;
use crate::scheme::Scheme;
use crate::verdict::{Reject, Trouble, Verdict};
pub use case::{Case, Judgement};
pub use hypothesis::Hypothesis;
#[cfg(not(target_arch = "wasm32"))]
pub use together::{Finding, Mistake, Thorough, diagnose_thoroughly, mistakes};

/// A request with a longer body is not diagnosed by the Worker: its one hash alone would take a
/// sixteenth of [`HASHED_BYTES_MAX`].
pub const BODY_BYTES_MAX: usize = 65_536;

/// A request with a longer head is not either. A head can be signed as a body is, and is read anew for each
/// variation; a real one has two or three thousand bytes, and a quarter of a body's leaves room for tokens.
pub const HEAD_BYTES_MAX: usize = 16_384;

/// What is hashed for one diagnosis in the Worker, at most. In wasm that is 2.7 ms
/// (docs/performance.md), as long as a large event takes.
pub const HASHED_BYTES_MAX: usize = 1_048_576;

/// Beside its text, a MAC takes four blocks.
const MAC_BYTES: usize = 256;

/// What was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The first that explains the signature. `None`: none of those that were tried does, so that it
    /// was made with another secret, over another text, or by a forger.
    pub hypothesis: Option<Hypothesis>,
    /// The name of the secret that made the signature.
    pub key_id: Option<String>,
    /// The signature was found to be right. Otherwise only its form was looked at, because the request
    /// was refused before its body was read.
    pub is_proved: bool,
    /// How many variations were judged, and how many were not, because they would have cost too much.
    pub tried: u32,
    pub untried: u32,
}

/// Whether a request that ended so may have been signed by a sender who made a mistake. Where a public
/// key checks the signature only the tool can tell: `WebCrypto` would be asked for each variation. So it is
/// where the message or its source states what is signed.
pub fn is_worthwhile(verdict: Verdict, scheme: &Scheme) -> bool {
    let may_be = match verdict {
        Verdict::Refused(reject) => matches!(
            reject,
            Reject::SignatureMismatch | Reject::MalformedSignature(_) | Reject::MalformedTime(_)
        ),
        // A mismatch, while a configured secret is not there.
        Verdict::Unavailable(trouble) => {
            matches!(trouble, Trouble::SecretMissing | Trouble::SecretUnusable)
        }
        _ => false,
    };
    may_be && !scheme.is_public() && !scheme.is_stated()
}

/// Whether a request is short enough to be diagnosed by the Worker. `body_bytes` is missing where the body
/// was not read.
pub fn is_short(head: &Head, body_bytes: Option<usize>) -> bool {
    head.bytes() <= HEAD_BYTES_MAX && body_bytes.is_none_or(|bytes| bytes <= BODY_BYTES_MAX)
}

/// Tries each hypothesis on a request that did not verify, as far as `hashed_bytes_max` goes.
pub fn diagnose(case: &mut Case<'_>, hashed_bytes_max: usize) -> Diagnosis {
    let mut diagnosis = Diagnosis {
        hypothesis: None,
        key_id: None,
        is_proved: false,
        tried: 0,
        untried: 0,
    };
    let mut room = hashed_bytes_max;
    for hypothesis in Hypothesis::ALL {
        for mut change in hypothesis.changes(case) {
            case.exchange(&mut change);
            let cost = case.cost_bytes();
            let judgement = if cost <= room {
                room -= cost;
                diagnosis.tried += 1;
                case.judge()
            } else {
                diagnosis.untried += 1;
                Judgement::Wrong
            };
            case.exchange(&mut change);
            // The first that explains it; the others are tried all the same.
            if diagnosis.hypothesis.is_some() || judgement == Judgement::Wrong {
                continue;
            }
            diagnosis.hypothesis = Some(*hypothesis);
            if let Judgement::Right(key_id) = judgement {
                diagnosis.is_proved = true;
                diagnosis.key_id = Some(key_id);
            }
        }
    }
    diagnosis
}

impl Diagnosis {
    /// The hypothesis by its name.
    pub fn name(&self) -> &'static str {
        self.hypothesis.map_or("none", Hypothesis::name)
    }

    /// What was found, in words that a sender can act on. One of a fixed list: never a part of the
    /// request or of a secret.
    pub fn words(&self) -> &'static str {
        self.hypothesis.map_or(
            "no known mistake explains it: another secret, another text, or a forgery",
            Hypothesis::words,
        )
    }
}
