//! Secrets that a source says were rotated out.

use super::Source;
use super::names::is_secret_name;

pub(super) fn faults(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    for secret in &source.retired_secrets {
        let name = secret.name();
        if !is_secret_name(name) {
            faults.push(format!(
                "retired_secrets: \"{name}\": use A-Z, 0-9 and _, beginning with a letter"
            ));
        }
        if source.secrets.contains(secret) {
            faults.push(format!(
                "\"{name}\" is live and retired: take it out of secrets, or out of retired_secrets"
            ));
        }
    }
    faults
}
