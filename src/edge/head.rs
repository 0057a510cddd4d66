//! What of a request's head crosses over before the request has proved anything.

use web_sys::Headers;

use super::state::asked;
use crate::gate::LiveSource;
use crate::request::Head;
use crate::verify;

/// Asks for what a head must have for [`crate::admission::open`].
pub fn look_up(head: &mut Head, live: &LiveSource, headers: &Headers) {
    head.precede(&asked(live).claims_of(headers));
    for name in verify::headers_named(&live.scheme, head) {
        // What is no name was left out there: it would be an exception here.
        if let Ok(Some(value)) = headers.get(&name) {
            head.precede(&format!("{name}\n{value}"));
        }
    }
}
