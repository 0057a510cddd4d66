//! Signatures that are written otherwise than the scheme says.
//!
//! The head is varied and not the scheme: what was written is read in the way that was meant, and
//! written again as it should have been.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::case::{Case, Change};
use crate::hex;
use crate::keys::LENIENT_BASE64;
use crate::request::{Head, encode_percent};
use crate::scheme::{Place, SignatureEncoding};

pub(super) fn in_base64(case: &Case<'_>, changes: &mut Vec<Change>) {
    if expects_hex(case) {
        rewritten(case, changes, &|text| STANDARD.decode(text).ok());
    }
}

pub(super) fn in_hex(case: &Case<'_>, changes: &mut Vec<Change>) {
    if expects_base64(case) {
        rewritten(case, changes, &|text| hex::decode(text.as_bytes()));
    }
}

pub(super) fn in_base64url(case: &Case<'_>, changes: &mut Vec<Change>) {
    rewritten(case, changes, &|text| {
        // What plain base64 is, is not this.
        if STANDARD.decode(text).is_ok() {
            return None;
        }
        let plain = text.replace('-', "+").replace('_', "/");
        LENIENT_BASE64.decode(plain).ok()
    });
}

pub(super) fn upper_case(case: &Case<'_>, changes: &mut Vec<Change>) {
    if expects_hex(case) {
        rewritten(case, changes, &|text| hex::decode(text.as_bytes()));
    }
}

pub(super) fn encoded_twice(case: &Case<'_>, changes: &mut Vec<Change>) {
    rewritten(case, changes, &|text| {
        hex::decode(&LENIENT_BASE64.decode(text).ok()?)
    });
}

/// The scheme's own prefix is missing, or there is one that it does not have.
pub(super) fn prefix(case: &Case<'_>, changes: &mut Vec<Change>) {
    let form = &case.scheme.signature;
    let Ok(text) = case.head.value_at(&form.at) else {
        return;
    };
    let strip = form.strip.as_deref().unwrap_or_default();
    // What stands behind a label of any kind.
    let bare = text.strip_prefix(strip).unwrap_or(&text);
    let bare = match bare.split_once(['=', ',', ' ', ':']) {
        Some((_, rest)) if rest.bytes().any(|byte| byte != b'=') => rest.trim(),
        _ => bare,
    };
    // A list without the item that it is to have.
    let (front, name, pair) = match (&form.pair, form.take.first()) {
        (Some(pair), Some(name)) => (
            form.prefix.as_deref().unwrap_or_default(),
            &name[..],
            &pair[..],
        ),
        _ => ("", "", ""),
    };
    for bare in [text.as_str(), bare] {
        let text = [front, name, pair, strip, bare].concat();
        with_signature(case, changes, &text);
    }
}

fn expects_hex(case: &Case<'_>) -> bool {
    let encoding = case.scheme.signature.encoding;
    matches!(
        encoding,
        SignatureEncoding::Hex | SignatureEncoding::HexAnyCase
    )
}

fn expects_base64(case: &Case<'_>) -> bool {
    case.scheme.signature.encoding == SignatureEncoding::Base64 && !case.scheme.is_bearer()
}

/// The case with every signature that `read` makes something of written as the scheme has it.
fn rewritten(case: &Case<'_>, changes: &mut Vec<Change>, read: &dyn Fn(&str) -> Option<Vec<u8>>) {
    let form = &case.scheme.signature;
    let Ok(text) = case.head.value_at(&form.at) else {
        return;
    };
    if !expects_hex(case) && !expects_base64(case) {
        return;
    }
    let strip = form.strip.as_deref().unwrap_or_default();
    let mut again = String::new();
    let (split, pair) = match (&form.split, &form.pair) {
        (Some(split), Some(pair)) => (split.as_str(), pair.as_str()),
        // No text has a NUL in it, so it is one item.
        _ => ("\0", ""),
    };
    for item in text.split(split) {
        if !again.is_empty() {
            again.push_str(split);
        }
        let (name, value) = match item.split_once(pair) {
            Some((name, value))
                if pair.is_empty() || form.take.iter().any(|take| take == name.trim()) =>
            {
                (name, value)
            }
            _ => ("", ""),
        };
        let tag = value.strip_prefix(strip).and_then(read);
        // As long as one of the MACs.
        match tag.filter(|tag| matches!(tag.len(), 20 | 32 | 64)) {
            None => again.push_str(item),
            Some(tag) => {
                let encoded = if expects_hex(case) {
                    hex::encode(&tag)
                } else {
                    STANDARD.encode(tag)
                };
                for text in [
                    name,
                    if name.is_empty() { "" } else { pair },
                    strip,
                    &encoded,
                ] {
                    again.push_str(text);
                }
            }
        }
    }
    with_signature(case, changes, &again);
}

/// The head with another text where the signature stands.
fn with_signature(case: &Case<'_>, changes: &mut Vec<Change>, text: &str) {
    let head = &case.head;
    let lines = head.to_lines();
    let again = match &case.scheme.signature.at {
        Place::Header(name) => {
            let Some(known) = head.header(name) else {
                return;
            };
            lines.replace(&["\n", known].concat(), &["\n", text].concat())
        }
        Place::Query(name) => {
            let start = [name, "="].concat();
            let query = head.query.as_deref().unwrap_or_default();
            let Some(known) = query.split('&').find(|pair| pair.starts_with(&start)) else {
                return;
            };
            lines.replacen(known, &[&start, encode_percent(text).as_str()].concat(), 1)
        }
        _ => return,
    };
    if again != lines {
        changes.push(Change::Head(Head::from_lines(&again)));
    }
}
