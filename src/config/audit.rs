//! How large the record may become, and where the checkpoints of the tenants' logs go, so that they are not only here.

use serde::{Deserialize, Serialize};

use super::names::is_secret_name;
use super::{Destination, is_private};

/// [D1 ends](https://developers.cloudflare.com/d1/platform/limits/) at 10 GB, on the free plan at 500 MB. What is left
/// above the bound is for the rows of batches that are under way, and for the counts, which go on.
const RECORD_BYTES_MAX: u64 = 8_000_000_000;
/// Below it there is hardly a record; above it none of D1's databases.
const RECORD_BYTES: std::ops::RangeInclusive<u64> = 10_000_000..=9_500_000_000;

/// Each text is a value, or `$NAME` for the Worker variable of that name.
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
    /// When the record's database is as large, refusals are only counted. In bytes.
    #[serde(default)]
    pub record_bytes_max: Option<u64>,
}

impl Audit {
    /// As configured, or 8 GB.
    pub fn record_bytes_max(&self) -> u64 {
        self.record_bytes_max.unwrap_or(RECORD_BYTES_MAX)
    }

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
    if let Some(bytes) = audit.record_bytes_max
        && !RECORD_BYTES.contains(&bytes)
    {
        faults.push(format!(
            "record_bytes_max = {bytes}: use {} to {}; D1 ends at 10 GB",
            RECORD_BYTES.start(),
            RECORD_BYTES.end()
        ));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_records_bound_is_within_what_d1_has() {
        let faults = |bytes| {
            audit_faults(&Audit {
                record_bytes_max: bytes,
                ..Audit::default()
            })
        };
        for sound in [
            None,
            Some(10_000_000),
            Some(400_000_000),
            Some(9_500_000_000),
        ] {
            assert_eq!(faults(sound), Vec::<String>::new(), "{sound:?}");
        }
        for wrong in [0, 9_999_999, 10_000_000_000] {
            assert_eq!(faults(Some(wrong)).len(), 1, "{wrong}");
        }
        assert_eq!(Audit::default().record_bytes_max(), RECORD_BYTES_MAX);
    }
}
