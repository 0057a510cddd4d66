//! What is fetched from a provider, and how long it may be used.

use std::sync::Arc;

use super::certificate::Certificate;
use super::chain::{Flaw, Path};
use super::{PublicKey, RSA_BITS_MIN, jwk};
use crate::gate::LiveSource;
use crate::scheme::{Algorithm, KeyEncoding};
use crate::uses;

/// The longest document that is read, in bytes: sets of keys take some 5,000.
pub const DOCUMENT_BYTES_MAX: u32 = 65_536;
/// A document is asked for again after this long without a word of the provider, and never sooner or
/// later than the other two say, whatever `Cache-Control` does.
const FRESH_SECONDS: i64 = 3_600;
const FRESH_SECONDS_MIN: i64 = 300;
const FRESH_SECONDS_MAX: i64 = 86_400;
/// While the provider cannot be reached, a document is used for this much longer (RFC 5861, section 4).
pub const STALE_IF_ERROR_SECONDS: i64 = 86_400;
/// KV may forget a document when even that is over.
pub const KEPT_SECONDS: u32 = (FRESH_SECONDS_MAX + STALE_IF_ERROR_SECONDS) as u32;
/// The version of what KV keeps under [`kept_key`].
const KEPT: &str = "hookgate document 1 ";
/// The longest URL that is asked for: KV's keys have 512 bytes.
pub const URL_BYTES_MAX: usize = 400;

/// A document as fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub text: String,
    /// Until when it is used without asking, in milliseconds since 1970.
    pub fresh_until_ms: i64,
}

/// Its keys.
#[derive(Clone, Debug)]
pub enum Keys {
    Certificate(Box<Certificate>, Arc<PublicKey>),
    Set(Vec<(String, Arc<PublicKey>)>),
}

/// Where KV keeps a document, by its URL.
pub fn kept_key(url: &str) -> String {
    format!("document/1/{url}")
}

impl Document {
    pub fn fetched(text: String, cache_control: Option<&str>, now_ms: i64) -> Self {
        let seconds = cache_control
            .and_then(max_age_seconds)
            .unwrap_or(FRESH_SECONDS);
        let seconds = seconds.clamp(FRESH_SECONDS_MIN, FRESH_SECONDS_MAX);
        Document {
            text,
            fresh_until_ms: now_ms.saturating_add(seconds * 1_000),
        }
    }

    /// What KV keeps.
    pub fn to_text(&self) -> String {
        format!("{KEPT}{}\n{}", self.fresh_until_ms, self.text)
    }

    /// `None`: something else.
    pub fn from_text(text: &str) -> Option<Self> {
        let (line, text) = text.split_once('\n')?;
        Some(Document {
            fresh_until_ms: line.strip_prefix(KEPT)?.parse().ok()?,
            text: text.to_owned(),
        })
    }

    /// The keys of it that a source can use. `None`: none.
    pub fn keys(&self, live: &LiveSource) -> Option<Keys> {
        match live.scheme.key.encoding {
            KeyEncoding::Certificate if uses::CERTIFICATES => {
                let certificate = Certificate::from_pem(&self.text)?;
                let key = Arc::new(certificate.key.clone());
                Some(Keys::Certificate(Box::new(certificate), key))
            }
            KeyEncoding::KeySet => {
                let keys = jwk::read_set(&self.text)?.into_iter();
                Some(Keys::Set(
                    keys.map(|(id, key)| (id, Arc::new(key))).collect(),
                ))
            }
            KeyEncoding::KeyRequest if uses::KEY_REQUESTS => Some(Keys::Set(
                jwk::read_given(&self.text)?
                    .map_or_else(Vec::new, |(id, key)| vec![(id, Arc::new(key))]),
            )),
            KeyEncoding::Utf8
            | KeyEncoding::Base64
            | KeyEncoding::Base64IfPrefixed
            | KeyEncoding::Hex
            | KeyEncoding::PublicKey
            | KeyEncoding::Certificate
            | KeyEncoding::KeyRequest => None,
        }
    }

    /// What is to be asked before its keys are used. `None`: nothing.
    ///
    /// # Errors
    /// As [`Path::read`].
    pub fn path(&self, live: &LiveSource, now_ms: i64) -> Result<Option<Path>, Flaw> {
        match live.scheme.key.encoding {
            KeyEncoding::Certificate if uses::CERTIFICATES => Path::read(&self.text, now_ms),
            _ => Ok(None),
        }
    }
}

/// Why a document has no key for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoKey {
    /// A set does not have it, or not yet.
    Unknown,
    /// There is one that must not be used.
    Unusable,
}

impl Keys {
    /// The key for this message. `id` chooses from a set.
    pub fn key_for(
        &self,
        live: &LiveSource,
        algorithm: Algorithm,
        id: &str,
        now_ms: i64,
    ) -> Result<Arc<PublicKey>, NoKey> {
        let form = live.scheme.certificate.as_ref();
        // `open` closed the source if it did not accept this.
        let is_weak = form.is_some_and(|form| form.weak_key);
        let Keys::Certificate(certificate, key) = self else {
            return self.of_set(algorithm, id);
        };
        let named =
            form.is_none_or(|form| form.allows_subject(&certificate.common_name, &live.pins));
        // The provider never renewed a certificate whose key is weak anyway.
        let is_valid = named && (is_weak || certificate.is_in_date(now_ms));
        let bits_min = if is_weak { 0 } else { RSA_BITS_MIN };
        if is_valid && key.serves(algorithm, bits_min) {
            Ok(key.clone())
        } else {
            Err(NoKey::Unusable)
        }
    }

    /// The key of this id, from a set.
    pub fn of_set(&self, algorithm: Algorithm, id: &str) -> Result<Arc<PublicKey>, NoKey> {
        let Keys::Set(keys) = self else {
            return Err(NoKey::Unknown);
        };
        let found = keys.iter().find(|(known, _)| known == id);
        let (_, key) = found.ok_or(NoKey::Unknown)?;
        match key.serves(algorithm, RSA_BITS_MIN) {
            true => Ok(key.clone()),
            false => Err(NoKey::Unusable),
        }
    }
}

/// RFC 9111, section 5.2.2. What must not be stored is kept for as short as anything is.
fn max_age_seconds(cache_control: &str) -> Option<i64> {
    let mut directives = cache_control
        .split(',')
        .map(|word| word.trim().to_ascii_lowercase());
    directives.find_map(|directive| match directive.as_str() {
        "no-store" | "no-cache" => Some(0),
        other => other
            .strip_prefix("max-age=")?
            .trim_matches('"')
            .parse()
            .ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_providers_word_counts_within_bounds() {
        for (header, seconds) in [
            (None, 3_600),
            (Some("public, max-age=19800, must-revalidate"), 19_800),
            (Some("max-age=0"), 300),
            (Some("no-store, max-age=9"), 300),
            (Some("max-age=99999999"), 86_400),
            (Some("max-age=-1"), 300),
            (Some("max-age=soon"), 3_600),
        ] {
            let document = Document::fetched("x".into(), header, 1_000);
            assert_eq!(
                document.fresh_until_ms,
                1_000 + seconds * 1_000,
                "{header:?}"
            );
            assert_eq!(Document::from_text(&document.to_text()), Some(document));
        }
        assert_eq!(Document::from_text("hookgate document 2 5\nx"), None);
    }
}
