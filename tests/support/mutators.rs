//! The mutations that are more than a line; the table is in `tests/mutations.rs`.

use hookgate::keys::LiveKey;

use super::mutate::{At, Case, map_query, percent_encoded};
use super::{Request, a_secret};

pub fn flip_case(text: &str) -> String {
    // The last characters of base64 hold unused bits; changing those is another mutation.
    let (head, tail) = text.split_at(text.len().min(40));
    let flipped: String = head
        .chars()
        .map(|c| {
            if c.is_ascii_uppercase() {
                c.to_ascii_lowercase()
            } else {
                c.to_ascii_uppercase()
            }
        })
        .collect();
    flipped + tail
}

pub fn other_encoding(case: &Case<'_>) -> Vec<Request> {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD;
    case.tags(|tag| {
        if case.form.hex {
            hookgate::hex::decode(tag.as_bytes())
                .map_or(tag.to_owned(), |bytes| base64.encode(bytes))
        } else {
            base64
                .decode(tag)
                .map_or(tag.to_owned(), |bytes| hookgate::hex::encode(&bytes))
        }
    })
}

pub fn base64(case: &Case<'_>, change: impl Fn(&str) -> String) -> Vec<Request> {
    if case.form.hex {
        Vec::new()
    } else {
        case.tags(change)
    }
}

pub fn url_alphabet(case: &Case<'_>) -> Vec<Request> {
    let text = case.get(case.signature).unwrap_or_default();
    // A tag without either character is written alike in both alphabets.
    let differs = text.split(' ').all(|item| item.contains(['+', '/']));
    if differs {
        base64(case, |tag| tag.replace('+', "-").replace('/', "_"))
    } else {
        Vec::new()
    }
}

/// `…E=` becomes `…F=`: a lenient decoder reads the same bytes.
pub fn unused_bits_set(tag: &str) -> String {
    let bare = tag.trim_end_matches('=');
    let (start, last) = bare.split_at(bare.len() - 1);
    let next = match last {
        "Z" | "z" | "9" => unreachable!("a canonical last character is even"),
        other => char::from(other.as_bytes()[0] + 1),
    };
    format!("{start}{next}{}", &tag[bare.len()..])
}

pub fn prefix(case: &Case<'_>, change: impl Fn(&str) -> String) -> Vec<Request> {
    if case.form.prefix.is_empty() {
        return Vec::new();
    }
    case.written(|prefix, tag| format!("{}{tag}", change(prefix)))
}

pub fn other_version(prefix: &str) -> String {
    match prefix {
        "sha256=" => "sha1=".into(),
        "v0=" => "v1=".into(),
        "v1=" => "v0=".into(),
        _ => "v2,".into(),
    }
}

/// `count` wrong signatures before the right one.
pub fn many(case: &Case<'_>, count: usize) -> Vec<Request> {
    let Some(separator) = case.form.separator else {
        return Vec::new();
    };
    let good = case.signed_again(case.request.clone(), &case.live.keys[0]);
    let wrong = format!("{}{}{separator}", case.form.prefix, case.encoded(&[7; 32]));
    let case = Case {
        request: &good,
        ..*case
    };
    let wrong = wrong.repeat(count);
    case.with(case.signature, |text| match text.split_once("v1=") {
        Some((time, tag)) => format!("{time}{wrong}v1={tag}"),
        None => format!("{wrong}{text}"),
    })
}

pub fn wrong_key(case: &Case<'_>) -> Vec<Request> {
    let scheme = &case.live.scheme;
    let secret = a_secret(case.form.schemes[0], 99);
    let key = LiveKey::new("OTHER", &secret, &scheme.key, scheme.algorithm).unwrap();
    vec![case.signed_again(case.request.clone(), &key)]
}

pub fn time(case: &Case<'_>, change: impl Fn(At) -> Option<Request>) -> Vec<Request> {
    case.form
        .time
        .and_then(|(at, _)| change(at))
        .into_iter()
        .collect()
}

pub fn spelt(case: &Case<'_>, change: impl Fn(&str) -> String) -> Vec<Request> {
    case.form
        .time
        .map(|(at, _)| case.with(at, change))
        .unwrap_or_default()
}

pub fn misspelt_times(case: &Case<'_>) -> Vec<Request> {
    let spellings: [fn(&str) -> String; 14] = [
        |_| String::new(),
        |time| format!("+{time}"),
        |time| format!("-{time}"),
        |_| "-1".into(),
        |_| "1.7e9".into(),
        |_| "NaN".into(),
        |time| format!("{time}.0"),
        |time| format!(" {time}"),
        |time| format!("0{time}"),
        |time| format!("{}{}", time, &"00000000000000000000"[time.len()..]),
        |_| "18446744073709551616".into(),
        |time| format!("0x{time}"),
        |_| "１７００００００００".into(),
        |time| format!("{time}, {time}"),
    ];
    // Stripe's list is split at commas: the last one becomes an item without a name.
    let usable = if case.form.schemes == ["stripe"] {
        13
    } else {
        14
    };
    spellings[..usable]
        .iter()
        .flat_map(|spelling| spelt(case, spelling))
        .collect()
}

/// `seconds` later, in digits: the last second of a minute is not among the vectors.
pub fn add(time: &str, seconds: i64) -> String {
    let unit = if time.len() > 11 { 1_000 } else { 1 };
    (time.parse::<i64>().unwrap() + seconds * unit).to_string()
}

/// The smallest step by which the family's time can be too old.
pub fn grain(case: &Case<'_>) -> i64 {
    if matches!(
        case.form.time,
        Some((
            _,
            hookgate::scheme::TimeUnit::Seconds | hookgate::scheme::TimeUnit::BasicUtc
        ))
    ) {
        1_000
    } else {
        1
    }
}

pub fn extreme(
    case: &Case<'_>,
    [seconds, milliseconds, compact, basic]: [&str; 4],
) -> Vec<Request> {
    use hookgate::scheme::TimeUnit::{BasicUtc, CompactUtc, Milliseconds, Seconds};
    let Some((at, unit)) = case.form.time else {
        return Vec::new();
    };
    case.timed(
        match unit {
            Seconds => seconds,
            Milliseconds => milliseconds,
            CompactUtc => compact,
            BasicUtc => basic,
            _ => return Vec::new(),
        },
        at,
    )
}

pub fn id(case: &Case<'_>, change: impl Fn(At) -> Request) -> Vec<Request> {
    case.form.id.map(change).into_iter().collect()
}

pub fn with_body(case: &Case<'_>, change: impl Fn(&mut Vec<u8>)) -> Vec<Request> {
    if case.request.body.is_empty() {
        Vec::new()
    } else {
        case.body(change)
    }
}

/// A digit of a JSON body, so that it stays JSON; otherwise the byte in the middle.
pub fn body_bit(case: &Case<'_>) -> Vec<Request> {
    with_body(case, |body| {
        let index = body
            .iter()
            .rposition(u8::is_ascii_digit)
            .unwrap_or(body.len() / 2);
        body[index] ^= 1;
    })
}

pub fn json(case: &Case<'_>, member: &str) -> Vec<Request> {
    if case.form.schemes != ["koogallery-v2"] {
        return Vec::new();
    }
    with_body(case, |body| {
        let end = body.iter().rposition(|byte| *byte == b'}').unwrap();
        body.splice(end..end, format!(",{member}").into_bytes());
    })
}

pub fn more(target: &str, pair: &str) -> String {
    format!(
        "{target}{}{pair}",
        if target.contains('?') { '&' } else { '?' }
    )
}

/// Each signed parameter in turn, replaced by what `change` makes of its name and pair.
pub fn each(case: &Case<'_>, change: impl Fn(&str, &str) -> Option<String>) -> Vec<Request> {
    let replace = |target: &str, name: &str| {
        map_query(target, |known, raw| {
            let pair = format!("{known}={raw}");
            if known == name {
                change(name, &pair)
            } else {
                Some(pair)
            }
        })
    };
    case.signed_parameters()
        .iter()
        .flat_map(|(name, _)| case.target(|target| replace(target, name)))
        .collect()
}

pub fn spelt_otherwise(case: &Case<'_>) -> Vec<Request> {
    if !case.request.target.contains('?') {
        return Vec::new();
    }
    let pairs = case.request.head().query_pairs().unwrap();
    let query: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", percent_encoded(name), percent_encoded(value)))
        .collect();
    case.target(|_| format!("/hooks/vector?{}", query.join("&")))
}

pub fn reversed(case: &Case<'_>) -> Vec<Request> {
    let Some((path, query)) = case.request.target.split_once('?') else {
        return Vec::new();
    };
    let pairs: Vec<&str> = query.rsplit('&').collect();
    case.target(|_| format!("{path}?{}", pairs.join("&")))
}

pub fn other_headers(case: &Case<'_>) -> Vec<Request> {
    let claims = [
        Some(case.signature),
        case.form.time.map(|(at, _)| at),
        case.form.id,
    ];
    let headers = &case.request.headers;
    (0..headers.len())
        .filter(|index| {
            let name = headers[*index].0.to_ascii_lowercase();
            !claims
                .iter()
                .flatten()
                .any(|at| matches!(at, At::Header(known) if *known == name))
        })
        .map(|index| {
            let mut request = case.request.clone();
            request.headers.remove(index);
            request
        })
        .collect()
}
