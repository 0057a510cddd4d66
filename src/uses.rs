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
/// Certificates that a message names.
pub const CERTIFICATES: bool = is_there(cfg!(uses_certificates));
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
/// Keys that are asked for by their id.
pub const KEY_REQUESTS: bool = is_there(cfg!(uses_key_requests));
/// Canonical requests.
pub const CANONICAL_REQUESTS: bool = is_there(cfg!(uses_canonical_requests));
/// CloudEvents.
pub const CLOUDEVENTS: bool = is_there(cfg!(uses_cloudevents));
/// Fields of a body, sorted and joined.
pub const SORTED_FIELDS: bool = is_there(cfg!(uses_sorted_fields));
/// A signed time in the body.
pub const BODY_TIMES: bool = is_there(cfg!(uses_body_times));
/// Pins: of what is stated, or signed as it stands.
pub const PINS: bool = STATEMENTS || STATED_PARTS;
/// Signatures and credentials in the body.
pub const BODY_SIGNATURES: bool = is_there(cfg!(uses_body_signatures));
/// Hashes with the secret in them.
pub const PLAIN_HASHES: bool = is_there(cfg!(uses_plain_hashes));
/// MACs in more than one place.
pub const SEVERAL_SIGNATURES: bool = is_there(cfg!(uses_several_signatures));
/// Base64 for URLs.
pub const BASE64_URL: bool = is_there(cfg!(uses_base64_url));
/// Signatures that leave the event out.
pub const PARTIAL_SIGNATURES: bool = is_there(cfg!(uses_partial_signatures));
/// Handshakes with senders that have proved nothing.
pub const GREETINGS: bool = is_there(cfg!(uses_greetings));
/// Pings.
pub const PINGS: bool = is_there(cfg!(uses_pings));
/// Operators for whom Cloudflare Access vouches.
pub const ACCESS: bool = is_there(cfg!(uses_access));
/// Diagnoses of refusals.
pub const DIAGNOSIS: bool = is_there(cfg!(uses_diagnosis));
