//! Secrets that were rotated out: never verified with, only named when a refusal is diagnosed.

use std::sync::Arc;

use super::Gate;
use crate::config::Source;
use crate::diagnosis::Allowance;
use crate::keys::LiveKey;
use crate::scheme::Scheme;

/// What a source's refusals are diagnosed with.
#[derive(Debug, Default)]
pub struct Diagnosing {
    /// Those of [`Source::retired_secrets`] that are still there. One that is not, or is no key, is
    /// nobody's trouble.
    pub retired: Vec<LiveKey>,
    pub allowance: Allowance,
}

impl Diagnosing {
    pub(super) fn of(
        source: &Source,
        scheme: &Scheme,
        variable: &mut impl FnMut(&str) -> Option<String>,
    ) -> Self {
        let keys = source.retired_secrets.iter().filter_map(|reference| {
            let text = variable(reference.name())?;
            LiveKey::new(reference.name(), &text, &scheme.key, scheme.algorithm).ok()
        });
        Diagnosing {
            retired: keys.collect(),
            allowance: Allowance::default(),
        }
    }
}

impl Gate {
    /// A diagnosis asks about a source's own secrets only. A retired one that somebody else uses, or
    /// that is live after all, would tell about them: it is left out.
    pub(super) fn leave_out_shared_retired(&mut self) {
        let mut used: Vec<(String, [u8; 32])> = Vec::new();
        for live in self.sources.values() {
            let keys = live.keys.iter().chain(&live.diagnosing.retired);
            used.extend(keys.map(|key| (live.name.clone(), key.fingerprint())));
        }
        let ours: Vec<[u8; 32]> = self
            .destinations
            .values()
            .map(|live| live.key.fingerprint())
            .collect();
        for live in self.sources.values_mut().filter_map(Arc::get_mut) {
            let own: Vec<[u8; 32]> = live.keys.iter().map(LiveKey::fingerprint).collect();
            live.diagnosing.retired.retain(|key| {
                let print = key.fingerprint();
                let others = used
                    .iter()
                    .any(|(name, known)| *known == print && *name != live.name);
                !others && !own.contains(&print) && !ours.contains(&print)
            });
        }
    }
}
