//! Who may name the same secret, and who must not.

use super::{Config, QUARANTINE_KEY, SecretRef};

/// Names of wrangler.toml whose values are known or belong to the gate itself.
const RESERVED_NAMES: [&str; 17] = [
    "ACCESS_AUD",
    "ACCESS_TEAM",
    "ADMINS",
    "ADMIN_HOST",
    "ALLOW_PRIVATE_DESTINATIONS",
    "ARCHIVE",
    "AUDIT",
    "AUDIT_LOG",
    "AUDIT_LOG_KEY",
    "DEAD_LETTERS",
    "ENVIRONMENT",
    "EVENTS",
    "EVENTS_SLOW",
    "LEDGER",
    QUARANTINE_KEY,
    "RECORD",
    "SEEN",
];

/// Secrets by name: what can be seen before their values are known.
pub(super) fn sharing_faults(config: &Config) -> Vec<String> {
    let mut faults = Vec::new();
    let ours: Vec<&str> = config
        .destinations
        .values()
        .flat_map(|destination| {
            [
                destination.secret.name(),
                destination.url.trim_start_matches('$'),
            ]
        })
        .chain(config.alerts.secret.iter().map(SecretRef::name))
        .chain(
            config
                .alerts
                .webhook
                .iter()
                .map(|url| url.trim_start_matches('$')),
        )
        .chain(RESERVED_NAMES)
        .collect();
    for (name, source) in &config.sources {
        let secrets = source.secrets.iter().chain(&source.retired_secrets);
        let secrets = secrets.map(SecretRef::name);
        let others = source.pin_secrets().chain(source.handshake_secrets());
        for secret in secrets.chain(others) {
            if ours.contains(&secret) {
                faults.push(format!(
                    "[sources.{name}]: secret \"{secret}\" is the name of something else in this Worker: give the source's secret a name of its own"
                ));
            }
        }
        for (other_name, other) in config.sources.before(name) {
            let pair = format!("[sources.{name}] and [sources.{other_name}]");
            let grouped =
                source.shared_secret.is_some() && source.shared_secret == other.shared_secret;
            let shared = source
                .secrets
                .iter()
                .find(|secret| other.secrets.contains(secret));
            if let Some(secret) = shared {
                if source.tenant != other.tenant {
                    faults.push(format!(
                        "{pair} belong to two tenants and both use the secret \"{}\": a request captured at one would be valid at the other",
                        secret.name()
                    ));
                } else if !grouped {
                    faults.push(format!(
                        "{pair} both use the secret \"{}\": set the same shared_secret = \"GROUP\" in both, so that they share their memory of events",
                        secret.name()
                    ));
                }
            }
            if grouped
                && source.tenant == other.tenant
                && (source.scheme != other.scheme
                    || source.discriminator_values != other.discriminator_values
                    || source.ledger_shards != other.ledger_shards
                    || source.dedup_retention_seconds != other.dedup_retention_seconds)
            {
                faults.push(format!(
                    "{pair} are one shared_secret group, so they need the same scheme, the same discriminator_values, the same ledger_shards and the same dedup_retention_seconds: one captured request would otherwise be several events"
                ));
            }
            let has_key = |key: &String| other.public_keys.contains(key);
            if source.public_keys.iter().any(has_key)
                && source.pins == other.pins
                && (source.tenant != other.tenant || (source.scheme == other.scheme && !grouped))
            {
                faults.push(format!(
                    "{pair} have the same key in public_keys: what is sent to one would be right at the other; in one tenant, set the same shared_secret = \"GROUP\" in both"
                ));
            }
        }
    }
    faults.extend(delivery_faults(config));
    faults
}

/// Whoever is sent deliveries can sign some, so the secret of one tenant's backend is right for no
/// other tenant's.
fn delivery_faults(config: &Config) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, destination) in &config.destinations {
        for (other_name, other) in config.destinations.before(name) {
            if destination.url != other.url
                && destination.secret == other.secret
                && config.deliver_for_two_tenants(name, other_name)
            {
                faults.push(format!(
                    "[destinations.{name}] and [destinations.{other_name}] deliver for two tenants and both use the secret \"{}\": one tenant's backend could write deliveries to the other's",
                    destination.secret.name()
                ));
            }
        }
    }
    faults
}

impl Config {
    fn deliver_for_two_tenants(&self, one: &str, other: &str) -> bool {
        let sources = || self.sources.values();
        let tenants = |name| {
            let delivered = sources().filter(move |source| source.destination == name);
            delivered.map(|source| &source.tenant)
        };
        tenants(one).any(|tenant| tenants(other).any(|another| another != tenant))
    }
}
