//! What a source and a tenant say of how fast events may be delivered.

use super::Config;

const DELIVERIES_PER_SECOND_LIMIT: u32 = 1_000;
/// The longest wait for a turn, which is the longest delay of a message, in seconds. The queue counts it
/// as a part of its retention, so as long again is left for the delivery.
const TURN_SECONDS_MAX: u32 = 43_200;

pub(super) fn tenants_rate_faults(config: &Config) -> impl Iterator<Item = String> {
    config.tenants.iter().filter_map(|(name, tenant)| {
        let fault = rate_fault(
            tenant.deliveries_per_second_max,
            config.queue_retention_seconds,
        )?;
        Some(format!("[tenants.{name}]: {fault}"))
    })
}

pub(super) fn rate_fault(rate: Option<u32>, queue_retention_seconds: u32) -> Option<String> {
    let rate = rate?;
    if !(1..=DELIVERIES_PER_SECOND_LIMIT).contains(&rate) {
        return Some(format!(
            "deliveries_per_second_max = {rate}: use 1 to {DELIVERIES_PER_SECOND_LIMIT}, or leave it out"
        ));
    }
    let needed = 2 * TURN_SECONDS_MAX;
    (queue_retention_seconds < needed).then(|| {
        format!("deliveries_per_second_max = {rate}: an event may wait {TURN_SECONDS_MAX} s for its turn, and queue_retention_seconds = {queue_retention_seconds} loses it: use at least {needed}")
    })
}
