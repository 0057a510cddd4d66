//! What a sender may ask before it sends.

use serde::{Deserialize, Serialize};

/// CloudEvents' abuse protection: `OPTIONS` with `WebHook-Request-Origin`, answered with
/// `WebHook-Allowed-Origin` for origins that are named here or in the source, and with 405 for all
/// others. It lets nobody in: events still bring their credential.
///
/// Source: <https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md>, section 4.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AbuseProtection {
    /// Origins that the provider documents, compared exactly.
    #[serde(default)]
    pub origins: Vec<String>,
}
