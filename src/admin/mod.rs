//! What an operator may ask of the gate, and who is one. `edge/admin/` carries it out.
//!
//! [`Door`] and [`Operator`] say who asks, [`Command`] what is asked for; what may be done then is decided by the module of
//! its topic, and [`action`] is what the record has of it.
//!
//! [`Reading`] is what is read of the record: [`records`] are searched, [`one_record`] has its [`explanation`], [`counts`]
//! are added up, and an [`export`] is for other programs. [`console`] are the pages on which a browser asks for all that.

pub mod access;
pub mod action;
mod command;
pub mod console;
pub mod counts;
mod cursor;
pub mod door;
pub mod explanation;
pub mod export;
mod forget;
mod health;
pub mod one_record;
pub mod operators;
mod parameters;
pub mod query;
mod reading;
mod readmit;
pub mod records;
mod redrive;
pub mod session;
mod siem;

pub use command::{Command, Recorded};
pub use door::{Door, Knock, Way};
pub use forget::{Named, Wish, not_forgotten};
pub use health::overview;
pub use operators::Operator;
pub use parameters::Unfit;
pub use reading::Reading;
pub use readmit::{is_request_id, not_readmitted, readmitted};
pub use redrive::{Redriven, insists, may_redrive, not_redriven};
