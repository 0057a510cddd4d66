//! From a statement to its proof, as a step function: which key, from where, and what is asked of it.
//!
//! ```text
//! memory -> KV -> the provider -> Question     what is not there: 503
//! ```
//!
//! [`Inquiry`] says what to do next and is told what came of it; it does nothing itself.

use std::sync::Arc;

use super::document::{Document, NoKey};
use super::memory::{Age, KeyMemory};
use super::{PublicKey, Question};
use crate::gate::LiveSource;
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
    /// What is still to be asked, the next question last. The name is the key's, for the record.
    questions: Vec<(Question, String, Variant)>,
    asked: Option<(String, Variant)>,
    body_bytes: usize,
}

/// Which of the readings of a statement.
type Variant = usize;

impl Inquiry {
    /// The first step. `now_ms` is read after the body.
    pub fn begin(
        live: &LiveSource,
        statement: &Statement,
        memory: &mut KeyMemory,
        now_ms: i64,
    ) -> (Self, Step) {
        let mut inquiry = Inquiry {
            questions: Vec::new(),
            asked: None,
            body_bytes: statement.body_bytes,
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
        let url = statement.key.url();
        // What KV keeps is read like what was fetched: it decides nothing by being there.
        if let Some(document) = kept.and_then(Document::from_text)
            && let Some(keys) = document.keys(live)
        {
            memory.keep(&live.name, url, &document, keys);
        }
        let fresh = memory
            .find(&live.name, url, now_ms)
            .filter(|(_, age)| *age == Age::Fresh);
        match fresh
            .map(|(keys, _)| keys.key_for(live, statement.algorithm, statement.key.id(), now_ms))
        {
            Some(Ok(key)) => self.ask(statement, vec![(key, statement.key_name())]),
            Some(Err(NoKey::Unusable)) => done(Trouble::KeyUnusable),
            Some(Err(NoKey::Unknown)) if !memory.may_ask_again(&live.name, url, now_ms) => {
                done(Trouble::KeyUnknown)
            }
            Some(Err(NoKey::Unknown)) | None => self.fetch(statement),
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
        let url = statement.key.url();
        let document = fetched.map(|fetched| {
            Document::fetched(fetched.text, fetched.cache_control.as_deref(), now_ms)
        });
        let keys = document.as_ref().and_then(|document| document.keys(live));
        let (Some(document), Some(keys)) = (document, keys) else {
            memory.failed(&live.name, url, now_ms);
            return (self.fall_back(live, statement, memory, now_ms), None);
        };
        let found = keys.key_for(live, statement.algorithm, statement.key.id(), now_ms);
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

    /// Whether the question was answered with yes. `None`: it could not be asked.
    pub fn answered(&mut self, live: &LiveSource, answer: Option<bool>, now_ms: i64) -> Step {
        match (answer, self.asked.take()) {
            (Some(true), Some((name, variant))) => Step::Done(Ok(Proof::of(name, variant))),
            (Some(_), _) => self.next(live, now_ms),
            (None, _) => done(Trouble::CheckFailed),
        }
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
        let remembered = memory.find(&live.name, url, now_ms);
        let found = remembered.map(|(keys, age)| {
            (
                age,
                keys.key_for(live, statement.algorithm, statement.key.id(), now_ms),
            )
        });
        match found {
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
        let remembered = memory.find(&live.name, statement.key.url(), now_ms);
        let key = remembered
            .map(|(keys, _)| keys.key_for(live, statement.algorithm, statement.key.id(), now_ms));
        match key {
            Some(Ok(key)) => self.ask(statement, vec![(key, statement.key_name())]),
            Some(Err(NoKey::Unusable)) => done(Trouble::KeyUnusable),
            Some(Err(NoKey::Unknown)) => done(Trouble::KeyUnknown),
            None => done(Trouble::KeyUnfetched),
        }
    }

    /// Every reading under every key, the first first.
    fn ask(&mut self, statement: &Statement, keys: Vec<(Arc<PublicKey>, String)>) -> Step {
        for (variant, message) in statement.messages.iter().enumerate().rev() {
            for (key, name) in keys.iter().rev() {
                for signature in statement.signatures.iter().rev() {
                    let question = Question {
                        algorithm: statement.algorithm,
                        key: key.clone(),
                        message: message.clone(),
                        signature: signature.clone(),
                    };
                    self.questions.push((question, name.clone(), variant));
                }
            }
        }
        self.pop()
            .map_or_else(|| done(Trouble::KeyUnusable), Step::Ask)
    }

    fn next(&mut self, live: &LiveSource, now_ms: i64) -> Step {
        match self.pop() {
            Some(question) => Step::Ask(question),
            None => Step::Done(Err(crate::admission::unverified(
                live,
                Reject::SignatureMismatch,
                self.body_bytes,
                now_ms,
            ))),
        }
    }

    fn pop(&mut self) -> Option<Question> {
        let (question, name, variant) = self.questions.pop()?;
        self.asked = Some((name, variant));
        Some(question)
    }
}

fn done(trouble: Trouble) -> Step {
    Step::Done(Err(Verdict::Unavailable(trouble)))
}
