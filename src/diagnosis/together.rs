//! The tool's diagnosis: every hypothesis, more of them, and each two together.

use super::more::MORE;
use super::{Case, Hypothesis, Judgement};

/// What is hashed for one diagnosis by the tool, at most: some seconds.
const HASHED_BYTES_MAX: usize = 268_435_456;

/// A hypothesis with what it does to a case.
#[derive(Clone, Copy)]
pub(super) struct Attempt {
    pub name: &'static str,
    pub words: &'static str,
    pub remedy: &'static str,
    pub vary: for<'c> fn(&'c Case<'_>) -> Vec<Case<'c>>,
    /// It has so many variations that it is not tried together with others.
    pub is_alone: bool,
}

/// One mistake that explains the signature, or two that do it together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub mistakes: Vec<Mistake>,
    /// The name of the secret that made the signature.
    pub key_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub name: &'static str,
    pub words: &'static str,
    pub remedy: &'static str,
}

/// What was found, and how much was tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thorough {
    pub findings: Vec<Finding>,
    pub tried: u64,
    /// More would have been tried, but it was enough.
    pub is_cut_short: bool,
}

impl Hypothesis {
    fn attempt(self) -> Attempt {
        // A function for each, because what varies a case carries nothing with it.
        macro_rules! vary {
            ($($name:ident)*) => {
                match self { $(Hypothesis::$name => |case| Hypothesis::$name.variations(case),)* }
            };
        }
        let vary: for<'c> fn(&'c Case<'_>) -> Vec<Case<'c>> = vary!(
            RetiredSecret SecretNotDecoded SecretPrefixKept SecretPrefixRemoved SecretDecoded SecretUnset
            SecretWhitespace SecretQuotes SignatureInBase64 SignatureInHex SignatureInBase64Url
            SignatureUpperCase SignatureEncodedTwice SignaturePrefix OtherHash TimeUnit TimeSignedOtherwise
            BodyNewlineAdded BodyNewlineRemoved BodyCrlf BodyLf BodyBomRemoved BodyBomAdded BodyCompact
            BodySpaced BodyPretty BodySorted BodyNotSigned BodyHexDecoded BodyDigest BodyOnly
            PartsInOtherOrder SeparatorsMissing OtherSeparators TargetOtherwise TimeChanged
        );
        Attempt {
            name: self.name(),
            words: self.words(),
            remedy: self.remedy(),
            vary,
            is_alone: false,
        }
    }
}

/// All that the tool tries.
pub fn mistakes() -> Vec<Mistake> {
    attempts().iter().map(Attempt::mistake).collect()
}

fn attempts() -> Vec<Attempt> {
    let known = Hypothesis::ALL
        .iter()
        .map(|hypothesis| hypothesis.attempt());
    known.chain(MORE.iter().copied()).collect()
}

impl Attempt {
    fn mistake(&self) -> Mistake {
        Mistake {
            name: self.name,
            words: self.words,
            remedy: self.remedy,
        }
    }
}

/// Every single mistake that explains the signature; where none does, the first two that do it together.
/// `judge` is [`Case::judge`], or what a public key says of the case's head and body.
pub fn diagnose_thoroughly(case: &Case<'_>, judge: &dyn Fn(&Case<'_>) -> Judgement) -> Thorough {
    let attempts = attempts();
    let mut search = Search {
        judge,
        room: HASHED_BYTES_MAX,
        found: Thorough::default(),
    };
    for attempt in &attempts {
        for variation in (attempt.vary)(case) {
            if search.judge(&variation, &[attempt]) {
                break;
            }
        }
    }
    if search.found.findings.is_empty() {
        search.pairs(case, &attempts);
    }
    search.found
}

struct Search<'j> {
    judge: &'j dyn Fn(&Case<'_>) -> Judgement,
    room: usize,
    found: Thorough,
}

impl Search<'_> {
    /// Whether it explains the signature.
    fn judge(&mut self, case: &Case<'_>, attempts: &[&Attempt]) -> bool {
        let Some(room) = self.room.checked_sub(case.cost_bytes()) else {
            self.found.is_cut_short = true;
            return false;
        };
        self.room = room;
        self.found.tried += 1;
        let Judgement::Right(key_id) = (self.judge)(case) else {
            return false;
        };
        self.found.findings.push(Finding {
            mistakes: attempts.iter().map(|attempt| attempt.mistake()).collect(),
            key_id,
        });
        true
    }

    fn pairs(&mut self, case: &Case<'_>, attempts: &[Attempt]) {
        for (index, one) in attempts.iter().enumerate() {
            for first in (one.vary)(case) {
                let others = attempts[index + 1..].iter();
                for other in others.filter(|other| !other.is_alone && !one.is_alone) {
                    for both in (other.vary)(&first) {
                        if self.judge(&both, &[one, other]) {
                            return;
                        }
                    }
                }
            }
        }
    }
}
