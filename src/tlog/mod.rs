//! The tamper-evident log of the record, one for each tenant, in established formats, so that tools that
//! are not ours can check it.
//!
//! ```text
//! entry       what was recorded, as a commitment            this project's, versioned
//! merkle      leaves, nodes, root                           RFC 9162, section 2.1
//! proof       inclusion and consistency, made and checked   RFC 9162, sections 2.1.3 and 2.1.4
//! tile        the tree and its entries as files             https://c2sp.org/tlog-tiles
//! note        a text and its signatures; keys as text       https://c2sp.org/signed-note
//! checkpoint  the tree's head, as a note                    https://c2sp.org/tlog-checkpoint
//! witness     a head that somebody else remembers           https://c2sp.org/tlog-witness, tlog-cosignature
//! outside     who remembers the logs besides this account
//! export      all of it, checked offline
//! report      what was found then
//! sequencer   what to do next, whatever has failed
//! ```
//!
//! What it shows and what it cannot: `docs/audit-log.md`.

pub mod checkpoint;
pub mod entry;
#[cfg(not(target_arch = "wasm32"))]
pub mod export;
pub mod merkle;
#[cfg(not(target_arch = "wasm32"))]
pub mod native;
pub mod note;
pub mod outside;
pub mod proof;
#[cfg(not(target_arch = "wasm32"))]
mod report;
pub mod sequencer;
pub mod tile;
pub mod witness;

use crate::audit::NO_TENANT;

/// SHA-256.
pub type Hash = [u8; 32];

/// Below this in the archive lies each tenant's log, as [`tile`] lays it out.
pub const PREFIX: &str = "log/";

/// Beside the files: the newest checkpoint, as the log's own object has it.
pub const NEWEST: &str = "newest";

/// Whether there is a log of this name: tenants' names as the configuration's rules have them, and [`NO_TENANT`]. The
/// name is a line of what the log's key signs and a part of its files' keys: one with line feeds would be another head, and
/// one with slashes another log's file.
pub fn is_tenant(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name == NO_TENANT || (1..=64).contains(&name.len()) && name.bytes().all(is_letter)
}

/// The key of a part of a tenant's log in the archive.
pub fn key(tenant: &str, path: &str) -> String {
    format!("{PREFIX}{tenant}/{path}")
}
