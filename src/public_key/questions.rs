//! What is asked of a statement: every reading under every key, one after the other.

use std::sync::Arc;

use super::{Method, PublicKey, Question};
use crate::verify::Statement;

/// Which of the readings of a statement.
type Variant = usize;

/// What is still to be asked.
#[derive(Debug, Default)]
pub struct Questions {
    /// The next one last. The name is the key's, for the record.
    rest: Vec<(Question, String, Variant)>,
    /// What the last one was about.
    pub asked: Option<(String, Variant)>,
}

impl Questions {
    /// The first question: the first reading, under the first key. `None`: there is none.
    pub fn begin(
        &mut self,
        statement: &Statement,
        keys: &[(Arc<PublicKey>, String)],
    ) -> Option<Question> {
        let method = Method::of(statement.algorithm)?;
        for (variant, message) in statement.messages.iter().enumerate().rev() {
            for (key, name) in keys.iter().rev() {
                for signature in statement.signatures.iter().rev() {
                    let question = Question {
                        method,
                        key: key.clone(),
                        message: message.clone(),
                        signature: signature.clone(),
                    };
                    self.rest.push((question, name.clone(), variant));
                }
            }
        }
        self.next()
    }

    /// The next question.
    pub fn next(&mut self) -> Option<Question> {
        let (question, name, variant) = self.rest.pop()?;
        self.asked = Some((name, variant));
        Some(question)
    }
}
