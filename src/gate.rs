//! The configuration brought to life with its secrets.
//!
//! Built once an isolate, from the embedded [`Config`] and the Worker's secrets. What is wrong with
//! one source (a missing secret, one shared across tenants) makes that source unavailable and no
//! other: our fault is answered 503, never 401.

mod alerting;
mod bring_up;
mod retired;
mod sharing;

use std::sync::Arc;

use crate::by_name::ByName;
use crate::config::{Config, Destination, Source, is_private, may_be_private};
use crate::delivery::DeliveryKey;
use crate::flood::Flood;
use crate::keys::{LiveKey, NotAKey};
use crate::ledger::Fresh;
use crate::public_key::PublicKey;
use crate::public_key::rules::Pins;
use crate::scheme::Scheme;
use crate::uses;
use crate::verdict::Trouble;
pub use alerting::Alerting;
use bring_up::own_public_key;

/// Sources and destinations, ready to work.
#[derive(Debug)]
pub struct Gate {
    sources: ByName<Arc<LiveSource>>,
    destinations: ByName<LiveDestination>,
    pub alerting: Alerting,
    /// What the operator should read in the log, once an isolate: names, never values.
    pub faults: Vec<Fault>,
}

/// A source with its scheme and its keys.
#[derive(Debug)]
pub struct LiveSource {
    pub name: String,
    pub source: Source,
    pub scheme: Arc<Scheme>,
    pub keys: Vec<LiveKey>,
    /// The sender's public keys with their names, for schemes that take them from here.
    pub public_keys: Vec<(String, Arc<PublicKey>)>,
    /// The values of its pins, and what their forms hold.
    pub pins: Pins,
    /// [`Scheme::claim_headers`] of its scheme.
    pub claim_headers: Vec<String>,
    /// [`Scheme::event_headers`] of its scheme.
    pub event_headers: Vec<String>,
    /// [`Scheme::json_pointers`] of its scheme.
    pub json_pointers: Vec<String>,
    /// Who may ask for permission: the scheme's origins and the source's own.
    pub allowed_origins: Vec<String>,
    /// What a handshake must know, where its scheme says so.
    pub handshake_token: Option<LiveKey>,
    /// From when to when a provider may hand a secret over, in milliseconds since 1970.
    pub handshake_window_ms: Option<(i64, i64)>,
    /// How long the ledger keeps a row of this source, in milliseconds: until the event is forgotten
    /// wherever it could still come from.
    pub row_life_ms: i64,
    /// How many deliveries of its tenant, of all sources together, may begin in a second.
    pub tenant_per_second_max: Option<u32>,
    /// What its forgeries cost this isolate.
    pub flood: Flood,
    /// Secrets that were rotated out, as far as they are still there: nothing is verified with them.
    pub retired: Vec<LiveKey>,
    /// A configured secret is not there or cannot be used, so a mismatch may be our fault.
    pub incomplete: Option<Trouble>,
    /// No request of this source can be judged.
    pub trouble: Option<Trouble>,
}

impl LiveSource {
    /// What a fresh claim says: one object's share of what the source may deliver in a second.
    pub fn fresh(&self) -> Fresh {
        let shards = self.source.ledger_shards.last().copied().unwrap_or(1);
        let rate = self.source.deliveries_per_second_max;
        Fresh {
            per_second_max: rate.map(|rate| rate.div_ceil(shards.max(1))),
        }
    }
}

/// A destination with its address and the key that signs deliveries to it.
#[derive(Debug)]
pub struct LiveDestination {
    pub destination: Destination,
    pub url: String,
    pub key: DeliveryKey,
}

/// Something an operator must mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub trouble: Trouble,
    pub source: Option<String>,
    pub destination: Option<String>,
    /// The name of the secret or variable concerned, where there is one.
    pub secret: Option<String>,
}

impl Gate {
    /// Reads every secret once. `environment` is the Worker's `ENVIRONMENT`, `variable` looks a
    /// secret or a variable up by name.
    pub fn assemble(
        config: Config,
        environment: &str,
        mut variable: impl FnMut(&str) -> Option<String>,
    ) -> Self {
        let observers: Vec<String> = config
            .unacknowledged_observers(environment)
            .into_iter()
            .map(str::to_owned)
            .collect();
        let mut gate = Gate {
            sources: ByName::default(),
            destinations: ByName::default(),
            alerting: Alerting::default(),
            faults: Vec::new(),
        };
        let private_allowed = may_be_private(environment, &mut variable);
        gate.alerting = Alerting::bring_up(
            config.alerts,
            private_allowed,
            &mut variable,
            &mut gate.faults,
        );
        for (name, destination) in config.destinations {
            match LiveDestination::bring_up(destination, private_allowed, &mut variable) {
                Ok(live) => {
                    gate.destinations.insert(name, live);
                }
                Err(missing) => gate.faults.push(Fault {
                    trouble: Trouble::DestinationUnusable,
                    source: None,
                    destination: Some(name),
                    secret: Some(missing),
                }),
            }
        }
        let schemes: ByName<Arc<Scheme>> = config
            .schemes
            .into_iter()
            .map(|(name, scheme)| (name, Arc::new(scheme)))
            .collect();
        for (name, source) in config.sources {
            // `Config` is checked: every source names a scheme that is there.
            let Some(scheme) = schemes.get(&source.scheme) else {
                continue;
            };
            let mut live =
                LiveSource::bring_up(&name, source, scheme, &mut variable, &mut gate.faults);
            live.row_life_ms = crate::ledger::row_life_ms(
                live.source.dedup_retention_seconds,
                config.queue_retention_seconds,
            );
            let tenant = config.tenants.get(&live.source.tenant);
            live.tenant_per_second_max = tenant.and_then(|tenant| tenant.deliveries_per_second_max);
            gate.sources.insert(name, Arc::new(live));
        }
        gate.refuse_shared_secrets();
        gate.leave_out_shared_retired();
        if uses::PINS {
            gate.refuse_shared_public_keys();
            gate.refuse_shared_pins();
        }
        for name in observers {
            gate.fail(name, Trouble::ObserveUnacknowledged, None);
        }
        gate
    }

    pub fn source(&self, name: &str) -> Option<&Arc<LiveSource>> {
        self.sources.get(name)
    }

    /// The source of what was held in its name. `None`: it is gone, or belongs to another tenant now, whom that is no
    /// business of.
    pub fn source_of(&self, tenant: &str, name: &str) -> Option<&Arc<LiveSource>> {
        self.source(name)
            .filter(|live| live.source.tenant == tenant)
    }

    pub fn sources(&self) -> impl Iterator<Item = &Arc<LiveSource>> {
        self.sources.values()
    }

    /// `None`: the destination has no address or no secret here.
    pub fn destination(&self, name: &str) -> Option<&LiveDestination> {
        self.destinations.get(name)
    }

    /// Whether every event could be delivered.
    pub fn has_every_destination(&self) -> bool {
        self.sources
            .values()
            .all(|live| self.destinations.contains_key(&live.source.destination))
    }

    /// Makes a source unavailable, and says so.
    fn fail(&mut self, source: String, trouble: Trouble, secret: Option<String>) {
        if let Some(live) = self.sources.get_mut(&source).and_then(Arc::get_mut) {
            live.trouble = Some(trouble);
        }
        self.faults.push(Fault {
            trouble,
            source: Some(source),
            destination: None,
            secret,
        });
    }
}

impl LiveDestination {
    /// # Errors
    /// The name of the variable or secret that is missing or unusable.
    fn bring_up(
        destination: Destination,
        private_allowed: bool,
        variable: &mut impl FnMut(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let url = match destination.url.strip_prefix('$') {
            Some(name) => variable(name)
                .filter(|url| Destination::is_url(url) && (private_allowed || !is_private(url)))
                .ok_or_else(|| name.to_owned())?,
            None => destination.url.clone(),
        };
        let name = destination.secret.name();
        let secret = variable(name).unwrap_or_default();
        let key = DeliveryKey::new(name, &secret).map_err(|_| name.to_owned())?;
        Ok(LiveDestination {
            destination,
            url,
            key,
        })
    }
}

impl LiveSource {
    fn bring_up(
        name: &str,
        source: Source,
        scheme: &Arc<Scheme>,
        variable: &mut impl FnMut(&str) -> Option<String>,
        faults: &mut Vec<Fault>,
    ) -> Self {
        let mut live = LiveSource {
            name: name.to_owned(),
            scheme: Arc::clone(scheme),
            keys: Vec::new(),
            public_keys: Vec::new(),
            pins: Pins::default(),
            claim_headers: scheme.claim_headers(),
            event_headers: scheme.event_headers(),
            json_pointers: scheme.json_pointers(),
            allowed_origins: [&scheme.allowed_origins[..], &source.allowed_origins].concat(),
            handshake_token: None,
            handshake_window_ms: None,
            row_life_ms: 0,
            tenant_per_second_max: None,
            flood: Flood::default(),
            retired: retired::keys(&source, scheme, variable),
            incomplete: None,
            trouble: None,
            source,
        };
        for reference in &live.source.secrets {
            let text = variable(reference.name()).unwrap_or_default();
            let taken = if uses::PUBLIC_KEYS && scheme.is_public() {
                let strip = scheme
                    .key
                    .strip
                    .iter()
                    .find_map(|prefix| text.trim().strip_prefix(prefix.as_str()));
                let key = own_public_key(scheme, strip.unwrap_or(&text));
                key.map(|key| live.public_keys.push((reference.name().to_owned(), key)))
            } else {
                let key = LiveKey::new(reference.name(), &text, &scheme.key, scheme.algorithm);
                key.map(|key| live.keys.push(key))
            };
            let trouble = match taken {
                Ok(()) => continue,
                Err(NotAKey::Empty) => Trouble::SecretMissing,
                Err(NotAKey::Undecodable) => Trouble::SecretUnusable,
            };
            live.incomplete = Some(trouble);
            faults.push(Fault {
                trouble,
                source: Some(name.to_owned()),
                destination: None,
                secret: Some(reference.name().to_owned()),
            });
        }
        let public_keys = live.source.public_keys.iter().enumerate();
        for (index, text) in public_keys.filter(|_| uses::PUBLIC_KEYS) {
            match own_public_key(scheme, text) {
                Ok(key) => live
                    .public_keys
                    .push((format!("public_keys[{index}]"), key)),
                // The build has read it: this is another build's.
                Err(_) => live.incomplete = Some(Trouble::SecretUnusable),
            }
        }
        if live.keys.is_empty() && live.public_keys.is_empty() {
            live.trouble = live.incomplete;
        }
        if uses::PINS {
            live.pins_up(variable, faults);
        }
        if uses::GREETINGS {
            live.handshakes_up(variable, faults);
        }
        live
    }
}
