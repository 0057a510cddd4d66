//! What stands beside a refusal's reason, so that nobody has to look for it elsewhere.

use super::{VerdictLine, shown};
use crate::gate::LiveSource;
use crate::request::Head;
use crate::verdict::{Reject, Trouble, Verdict};

impl<'a> VerdictLine<'a> {
    /// Adds what the request and the configuration say about the reason. Of what was taken there is nothing to add.
    #[must_use]
    pub fn with_facts(
        mut self,
        verdict: Verdict,
        live: Option<&'a LiveSource>,
        head: &Head,
    ) -> Self {
        match (verdict, live) {
            (Verdict::Refused(Reject::UnknownSource), _) => {
                self.unknown_path = Some(shown::path(&head.path, false));
            }
            (Verdict::Refused(Reject::BodyTooLarge { .. }), _) => {
                let declared = head.header("content-length");
                self.declared_bytes = declared.and_then(|text| text.parse().ok());
            }
            (Verdict::Refused(Reject::SignatureMismatch), Some(live)) => {
                self.secrets_tried = Some(live.keys.len() + live.public_keys.len());
            }
            (Verdict::Refused(Reject::Stale { .. }), Some(live)) => {
                self.tolerance_seconds = live.tolerance_seconds();
            }
            (Verdict::Refused(Reject::FromFuture { .. }), Some(live)) => {
                let form = live.scheme.time.as_ref();
                self.tolerance_seconds = form.map(|form| form.future_seconds);
            }
            (
                Verdict::Unavailable(Trouble::SecretMissing | Trouble::SecretUnusable),
                Some(live),
            ) => {
                self.secret_name = live.missing_secret();
            }
            _ => {}
        }
        self
    }
}

impl LiveSource {
    /// How old a delivery may be, in seconds. `None`: no time is signed.
    pub fn tolerance_seconds(&self) -> Option<u32> {
        let form = self.scheme.time.as_ref()?;
        Some(
            self.source
                .tolerance_seconds
                .unwrap_or(form.tolerance_seconds),
        )
    }

    /// The first of its secrets that is no key.
    fn missing_secret(&self) -> Option<&str> {
        for reference in &self.source.secrets {
            let name = reference.name();
            let is_key = self.keys.iter().any(|key| key.name == name);
            if !is_key && !self.public_keys.iter().any(|(known, _)| known == name) {
                return Some(name);
            }
        }
        None
    }
}
