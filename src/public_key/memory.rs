//! What an isolate remembers of providers' keys, and how often it may ask for more.
//!
//! A forger decides which URL a message names, within the entry's rules. So every look beyond this
//! memory (KV included) is counted, for each source apart; a refused look is our failure, never the
//! sender's, and the sender comes again.

use std::collections::BTreeMap;

use super::document::{Document, Keys, STALE_IF_ERROR_SECONDS};

/// Looks beyond memory in a minute, for each source.
const LOOKS_MAX: usize = 6;
const MINUTE_MS: i64 = 60_000;
/// A set is asked again for a key that it did not have no sooner than after this.
const UNKNOWN_KEY_MS: i64 = 60_000;
/// What could not be fetched is not tried again before this.
const FAILURE_MS: i64 = 20_000;
/// Documents and failures that are kept. Beyond, the memory begins anew: a provider has few.
const ENTRIES_MAX: usize = 32;

/// Keys by source and URL.
#[derive(Debug, Default)]
pub struct KeyMemory {
    documents: BTreeMap<Place, Remembered>,
    /// When a fetch failed.
    failures: BTreeMap<Place, i64>,
    /// When each source looked last.
    looks: BTreeMap<String, Vec<i64>>,
    /// When a set was last asked for a key that it does not have.
    unknown: BTreeMap<Place, i64>,
}

/// Source and URL.
type Place = (String, String);

#[derive(Debug)]
struct Remembered {
    keys: Keys,
    fresh_until_ms: i64,
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
        let remembered = self.documents.get(&place(source, url))?;
        let end_ms = remembered.fresh_until_ms + STALE_IF_ERROR_SECONDS * 1_000;
        let age = match now_ms {
            now if now < remembered.fresh_until_ms => Age::Fresh,
            now if now < end_ms => Age::Stale,
            _ => return None,
        };
        Some((&remembered.keys, age))
    }

    pub fn keep(&mut self, source: &str, url: &str, document: &Document, keys: Keys) {
        if self.documents.len() >= ENTRIES_MAX {
            self.documents.clear();
        }
        self.failures.remove(&place(source, url));
        let fresh_until_ms = document.fresh_until_ms;
        let remembered = Remembered {
            keys,
            fresh_until_ms,
        };
        self.documents.insert(place(source, url), remembered);
    }

    pub fn failed(&mut self, source: &str, url: &str, now_ms: i64) {
        if self.failures.len() >= ENTRIES_MAX {
            self.failures.clear();
        }
        self.failures.insert(place(source, url), now_ms);
    }

    /// Whether a look beyond this memory is allowed now. It then counts.
    pub fn may_look(&mut self, source: &str, url: &str, now_ms: i64) -> bool {
        let failed_ms = self.failures.get(&place(source, url));
        if failed_ms.is_some_and(|failed| now_ms - failed < FAILURE_MS) {
            return false;
        }
        let looks = self.looks.entry(source.to_owned()).or_default();
        looks.retain(|look| now_ms - look < MINUTE_MS);
        let allowed = looks.len() < LOOKS_MAX;
        if allowed {
            looks.push(now_ms);
        }
        allowed
    }

    /// Whether a set may be asked again for a key that it did not have.
    pub fn may_ask_again(&mut self, source: &str, url: &str, now_ms: i64) -> bool {
        let last = self.unknown.get(&place(source, url));
        let allowed = last.is_none_or(|last| now_ms - last >= UNKNOWN_KEY_MS);
        if allowed {
            if self.unknown.len() >= ENTRIES_MAX {
                self.unknown.clear();
            }
            self.unknown.insert(place(source, url), now_ms);
        }
        allowed
    }
}

fn place(source: &str, url: &str) -> Place {
    (source.to_owned(), url.to_owned())
}
