//! Who may share a secret or a pin, and who must not.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Gate, LiveSource};
use crate::verdict::Trouble;

impl Gate {
    /// Most signatures do not bind the URL: with one secret at two sources, a request captured at
    /// one of them is valid at the other, under the other's memory and for the other's tenant. A
    /// source that shares its secret with a destination, or with the alerts, would take what we send ourselves.
    pub(super) fn refuse_shared_secrets(&mut self) {
        let mut owners: BTreeMap<[u8; 32], Vec<(String, String)>> = BTreeMap::new();
        for live in self.sources.values() {
            for key in &live.keys {
                owners
                    .entry(key.fingerprint())
                    .or_default()
                    .push((live.name.clone(), key.name.clone()));
            }
        }
        let ours: Vec<[u8; 32]> = self
            .destinations
            .values()
            .map(|live| live.key.fingerprint())
            .chain(
                self.alerting
                    .route
                    .iter()
                    .map(|route| route.key.fingerprint()),
            )
            .collect();
        for (fingerprint, sharers) in owners {
            if !ours.contains(&fingerprint) && self.may_share(&sharers) {
                continue;
            }
            for (name, secret) in sharers {
                self.fail(name, Trouble::SecretShared, Some(secret));
            }
        }
    }

    /// The same for a sender's public key, where nothing that is pinned tells the sources apart. Within
    /// one tenant it may be: one application of Discord has one key for two endpoints.
    pub(super) fn refuse_shared_public_keys(&mut self) {
        let mut owners: BTreeMap<&str, Vec<&Arc<LiveSource>>> = BTreeMap::new();
        for live in self.sources.values() {
            for (_, key) in &live.public_keys {
                owners.entry(&key.id).or_default().push(live);
            }
        }
        let is_shared = |one: &&Arc<LiveSource>, sharers: &[&Arc<LiveSource>]| {
            sharers
                .iter()
                .any(|other| one.source.tenant != other.source.tenant && one.pins == other.pins)
        };
        let mut shared: Vec<String> = Vec::new();
        for sharers in owners.values() {
            let among = sharers.iter().filter(|live| is_shared(live, sharers));
            shared.extend(among.map(|live| live.name.clone()));
        }
        for name in shared {
            self.fail(name, Trouble::SecretShared, None);
        }
    }

    /// A message that two sources would take could be sent to each of them, where the provider signs with
    /// one key for all.
    pub(super) fn refuse_shared_pins(&mut self) {
        let pinned: Vec<&Arc<LiveSource>> = self
            .sources
            .values()
            .filter(|live| !live.pins.is_empty() && live.scheme.key.encoding.is_fetched())
            .collect();
        let same = |one: &LiveSource, other: &LiveSource| {
            one.name != other.name
                && one.pins == other.pins
                && one.scheme.key.encoding == other.scheme.key.encoding
        };
        let is_shared = |live: &&&Arc<LiveSource>| pinned.iter().any(|other| same(live, other));
        let shared: Vec<String> = pinned
            .iter()
            .filter(is_shared)
            .map(|live| live.name.clone())
            .collect();
        for name in shared {
            self.fail(name, Trouble::PinShared, None);
        }
    }

    fn may_share(&self, sharers: &[(String, String)]) -> bool {
        let mut sources = sharers
            .iter()
            .filter_map(|(name, _)| self.sources.get(name));
        let Some(first) = sources.next() else {
            return true;
        };
        sources.all(|other| {
            other.name == first.name
                || (other.source.tenant == first.source.tenant
                    && first.source.shared_secret.is_some()
                    && other.source.shared_secret == first.source.shared_secret)
        })
    }
}
