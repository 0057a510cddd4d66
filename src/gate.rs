//! The configuration brought to life with its secrets.
//!
//! Built once an isolate, from the embedded [`Config`] and the Worker's secrets. What is wrong with
//! one source (a missing secret, one shared across tenants) makes that source unavailable and no
//! other: our fault is answered 503, never 401.

use std::collections::BTreeMap;

use crate::config::{Config, Destination, Source};
use crate::keys::{LiveKey, NotAKey};
use crate::scheme::Scheme;
use crate::verdict::Trouble;

/// Sources and destinations, ready to work.
#[derive(Debug)]
pub struct Gate {
    sources: BTreeMap<String, LiveSource>,
    pub destinations: BTreeMap<String, Destination>,
    /// What the operator should read in the log, once an isolate: names, never values.
    pub alarms: Vec<Alarm>,
}

/// A source with its scheme and its keys.
#[derive(Debug)]
pub struct LiveSource {
    pub name: String,
    pub source: Source,
    pub scheme: Scheme,
    pub keys: Vec<LiveKey>,
    /// A configured secret is not there, so a mismatch may be our fault.
    pub secret_missing: bool,
    /// No request of this source can be judged.
    pub fault: Option<Trouble>,
}

/// Something an operator must mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    pub trouble: Trouble,
    pub source: String,
    /// The name of the secret concerned, where there is one.
    pub secret: Option<String>,
}

impl Gate {
    /// Reads every secret once. `environment` is the Worker's `ENVIRONMENT` variable.
    pub fn assemble(
        config: Config,
        environment: &str,
        mut secret: impl FnMut(&str) -> Option<String>,
    ) -> Self {
        let observers: Vec<String> = config
            .unacknowledged_observers(environment)
            .into_iter()
            .map(str::to_owned)
            .collect();
        let mut gate = Gate {
            sources: BTreeMap::new(),
            destinations: config.destinations,
            alarms: Vec::new(),
        };
        for (name, source) in config.sources {
            // `Config` is checked: every source names a scheme that is there.
            let Some(scheme) = config.schemes.get(&source.scheme) else {
                continue;
            };
            let live = LiveSource::bring_up(&name, source, scheme, &mut secret, &mut gate.alarms);
            gate.sources.insert(name, live);
        }
        gate.refuse_shared_secrets();
        for name in observers {
            gate.fault(name, Trouble::ObserveUnacknowledged, None);
        }
        gate
    }

    pub fn source(&self, name: &str) -> Option<&LiveSource> {
        self.sources.get(name)
    }

    /// Most signatures do not bind the URL: with one secret at two sources, a request captured at
    /// one of them is valid at the other, under the other's memory and for the other's tenant.
    fn refuse_shared_secrets(&mut self) {
        let mut owners: BTreeMap<[u8; 32], Vec<(String, String)>> = BTreeMap::new();
        for live in self.sources.values() {
            for key in &live.keys {
                owners
                    .entry(key.fingerprint())
                    .or_default()
                    .push((live.name.clone(), key.name.clone()));
            }
        }
        for sharers in owners.into_values() {
            let first = self
                .sources
                .get(&sharers[0].0)
                .map(|live| live.source.clone());
            let allowed = first.is_some_and(|first| {
                sharers.iter().all(|(name, _)| {
                    name == &sharers[0].0
                        || self.sources.get(name).is_some_and(|other| {
                            other.source.tenant == first.tenant
                                && first.shared_secret.is_some()
                                && other.source.shared_secret == first.shared_secret
                        })
                })
            });
            if allowed {
                continue;
            }
            for (name, secret) in sharers {
                self.fault(name, Trouble::SecretShared, Some(secret));
            }
        }
    }

    /// Makes a source unavailable, and says so.
    fn fault(&mut self, source: String, trouble: Trouble, secret: Option<String>) {
        if let Some(live) = self.sources.get_mut(&source) {
            live.fault = Some(trouble);
        }
        self.alarms.push(Alarm {
            trouble,
            source,
            secret,
        });
    }
}

impl LiveSource {
    fn bring_up(
        name: &str,
        source: Source,
        scheme: &Scheme,
        secret: &mut impl FnMut(&str) -> Option<String>,
        alarms: &mut Vec<Alarm>,
    ) -> Self {
        let mut live = LiveSource {
            name: name.to_owned(),
            scheme: scheme.clone(),
            keys: Vec::new(),
            secret_missing: false,
            fault: None,
            source,
        };
        for reference in &live.source.secrets {
            let text = secret(reference.name()).unwrap_or_default();
            let trouble = match LiveKey::new(reference.name(), &text, &scheme.key, scheme.algorithm)
            {
                Ok(key) => {
                    live.keys.push(key);
                    continue;
                }
                Err(NotAKey::Empty) => Trouble::SecretMissing,
                Err(NotAKey::Undecodable) => Trouble::SecretUnusable,
            };
            live.secret_missing = true;
            alarms.push(Alarm {
                trouble,
                source: name.to_owned(),
                secret: Some(reference.name().to_owned()),
            });
            if live.source.secrets.len() == 1 {
                live.fault = Some(trouble);
            }
        }
        if live.keys.is_empty() && live.fault.is_none() {
            live.fault = Some(Trouble::SecretMissing);
        }
        live
    }
}
