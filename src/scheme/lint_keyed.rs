//! What is wrong with a scheme whose MAC is more than one of the body, in one header.

use super::{Algorithm, IdentityRule, Part, Scheme, StatedPart};

impl Scheme {
    pub(super) fn keyed_faults(&self, faults: &mut Vec<String>) {
        let form = &self.signature;
        let stands_alone = !self.is_public() && !self.is_jws() && form.split.is_none();
        if !form.or.is_empty() && (!stands_alone || self.has_body_signature()) {
            faults.push("`signature.or` is for credentials, and for MACs that stand alone in their headers: no list, no JWS, no signature of a public key".into());
        }
        let by_time = |rule: &IdentityRule| matches!(rule, IdentityRule::Digest(rule) if rule.time);
        if self.time.is_none() && self.identity.iter().any(by_time) {
            faults.push("`identity`: { digest = { time = true } } needs a signed `time`".into());
        }
        if self.algorithm == Algorithm::Sha256
            && (self.signed.first() != Some(&Part::Secret) || !self.signed.contains(&Part::Body))
        {
            faults.push("`algorithm` = \"sha256\" is a plain hash: `signed` begins with \"secret\" and has \"body\", which must then be JSON".into());
        }
        let is_constant = |part: &Part| {
            matches!(
                part,
                Part::Literal(_) | Part::Secret | Part::Method | Part::Stated(StatedPart::Pin(_))
            )
        };
        if !self.signed.is_empty() && self.signed.iter().all(is_constant) {
            faults.push("`signed` has nothing of the message: its signature is always the same, and whoever has seen one can send anything".into());
        }
        if self.is_public() {
            return;
        }
        let leaves_out = self.signed.iter().all(|part| {
            matches!(
                part,
                Part::Time | Part::Nonce | Part::Literal(_) | Part::Fixed(..) | Part::FirstItem
            )
        });
        if self.signs_sender_only != leaves_out {
            faults.push("`signs_sender_only` is for signatures of named values alone: set it where `signed` consists of times, nonces, \"fixed:LENGTH:PLACE\" and \"first-item\", and nowhere else".into());
        }
    }

    /// Whether no method begins like another, so that what follows it in the signed string is known.
    pub(super) fn methods_are_told_apart(&self) -> bool {
        let mut pairs = self.methods.iter().enumerate();
        pairs.all(|(index, method)| {
            let mut others = self.methods.iter().enumerate();
            others.all(|(other, text)| other == index || !text.starts_with(method.as_str()))
        })
    }
}
