//! Who remembers the logs besides this account, as this Worker knows them.

use super::note::{KeyKind, VerifierKey};
use crate::config::{Audit, Destination, is_private, may_be_private};

/// Without any of them a log shows what was altered in the stores, and nothing against whoever has the key.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    /// The URL of a witness, and its key.
    pub witness: Option<(String, VerifierKey)>,
    /// Where every checkpoint is posted.
    pub checkpoint_to: Option<String>,
    /// Settings that cannot be used here, each with why: for the log.
    pub unusable: Vec<String>,
}

impl Outside {
    /// `variable` looks a variable up by name.
    pub fn bring_up(
        audit: &Audit,
        environment: &str,
        mut variable: impl FnMut(&str) -> Option<String>,
    ) -> Self {
        let private_allowed = may_be_private(environment, &mut variable);
        let mut unusable = Vec::new();
        let mut value = |name: &str, setting: &Option<String>| {
            let setting = setting.as_deref()?;
            match Audit::resolve(setting, &mut variable) {
                Ok(value) => Some(value),
                Err(missing) => {
                    unusable.push(format!("{name}: {missing} is not set"));
                    None
                }
            }
        };
        let mut witness = value("witness", &audit.witness);
        let key = value("witness_key", &audit.witness_key);
        let mut checkpoint_to = value("checkpoint_to", &audit.checkpoint_to);
        for (name, url) in [
            ("witness", &mut witness),
            ("checkpoint_to", &mut checkpoint_to),
        ] {
            let is_sound =
                |url: &str| Destination::is_url(url) && (private_allowed || !is_private(url));
            if url.as_deref().is_some_and(|url| !is_sound(url)) {
                *url = None;
                unusable.push(format!("{name}: not a public https URL"));
            }
        }
        let is_witness = |key: &VerifierKey| key.kind == KeyKind::Cosignature;
        let read = key
            .as_deref()
            .and_then(VerifierKey::parse)
            .filter(is_witness);
        if key.is_some() && read.is_none() {
            unusable.push("witness_key: not a key for cosignature/v1".to_owned());
        }
        Outside {
            witness: witness.zip(read),
            checkpoint_to,
            unusable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "witness.example/w1+0ea28cd4+BAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";

    fn key() -> VerifierKey {
        VerifierKey {
            name: "witness.example/w1".to_owned(),
            kind: KeyKind::Cosignature,
            public_key: [1; 32],
        }
    }

    #[test]
    fn what_cannot_be_used_is_named_and_left_out() {
        let audit = Audit {
            witness: Some("$WITNESS".to_owned()),
            witness_key: Some(key().to_text()),
            checkpoint_to: Some("https://elsewhere.example/".to_owned()),
            ..Audit::default()
        };
        let at = |url: Option<&str>, environment, audit: &Audit| {
            Outside::bring_up(audit, environment, |name| match name {
                "WITNESS" => url.map(str::to_owned),
                "ALLOW_PRIVATE_DESTINATIONS" => Some("true".to_owned()),
                _ => None,
            })
        };
        let sound = at(Some("https://witness.example"), "production", &audit);
        assert_eq!(sound.unusable, Vec::<String>::new());
        assert_eq!(sound.witness.unwrap().1, key());
        let missing = at(None, "production", &audit);
        assert_eq!(missing.unusable, ["witness: WITNESS is not set"]);
        assert!(missing.witness.is_none() && missing.checkpoint_to.is_some());
        let private = at(Some("http://127.0.0.1:9/"), "production", &audit);
        assert_eq!(private.unusable, ["witness: not a public https URL"]);
        assert!(
            at(Some("http://127.0.0.1:9/"), "test", &audit)
                .witness
                .is_some()
        );
        for wrong in [KEY, "x", &key().to_text().replace("+BA", "+AQ")] {
            let audit = Audit {
                witness_key: Some(wrong.to_owned()),
                ..audit.clone()
            };
            let closed = at(Some("https://witness.example"), "production", &audit);
            assert_eq!(closed.unusable.len(), 1, "{wrong}");
            assert!(closed.witness.is_none(), "{wrong}");
        }
        let nobody = at(None, "production", &Audit::default());
        assert!(nobody.unusable.is_empty() && nobody.witness.is_none());
    }
}
