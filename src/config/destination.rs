//! The rules for a destination.

use super::names::is_secret_name;
use super::{Config, Destination, is_private};

/// The platform delays a message by at most 12 h (24 h by newer pages).
const BACKOFF_SECONDS_LIMIT: u32 = 43_200;
/// `max_retries` of the consumer in wrangler.toml is 100, the platform's largest: ours must come first.
const ATTEMPTS_LIMIT: u32 = 90;

pub(super) fn destination_faults(config: &Config, destination: &Destination) -> Vec<String> {
    let mut faults = Vec::new();
    let is_variable = destination
        .url
        .strip_prefix('$')
        .is_some_and(is_secret_name);
    if !is_variable && !Destination::is_url(&destination.url) {
        faults.push(format!(
            "url = \"{}\": write an https URL, http for 127.0.0.1, or $NAME for the Worker variable NAME",
            destination.url
        ));
    }
    if !is_variable && is_private(&destination.url) {
        faults.push(format!(
            "url = \"{}\" is on a private network, and this file is for every environment: write $NAME for a Worker variable, and let development have it with ALLOW_PRIVATE_DESTINATIONS = \"true\"",
            destination.url
        ));
    }
    if !is_secret_name(destination.secret.name()) {
        faults.push(format!(
            "secret = \"{}\": use A-Z, 0-9 and _, beginning with a letter",
            destination.secret.name()
        ));
    }
    if !(1..=60).contains(&destination.timeout_seconds) {
        faults.push(format!(
            "timeout_seconds = {}: use 1 to 60",
            destination.timeout_seconds
        ));
    }
    if !(1..=ATTEMPTS_LIMIT).contains(&destination.attempts_max) {
        faults.push(format!(
            "attempts_max = {}: use 1 to {ATTEMPTS_LIMIT}",
            destination.attempts_max
        ));
    }
    if destination.backoff_first_seconds == 0
        || destination.backoff_first_seconds > destination.backoff_max_seconds
        || destination.backoff_max_seconds > BACKOFF_SECONDS_LIMIT
    {
        faults.push(format!(
            "backoff_first_seconds = {} and backoff_max_seconds = {}: use 1 ≤ first ≤ max ≤ {BACKOFF_SECONDS_LIMIT}",
            destination.backoff_first_seconds, destination.backoff_max_seconds
        ));
    }
    let schedule = destination.schedule_seconds();
    if schedule > u64::from(config.queue_retention_seconds) {
        faults.push(format!(
            "retries may take {schedule} s in all, longer than the queue keeps a message ({} s): lower attempts_max or backoff_max_seconds, or raise queue_retention_seconds together with the queue's own retention",
            config.queue_retention_seconds
        ));
    }
    faults
}

impl Destination {
    /// Events travel to a backend encrypted, or not at all beyond this machine.
    pub fn is_url(url: &str) -> bool {
        // The authority without user information, as host and port. A host is written as it is: what
        // `%` stands for would be seen by whoever connects, and not by whoever checks.
        let host_of = |rest: &str| {
            let authority = rest.split(['/', '?', '#']).next()?;
            let end = authority.find(']').unwrap_or(0);
            let end = authority[end..]
                .find(':')
                .map_or(authority.len(), |colon| end + colon);
            let (host, port) = authority.split_at(end);
            let port = port.strip_prefix(':').unwrap_or("0");
            let sound = !host.is_empty()
                && !host.contains(['@', '\\', '%'])
                && host.starts_with('[') == host.ends_with(']')
                && !port.is_empty()
                && port.bytes().all(|byte| byte.is_ascii_digit());
            sound.then(|| host.to_owned())
        };
        if url.bytes().any(|byte| byte <= b' ' || byte >= 0x7f) {
            return false;
        }
        if let Some(rest) = url.strip_prefix("https://") {
            host_of(rest).is_some()
        } else if let Some(rest) = url.strip_prefix("http://") {
            let host = host_of(rest);
            matches!(host.as_deref(), Some("127.0.0.1" | "localhost" | "[::1]"))
        } else {
            false
        }
    }

    /// The longest time from the first attempt to the end of the last one, in seconds. A backend's
    /// `Retry-After` counts up to `backoff_max_seconds`, so every delay may be that long.
    pub fn schedule_seconds(&self) -> u64 {
        let delays =
            u64::from(self.attempts_max.saturating_sub(1)) * u64::from(self.backoff_max_seconds);
        delays + u64::from(self.attempts_max) * u64::from(self.timeout_seconds)
    }
}
