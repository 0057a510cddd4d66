//! Who may send, and where it goes: text in, [`Config`] out, or sentences that say what is wrong.
//!
//! The rules are applied when the Worker is built (`build.rs`, on TOML) and in the tools; the Worker
//! reads the bytes that its build embedded, and a `Config` exists only after every rule of `rules` held.

mod alerts;
mod answering;
mod audit;
#[cfg(not(target_arch = "wasm32"))]
mod deployed;
mod destination;
mod egress;
mod embedded;
mod names;
mod pins;
mod rate;
mod record;
mod retired;
mod rules;
mod sharing;
mod tenant;
#[cfg(not(target_arch = "wasm32"))]
mod toml_text;

use serde::{Deserialize, Serialize};

use crate::by_name::ByName;
use crate::scheme::Scheme;

pub use alerts::{Alerts, Rule};
pub use audit::Audit;
#[cfg(not(target_arch = "wasm32"))]
pub use deployed::gaps;
pub use egress::{is_private, may_be_private};
pub use rules::{BODY_BYTES_LIMIT, MESSAGE_BYTES_MAX, STREAM_BYTES_LIMIT};
pub use tenant::{Retention, Tenant};
#[cfg(not(target_arch = "wasm32"))]
pub use toml_text::{about, built_in, from_toml};

/// Everything that is configured. Names are unique by construction.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The version of this format: 1.
    pub version: u32,
    /// How long the environment's queues keep a message, in seconds. Set with the queue itself
    /// (`wrangler queues create --message-retention-period-secs`); retries must end within it.
    pub queue_retention_seconds: u32,
    /// Whether the Worker has the code that diagnoses refusals ([`crate::diagnosis`]).
    #[serde(default = "yes")]
    pub diagnosis: bool,
    /// Whether Cloudflare Access may say who an operator is ([`crate::admin::access`]).
    #[serde(default)]
    pub access: bool,
    #[serde(default)]
    pub destinations: ByName<Destination>,
    #[serde(default)]
    pub sources: ByName<Source>,
    /// What tenants want otherwise than [`Tenant::default`].
    #[serde(default)]
    pub tenants: ByName<Tenant>,
    /// Schemes by name: the built-in ones that are used, and the user's own.
    #[serde(default)]
    pub schemes: ByName<Scheme>,
    /// Who remembers the logs of the record besides this account.
    #[serde(default)]
    pub audit: Audit,
    /// What an operator is told of without asking.
    #[serde(default)]
    pub alerts: Alerts,
}

/// One sender.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Whose events these are. Keys, records and limits never cross from one tenant to another.
    pub tenant: String,
    pub scheme: String,
    /// Worker secrets by name. Several are live at once while one is being rotated. None where the key
    /// is the provider's.
    #[serde(default)]
    pub secrets: Vec<SecretRef>,
    /// Worker secrets that were rotated out. Nothing is verified with them: a refusal that was signed with
    /// one is said to be so ([`crate::diagnosis`]).
    #[serde(default)]
    pub retired_secrets: Vec<SecretRef>,
    /// Public keys of the sender, which are no secret: PEM, a JWK, or base64.
    #[serde(default)]
    pub public_keys: Vec<String>,
    /// Whose messages these are, by the names that the scheme gives: compared character by character.
    /// `$NAME` is the Worker secret of that name.
    #[serde(default)]
    pub pins: ByName<String>,
    /// Takes messages of a scheme whose keys are too short to prove much.
    #[serde(default)]
    pub accept_weak_key: bool,
    /// The scheme's credential stands in the body, and so in the queues, the dead letters and the backend's
    /// hands: that is accepted.
    #[serde(default)]
    pub accept_credential_in_body: bool,
    pub destination: String,
    /// When the ledger is asked: before the backend, or before the answer.
    #[serde(default)]
    pub dedup: Dedup,
    /// Where the ledger of this source lives: a location hint of Durable Objects (weur, enam, …).
    /// It counts once, when the ledger is first used, and the object never moves.
    #[serde(default)]
    pub ledger_location: Option<String>,
    /// How many objects share this source's ledger, one number for each epoch: the last is in force.
    /// Only ever added to; 0 retires an epoch whose rows have all expired.
    #[serde(default = "default_ledger_shards")]
    pub ledger_shards: Vec<u32>,
    /// How long an event is remembered, in seconds.
    pub dedup_retention_seconds: u32,
    /// How old a signed time may be, in seconds; the scheme's own where it is not set.
    #[serde(default)]
    pub tolerance_seconds: Option<u32>,
    #[serde(default = "default_body_bytes_max")]
    pub body_bytes_max: usize,
    /// Deliveries that may begin in a second. What is over that is held like any other event, and
    /// delivered later; the sender never learns of it.
    #[serde(default)]
    pub deliveries_per_second_max: Option<u32>,
    /// A body longer than that, and up to here, may go by as a stream, if the scheme can be verified so
    /// and the sender declares its length. In bytes.
    #[serde(default)]
    pub stream_bytes_max: Option<u32>,
    /// Values of the scheme's discriminator header that tell events with equal bodies apart.
    #[serde(default)]
    pub discriminator_values: Vec<String>,
    /// Sources of one tenant that share a secret must name one group, and then share their memory
    /// of events: the same request is then the same event at each of them.
    #[serde(default)]
    pub shared_secret: Option<String>,
    /// Origins that may ask for permission to send, where the scheme has abuse protection.
    #[serde(default)]
    pub allowed_origins: Vec<String>,
    /// The Worker secret that a handshake must show, where the scheme has such a one (Meta's verify token).
    #[serde(default)]
    pub handshake_token: Option<SecretRef>,
    /// From when on, for fifteen minutes, a provider may hand a secret over: RFC 3339 in UTC, or `$NAME`
    /// for the Worker variable of that name.
    #[serde(default)]
    pub handshake_opens: Option<String>,
    /// KooGallery: where a buyer finds the product, told in the answer to `newInstance`.
    #[serde(default)]
    pub front_end_url: Option<String>,
    /// The backend is given the scheme's encrypted fields in plain text. They are opened on their way
    /// to it: what is held stays as it came.
    #[serde(default)]
    pub decrypt_fields: bool,
    /// How much of the beginning of a refused body the record shows, in bytes: how it is built, and no value of it.
    #[serde(default)]
    pub audit_sample_bytes: u32,
    /// Refused requests that another secret could make events are kept for a while, encrypted
    /// ([`crate::quarantine`]).
    #[serde(default)]
    pub quarantine: bool,
    #[serde(default)]
    pub mode: Mode,
    /// Says that refusing every delivery in production is meant.
    #[serde(default)]
    pub observe_in_production: bool,
}

impl Source {
    /// The names of the Worker secrets among its pins.
    pub fn pin_secrets(&self) -> impl Iterator<Item = &str> {
        self.pins
            .values()
            .filter_map(|value| value.strip_prefix('$'))
    }
}

impl Source {
    /// The name of the Worker secret that its handshakes must show.
    pub fn handshake_secrets(&self) -> impl Iterator<Item = &str> {
        self.handshake_token.iter().map(SecretRef::name)
    }
}

/// The Worker secret under which refused requests are kept.
pub const QUARANTINE_KEY: &str = "QUARANTINE_KEY";

fn yes() -> bool {
    true
}

fn default_ledger_shards() -> Vec<u32> {
    vec![1]
}

fn default_body_bytes_max() -> usize {
    BODY_BYTES_LIMIT
}

/// Where a secret comes from. One variant today; a plain string in TOML.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(from = "String", into = "String")]
pub enum SecretRef {
    /// A secret of the Worker (`wrangler secret put NAME`).
    WorkerSecret(String),
}

impl From<String> for SecretRef {
    fn from(name: String) -> Self {
        SecretRef::WorkerSecret(name)
    }
}

impl From<SecretRef> for String {
    fn from(secret: SecretRef) -> Self {
        secret.name().to_owned()
    }
}

impl SecretRef {
    pub fn name(&self) -> &str {
        match self {
            SecretRef::WorkerSecret(name) => name,
        }
    }
}

/// The two roads. The ledger removes copies before the backend on both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dedup {
    /// KV before the answer, the ledger before the backend: no single home, and copies in flight
    /// are told "accepted" too.
    #[default]
    Kv,
    /// The ledger before the answer: exact, in one round trip to the ledger's home.
    Ledger,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    #[default]
    Enforce,
    /// Verify and record, take nothing: every delivery is answered 503.
    Observe,
}

/// One backend.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// An `https` URL (`http` only for loopback), or `$NAME` for the Worker variable of that name.
    pub url: String,
    #[serde(default)]
    pub sign: SignAs,
    /// The Worker secret that signs deliveries (`whsec_` and base64).
    pub secret: SecretRef,
    #[serde(default = "default_timeout_seconds")]
    pub timeout_seconds: u32,
    #[serde(default = "default_attempts_max")]
    pub attempts_max: u32,
    /// The first delay between attempts; each further one is twice as long.
    #[serde(default = "default_backoff_first_seconds")]
    pub backoff_first_seconds: u32,
    #[serde(default = "default_backoff_max_seconds")]
    pub backoff_max_seconds: u32,
    /// With `sign = "original"`: the backend does not judge the provider's time-stamp, so that a
    /// delayed delivery still verifies there.
    #[serde(default)]
    pub backend_ignores_age: bool,
}

fn default_timeout_seconds() -> u32 {
    15
}

/// With the two values below: 5 s, 10 s, … 1 h, between three and six and a half hours in all.
fn default_attempts_max() -> u32 {
    16
}

fn default_backoff_first_seconds() -> u32 {
    5
}

fn default_backoff_max_seconds() -> u32 {
    3_600
}

/// Whose headers a delivery carries under the names of Standard Webhooks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignAs {
    /// `webhook-id`, `webhook-timestamp` and `webhook-signature` are ours.
    #[default]
    Gate,
    /// The provider's headers are untouched, ours are `hookgate-*`.
    Original,
}

/// What [`Config::check`] found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The configuration is refused.
    pub errors: Vec<String>,
    /// Worth a look.
    pub warnings: Vec<String>,
}

impl Config {
    /// The form that the build embeds: postcard, which takes a third of the code that JSON takes to
    /// read, and less with a reader of our own. That has to be of the same build, so it carries no names and no version.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).unwrap_or_default()
    }

    /// Reads what [`Config::to_bytes`] of the same build wrote, after every rule held: they would be a tenth of the
    /// Worker's code.
    ///
    /// # Panics
    /// The bytes are other ones.
    pub fn from_bytes(bytes: &[u8]) -> Config {
        embedded::read(bytes)
    }

    /// Applies every rule that holds in every environment.
    pub fn check(&self) -> Findings {
        rules::check(self)
    }

    /// Sources that would refuse every delivery of this environment without anyone having said so.
    pub fn unacknowledged_observers(&self, environment: &str) -> Vec<&str> {
        self.sources
            .iter()
            .filter(|(_, source)| {
                // A Worker that does not know where it is might be in production.
                !matches!(environment, "development" | "test" | "staging")
                    && source.mode == Mode::Observe
                    && !source.observe_in_production
            })
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// The names of all secrets, each once.
    pub fn secret_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .sources
            .values()
            .flat_map(|source| source.secrets.iter().chain(&source.retired_secrets))
            .chain(
                self.destinations
                    .values()
                    .map(|destination| &destination.secret),
            )
            .chain(&self.alerts.secret)
            .map(SecretRef::name)
            .chain(self.sources.values().flat_map(Source::pin_secrets))
            .chain(self.sources.values().flat_map(Source::handshake_secrets))
            .collect();
        if self.sources.values().any(|source| source.quarantine) {
            names.push(QUARANTINE_KEY);
        }
        names.sort_unstable();
        names.dedup();
        names
    }
}
