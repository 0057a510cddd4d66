//! What an operator may ask of the gate, and who is one. `edge/admin/` carries it out.
//!
//! [`authorise`] is the door, [`Command`] what is asked for; what may be done then is decided by the module of its topic.
//! `console` are the pages on which a browser asks it.

mod command;
mod console;
mod door;
mod redrive;

pub use command::Command;
pub use console::file as console_file;
pub use door::{Admitted, Operator, authorise};
pub use redrive::{insists, may_redrive, not_redriven};
