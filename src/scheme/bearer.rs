//! Senders that prove themselves by something that travels in the request.

use serde::{Deserialize, Serialize};

use super::Place;

/// What the sender calls an event, where nothing of the event is signed. It folds the sender's own
/// retries; it stops nobody who has the credential.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BearerRule {
    /// Used where all of these have a value.
    pub fields: Vec<Place>,
}
