//! From a statement to its proof, as a step function: which key, from where, and what is asked of it.
//!
//! ```text
//! memory -> KV -> the provider -> Question     what is not there: 503
//!            \       /
//!             its chain, where it carries one
//! ```
//!
//! [`Inquiry`] says what to do next and is told what came of it; it does nothing itself.

use std::sync::Arc;

use super::chain::{Flaw, Path};
use super::document::{Document, Keys, NoKey};
use super::memory::{Age, KeyMemory};
use super::questions::Questions;
use super::{PublicKey, Question};
use crate::gate::LiveSource;
use crate::uses;
use crate::verdict::{Reject, Trouble, Verdict};
use crate::verify::{KeyAt, Proof, Secret, Statement};

/// Something for the edge to do.
#[derive(Clone, Debug)]
pub enum Step {
    /// Read the document of this URL from KV.
    Recall {
        url: String,
    },
    /// Fetch it: no redirects, at most [`super::document::DOCUMENT_BYTES_MAX`] bytes. With a body it is asked for
    /// by a POST of this JSON.
    Fetch {
        url: String,
        body: Option<Secret>,
    },
    /// Check a signature.
    Ask(Question),
    Done(Result<Proof, Verdict>),
}

/// What came of a fetch that was answered 200.
#[derive(Clone, Debug)]
pub struct Fetched {
    pub text: String,
    pub cache_control: Option<String>,
}

/// One statement on its way to a proof.
#[derive(Debug)]
pub struct Inquiry {
    questions: Questions,
    body_bytes: usize,
    /// A document that is not taken in before its chain was asked about.
    arrived: Option<Box<(Arrived, Path)>>,
    /// Why a document was not taken in: for the log.
    pub flaw: Option<Flaw>,
}

/// A document that came, with its keys.
#[derive(Debug)]
struct Arrived {
    document: Document,
    keys: Keys,
    /// From the provider, and not from KV.
    is_fetched: bool,
}

impl Inquiry {
    /// The first step. `now_ms` is read after the body.
    pub fn begin(
        live: &LiveSource,
        statement: &Statement,
        memory: &mut KeyMemory,
        now_ms: i64,
    ) -> (Self, Step) {
        let mut inquiry = Inquiry {
            questions: Questions::default(),
            body_bytes: statement.body_bytes,
            arrived: None,
            flaw: None,
        };
        let step = match &statement.key {
            KeyAt::Own => inquiry.ask_own(live, statement),
            KeyAt::Url(_) | KeyAt::Set { .. } | KeyAt::Asked { .. } => {
                inquiry.look_up(live, statement, memory, now_ms)
            }
        };
        (inquiry, step)
    }

    /// KV gave this, or nothing.
    pub fn recalled(
        &mut self,
        live: &LiveSource,
        statement: &Statement,
        memory: &mut KeyMemory,
        kept: Option<&str>,
        now_ms: i64,
    ) -> Step {
        // What KV keeps is read like what was fetched: it decides nothing by being there.
        match kept.and_then(Document::from_text) {
            Some(kept) => self.arrive(live, statement, memory, kept, false, now_ms).0,
            None => self.go_on(live, statement, memory, now_ms),
        }
    }

    /// With what KV had.
    fn go_on(
        &mut self,
        live: &LiveSource,
        statement: &Statement,
        memory: &mut KeyMemory,
        now_ms: i64,
    ) -> Step {
        let url = statement.key.url();
        match remembered(live, statement, memory, now_ms) {
            Some((Age::Fresh, Ok(key))) => self.ask(statement, vec![(key, statement.key_name())]),
            Some((Age::Fresh, Err(NoKey::Unusable))) => done(Trouble::KeyUnusable),
            Some((Age::Fresh, Err(NoKey::Unknown)))
                if !memory.may_ask_again(&live.name, url, now_ms) =>
            {
                done(Trouble::KeyUnknown)
            }
            Some(_) | None => self.fetch(statement),
        }
    }

    /// The provider answered 200 with this, or did not. What is to be kept in KV comes back.
    pub fn fetched(
        &mut self,
        live: &LiveSource,
        statement: &Statement,
        memory: &mut KeyMemory,
        fetched: Option<Fetched>,
        now_ms: i64,
    ) -> (Step, Option<Document>) {
        let Some(fetched) = fetched else {
            let trouble = Trouble::KeyUnfetched;
            return self.reject(live, statement, memory, true, trouble, now_ms);
        };
        let document = Document::fetched(fetched.text, fetched.cache_control.as_deref(), now_ms);
        self.arrive(live, statement, memory, document, true, now_ms)
    }

    /// Whether the question was answered with yes. `None`: it could not be asked. What is to be kept in KV comes back.
    pub fn answered(
        &mut self,
        live: &LiveSource,
        statement: &Statement,
        memory: &mut KeyMemory,
        answer: Option<bool>,
        now_ms: i64,
    ) -> (Step, Option<Document>) {
        if uses::CERTIFICATES
            && let Some(mut arrived) = self.arrived.take()
        {
            arrived.1.answered(answer == Some(true));
            return self.follow(live, statement, memory, arrived, now_ms);
        }
        let step = match (answer, self.questions.asked.take()) {
            (Some(true), Some((name, variant))) => Step::Done(Ok(Proof::of(name, variant))),
            (Some(_), _) => self.next(live, now_ms),
            (None, _) => done(Trouble::CheckFailed),
        };
        (step, None)
    }

    /// A document is taken in, unless its chain has to be asked about first.
    fn arrive(
        &mut self,
        live: &LiveSource,
        statement: &Statement,
        memory: &mut KeyMemory,
        document: Document,
        is_fetched: bool,
        now_ms: i64,
    ) -> (Step, Option<Document>) {
        let trouble = match (document.keys(live), document.path(live, now_ms)) {
            (Some(keys), Ok(path)) => {
                let arrived = Arrived {
                    document,
                    keys,
                    is_fetched,
                };
                return match path {
                    Some(path) => {
                        self.follow(live, statement, memory, Box::new((arrived, path)), now_ms)
                    }
                    None => self.take_in(live, statement, memory, arrived, now_ms),
                };
            }
            (None, _) => Trouble::KeyUnfetched,
            (Some(_), Err(flaw)) => self.flawed(flaw),
        };
        self.reject(live, statement, memory, is_fetched, trouble, now_ms)
    }

    /// One step further along the chain.
    fn follow(
        &mut self,
        live: &LiveSource,
        statement: &Statement,
        memory: &mut KeyMemory,
        mut following: Box<(Arrived, Path)>,
        now_ms: i64,
    ) -> (Step, Option<Document>) {
        match following.1.question() {
            Ok(Some(question)) => {
                self.arrived = Some(following);
                (Step::Ask(question), None)
            }
            Ok(None) => {
                let (mut arrived, path) = *following;
                if let Keys::Certificate(certificate, _) = &mut arrived.keys {
                    certificate.valid_ms = path.valid_ms;
                }
                self.take_in(live, statement, memory, arrived, now_ms)
            }
            Err(flaw) => {
                let trouble = self.flawed(flaw);
                let is_fetched = following.0.is_fetched;
                self.reject(live, statement, memory, is_fetched, trouble, now_ms)
            }
        }
    }

    fn flawed(&mut self, flaw: Flaw) -> Trouble {
        self.flaw = Some(flaw);
        Trouble::KeyUnusable
    }

    fn take_in(
        &mut self,
        live: &LiveSource,
        statement: &Statement,
        memory: &mut KeyMemory,
        arrived: Arrived,
        now_ms: i64,
    ) -> (Step, Option<Document>) {
        let url = statement.key.url();
        let Arrived {
            mut document,
            keys,
            is_fetched,
        } = arrived;
        let found = keys.key_for(live, statement.algorithm, statement.key.id(), now_ms);
        if let Keys::Certificate(certificate, _) = &keys {
            if found.is_err() {
                // It has no other key, and may be the provider's slip: what was there before is better.
                let trouble = Trouble::KeyUnusable;
                return self.reject(live, statement, memory, is_fetched, trouble, now_ms);
            }
            document.fresh_until_ms = document.fresh_until_ms.min(certificate.valid_ms.1);
        }
        if !is_fetched {
            memory.keep(&live.name, url, &document, keys);
            return (self.go_on(live, statement, memory, now_ms), None);
        }
        memory.keep(&live.name, url, &document, keys);
        match found {
            Ok(key) => {
                let step = self.ask(statement, vec![(key, statement.key_name())]);
                (step, Some(document))
            }
            Err(NoKey::Unknown) => {
                // It was asked just now.
                memory.may_ask_again(&live.name, url, now_ms);
                (done(Trouble::KeyUnknown), Some(document))
            }
            Err(NoKey::Unusable) => (done(Trouble::KeyUnusable), None),
        }
    }

    /// What cannot be used is as if it had not come.
    fn reject(
        &mut self,
        live: &LiveSource,
        statement: &Statement,
        memory: &mut KeyMemory,
        is_fetched: bool,
        trouble: Trouble,
        now_ms: i64,
    ) -> (Step, Option<Document>) {
        if !is_fetched {
            return (self.go_on(live, statement, memory, now_ms), None);
        }
        memory.failed(&live.name, statement.key.url(), trouble, now_ms);
        (self.fall_back(live, statement, memory, now_ms), None)
    }

    fn ask_own(&mut self, live: &LiveSource, statement: &Statement) -> Step {
        let keys = live.public_keys.iter();
        let serving = keys.filter(|(_, key)| key.serves(statement.algorithm, super::RSA_BITS_MIN));
        let keys = serving
            .map(|(name, key)| (key.clone(), name.clone()))
            .collect();
        self.ask(statement, keys)
    }

    fn look_up(
        &mut self,
        live: &LiveSource,
        statement: &Statement,
        memory: &mut KeyMemory,
        now_ms: i64,
    ) -> Step {
        let url = statement.key.url();
        match remembered(live, statement, memory, now_ms) {
            Some((Age::Fresh, Ok(key))) => self.ask(statement, vec![(key, statement.key_name())]),
            Some((Age::Fresh, Err(NoKey::Unusable))) => done(Trouble::KeyUnusable),
            Some((Age::Fresh, Err(NoKey::Unknown)))
                if !memory.may_ask_again(&live.name, url, now_ms) =>
            {
                done(Trouble::KeyUnknown)
            }
            // KV may be as old as this memory.
            Some((Age::Fresh | Age::Stale, _)) if memory.may_look(&live.name, url, now_ms) => {
                self.fetch(statement)
            }
            None if memory.may_look(&live.name, url, now_ms) => Step::Recall {
                url: url.to_owned(),
            },
            Some(_) | None => self.fall_back(live, statement, memory, now_ms),
        }
    }

    fn fetch(&self, statement: &Statement) -> Step {
        Step::Fetch {
            url: statement.key.url().to_owned(),
            body: statement.key.request().cloned(),
        }
    }

    /// What is stale serves while the provider cannot be asked.
    fn fall_back(
        &mut self,
        live: &LiveSource,
        statement: &Statement,
        memory: &KeyMemory,
        now_ms: i64,
    ) -> Step {
        match remembered(live, statement, memory, now_ms) {
            Some((_, Ok(key))) => self.ask(statement, vec![(key, statement.key_name())]),
            Some((_, Err(NoKey::Unusable))) => done(Trouble::KeyUnusable),
            Some((_, Err(NoKey::Unknown))) => done(Trouble::KeyUnknown),
            None => done(memory.trouble(&live.name, statement.key.url())),
        }
    }

    fn ask(&mut self, statement: &Statement, keys: Vec<(Arc<PublicKey>, String)>) -> Step {
        self.questions
            .begin(statement, &keys)
            .map_or_else(|| done(Trouble::KeyUnusable), Step::Ask)
    }

    fn next(&mut self, live: &LiveSource, now_ms: i64) -> Step {
        match self.questions.next() {
            Some(question) => Step::Ask(question),
            None => Step::Done(Err(crate::admission::unverified(
                live,
                Reject::SignatureMismatch,
                self.body_bytes,
                now_ms,
            ))),
        }
    }
}

/// The statement's key, and how old the document is that has it or lacks it. `None`: none is remembered.
fn remembered(
    live: &LiveSource,
    statement: &Statement,
    memory: &KeyMemory,
    now_ms: i64,
) -> Option<(Age, Result<Arc<PublicKey>, NoKey>)> {
    let (keys, age) = memory.find(&live.name, statement.key.url(), now_ms)?;
    let key = keys.key_for(live, statement.algorithm, statement.key.id(), now_ms);
    Some((age, key))
}

fn done(trouble: Trouble) -> Step {
    Step::Done(Err(Verdict::Unavailable(trouble)))
}
