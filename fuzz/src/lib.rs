//! What the fuzz targets try, and what must hold for every input. `./scripts/fuzz` runs them.
//!
//! ```text
//! strangers   any request against every scheme, under keys that no input can know: never an event
//! captured    genuine requests, changed: an event only as the provider signed it
//! headers     times, trace contexts, CloudEvents headers, queries, the edge's lines: what is read
//!             is written alike
//! pointers    values of a JSON body, against serde_json's own pointers
//! canonical   the sorted forms: their own form, and the same members
//! public_keys keys, certificates, sets, tokens, URLs: against the WHATWG's URL parser
//! stored      messages, dead letters, memories, the ledger's words: whatever stands there
//! sources     sources.toml: an error, or a gate of what is embedded
//! ```
//!
//! Each is a function of bytes that panics where a rule is broken, so that it can be run without a
//! fuzzer as well.

pub mod canonical;
pub mod captured;
pub mod headers;
pub mod input;
pub mod pointers;
pub mod public_keys;
pub mod sources;
pub mod stored;
pub mod strangers;

#[path = "../../tests/support/mod.rs"]
pub mod support;
