//! Secrets that were rotated out: never verified with, only named when a refusal is diagnosed.

use std::sync::Arc;

use super::Gate;
use crate::config::Source;
use crate::keys::LiveKey;
use crate::scheme::Scheme;

/// Those of [`Source::retired_secrets`] that are still there. One that is not, or is no key, is nobody's
/// trouble.
pub(super) fn keys(
    source: &Source,
    scheme: &Scheme,
    variable: &mut impl FnMut(&str) -> Option<String>,
) -> Vec<LiveKey> {
    let mut keys = Vec::new();
    for reference in &source.retired_secrets {
        let text = variable(reference.name()).unwrap_or_default();
        let key = LiveKey::new(reference.name(), &text, &scheme.key, scheme.algorithm);
        keys.extend(key.ok());
    }
    keys
}

impl Gate {
    /// A diagnosis asks about a source's own secrets only. A retired one that somebody else has, or that
    /// is live after all, would tell about them: it is left out.
    pub(super) fn leave_out_shared_retired(&mut self) {
        if self.sources.values().all(|live| live.retired.is_empty()) {
            return;
        }
        let mut known: Vec<[u8; 32]> = Vec::new();
        for live in self.sources.values() {
            for keys in [&live.keys, &live.retired] {
                known.extend(keys.iter().map(LiveKey::fingerprint));
            }
        }
        known.extend(
            self.destinations
                .values()
                .map(|live| live.key.fingerprint()),
        );
        let is_alone = |key: &LiveKey| {
            let print = key.fingerprint();
            known.iter().filter(|other| **other == print).count() == 1
        };
        for live in self.sources.values_mut() {
            if let Some(live) = Arc::get_mut(live) {
                live.retired.retain(is_alone);
            }
        }
    }
}
