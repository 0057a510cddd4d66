//! hookgate: a webhook gate at the edge.
//!
//! It verifies who sent a webhook and when, refuses replays, answers as soon as the event is held,
//! hands it to a queue for the backend, and records every verdict.
//!
//! **Nothing outside [`edge`](self) touches the platform.** Everything else is pure: bytes, the time
//! and random bytes come in as arguments, decisions come out as values. `web-sys` and `wasm-bindgen`
//! are dependencies of the wasm32 target only, so the compiler keeps this boundary.
//!
//! # The way of a request
//!
//! With the steps of README.md's "Life of a webhook", and whose they are:
//!
//! ```text
//! edge/entry.mjs    1 receive      the head; the body, up to the cap it was given
//! admission         2 identify     path -> source                     404
//!                   3 shape        method, length, form of the claims 405 413 400 401
//! verify            4 verify       MAC over the characters received   401
//! admission         5 freshness    signed time against now            401
//!                   6 identity     the scheme's rule -> dedup key
//! road              7 seen?        KV's memory, or the ledger         200 duplicate
//!                   8 hold         the queue, the ledger, the spool   503
//! answer            9 answer       what the sender may learn
//! audit               record       one line with the exact reason; after the answer, the record of refusals
//! consumer         10 deliver      claim -> backend -> done; retries, dead letters
//! ```
//!
//! # Who decides, who carries out
//!
//! [`road`], [`consumer`] and [`lanes`] are step functions: they say what to do next, and `edge/drive.rs` and
//! `edge/consume.rs` do it. [`ledger`] decides what may happen to an event's row, and
//! `edge/ledger_object.rs` keeps the rows; [`relay`] judges what the queue refuses of the messages it
//! holds, and `edge/relay.rs` hands them over. [`flood`] says what is not worth verifying now, and
//! [`ledger::Pace`] what is not to be delivered now. [`config`] and [`scheme`] say what is configured,
//! [`gate`] is that with its secrets. [`event`] and [`dead`] are what is stored; [`audit`] and
//! [`backlog`] are what is written down, and [`tlog`] shows that it was not altered. [`diagnosis`] looks for
//! the mistake behind a refusal, when it is answered, and [`quarantine`] says what of it is kept to be judged again.
//! [`alerts`] says what an operator is told of without asking, and [`admin`] who is one, what he may see and what he
//! may change; `edge/admin` asks the stores for it, and `console` is what a browser is given.

pub mod admin;
pub mod admission;
pub mod alerts;
pub mod answer;
pub mod audit;
pub mod backlog;
pub mod by_name;
pub mod canonical;
pub mod cloudevents;
pub mod config;
pub mod consumer;
pub mod dead;
pub mod delivery;
pub mod diagnosis;
pub mod event;
pub mod flood;
pub mod gate;
pub mod hex;
pub mod json;
pub mod keys;
pub mod koogallery;
pub mod lanes;
pub mod ledger;
pub mod memory;
pub mod public_key;
pub mod quarantine;
pub mod relay;
pub mod request;
pub mod retry;
pub mod road;
pub mod scheme;
pub mod schemes;
#[cfg(not(target_arch = "wasm32"))]
pub mod sign;
pub mod split_mac;
pub mod time;
pub mod tlog;
pub mod trace;
pub mod uses;
pub mod verdict;
pub mod verify;

#[cfg(target_arch = "wasm32")]
mod edge;

/// The sources file that was checked and embedded when this crate was built.
pub const EMBEDDED_SOURCES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sources.postcard"));
