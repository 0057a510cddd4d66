//! Signatures that are written otherwise than the scheme says.
//!
//! The head is varied and not the scheme: what was written is read in the way that was meant, and
//! written again as it should have been.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Case;
use crate::keys::{LENIENT_BASE64, decode_hex, encode_hex};
use crate::request::{Head, encode_pairs};
use crate::scheme::{Place, SignatureEncoding};

pub(super) fn in_base64<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    rewritten(case, |text| {
        expects_hex(case).then_some(())?;
        STANDARD.decode(text).ok().filter(|tag| is_tag(tag))
    })
}

pub(super) fn in_hex<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    rewritten(case, |text| {
        expects_base64(case).then_some(())?;
        decode_hex(text.as_bytes()).filter(|tag| is_tag(tag))
    })
}

pub(super) fn in_base64url<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    rewritten(case, |text| {
        // What plain base64 is, is not this.
        if STANDARD.decode(text).is_ok() || decode_hex(text.as_bytes()).is_some() {
            return None;
        }
        let plain = text.replace('-', "+").replace('_', "/");
        LENIENT_BASE64.decode(plain).ok().filter(|tag| is_tag(tag))
    })
}

pub(super) fn upper_case<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    rewritten(case, |text| {
        expects_hex(case).then_some(())?;
        let is_upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
        is_upper.then(|| decode_hex(text.as_bytes()))?
    })
}

pub(super) fn encoded_twice<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    rewritten(case, |text| {
        decode_hex(&LENIENT_BASE64.decode(text).ok()?).filter(|tag| is_tag(tag))
    })
}

/// The scheme's own prefix is missing, or there is one that it does not have.
pub(super) fn prefix<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    let form = &case.scheme.signature;
    let Ok(text) = case.head.value_at(&form.at) else {
        return Vec::new();
    };
    let label = |text: &str| {
        let (_, rest) = text.split_once(['=', ',', ' ', ':'])?;
        (!rest.is_empty() && rest.bytes().any(|byte| byte != b'=')).then(|| rest.trim().to_owned())
    };
    let strip = form.strip.as_deref().unwrap_or_default();
    let mut texts: Vec<String> = Vec::new();
    match (&form.pair, form.take.first()) {
        // A list without the item that it is to have.
        (Some(pair), Some(name)) => {
            let front = form.prefix.as_deref().unwrap_or_default();
            texts.push(format!("{front}{name}{pair}{strip}{text}"));
        }
        _ if strip.is_empty() => texts.extend(label(&text)),
        _ if text.starts_with(strip) => texts.extend(
            text.get(strip.len()..)
                .and_then(|rest| Some(format!("{strip}{}", label(rest)?))),
        ),
        _ => {
            texts.push(format!("{strip}{text}"));
            texts.extend(label(&text).map(|text| format!("{strip}{text}")));
        }
    }
    let heads = texts
        .iter()
        .filter_map(|text| with_value(&case.head, &form.at, text));
    heads.map(|head| case.with_head(head)).collect()
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

/// As long as one of the MACs.
fn is_tag(bytes: &[u8]) -> bool {
    matches!(bytes.len(), 20 | 32 | 64)
}

/// The case with every signature that `read` makes something of written as the scheme has it.
fn rewritten<'c>(case: &'c Case<'_>, read: impl Fn(&str) -> Option<Vec<u8>>) -> Vec<Case<'c>> {
    let form = &case.scheme.signature;
    if !expects_hex(case) && !expects_base64(case) {
        return Vec::new();
    }
    let Ok(text) = case.head.value_at(&form.at) else {
        return Vec::new();
    };
    let strip = form.strip.as_deref().unwrap_or_default();
    let written = |item: &str| {
        let tag = read(item.strip_prefix(strip)?)?;
        Some(match form.encoding {
            SignatureEncoding::Base64 => format!("{strip}{}", STANDARD.encode(tag)),
            _ => format!("{strip}{}", encode_hex(&tag)),
        })
    };
    let again = match (&form.split, &form.pair) {
        (Some(split), Some(pair)) => {
            let items = text.split(split.as_str()).map(|item| {
                let taken = item.split_once(pair.as_str());
                let taken =
                    taken.filter(|(name, _)| form.take.iter().any(|take| take == name.trim()));
                let new = taken
                    .and_then(|(name, value)| Some(format!("{name}{pair}{}", written(value)?)));
                new.unwrap_or_else(|| item.to_owned())
            });
            items.collect::<Vec<_>>().join(split)
        }
        _ => match written(&text) {
            Some(text) => text,
            None => return Vec::new(),
        },
    };
    if again == text {
        return Vec::new();
    }
    let head = with_value(&case.head, &form.at, &again);
    head.map(|head| case.with_head(head)).into_iter().collect()
}

/// The head with another value at a place that it has.
fn with_value(head: &Head, place: &Place, value: &str) -> Option<Head> {
    let mut headers = head.headers().to_vec();
    let mut target = head.target();
    match place {
        Place::Header(name) => {
            headers.iter_mut().find(|(known, _)| known == name)?.1 = value.to_owned();
        }
        Place::Query(name) => {
            let mut pairs = head.query_pairs().ok()?;
            pairs.iter_mut().find(|(known, _)| known == name)?.1 = value.to_owned();
            target = format!("{}?{}", head.path, encode_pairs(&pairs));
        }
        _ => return None,
    }
    Some(Head::new(&head.method, &target, headers))
}
