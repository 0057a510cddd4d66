//! The only code that knows Workers.
//!
//! `entry.mjs` calls in; [`fetch`] receives, [`drive`] carries out what [`crate::road`] says,
//! [`consume`] delivers, [`ledger_object`] keeps the ledger's rows, [`schedule`] wakes what must not sleep, [`admin`] serves the operator, [`platform`] wraps what the `worker` crate
//! leaves out. Nothing here decides about an event.

mod admin;
mod archive;
mod consume;
mod drive;
mod fetch;
mod ledger;
mod ledger_object;
mod platform;
mod respond;
mod schedule;
mod spool;
mod state;
