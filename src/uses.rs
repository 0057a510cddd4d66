//! Which words of the schemes' vocabulary this Worker's sources use.
//!
//! A word that no source uses is left out of the Worker: `build.rs` tells the compiler which are used,
//! and everything behind a constant that is false falls away. Tools and tests have them all.

/// Whether a word is there: in the Worker, where one of its sources uses it.
const fn is_there(used: bool) -> bool {
    used || cfg!(not(target_arch = "wasm32"))
}

/// Credentials instead of signatures.
pub const CREDENTIALS: bool = is_there(cfg!(uses_credentials));
/// Signatures that a public key checks.
pub const PUBLIC_KEYS: bool = is_there(cfg!(uses_public_keys));
/// MACs over what a message or its source states.
pub const STATED_MACS: bool = is_there(cfg!(uses_stated_macs));
/// Messages that are read as a whole before anything is checked.
pub const STATEMENTS: bool = PUBLIC_KEYS || STATED_MACS;
/// Parts of a signed string that only a statement has.
pub const STATED_PARTS: bool = is_there(cfg!(uses_stated_parts));
/// Signatures of RFC 9421.
pub const MESSAGE_SIGNATURES: bool = is_there(cfg!(uses_message_signatures));
/// JSON Web Signatures of the body.
pub const JWS: bool = is_there(cfg!(uses_jws));
/// Canonical requests.
pub const CANONICAL_REQUESTS: bool = is_there(cfg!(uses_canonical_requests));
/// CloudEvents.
pub const CLOUDEVENTS: bool = is_there(cfg!(uses_cloudevents));
/// Fields of a body, sorted and joined.
pub const SORTED_FIELDS: bool = is_there(cfg!(uses_sorted_fields));
/// A signed time in the body.
pub const BODY_TIMES: bool = is_there(cfg!(uses_body_times));
/// Handshakes with senders that have proved nothing.
pub const GREETINGS: bool = is_there(cfg!(uses_greetings));
/// Pings.
pub const PINGS: bool = is_there(cfg!(uses_pings));
