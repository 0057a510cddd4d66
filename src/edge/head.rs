//! What of a request's head crosses over before the request has proved anything.

use super::platform::HeaderMap;
use crate::gate::LiveSource;
use crate::request::Head;
use crate::verify;

/// Asks for what a head must have for [`admission::open`] and for the record.
pub fn look_up(head: &mut Head, headers: &HeaderMap, live: Option<&LiveSource>) {
    let wanted = live.iter().flat_map(|live| &live.claim_headers);
    let wanted = wanted.map(String::as_str);
    let always = ["content-length", "traceparent", "cf-ray"];
    #[cfg(feature = "test-hooks")]
    let wanted = wanted.chain(["x-test-hook", "x-test-secret"]);
    for name in always.into_iter().chain(wanted) {
        if let Some(value) = headers.get(name) {
            head.add(name, value);
        }
    }
    let named = live.map(|live| verify::headers_named(&live.scheme, head));
    for name in named.into_iter().flatten() {
        if let Some(value) = headers.get(&name) {
            head.add(&name, value);
        }
    }
}
