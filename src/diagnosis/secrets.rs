//! What may have been made of the secret before it was a key.

use base64::Engine as _;

use super::Case;
use crate::keys::{LENIENT_BASE64, decode_hex};
use crate::scheme::{Algorithm, KeyEncoding, Scheme};

/// Rotated out: [`crate::config::Source::retired_secrets`].
pub(super) fn retired<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    if case.retired.is_empty() {
        return Vec::new();
    }
    vec![case.with_keys(case.retired.to_vec())]
}

/// The characters themselves were the key.
pub(super) fn not_decoded<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    if case.scheme.key.encoding == KeyEncoding::Utf8 {
        return Vec::new();
    }
    otherwise(case, |text| vec![bare(&case.scheme, text).to_vec()])
}

/// `whsec_` and its like were a part of the key.
pub(super) fn prefix_kept<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    otherwise(case, |text| {
        let has_prefix = bare(&case.scheme, text).len() < text.len();
        has_prefix.then(|| text.to_vec()).into_iter().collect()
    })
}

/// A prefix that belongs to the key was taken off.
pub(super) fn prefix_removed<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    if case.scheme.key.encoding != KeyEncoding::Utf8 {
        return Vec::new();
    }
    otherwise(case, |text| {
        unlabelled(text).map(<[u8]>::to_vec).into_iter().collect()
    })
}

/// Decoded, though the characters are the key; or as hex instead of base64, or the reverse.
pub(super) fn decoded<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    let encoding = case.scheme.key.encoding;
    otherwise(case, |text| {
        let text = bare(&case.scheme, text);
        let mut ways = Vec::new();
        for text in [Some(text), unlabelled(text)].into_iter().flatten() {
            if encoding != KeyEncoding::Base64 {
                ways.extend(LENIENT_BASE64.decode(text).ok());
            }
            if encoding != KeyEncoding::Hex {
                ways.extend(decode_hex(text));
            }
        }
        ways
    })
}

/// What a program signs with that found no secret in its environment.
pub(super) fn unset<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    otherwise(case, |_| vec![Vec::new(), b"undefined".to_vec()])
}

/// What stands around a secret that was read from a file or pasted.
pub(super) fn whitespace<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    if case.scheme.key.encoding != KeyEncoding::Utf8 {
        return Vec::new();
    }
    otherwise(case, |text| {
        let text = bare(&case.scheme, text);
        vec![
            [text, b"\n"].concat(),
            [text, b"\r\n"].concat(),
            [text, b" "].concat(),
            [b" ", text].concat(),
        ]
    })
}

/// Quotes on their side, or on ours.
pub(super) fn quotes<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    otherwise(case, |text| {
        let text = bare(&case.scheme, text);
        let mut ways = Vec::new();
        for quote in [b"\"", b"'"] {
            let unquoted = text
                .strip_prefix(quote)
                .and_then(|text| text.strip_suffix(quote));
            ways.extend(unquoted.map(<[u8]>::to_vec));
            ways.push([quote, text, quote].concat());
        }
        ways
    })
}

/// Another of the hashes.
pub(super) fn other_hash<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    let own = case.scheme.algorithm;
    let others = [
        Algorithm::HmacSha1,
        Algorithm::HmacSha256,
        Algorithm::HmacSha512,
    ];
    if !others.contains(&own) || case.scheme.is_jws() {
        return Vec::new();
    }
    let others = others.into_iter().filter(|other| *other != own);
    let case = others.map(|algorithm| {
        let mut scheme = Scheme::clone(&case.scheme);
        scheme.algorithm = algorithm;
        let keys = case.keys.iter().map(|key| key.under(algorithm)).collect();
        let mut case = case.with_scheme(scheme);
        case.keys = std::borrow::Cow::Owned(keys);
        case
    });
    case.collect()
}

/// One case for each way in which `of` has the characters of a secret become a key.
pub(super) fn otherwise<'c>(
    case: &'c Case<'_>,
    of: impl Fn(&[u8]) -> Vec<Vec<u8>>,
) -> Vec<Case<'c>> {
    let algorithm = case.scheme.algorithm;
    let mut cases = Vec::new();
    for key in case.keys.iter() {
        for bytes in of(key.text()) {
            // The key as it is was tried by `verify`.
            if bytes != key.bytes() {
                cases.push(case.with_keys(vec![key.mistaken(algorithm, &bytes)]));
            }
        }
    }
    cases
}

/// Without the prefix that the scheme takes off.
fn bare<'t>(scheme: &Scheme, text: &'t [u8]) -> &'t [u8] {
    let mut prefixes = scheme.key.strip.iter();
    let bare = prefixes.find_map(|prefix| text.strip_prefix(prefix.as_bytes()));
    bare.unwrap_or(text)
}

/// Without a label in front, such as `whsec_` or `sk_live_`: what stands behind the last `_` of those that
/// have nothing but small letters and digits before them.
fn unlabelled(text: &[u8]) -> Option<&[u8]> {
    let mut rest = None;
    for (index, byte) in text.iter().enumerate() {
        match byte {
            b'_' if index > 0 => rest = text.get(index + 1..),
            b'a'..=b'z' | b'0'..=b'9' => {}
            _ => break,
        }
    }
    rest.filter(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_what_stands_before_an_underscore() {
        let bare = |text: &'static str| unlabelled(text.as_bytes());
        assert_eq!(bare("whsec_Abc_d"), Some(&b"Abc_d"[..]));
        assert_eq!(bare("sk_live_Xyz"), Some(&b"Xyz"[..]));
        for text in ["", "_", "Abc_d", "abc", "a_", "plain secret_x"] {
            assert_eq!(bare(text), None, "{text}");
        }
    }
}
