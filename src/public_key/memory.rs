//! What an isolate remembers of providers' keys, and how often it may ask for more.
//!
//! A forger decides which URL a message names, within the entry's rules. So every look beyond this
//! memory (KV included) is counted, for each source apart; a refused look is our failure, never the
//! sender's, and the sender comes again.

use super::document::{Document, Keys, STALE_IF_ERROR_SECONDS};
use crate::verdict::Trouble;

/// Looks beyond memory in a minute, for each source.
const LOOKS_MAX: usize = 6;
const MINUTE_MS: i64 = 60_000;
/// A set is asked again for a key that it did not have no sooner than after this.
const UNKNOWN_KEY_MS: i64 = 60_000;
/// What could not be fetched is not tried again before this.
const FAILURE_MS: i64 = 20_000;
/// Documents that are known. Beyond, the oldest gives way: a provider has few.
const DOCUMENTS_MAX: usize = 32;

/// What is known of documents, and who looked.
#[derive(Debug, Default)]
pub struct KeyMemory {
    /// A list, because it is short: the last is the newest.
    documents: Vec<Known>,
    /// Which source looked beyond this memory, and when.
    looks: Vec<(String, i64)>,
}

/// What is known of a document, of one source.
#[derive(Debug)]
struct Known {
    source: String,
    url: String,
    /// Its keys, and until when they are used without asking.
    keys: Option<(Keys, i64)>,
    /// When it was not to be had, and why.
    failed: Option<(i64, Trouble)>,
    /// When it was last asked for a key that it does not have.
    asked_again_ms: Option<i64>,
}

/// How what is remembered may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    Fresh,
    /// Only while the provider cannot be reached.
    Stale,
}

impl KeyMemory {
    pub fn find(&self, source: &str, url: &str, now_ms: i64) -> Option<(&Keys, Age)> {
        let known = self.documents.iter().find(|known| known.is(source, url))?;
        let (keys, fresh_until_ms) = known.keys.as_ref()?;
        if now_ms < *fresh_until_ms {
            return Some((keys, Age::Fresh));
        }
        let end_ms = fresh_until_ms + STALE_IF_ERROR_SECONDS * 1_000;
        (now_ms < end_ms).then_some((keys, Age::Stale))
    }

    pub fn keep(&mut self, source: &str, url: &str, document: &Document, keys: Keys) {
        let known = self.known(source, url);
        known.failed = None;
        known.keys = Some((keys, document.fresh_until_ms));
    }

    pub fn failed(&mut self, source: &str, url: &str, trouble: Trouble, now_ms: i64) {
        self.known(source, url).failed = Some((now_ms, trouble));
    }

    /// Why the document is not there.
    pub fn trouble(&self, source: &str, url: &str) -> Trouble {
        let known = self.documents.iter().find(|known| known.is(source, url));
        let failed = known.and_then(|known| known.failed);
        failed.map_or(Trouble::KeyUnfetched, |(_, trouble)| trouble)
    }

    /// Whether a look beyond this memory is allowed now. It then counts.
    pub fn may_look(&mut self, source: &str, url: &str, now_ms: i64) -> bool {
        let known = self.documents.iter().find(|known| known.is(source, url));
        let failed = known.and_then(|known| known.failed);
        if failed.is_some_and(|(failed_ms, _)| now_ms - failed_ms < FAILURE_MS) {
            return false;
        }
        self.looks.retain(|(_, look)| now_ms - look < MINUTE_MS);
        let own = self.looks.iter().filter(|(known, _)| known == source);
        let allowed = own.count() < LOOKS_MAX;
        if allowed {
            self.looks.push((source.to_owned(), now_ms));
        }
        allowed
    }

    /// Whether a set may be asked again for a key that it did not have. It then counts.
    pub fn may_ask_again(&mut self, source: &str, url: &str, now_ms: i64) -> bool {
        let known = self.known(source, url);
        let last = known.asked_again_ms;
        let allowed = last.is_none_or(|last| now_ms - last >= UNKNOWN_KEY_MS);
        if allowed {
            known.asked_again_ms = Some(now_ms);
        }
        allowed
    }

    fn known(&mut self, source: &str, url: &str) -> &mut Known {
        let index = match self
            .documents
            .iter()
            .position(|known| known.is(source, url))
        {
            Some(index) => index,
            None => {
                if self.documents.len() >= DOCUMENTS_MAX {
                    // A forger can name keys that are not there, and they must not drive out one that is.
                    let empty = self.documents.iter().position(|known| known.keys.is_none());
                    self.documents.remove(empty.unwrap_or_default());
                }
                self.documents.push(Known {
                    source: source.to_owned(),
                    url: url.to_owned(),
                    keys: None,
                    failed: None,
                    asked_again_ms: None,
                });
                self.documents.len() - 1
            }
        };
        &mut self.documents[index]
    }
}

impl Known {
    fn is(&self, source: &str, url: &str) -> bool {
        self.source == source && self.url == url
    }
}
