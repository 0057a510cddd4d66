//! A request as a vector file has it (tests/vectors/README.md), read as far as it goes: a fuzzer's
//! first inputs are the vectors themselves, and what it makes of them is still a request.

use crate::support::{NOW_MS, Request};

/// What stands in front of the requests that are made of an input.
#[derive(Debug)]
pub struct Input {
    /// The scheme that the input names, which need not be one.
    pub scheme: String,
    pub request: Request,
}

/// Later clocks would only meet times that no scheme can write.
const NOW_MS_MAX: i64 = 253_402_300_799_999;

/// `None`: it has no blank line, or a head that is not UTF-8. The platform hands over neither.
pub fn read(bytes: &[u8]) -> Option<Input> {
    let end = bytes.windows(2).position(|two| two == b"\n\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut input = Input {
        scheme: String::new(),
        request: Request {
            method: "POST".to_owned(),
            target: "/hooks/vector".to_owned(),
            headers: Vec::new(),
            body: bytes[end + 2..].to_vec(),
            now_ms: NOW_MS,
            documents: Default::default(),
        },
    };
    for line in head.split('\n') {
        let (key, value) = line.split_once(": ").unwrap_or((line, ""));
        let request = &mut input.request;
        match key {
            "scheme" => value.clone_into(&mut input.scheme),
            "method" => value.clone_into(&mut request.method),
            "target" => value.clone_into(&mut request.target),
            "now_ms" => {
                let now_ms = value.parse().unwrap_or(NOW_MS);
                request.now_ms = i64::clamp(now_ms, 0, NOW_MS_MAX);
            }
            "header" => {
                let (name, value) = value.split_once(": ").unwrap_or((value, ""));
                request.headers.push((name.to_owned(), value.to_owned()));
            }
            _ => {}
        }
    }
    Some(input)
}

/// A text out of what need not be one.
pub fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
