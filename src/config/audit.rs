//! Where the checkpoints of the tenants' logs go, so that they are not only here.

use serde::{Deserialize, Serialize};

use super::rules::is_secret_name;
use super::{Destination, is_private};

/// Each is a value, or `$NAME` for the Worker variable of that name.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// The URL under which a witness (<https://c2sp.org/tlog-witness>) takes checkpoints.
    #[serde(default)]
    pub witness: Option<String>,
    /// Its public key: `name+id+base64`.
    #[serde(default)]
    pub witness_key: Option<String>,
    /// A URL to which every checkpoint is posted.
    #[serde(default)]
    pub checkpoint_to: Option<String>,
}

impl Audit {
    /// The value itself, or the variable's.
    ///
    /// # Errors
    /// The name of the variable that is not there.
    pub fn resolve(
        setting: &str,
        variable: impl FnOnce(&str) -> Option<String>,
    ) -> Result<String, &str> {
        match setting.strip_prefix('$') {
            None => Ok(setting.to_owned()),
            Some(name) => variable(name).filter(|value| !value.is_empty()).ok_or(name),
        }
    }
}

pub(super) fn audit_faults(audit: &Audit) -> Vec<String> {
    let mut faults = Vec::new();
    let is_variable = |text: &str| text.strip_prefix('$').is_some_and(is_secret_name);
    for (name, url) in [
        ("witness", &audit.witness),
        ("checkpoint_to", &audit.checkpoint_to),
    ] {
        let Some(url) = url.as_deref().filter(|url| !is_variable(url)) else {
            continue;
        };
        if !Destination::is_url(url) || is_private(url) {
            faults.push(format!(
                "{name} = \"{url}\": write an https URL that is not on a private network, or $NAME for the Worker variable NAME"
            ));
        }
    }
    if audit.witness.is_some() != audit.witness_key.is_some() {
        faults.push("witness and witness_key belong together: a signature that nobody can check shows nothing".into());
    }
    if let Some(key) = audit.witness_key.as_deref().filter(|key| !is_variable(key))
        && key.splitn(3, '+').filter(|part| !part.is_empty()).count() != 3
    {
        faults.push(format!(
            "witness_key = \"{key}\": write the witness's key as name+id+base64"
        ));
    }
    faults
}
