//! Bodies that became another text between the signature and us.

use sha2::{Digest as _, Sha256};

use super::case::{Case, Change, OthersOf};
use super::json_style::{COMPACT, PRETTY, SPACED, restyled, sorted as sorted_json};
use crate::hex;

const BOM: &[u8] = b"\xef\xbb\xbf";

pub(super) fn newline_added(case: &Case<'_>, changes: &mut Vec<Change>) {
    each(case, changes, &|body, others| {
        others.extend([[body, b"\n"].concat(), [body, b"\r\n"].concat()]);
    });
}

pub(super) fn newline_removed(case: &Case<'_>, changes: &mut Vec<Change>) {
    each(case, changes, &|body, others| {
        others.extend(body.strip_suffix(b"\n").map(<[u8]>::to_vec));
        others.push(body.trim_ascii_end().to_vec());
    });
}

pub(super) fn crlf(case: &Case<'_>, changes: &mut Vec<Change>) {
    each(case, changes, &|body, others| {
        let mut crlf = Vec::with_capacity(body.len() + body.len() / 16);
        let mut last = 0;
        for byte in body {
            if *byte == b'\n' && last != b'\r' {
                crlf.push(b'\r');
            }
            crlf.push(*byte);
            last = *byte;
        }
        others.push(crlf);
    });
}

pub(super) fn lf(case: &Case<'_>, changes: &mut Vec<Change>) {
    each(case, changes, &|body, others| {
        let mut lf = Vec::with_capacity(body.len());
        for (index, byte) in body.iter().enumerate() {
            if *byte != b'\r' || body.get(index + 1) != Some(&b'\n') {
                lf.push(*byte);
            }
        }
        others.push(lf);
    });
}

pub(super) fn bom_removed(case: &Case<'_>, changes: &mut Vec<Change>) {
    each(case, changes, &|body, others| {
        others.extend(body.strip_prefix(BOM).map(<[u8]>::to_vec));
    });
}

pub(super) fn bom_added(case: &Case<'_>, changes: &mut Vec<Change>) {
    each(case, changes, &|body, others| {
        others.push([BOM, body].concat())
    });
}

pub(super) fn compact(case: &Case<'_>, changes: &mut Vec<Change>) {
    each(case, changes, &|body, others| {
        others.extend(restyled(body, COMPACT))
    });
}

pub(super) fn spaced(case: &Case<'_>, changes: &mut Vec<Change>) {
    each(case, changes, &|body, others| {
        others.extend(restyled(body, SPACED))
    });
}

pub(super) fn pretty(case: &Case<'_>, changes: &mut Vec<Change>) {
    each(case, changes, &|body, others| {
        others.extend(restyled(body, PRETTY))
    });
}

/// Compact, as most libraries write it, and with spaces, as Python does.
pub(super) fn sorted(case: &Case<'_>, changes: &mut Vec<Change>) {
    each(case, changes, &|body, others| {
        if let Some(compact) = sorted_json(body) {
            others.extend(restyled(&compact, SPACED));
            others.push(compact);
        }
    });
}

pub(super) fn hex_decoded(case: &Case<'_>, changes: &mut Vec<Change>) {
    each(case, changes, &|body, others| {
        others.extend(hex::decode(body))
    });
}

/// As hex, and as bytes.
pub(super) fn digest(case: &Case<'_>, changes: &mut Vec<Change>) {
    each(case, changes, &|body, others| {
        let digest = Sha256::digest(body).to_vec();
        others.extend([hex::encode(&digest).into_bytes(), digest]);
    });
}

/// A change for each body that `of` makes of this one, and that differs from it.
pub(super) fn each(case: &Case<'_>, changes: &mut Vec<Change>, of: &OthersOf<'_>) {
    // Without a signature there is none over another body.
    let Some(body) = case.body.as_ref().filter(|_| !case.scheme.is_bearer()) else {
        return;
    };
    let mut others = Vec::new();
    of(body, &mut others);
    for other in others {
        if other != *body {
            changes.push(Change::Body(other));
        }
    }
}
