//! What an operator may ask of the gate, and who is one. `edge/admin/` carries it out.
//!
//! [`authorise`] is the door, [`Command`] what is asked for; what may be done then is decided by the module of its topic.

mod command;
mod door;
mod redrive;

pub use command::Command;
pub use door::{Admitted, Operator, authorise};
pub use redrive::{Redriven, insists, may_redrive, not_redriven};
