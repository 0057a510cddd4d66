//! What must hold for a configuration, each rule with the sentence that explains its breach.

use super::alerts::alerts_faults;
use super::answering::{answering_faults, bearer_warning};
use super::audit::audit_faults;
use super::destination::destination_faults;
use super::names::{is_name, is_secret_name};
use super::{Config, Destination, Findings, Mode, SignAs, Source};
use crate::scheme::Scheme;

/// A queue message may be 128,000 bytes long; about 100 of them belong to the platform.
pub const MESSAGE_BYTES_MAX: usize = 128_000 - 128;
/// The largest body, in bytes, that is read whole: it lies in the isolate's 128 MB up to three times,
/// as received, in wasm, and in its canonical form.
pub const BODY_BYTES_LIMIT: usize = 1_048_576;
/// The largest body that may go by as a stream: the largest that a provider is known to send
/// (<https://docs.github.com/en/webhooks/webhook-events-and-payloads>: payloads are capped at 25 MB).
pub const STREAM_BYTES_LIMIT: u32 = 26_214_400;
/// Workers KV keeps nothing for less than 60 s.
const RETENTION_SECONDS_MIN: u32 = 60;
/// A scheme without a signed time is replayable for as long as its key is forgotten.
const RETENTION_SECONDS_MIN_UNTIMED: u32 = 30 * 86_400;
const RETENTION_SECONDS_MAX: u32 = 400 * 86_400;
/// The platform's limits for a queue: 60 s to 14 days.
const QUEUE_RETENTION_SECONDS: std::ops::RangeInclusive<u32> = 60..=1_209_600;
/// Variables and secrets of one Worker: 128 on the paid plan, 64 on the free one.
const SECRETS_WARNED: usize = 56;

pub fn check(config: &Config) -> Findings {
    let mut findings = Findings::default();
    let errors = &mut findings.errors;
    if config.version != 1 {
        errors.push(format!(
            "version = {}: this hookgate reads version 1",
            config.version
        ));
    }
    if !QUEUE_RETENTION_SECONDS.contains(&config.queue_retention_seconds) {
        errors.push(format!(
            "queue_retention_seconds = {}: a queue keeps messages for 60 to 1209600 seconds",
            config.queue_retention_seconds
        ));
    }
    if config.sources.is_empty() {
        errors.push("no source: add a table [sources.NAME]".into());
    }
    for (name, scheme) in &config.schemes {
        if !is_name(name) {
            errors.push(format!(
                "[schemes.{name}]: a scheme's name is 1 to 64 characters of a-z, 0-9 and -"
            ));
        }
        for fault in scheme.faults() {
            errors.push(format!("[schemes.{name}]: {fault}"));
        }
    }
    for (name, destination) in &config.destinations {
        for fault in destination_faults(config, destination) {
            errors.push(format!("[destinations.{name}]: {fault}"));
        }
    }
    for (name, source) in &config.sources {
        for fault in source_faults(config, name, source) {
            errors.push(format!("[sources.{name}]: {fault}"));
        }
    }
    errors.extend(super::record::retention_faults(config));
    errors.extend(super::rate::tenants_rate_faults(config));
    let audit = audit_faults(&config.audit).into_iter();
    errors.extend(audit.map(|fault| format!("[audit]: {fault}")));
    let alerts = alerts_faults(config).into_iter();
    errors.extend(alerts.map(|fault| format!("[alerts]: {fault}")));
    errors.extend(super::sharing::sharing_faults(config));
    errors.extend(super::pins::shared_pins(config));
    let secrets = config.secret_names().len();
    if secrets > SECRETS_WARNED {
        findings.warnings.push(format!(
            "{secrets} secrets: one Worker has room for 128 variables and secrets (64 on the free plan)"
        ));
    }
    for (name, source) in &config.sources {
        let scheme = config.schemes.get(&source.scheme);
        let unproved = scheme.filter(|scheme| scheme.proves_the_sender_only());
        let warning = unproved.map(|scheme| bearer_warning(name, &source.scheme, scheme));
        findings.warnings.extend(warning);
        if source.quarantine {
            let warning = super::record::quarantine_warning(name);
            findings.warnings.push(warning);
        }
        if source.mode == Mode::Observe {
            findings.warnings.push(format!(
                "[sources.{name}]: mode = \"observe\" takes no event; every delivery is answered 503"
            ));
        }
    }
    findings
}

/// Location hints of Durable Objects:
/// <https://developers.cloudflare.com/durable-objects/reference/data-location/>.
const LOCATIONS: [&str; 9] = [
    "afr", "apac", "eeur", "enam", "me", "oc", "sam", "weur", "wnam",
];

fn source_faults(config: &Config, name: &str, source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    if let Some(location) = &source.ledger_location
        && !LOCATIONS.contains(&location.as_str())
    {
        faults.push(format!(
            "ledger_location = \"{location}\": use one of {}",
            LOCATIONS.join(", ")
        ));
    }
    faults.extend(shard_fault(&source.ledger_shards));
    faults.extend(super::rate::rate_fault(
        source.deliveries_per_second_max,
        config.queue_retention_seconds,
    ));
    if !is_name(name) {
        faults.push("a source's name is 1 to 64 characters of a-z, 0-9 and -".into());
    }
    if !is_name(&source.tenant) {
        faults.push(format!(
            "tenant = \"{}\": use 1 to 64 characters of a-z, 0-9 and -",
            source.tenant
        ));
    }
    let scheme = config.schemes.get(&source.scheme);
    let has_own_key = scheme.is_none_or(|scheme| !scheme.key.encoding.is_fetched());
    if has_own_key && source.secrets.is_empty() && source.public_keys.is_empty() {
        faults.push("secrets is empty: name at least one Worker secret, for example secrets = [\"GITHUB_SECRET\"]".into());
    }
    for (index, secret) in source.secrets.iter().enumerate() {
        if !is_secret_name(secret.name()) {
            faults.push(format!(
                "secret \"{}\": use A-Z, 0-9 and _, beginning with a letter",
                secret.name()
            ));
        }
        if source.secrets[..index].contains(secret) {
            faults.push(format!("secret \"{}\" is named twice", secret.name()));
        }
    }
    faults.extend(super::retired::faults(source));
    match config.destinations.get(&source.destination) {
        None => faults.push(format!(
            "destination = \"{}\": there is no table [destinations.{}]",
            source.destination, source.destination
        )),
        Some(destination) => faults.extend(original_faults(config, source, destination)),
    }
    if source.body_bytes_max == 0 || source.body_bytes_max > BODY_BYTES_LIMIT {
        faults.push(format!(
            "body_bytes_max = {}: use 1 to {BODY_BYTES_LIMIT}, the largest body that is read whole",
            source.body_bytes_max
        ));
    }
    match config.schemes.get(&source.scheme) {
        None => faults.push(format!(
            "scheme = \"{}\" is unknown: use a built-in one (the files of src/schemes) or write a table [schemes.{}]",
            source.scheme, source.scheme
        )),
        Some(scheme) => {
            faults.extend(memory_faults(source, scheme));
            faults.extend(stream_fault(source, scheme));
            faults.extend(super::pins::pin_faults(source, scheme));
            faults.extend(answering_faults(source, scheme));
            faults.extend(super::record::sample_fault(source));
            faults.extend(super::record::quarantine_fault(source));
        }
    }
    faults
}

fn stream_fault(source: &Source, scheme: &Scheme) -> Option<String> {
    let bytes = source.stream_bytes_max?;
    if bytes > STREAM_BYTES_LIMIT || bytes as usize <= source.body_bytes_max {
        return Some(format!(
            "stream_bytes_max = {bytes}: use more than body_bytes_max, which is {}, and at most {STREAM_BYTES_LIMIT}",
            source.body_bytes_max
        ));
    }
    let why = scheme.must_be_read_whole()?;
    Some(format!(
        "stream_bytes_max is set, but under the scheme \"{}\" a body must be read whole: {why}",
        source.scheme
    ))
}

/// An object takes some hundreds of calls a second; a list of more shards than this is a mistake.
const SHARDS_MAX: u32 = 256;
/// Each epoch that is not retired is one call more for each event.
const EPOCHS_MAX: usize = 16;

fn shard_fault(shards: &[u32]) -> Option<String> {
    let in_order = shards.last().is_some_and(|last| *last > 0)
        && shards.len() <= EPOCHS_MAX
        && shards.iter().all(|shards| *shards <= SHARDS_MAX);
    (!in_order).then(|| {
        format!("ledger_shards = {shards:?}: use up to {EPOCHS_MAX} numbers of at most {SHARDS_MAX}, the last of them at least 1, for example [1, 4]; 0 retires an epoch")
    })
}

/// The dedup window must outlive everything that could bring the same event again.
fn memory_faults(source: &Source, scheme: &Scheme) -> Vec<String> {
    let mut faults = Vec::new();
    let retention = source.dedup_retention_seconds;
    if retention > RETENTION_SECONDS_MAX {
        faults.push(format!(
            "dedup_retention_seconds = {retention}: at most {RETENTION_SECONDS_MAX} (400 days)"
        ));
    }
    let tolerance = match (&scheme.time, source.tolerance_seconds) {
        (None, Some(_)) => {
            faults.push(format!(
                "tolerance_seconds is set, but the scheme \"{}\" signs no time",
                source.scheme
            ));
            0
        }
        (None, None) => 0,
        (Some(time), own) => own.unwrap_or(time.tolerance_seconds),
    };
    if scheme.time.is_some() && tolerance == 0 {
        faults.push("tolerance_seconds = 0 would refuse every delivery".into());
    }
    let future = scheme.time.as_ref().map_or(0, |time| time.future_seconds);
    // A request stays fresh from `future` before its stamp to `tolerance` after it, and the
    // provider's own retries come on top.
    // One second for stamps in whole seconds, and a minute because KV may forget early.
    let margin = if scheme.time.is_some() { 61 } else { 0 };
    let needed = RETENTION_SECONDS_MIN
        .max(tolerance.saturating_add(future).saturating_add(margin))
        .max(tolerance.saturating_add(scheme.retry_horizon_seconds));
    if retention < needed {
        faults.push(format!(
            "dedup_retention_seconds = {retention}: must be at least {needed} (tolerance {tolerance} s, the provider retries for {} s), or an event could come again after it was forgotten",
            scheme.retry_horizon_seconds
        ));
    } else if scheme.time.is_none() && retention < RETENTION_SECONDS_MIN_UNTIMED {
        faults.push(format!(
            "dedup_retention_seconds = {retention}: the scheme \"{}\" signs no time, so a captured request stays valid for ever; remember events for at least {RETENTION_SECONDS_MIN_UNTIMED} (30 days)",
            source.scheme
        ));
    }
    let discriminates = scheme.takes_discriminator_values();
    if source.discriminator_values.is_empty() && discriminates {
        faults.push(format!(
            "discriminator_values is missing: list every value of the header by which \"{}\" tells events with equal bodies apart; values that are not listed count as one, and events that differ in nothing else are then taken for duplicates",
            source.scheme
        ));
    }
    if !source.discriminator_values.is_empty() && !discriminates {
        faults.push(format!(
            "discriminator_values is set, but the scheme \"{}\" has no discriminator",
            source.scheme
        ));
    }
    faults
}

fn original_faults(config: &Config, source: &Source, destination: &Destination) -> Vec<String> {
    let Some(scheme) = config.schemes.get(&source.scheme) else {
        return Vec::new();
    };
    let tolerance = scheme.time.as_ref().map(|time| time.tolerance_seconds);
    match (destination.sign, tolerance) {
        (SignAs::Original, Some(tolerance))
            if !destination.backend_ignores_age
                && destination.schedule_seconds() > u64::from(tolerance) =>
        {
            vec![format!(
                "destination \"{}\" has sign = \"original\" and retries for up to {} s, but the backend's own check refuses what is older than {tolerance} s: use sign = \"gate\", or switch the backend's clock check off and set backend_ignores_age = true",
                source.destination,
                destination.schedule_seconds()
            )]
        }
        _ => Vec::new(),
    }
}
