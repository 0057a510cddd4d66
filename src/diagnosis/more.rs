//! What the tool tries besides: what is rare, and what would take the Worker too long.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Case;
use super::bodies::each;
use super::json_style::{TABBED, WIDE, restyled};
use super::secrets::otherwise;
use super::signed_string::{changed_by, variable_places, varied};
use super::together::Attempt;
use crate::keys::LENIENT_BASE64;
use crate::request::{Head, decode_percent};
use crate::scheme::{Part, TimeUnit};

/// A quarter of an hour to each side.
const SECONDS_CHANGED_MAX: i64 = 900;
/// Every order of so many parts is tried.
const PARTS_MAX: usize = 4;

const fn attempt(
    name: &'static str,
    words: &'static str,
    remedy: &'static str,
    vary: for<'c> fn(&'c Case<'_>) -> Vec<Case<'c>>,
) -> Attempt {
    Attempt {
        name,
        words,
        remedy,
        vary,
        is_alone: false,
    }
}

pub(super) const MORE: &[Attempt] = &[
    attempt(
        "body_indented",
        "the signature is right for the body as JSON that is indented with four spaces or a tab",
        "Make the JSON once, sign that text and send the same text.",
        |case| {
            each(case, |body| {
                [WIDE, TABBED]
                    .iter()
                    .filter_map(|style| restyled(body, *style))
                    .collect()
            })
        },
    ),
    attempt(
        "body_rewritten",
        "the signature is right for the body as JSON that was parsed and written again: other escapes or numbers",
        "Sign and send the same text; numbers and escapes do not survive a parser.",
        |case| {
            each(case, |body| {
                rewritten(body, &|text| json_text(&Value::from(text)), true)
            })
        },
    ),
    attempt(
        "body_escaped",
        "the signature is right for the body with other characters escaped, as Python (\\u00e9) or PHP (\\/) does",
        "Make the JSON once, sign that text and send the same text.",
        |case| {
            each(case, |body| {
                let python = rewritten(body, &|text| escaped(text, false), false);
                let php = rewritten(body, &|text| escaped(text, true), false);
                python.into_iter().chain(php).collect()
            })
        },
    ),
    attempt(
        "body_in_a_string",
        "the signature is right for the body as a JSON string, or for what is in that string",
        "The body was turned into JSON once too often: sign and send the same text.",
        |case| {
            each(case, |body| {
                let inner = serde_json::from_slice::<String>(body).ok();
                let outer = std::str::from_utf8(body)
                    .ok()
                    .map(|text| json_text(&Value::from(text)));
                inner
                    .into_iter()
                    .chain(outer)
                    .map(String::into_bytes)
                    .collect()
            })
        },
    ),
    attempt(
        "body_in_base64",
        "the body was signed in base64, or decoded from it",
        "Sign the bytes that are sent. Some platforms hand a body over in base64: decode it first.",
        |case| {
            each(case, |body| {
                let decoded = LENIENT_BASE64.decode(body).ok();
                decoded
                    .into_iter()
                    .chain([STANDARD.encode(body).into_bytes()])
                    .collect()
            })
        },
    ),
    attempt(
        "body_charset",
        "the signature is right for the body in Latin-1",
        "Sign the bytes that are sent: write the body as UTF-8.",
        |case| {
            each(case, |body| {
                let text = std::str::from_utf8(body).ok();
                let latin: Option<Vec<u8>> = text.and_then(|text| {
                    text.chars()
                        .map(|c| u8::try_from(u32::from(c)).ok())
                        .collect()
                });
                // And the reverse: the bytes were taken for Latin-1 and written as UTF-8.
                let twice = body
                    .iter()
                    .map(|byte| char::from(*byte))
                    .collect::<String>();
                latin.into_iter().chain([twice.into_bytes()]).collect()
            })
        },
    ),
    attempt(
        "body_form_decoded",
        "the signature is right for the body with its percent-encoding undone",
        "Sign the form as it is sent, before anything decodes it.",
        |case| {
            each(case, |body| {
                let text = std::str::from_utf8(body).unwrap_or_default();
                let plain = [text.to_owned(), text.replace('+', " ")];
                plain
                    .iter()
                    .filter_map(|text| decode_percent(text).ok())
                    .map(String::into_bytes)
                    .collect()
            })
        },
    ),
    attempt(
        "secret_case",
        "the secret was used in other letters: all small or all capital",
        "Use the secret's characters as they were given.",
        |case| {
            otherwise(case, |text| {
                vec![text.to_ascii_lowercase(), text.to_ascii_uppercase()]
            })
        },
    ),
    attempt(
        "secret_in_base64url",
        "the secret was decoded from base64 for URLs, or encoded in base64",
        "Use the secret as the scheme says: see docs/schemes.md.",
        |case| {
            otherwise(case, |text| {
                let plain: Vec<u8> = text
                    .iter()
                    .map(|byte| match byte {
                        b'-' => b'+',
                        b'_' => b'/',
                        other => *other,
                    })
                    .collect();
                let decoded = LENIENT_BASE64.decode(plain).ok();
                decoded
                    .into_iter()
                    .chain([STANDARD.encode(text).into_bytes()])
                    .collect()
            })
        },
    ),
    attempt(
        "secret_word",
        "signed with a word that stands for no secret: null, None, nil or the variable's own name",
        "The sender's program found no secret: look for the variable's name.",
        |case| {
            let names: Vec<Vec<u8>> = case
                .keys
                .iter()
                .map(|key| key.name.clone().into_bytes())
                .collect();
            otherwise(case, |_| {
                let words = ["null", "None", "nil", "secret", "changeme"];
                let words = words.iter().map(|word| word.as_bytes().to_vec());
                words.chain(names.clone()).collect()
            })
        },
    ),
    attempt(
        "part_left_out",
        "one of the signed parts was left out",
        "Sign everything that the scheme says, in its order: see docs/schemes.md.",
        |case| varied(case, left_out),
    ),
    attempt(
        "any_order",
        "the parts of the signed string are in another order",
        "Put the parts in the scheme's order: see docs/schemes.md.",
        |case| varied(case, every_order),
    ),
    attempt(
        "other_method",
        "another method was signed than was requested",
        "Sign the method of the request that is sent; look for a redirect that changed it.",
        |case| {
            let signs =
                |part: &Part| matches!(part.innermost(), Part::Method | Part::CanonicalRequest);
            if !case.scheme.signed.iter().any(signs) {
                return Vec::new();
            }
            let methods = ["GET", "POST", "PUT", "post", "get"];
            let methods = methods.iter().filter(|method| **method != case.head.method);
            let heads = methods
                .map(|method| Head::new(method, &case.head.target(), case.head.headers().to_vec()));
            let mut cases: Vec<Case<'_>> = heads.map(|head| case.with_head(head)).collect();
            for case in &mut cases {
                // Which method delivers is not the question.
                case.scheme.to_mut().methods.push(case.head.method.clone());
            }
            cases
        },
    ),
    Attempt {
        is_alone: true,
        ..attempt(
            "time_changed_by_minutes",
            "the timestamp was changed after signing, by up to a quarter of an hour",
            "Read the clock once: sign that time and send it. A retry is signed anew.",
            |case| changed_by(case, SECONDS_CHANGED_MAX),
        )
    },
    Attempt {
        is_alone: true,
        ..attempt(
            "time_signed_in_milliseconds",
            "the timestamp was sent in seconds and signed in milliseconds",
            "Make the text of the time once; sign it and send it.",
            milliseconds,
        )
    },
];

fn milliseconds<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    let is_seconds = case
        .scheme
        .time
        .as_ref()
        .is_some_and(|form| form.unit == TimeUnit::Seconds);
    let own = changed_by(case, 1)
        .pop()
        .and_then(|next| next.time_text.clone());
    let Some(next) = own
        .filter(|_| is_seconds)
        .and_then(|text| text.parse::<i64>().ok())
    else {
        return Vec::new();
    };
    let own_ms = (next - 1) * 1_000;
    (0..1_000)
        .map(|ms| case.with_time_text((own_ms + ms).to_string()))
        .collect()
}

/// Each part in turn, with the separator behind it.
fn left_out(signed: &[Part]) -> Vec<Vec<Part>> {
    let without = |place: usize| {
        let mut parts = signed.to_vec();
        parts.remove(place);
        if matches!(parts.get(place), Some(Part::Literal(_))) {
            parts.remove(place);
        }
        parts
    };
    variable_places(signed).into_iter().map(without).collect()
}

fn every_order(signed: &[Part]) -> Vec<Vec<Part>> {
    let places = variable_places(signed);
    if places.len() > PARTS_MAX {
        return Vec::new();
    }
    let mut orders: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in &places {
        orders = orders
            .iter()
            .flat_map(|order| {
                let rest = places.iter().filter(|place| !order.contains(place));
                rest.map(|place| [order.as_slice(), &[*place]].concat())
                    .collect::<Vec<_>>()
            })
            .collect();
    }
    let arranged = |order: &Vec<usize>| {
        let mut parts = signed.to_vec();
        for (place, from) in places.iter().zip(order) {
            parts[*place] = signed[*from].clone();
        }
        parts
    };
    orders.iter().map(arranged).collect()
}

/// Every string of a JSON text written by `write`, and its numbers as a parser keeps them.
fn rewritten(body: &[u8], write: &dyn Fn(&str) -> String, numbers: bool) -> Vec<Vec<u8>> {
    let Ok(text) = std::str::from_utf8(body) else {
        return Vec::new();
    };
    if serde_json::from_str::<Value>(text).is_err() {
        return Vec::new();
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' => string_end(rest),
            '-' | '0'..='9' => rest
                .find(|c: char| !"+-.eE0123456789".contains(c))
                .unwrap_or(rest.len()),
            other => other.len_utf8(),
        };
        let (token, after) = rest.split_at(end);
        match first {
            '"' => match serde_json::from_str::<String>(token) {
                Ok(text) => out.push_str(&write(&text)),
                Err(_) => return Vec::new(),
            },
            '-' | '0'..='9' if numbers => out.push_str(&number(token)),
            _ => out.push_str(token),
        }
        rest = after;
    }
    vec![out.into_bytes()]
}

/// Where the string that the text begins with ends.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        if byte == b'"' && !escaped {
            return index + 1;
        }
        escaped = byte == b'\\' && !escaped;
    }
    text.len()
}

/// `1.0` is `1` and `1.50` is `1.5` to a parser that knows nothing but floating point.
fn number(token: &str) -> String {
    match token.parse::<f64>() {
        Ok(number) if token.contains(['.', 'e', 'E']) && number.abs() < 1e15 => number.to_string(),
        _ => token.to_owned(),
    }
}

fn json_text(value: &Value) -> String {
    value.to_string()
}

/// A JSON string in ASCII, the slash escaped or not.
fn escaped(text: &str, slash: bool) -> String {
    let mut out = String::new();
    for character in json_text(&Value::from(text)).chars() {
        match character {
            '/' if slash => out.push_str("\\/"),
            ascii if ascii.is_ascii() => out.push(ascii),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out
}
