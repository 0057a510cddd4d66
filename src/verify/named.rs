//! Headers that a request says it signs: looked up before anything is believed.

use super::signature::read_signatures;
use super::{canonical_request, message_signature, stated};
use crate::request::Head;
use crate::scheme::Scheme;
use crate::uses;

/// The signed headers that a request names itself, and that are not in `head` yet.
pub fn headers_named(scheme: &Scheme, head: &Head) -> Vec<String> {
    if scheme.is_message_signature() {
        return message_signature::fields_named(head);
    }
    if uses::STATED_PARTS
        && let Some(form) = &scheme.named_headers
    {
        let presented = read_signatures(scheme, head);
        let fields = presented.map(|presented| presented.fields);
        return stated::headers_listed(form, head, &fields.unwrap_or_default());
    }
    if !scheme.signs_headers() {
        return Vec::new();
    }
    let names = match read_signatures(scheme, head) {
        Ok(presented) => canonical_request::names(&presented.fields),
        Err(_) => Vec::new(),
    };
    let names = names.into_iter();
    names.filter(|name| head.header(name).is_none()).collect()
}
