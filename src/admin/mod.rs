//! What an operator may ask of the gate, and who is one. `edge/admin/` carries it out.
//!
//! [`Door`] and [`Operator`] say who asks, [`Command`] what is asked for; what may be done then is decided by the module of
//! its topic, and [`action`] is what the record has of it.

pub mod action;
mod command;
pub mod door;
pub mod operators;
mod redrive;
pub mod session;

pub use command::{Command, Recorded};
pub use door::{Door, Knock, Way};
pub use operators::Operator;
pub use redrive::{insists, may_redrive, not_redriven};

use crate::audit::NO_TENANT;

/// As the configuration's rules have it, and what no tenant is called: nothing that could lead out of the
/// tenant's own log.
fn is_tenant(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name == NO_TENANT || (1..=64).contains(&name.len()) && name.bytes().all(is_letter)
}
