//! What an operator may ask of the gate, and who is one. `edge/admin/` carries it out.
//!
//! [`authorise`] is the door, [`Command`] what is asked for; what may be done then is decided by the module of its topic.

mod command;
mod door;
mod forget;
mod readmit;
mod redrive;

pub use command::Command;
pub use door::{Admitted, Operator, authorise};
pub use forget::{Named, Wish, not_forgotten};
pub use readmit::{is_request_id, not_readmitted, readmitted};
pub use redrive::{insists, may_redrive, not_redriven};
