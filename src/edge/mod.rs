//! The only code that knows Workers.
//!
//! `entry.mjs` calls in; [`fetch`] receives, [`drive`] carries out what [`crate::road`] says,
//! [`inquire`] brings what public keys need, [`diagnose`] looks for a refusal's cause when it is answered, [`consume`] takes what the queues bring, and [`deliver`] an event to its backend ([`backend`] is one attempt, [`bury`]
//! what is given up), [`ledger_object`] keeps the ledger's rows, [`relay`] hands its messages to
//! the queue, [`audit`] sends what goes into the record and [`record_store`] keeps it, [`log_object`] gives out
//! the places in a tenant's log [`log_run`] publishes it and [`log_proof`] proves a record by it, [`schedule`] wakes what must not sleep, [`admin`]
//! serves the operator, [`platform`], [`bucket`], [`queue`] and [`database`] are the bindings to the platform. Nothing here
//! decides about an event.
//!
//! The way of a request is synchronous: an effect is begun in Rust, and `entry.mjs` waits for its
//! promise. Everything else may take its time, and awaits in Rust.

mod admin;
mod alerts;
mod archive;
mod audit;
mod backend;
mod bucket;
mod bury;
mod consume;
mod content;
mod database;
#[cfg(uses_decryption)]
mod decrypt;
mod deliver;
mod diagnose;
mod drive;
mod fetch;
mod head;
mod health;
mod inquire;
mod ledger;
mod ledger_object;
mod load;
mod log;
mod log_object;
mod log_proof;
mod log_run;
mod native_mac;
mod offer;
mod platform;
mod queue;
mod record;
mod record_store;
mod relay;
mod schedule;
mod spool;
mod state;
#[cfg(feature = "test-hooks")]
mod test_hooks;
mod timer;
