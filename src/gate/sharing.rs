//! Who may share a secret or a pin, and who must not.

use std::sync::Arc;

use super::{Fault, Gate, LiveSource};
use crate::config::SecretRef;
use crate::keys::LiveKey;
use crate::verdict::Trouble;

impl Gate {
    /// Most signatures do not bind the URL: with one secret at two sources, a request captured at
    /// one of them is valid at the other, under the other's memory and for the other's tenant. A
    /// source that shares its secret with a destination, or with the alerts, would take what we send ourselves.
    pub(super) fn refuse_shared_secrets(&mut self) {
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
        let keyed: Vec<(&LiveSource, &LiveKey, [u8; 32])> = self
            .sources
            .values()
            .flat_map(|live| {
                live.keys
                    .iter()
                    .map(|key| (&**live, key, key.fingerprint()))
            })
            .collect();
        let is_shared = |live: &LiveSource, print: &[u8; 32]| {
            ours.contains(print)
                || keyed.iter().any(|(other, _, theirs)| {
                    theirs == print && other.name != live.name && !is_one_group(live, other)
                })
        };
        let shared: Vec<(String, String)> = keyed
            .iter()
            .filter(|(live, _, print)| is_shared(live, print))
            .map(|(live, key, _)| (live.name.clone(), key.name.clone()))
            .collect();
        for (name, secret) in shared {
            self.fail(name, Trouble::SecretShared, Some(secret));
        }
        self.refuse_shared_delivery_secrets(&ours);
    }

    /// Whoever is sent deliveries can sign some. Two tenants' backends with one secret could write to each other,
    /// so neither is sent anything: their events are taken, and wait. Nor is an alert sent that a backend could
    /// take for an event.
    ///
    /// `ours` are the fingerprints of the destinations' keys, in order, and of the alerts'.
    fn refuse_shared_delivery_secrets(&mut self, ours: &[[u8; 32]]) {
        let delivers = |name: &str, tenant: &mut dyn FnMut(&str) -> bool| {
            let mut sources = self.sources.values();
            sources.any(|live| live.source.destination == name && tenant(&live.source.tenant))
        };
        let crosses = |one: &str, other: &str| {
            delivers(one, &mut |tenant| {
                delivers(other, &mut |another| another != tenant)
            })
        };
        let keyed = || self.destinations.iter().zip(ours);
        let is_shared = |name: &str, url: &str, key: &[u8; 32]| {
            keyed().any(|((other, live), theirs)| {
                theirs == key && live.url != url && crosses(name, other)
            })
        };
        let shared: Vec<String> = keyed()
            .filter(|((name, live), key)| is_shared(name, &live.url, key))
            .map(|((name, _), _)| name.clone())
            .collect();
        let (destinations, alerts) = ours.split_at(self.destinations.len().min(ours.len()));
        let alerts_too = alerts.iter().any(|key| destinations.contains(key));
        for name in shared {
            let removed = self.destinations.remove(&name);
            let secret = removed.map(|live| live.destination.secret);
            self.secret_shared_by(name, secret.as_ref());
        }
        if alerts_too {
            self.alerting.route = None;
            let secret = self.alerting.settings.secret.clone();
            self.secret_shared_by("[alerts]".to_owned(), secret.as_ref());
        }
    }

    fn secret_shared_by(&mut self, destination: String, secret: Option<&SecretRef>) {
        self.faults.push(Fault {
            trouble: Trouble::SecretShared,
            source: None,
            destination: Some(destination),
            secret: secret.map(|secret| secret.name().to_owned()),
        });
    }

    /// The same for a sender's public key, where nothing that is pinned tells the sources apart. Within
    /// one tenant two schemes may have one: an application of Discord has one key for two endpoints.
    pub(super) fn refuse_shared_public_keys(&mut self) {
        let keyed: Vec<(&LiveSource, &str)> = self
            .sources
            .values()
            .flat_map(|live| live.public_keys.iter().map(|(_, key)| (&**live, &*key.id)))
            .collect();
        let is_shared = |one: &LiveSource, id: &str| {
            keyed.iter().any(|(other, theirs)| {
                *theirs == id
                    && one.name != other.name
                    && one.pins == other.pins
                    && (one.source.tenant != other.source.tenant
                        || (one.source.scheme == other.source.scheme && !is_one_group(one, other)))
            })
        };
        let shared: Vec<String> = keyed
            .iter()
            .filter(|(live, id)| is_shared(live, id))
            .map(|(live, _)| live.name.clone())
            .collect();
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
}

/// Whether they have one memory of events.
fn is_one_group(one: &LiveSource, other: &LiveSource) -> bool {
    one.source.tenant == other.source.tenant
        && one.source.shared_secret.is_some()
        && one.source.shared_secret == other.source.shared_secret
}
