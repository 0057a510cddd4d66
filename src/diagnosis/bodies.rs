//! Bodies that became another text between the signature and us.

use sha2::{Digest as _, Sha256};

use super::Case;
use super::json_style::{COMPACT, PRETTY, SPACED, restyled, sorted as sorted_json};
use crate::keys::{decode_hex, encode_hex};

const BOM: &[u8] = b"\xef\xbb\xbf";

pub(super) fn newline_added<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    each(case, |body| {
        vec![[body, b"\n"].concat(), [body, b"\r\n"].concat()]
    })
}

pub(super) fn newline_removed<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    each(case, |body| {
        let without = body.trim_ascii_end();
        vec![
            without.to_vec(),
            body.strip_suffix(b"\n").unwrap_or(without).to_vec(),
        ]
    })
}

pub(super) fn crlf<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    each(case, |body| {
        let mut crlf = Vec::with_capacity(body.len() + body.len() / 16);
        let mut last = 0;
        for byte in body {
            if *byte == b'\n' && last != b'\r' {
                crlf.push(b'\r');
            }
            crlf.push(*byte);
            last = *byte;
        }
        vec![crlf]
    })
}

pub(super) fn lf<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    each(case, |body| {
        let mut lf = Vec::with_capacity(body.len());
        for (index, byte) in body.iter().enumerate() {
            if *byte != b'\r' || body.get(index + 1) != Some(&b'\n') {
                lf.push(*byte);
            }
        }
        vec![lf]
    })
}

pub(super) fn bom_removed<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    each(case, |body| {
        body.strip_prefix(BOM)
            .map(<[u8]>::to_vec)
            .into_iter()
            .collect()
    })
}

pub(super) fn bom_added<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    each(case, |body| vec![[BOM, body].concat()])
}

pub(super) fn compact<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    each(case, |body| restyled(body, COMPACT).into_iter().collect())
}

pub(super) fn spaced<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    each(case, |body| restyled(body, SPACED).into_iter().collect())
}

pub(super) fn pretty<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    each(case, |body| restyled(body, PRETTY).into_iter().collect())
}

/// Compact, as most libraries write it, and with spaces, as Python does.
pub(super) fn sorted<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    each(case, |body| match sorted_json(body) {
        None => Vec::new(),
        Some(compact) => restyled(&compact, SPACED)
            .into_iter()
            .chain([compact.clone()])
            .collect(),
    })
}

pub(super) fn hex_decoded<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    each(case, |body| decode_hex(body).into_iter().collect())
}

/// As hex, and as bytes.
pub(super) fn digest<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    each(case, |body| {
        let digest = Sha256::digest(body);
        vec![encode_hex(&digest).into_bytes(), digest.to_vec()]
    })
}

/// One case for each body that `of` makes of this one, and that differs from it.
pub(super) fn each<'c>(case: &'c Case<'_>, of: impl Fn(&[u8]) -> Vec<Vec<u8>>) -> Vec<Case<'c>> {
    let Some(body) = &case.body else {
        return Vec::new();
    };
    // Nothing of it is signed.
    if case.scheme.is_bearer() {
        return Vec::new();
    }
    let mut bodies = of(body);
    bodies.dedup();
    bodies.retain(|other| other[..] != body[..]);
    bodies
        .into_iter()
        .map(|body| case.with_body(body))
        .collect()
}
