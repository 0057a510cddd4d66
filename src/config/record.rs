//! What is said of the record of refusals.

use super::{Config, QUARANTINE_KEY, Source};

/// Ten years.
const AUDIT_DAYS_MAX: u32 = 3_653;
/// What tells how a body is built stands at its beginning.
const SAMPLE_BYTES_MAX: u32 = 1_024;

pub(super) fn retention_faults(config: &Config) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, retention) in &config.tenants {
        if !config.sources.values().any(|source| source.tenant == *name) {
            faults.push(format!(
                "[tenants.{name}]: no source has tenant = \"{name}\""
            ));
        }
        if !(1..=AUDIT_DAYS_MAX).contains(&retention.audit_days) {
            faults.push(format!(
                "[tenants.{name}]: audit_days = {}: use 1 to {AUDIT_DAYS_MAX}",
                retention.audit_days
            ));
        }
        if retention.client_address_days > retention.audit_days {
            faults.push(format!(
                "[tenants.{name}]: client_address_days = {}: an address goes with its record at the latest; use 0 to {}, which is audit_days",
                retention.client_address_days, retention.audit_days
            ));
        }
    }
    faults
}

pub(super) fn sample_fault(source: &Source) -> Option<String> {
    let bytes = source.audit_sample_bytes;
    (bytes > SAMPLE_BYTES_MAX).then(|| {
        format!("audit_sample_bytes = {bytes}: use at most {SAMPLE_BYTES_MAX}; how a body is built can be seen at its beginning")
    })
}

pub(super) fn quarantine_fault(source: &Source) -> Option<String> {
    let has_none =
        source.secrets.is_empty() && source.public_keys.is_empty() && source.pins.is_empty();
    (source.quarantine && has_none).then(|| {
        "quarantine is set, but the source has no secret, key or pin that could be mended"
            .to_owned()
    })
}

pub(super) fn quarantine_warning(name: &str) -> String {
    format!(
        "[sources.{name}]: quarantine = true keeps bodies and credentials of whoever sends, encrypted, for 72 hours; nothing is kept until the Worker secret {QUARANTINE_KEY} is set"
    )
}
