//! Who may share a sender's public key.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Gate, LiveSource};
use crate::verdict::Trouble;

impl Gate {
    /// A request that one source took would be valid at another with the same key, under the other's memory
    /// and for the other's tenant, unless what is pinned tells the two apart. Within one tenant it may be: one
    /// application of Discord has one key for two endpoints.
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
}
