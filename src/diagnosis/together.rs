//! The tool's diagnosis: every hypothesis, more of them, and each two together.

use super::Hypothesis;
use super::case::{Case, Change, Judgement};
use super::more::MORE;

/// What is hashed for one diagnosis by the tool, at most: some seconds.
const HASHED_BYTES_MAX: usize = 268_435_456;

#[derive(Clone, Copy)]
pub(super) enum Vary {
    Hypothesis(Hypothesis),
    More(fn(&Case<'_>, &mut Vec<Change>)),
}

impl Vary {
    fn changes(self, case: &Case<'_>) -> Vec<Change> {
        match self {
            Vary::Hypothesis(hypothesis) => hypothesis.changes(case),
            Vary::More(of) => {
                let mut changes = Vec::new();
                of(case, &mut changes);
                changes
            }
        }
    }
}

/// A hypothesis with what it does to a case.
#[derive(Clone, Copy)]
pub(super) struct Attempt {
    pub name: &'static str,
    pub words: &'static str,
    pub remedy: &'static str,
    pub vary: Vary,
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

/// All that the tool tries.
pub fn mistakes() -> Vec<Mistake> {
    attempts().iter().map(Attempt::mistake).collect()
}

fn attempts() -> Vec<Attempt> {
    let known = Hypothesis::ALL.iter().map(|hypothesis| Attempt {
        name: hypothesis.name(),
        words: hypothesis.words(),
        remedy: hypothesis.remedy(),
        vary: Vary::Hypothesis(*hypothesis),
        is_alone: false,
    });
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
pub fn diagnose_thoroughly(
    case: &mut Case<'_>,
    judge: &dyn Fn(&Case<'_>) -> Judgement,
) -> Thorough {
    let attempts = attempts();
    let mut search = Search {
        judge,
        room: HASHED_BYTES_MAX,
        found: Thorough::default(),
    };
    for attempt in &attempts {
        for mut change in attempt.vary.changes(case) {
            case.exchange(&mut change);
            let is_right = search.judge(case, &[attempt]);
            case.exchange(&mut change);
            if is_right {
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

    fn pairs(&mut self, case: &mut Case<'_>, attempts: &[Attempt]) {
        for (index, one) in attempts.iter().enumerate() {
            for mut first in one.vary.changes(case) {
                case.exchange(&mut first);
                let others = attempts[index + 1..].iter();
                for other in others.filter(|other| !other.is_alone && !one.is_alone) {
                    for mut second in other.vary.changes(case) {
                        case.exchange(&mut second);
                        let is_right = self.judge(case, &[one, other]);
                        case.exchange(&mut second);
                        if is_right {
                            case.exchange(&mut first);
                            return;
                        }
                    }
                }
                case.exchange(&mut first);
            }
        }
    }
}
