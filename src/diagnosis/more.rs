//! What the tool tries besides: what is rare, and what would take the Worker too long.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::bodies::each;
use super::case::{Case, Change};
use super::dear::{other_separators, target_otherwise};
use super::json_style::{TABBED, WIDE, restyled};
use super::secrets::otherwise;
use super::signed_string::{changed_by, time_of, variable_places, varied};
use super::together::{Attempt, Vary};
use super::url;
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
    vary: fn(&Case<'_>, &mut Vec<Change>),
) -> Attempt {
    Attempt {
        name,
        words,
        remedy,
        vary: Vary::More(vary),
        is_alone: false,
    }
}

pub(super) const MORE: &[Attempt] = &[
    attempt(
        "body_indented",
        "the signature is right for the body as JSON that is indented with four spaces or a tab",
        "Make the JSON once, sign that text and send the same text.",
        |case, changes| {
            each(case, changes, &|body, others| {
                others.extend(
                    [WIDE, TABBED]
                        .iter()
                        .filter_map(|style| restyled(body, *style)),
                );
            });
        },
    ),
    attempt(
        "body_rewritten",
        "the signature is right for the body as JSON that was parsed and written again: other escapes or numbers",
        "Sign and send the same text; numbers and escapes do not survive a parser.",
        |case, changes| {
            each(case, changes, &|body, others| {
                others.extend(rewritten(body, &|text| json_text(text), true));
            });
        },
    ),
    attempt(
        "body_escaped",
        "the signature is right for the body with other characters escaped, as Python (\\u00e9) or PHP (\\/) does",
        "Make the JSON once, sign that text and send the same text.",
        |case, changes| {
            each(case, changes, &|body, others| {
                others.extend(rewritten(body, &|text| escaped(text, false), false));
                others.extend(rewritten(body, &|text| escaped(text, true), false));
            });
        },
    ),
    attempt(
        "body_in_a_string",
        "the signature is right for the body as a JSON string, or for what is in that string",
        "The body was turned into JSON once too often: sign and send the same text.",
        |case, changes| {
            each(case, changes, &|body, others| {
                let inner = serde_json::from_slice::<String>(body).ok();
                let outer = std::str::from_utf8(body).ok().map(json_text);
                others.extend(inner.into_iter().chain(outer).map(String::into_bytes));
            });
        },
    ),
    attempt(
        "body_in_base64",
        "the body was signed in base64, or decoded from it",
        "Sign the bytes that are sent. Some platforms hand a body over in base64: decode it first.",
        |case, changes| {
            each(case, changes, &|body, others| {
                others.extend(LENIENT_BASE64.decode(body).ok());
                others.push(STANDARD.encode(body).into_bytes());
            });
        },
    ),
    attempt(
        "body_charset",
        "the signature is right for the body in Latin-1",
        "Sign the bytes that are sent: write the body as UTF-8.",
        |case, changes| {
            each(case, changes, &|body, others| {
                let text = std::str::from_utf8(body).unwrap_or_default();
                let latin = text
                    .chars()
                    .map(|character| u8::try_from(u32::from(character)).ok());
                others.extend(latin.collect::<Option<Vec<u8>>>());
                // And the reverse: the bytes were taken for Latin-1 and written as UTF-8.
                let twice: String = body.iter().map(|byte| char::from(*byte)).collect();
                others.push(twice.into_bytes());
            });
        },
    ),
    attempt(
        "body_form_decoded",
        "the signature is right for the body with its percent-encoding undone",
        "Sign the form as it is sent, before anything decodes it.",
        |case, changes| {
            each(case, changes, &|body, others| {
                let text = std::str::from_utf8(body).unwrap_or_default();
                for text in [text.to_owned(), text.replace('+', " ")] {
                    others.extend(decode_percent(&text).ok().map(String::into_bytes));
                }
            });
        },
    ),
    attempt(
        "secret_case",
        "the secret was used in other letters: all small or all capital",
        "Use the secret's characters as they were given.",
        |case, changes| {
            otherwise(case, changes, &|text, ways| {
                ways.extend([text.to_ascii_lowercase(), text.to_ascii_uppercase()]);
            });
        },
    ),
    attempt(
        "secret_in_base64url",
        "the secret was decoded from base64 for URLs, or encoded in base64",
        "Use the secret as the scheme says: see docs/schemes.md.",
        |case, changes| {
            otherwise(case, changes, &|text, ways| {
                let plain = text.iter().map(|byte| match byte {
                    b'-' => b'+',
                    b'_' => b'/',
                    other => *other,
                });
                ways.extend(LENIENT_BASE64.decode(plain.collect::<Vec<u8>>()).ok());
                ways.push(STANDARD.encode(text).into_bytes());
            });
        },
    ),
    attempt(
        "secret_word",
        "signed with a word that stands for no secret: null, None, nil or the variable's own name",
        "The sender's program found no secret: look for the variable's name.",
        |case, changes| {
            otherwise(case, changes, &|_, ways| {
                for word in ["null", "None", "nil", "secret", "changeme"] {
                    ways.push(word.as_bytes().to_vec());
                }
                ways.extend(case.keys.iter().map(|key| key.name.clone().into_bytes()));
            });
        },
    ),
    attempt(
        "other_separators",
        "other separators are in the signed string",
        "Put the scheme's separators between the parts: see docs/schemes.md.",
        other_separators,
    ),
    attempt(
        "target_otherwise",
        "another path or query was signed than was requested",
        "Sign path and query as they are requested; look for a proxy that changes them.",
        target_otherwise,
    ),
    attempt(
        "url_protocol",
        "http was signed for https in the URL, or the reverse",
        "The source's pin `url` must be what the sender was given, character by character: mend one of them.",
        url::protocol,
    ),
    attempt(
        "url_host",
        "another host or port was signed in the URL",
        "The source's pin `url` must be what the sender was given, character by character: mend one of them.",
        url::host,
    ),
    attempt(
        "url_path",
        "the URL was signed with another path, or with or without a slash at its end",
        "The source's pin `url` must be what the sender was given, character by character: mend one of them.",
        url::path,
    ),
    attempt(
        "url_query",
        "the URL was signed without its query, or with that of the request",
        "The source's pin `url` must be what the sender was given, its query included; no proxy may take the query away.",
        url::query,
    ),
    attempt(
        "url_escapes",
        "the URL was signed with its percent-escapes undone, or with others",
        "State the pin `url` as the sender signs it: see the scheme's row in docs/schemes.md.",
        url::escapes,
    ),
    attempt(
        "part_left_out",
        "one of the signed parts was left out",
        "Sign everything that the scheme says, in its order: see docs/schemes.md.",
        part_left_out,
    ),
    attempt(
        "any_order",
        "the parts of the signed string are in another order",
        "Put the parts in the scheme's order: see docs/schemes.md.",
        any_order,
    ),
    attempt(
        "other_method",
        "another method was signed than was requested",
        "Sign the method of the request that is sent; look for a redirect that changed it.",
        other_method,
    ),
    Attempt {
        is_alone: true,
        ..attempt(
            "time_changed_by_minutes",
            "the timestamp was changed after signing, by up to a quarter of an hour",
            "Read the clock once: sign that time and send it. A retry is signed anew.",
            |case, changes| changed_by(case, changes, SECONDS_CHANGED_MAX),
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

fn milliseconds(case: &Case<'_>, changes: &mut Vec<Change>) {
    if let Some((second_ms, TimeUnit::Seconds)) = time_of(case) {
        let texts = (0..1_000).map(|ms| (second_ms + ms).to_string());
        changes.extend(texts.map(|text| Change::Time(Some(text))));
    }
}

fn other_method(case: &Case<'_>, changes: &mut Vec<Change>) {
    let signs = |part: &Part| matches!(part.innermost(), Part::Method | Part::CanonicalRequest);
    if !case.scheme.signed.iter().any(signs) {
        return;
    }
    for method in ["GET", "POST", "PUT", "post", "get"] {
        if method != case.head.method {
            let headers = case.head.headers().to_vec();
            changes.push(Change::Head(Head::new(
                method,
                &case.head.target(),
                headers,
            )));
        }
    }
}

/// Each part in turn, with the separator behind it.
fn part_left_out(case: &Case<'_>, changes: &mut Vec<Change>) {
    let signed = &case.scheme.signed;
    for place in variable_places(signed) {
        let mut parts = signed.clone();
        parts.remove(place);
        if matches!(parts.get(place), Some(Part::Literal(_))) {
            parts.remove(place);
        }
        varied(case, changes, parts);
    }
}

fn any_order(case: &Case<'_>, changes: &mut Vec<Change>) {
    let signed = &case.scheme.signed;
    let places = variable_places(signed);
    if places.len() > PARTS_MAX {
        return;
    }
    let mut orders: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in &places {
        let longer = orders.iter().flat_map(|order| {
            let rest = places.iter().filter(|place| !order.contains(place));
            rest.map(|place| [order.as_slice(), &[*place]].concat())
        });
        orders = longer.collect();
    }
    for order in orders {
        let mut parts = signed.clone();
        for (place, from) in places.iter().zip(order) {
            parts[*place] = signed[from].clone();
        }
        varied(case, changes, parts);
    }
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

fn json_text(text: &str) -> String {
    Value::from(text).to_string()
}

/// A JSON string in ASCII, the slash escaped or not.
fn escaped(text: &str, slash: bool) -> String {
    let mut out = String::new();
    for character in json_text(text).chars() {
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
