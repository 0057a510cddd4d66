//! What may have been made of the secret before it was a key.

use base64::Engine as _;

use super::case::{Case, Change, OthersOf};
use crate::hex;
use crate::keys::LENIENT_BASE64;
use crate::scheme::{Algorithm, KeyEncoding, Scheme};

/// Rotated out: [`crate::config::Source::retired_secrets`].
pub(super) fn retired(case: &Case<'_>, changes: &mut Vec<Change>) {
    if !case.retired.is_empty() {
        let mut keys = case.retired.to_vec();
        for key in &mut keys {
            key.serve(case.scheme.algorithm);
        }
        changes.push(Change::Keys(keys));
    }
}

/// The characters themselves were the key.
pub(super) fn not_decoded(case: &Case<'_>, changes: &mut Vec<Change>) {
    if !is_plain(case) {
        otherwise(case, changes, &|text, ways| {
            ways.push(bare(&case.scheme, text).to_vec())
        });
    }
}

/// `whsec_` and its like were a part of the key.
pub(super) fn prefix_kept(case: &Case<'_>, changes: &mut Vec<Change>) {
    otherwise(case, changes, &|text, ways| {
        if bare(&case.scheme, text).len() < text.len() {
            ways.push(text.to_vec());
        }
    });
}

/// A prefix that belongs to the key was taken off.
pub(super) fn prefix_removed(case: &Case<'_>, changes: &mut Vec<Change>) {
    if is_plain(case) {
        otherwise(case, changes, &|text, ways| {
            ways.push(unlabelled(text).to_vec())
        });
    }
}

/// Decoded, though the characters are the key; or as hex instead of base64, or the reverse.
pub(super) fn decoded(case: &Case<'_>, changes: &mut Vec<Change>) {
    let encoding = case.scheme.key.encoding;
    otherwise(case, changes, &|text, ways| {
        let text = bare(&case.scheme, text);
        let label = text.len() - unlabelled(text).len();
        for text in [text, &text[label..]].iter().take(1 + label.min(1)) {
            if encoding != KeyEncoding::Base64 {
                ways.extend(LENIENT_BASE64.decode(text).ok());
            }
            if encoding != KeyEncoding::Hex {
                ways.extend(hex::decode(text));
            }
        }
    });
}

/// What a program signs with that found no secret in its environment.
pub(super) fn unset(case: &Case<'_>, changes: &mut Vec<Change>) {
    otherwise(case, changes, &|_, ways| {
        ways.extend([Vec::new(), b"undefined".to_vec()])
    });
}

/// What stands around a secret that was read from a file or pasted.
pub(super) fn whitespace(case: &Case<'_>, changes: &mut Vec<Change>) {
    if is_plain(case) {
        around(
            case,
            changes,
            &[("", "\n"), ("", "\r\n"), ("", " "), (" ", "")],
        );
    }
}

/// Quotes on their side, or on ours.
pub(super) fn quotes(case: &Case<'_>, changes: &mut Vec<Change>) {
    otherwise(case, changes, &|text, ways| {
        if let [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] = text {
            ways.push(inner.to_vec());
        }
    });
    around(case, changes, &[("\"", "\""), ("'", "'")]);
}

fn around(case: &Case<'_>, changes: &mut Vec<Change>, texts: &[(&str, &str)]) {
    otherwise(case, changes, &|text, ways| {
        for (before, after) in texts {
            ways.push(
                [
                    before.as_bytes(),
                    bare(&case.scheme, text),
                    after.as_bytes(),
                ]
                .concat(),
            );
        }
    });
}

/// Another of the hashes.
pub(super) fn other_hash(case: &Case<'_>, changes: &mut Vec<Change>) {
    let hashes = [
        Algorithm::HmacSha1,
        Algorithm::HmacSha256,
        Algorithm::HmacSha512,
    ];
    if !hashes.contains(&case.scheme.algorithm) || case.scheme.is_jws() {
        return;
    }
    for algorithm in hashes {
        if algorithm != case.scheme.algorithm {
            changes.push(Change::Hash(algorithm));
        }
    }
}

/// A change for each way in which `of` has the characters of a secret become a key.
pub(super) fn otherwise(case: &Case<'_>, changes: &mut Vec<Change>, of: &OthersOf<'_>) {
    for key in &case.keys {
        let mut ways = Vec::new();
        of(key.text(), &mut ways);
        for bytes in ways {
            // The key as it is was tried by `verify`.
            if bytes != key.bytes() {
                let key = key.mistaken(case.scheme.algorithm, &bytes);
                changes.push(Change::Keys(vec![key]));
            }
        }
    }
}

fn is_plain(case: &Case<'_>) -> bool {
    case.scheme.key.encoding == KeyEncoding::Utf8
}

/// Without the prefix that the scheme takes off.
fn bare<'t>(scheme: &Scheme, text: &'t [u8]) -> &'t [u8] {
    for prefix in &scheme.key.strip {
        if let Some(bare) = text.strip_prefix(prefix.as_bytes()) {
            return bare;
        }
    }
    text
}

/// Without a label in front, such as `whsec_` or `sk_live_`: words of small letters and digits, each with
/// an underscore behind it.
fn unlabelled(text: &[u8]) -> &[u8] {
    let mut label = 0;
    for (index, byte) in text.iter().enumerate() {
        match byte {
            b'_' if index > 0 => label = index + 1,
            b'a'..=b'z' | b'0'..=b'9' => {}
            _ => break,
        }
    }
    if label == text.len() {
        text
    } else {
        &text[label..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_what_stands_before_an_underscore() {
        let bare = |text: &'static str| std::str::from_utf8(unlabelled(text.as_bytes())).unwrap();
        assert_eq!(bare("whsec_Abc_d"), "Abc_d");
        assert_eq!(bare("sk_live_Xyz"), "Xyz");
        for text in ["", "_", "Abc_d", "abc", "a_", "plain secret_x"] {
            assert_eq!(bare(text), text);
        }
    }
}
