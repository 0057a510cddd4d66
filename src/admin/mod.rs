//! What an operator may ask of the gate, and who is one. `edge/admin/` carries it out.
//!
//! [`authorise`] is the door, [`Command`] what is asked for; what may be done then is decided by the module of its topic.
//!
//! [`Reading`] is what is read of the record: [`records`] are searched, [`one_record`] has its [`explanation`], [`counts`]
//! are added up, and an [`export`] is for other programs. [`console`] are the pages on which a browser asks for all that.

mod command;
pub mod console;
pub mod counts;
mod cursor;
mod door;
pub mod explanation;
pub mod export;
mod forget;
mod health;
pub mod one_record;
mod parameters;
mod reading;
mod readmit;
pub mod records;
mod redrive;
mod siem;

pub use command::Command;
pub use door::{Admitted, Operator, authorise};
pub use forget::{Named, Wish, not_forgotten};
pub use health::overview;
pub use reading::Reading;
pub use readmit::{is_request_id, not_readmitted, readmitted};
pub use redrive::{Redriven, insists, may_redrive, not_redriven};
