//! A request that was recorded: as it came over the wire, as `hookgate sign` writes one, as the gate
//! holds an event, or as a dead letter keeps it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookgate::dead::DeadLetter;
use hookgate::event::{Held, HeldContent};
use hookgate::request::Head;
use hookgate::scheme::TimeUnit;
use hookgate::time;
use serde_json::Value;

/// One request, as far as it was recorded.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub method: Option<String>,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The source that it names, or whose event it was.
    pub source: Option<String>,
    /// When the gate had read it, in milliseconds since 1970.
    pub received_ms: Option<i64>,
    /// The key of the event that it was accepted as.
    pub dedup_key: Option<String>,
    /// The gate kept it after it was verified: query and credentials were left out then.
    pub is_envelope: bool,
    /// What to know before the verdict is believed.
    pub notes: Vec<String>,
}

impl Recorded {
    /// Reads a file with one request.
    ///
    /// # Errors
    /// A sentence.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        if first == Some(&b'{') {
            let value = serde_json::from_slice(bytes)
                .map_err(|error| format!("begins like JSON and is none: {error}"))?;
            return Self::from_json(&value);
        }
        Self::from_wire(bytes)
    }

    /// Reads a line of exported traffic.
    ///
    /// # Errors
    /// A sentence.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        if value.get("deadletterversion").is_some() {
            let letter = DeadLetter::from_archive(&value.to_string());
            let letter = letter.ok_or("a dead letter of a version that is not known here")?;
            return Self::from_message(&letter.message);
        }
        if value.get("hookgateversion").is_some() {
            return Self::from_message(&value.to_string());
        }
        if value.get("target").is_some() {
            return Self::from_signed(value);
        }
        Err("neither a request (method, target, headers, body_base64), nor a held event, nor a dead letter".into())
    }

    /// As `hookgate sign` writes it, with `received_ms` or `received` (RFC 3339) if it is known.
    fn from_signed(value: &Value) -> Result<Self, String> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let target = text("target").ok_or("target is no text")?.to_owned();
        let pairs = value
            .get("headers")
            .cloned()
            .unwrap_or_else(|| Value::Array(Vec::new()));
        let headers: Vec<(String, String)> = match pairs {
            Value::Object(members) => members
                .into_iter()
                .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
                .collect(),
            list => serde_json::from_value(list)
                .map_err(|_| "headers are pairs of texts: [[\"name\", \"value\"], …]")?,
        };
        let body = match (text("body_base64"), text("body")) {
            (Some(base64), _) => STANDARD
                .decode(base64)
                .map_err(|_| "body_base64 is no base64")?,
            (None, Some(body)) => body.as_bytes().to_vec(),
            (None, None) => Vec::new(),
        };
        let received = value.get("received_ms").and_then(Value::as_i64);
        Ok(Recorded {
            method: text("method").map(str::to_owned),
            source: source_of(&target),
            target,
            headers,
            body,
            received_ms: received.or_else(|| time::parse(text("received")?, TimeUnit::Rfc3339)),
            dedup_key: None,
            is_envelope: false,
            notes: Vec::new(),
        })
    }

    /// The gate's own message. It keeps the headers that the scheme carries and no query.
    fn from_message(text: &str) -> Result<Self, String> {
        let held =
            Held::read(text).map_err(|_| "a held event of a version that is not known here")?;
        let mut notes = Vec::new();
        let message = held.message;
        let raw = message
            .unverifiedbody
            .as_deref()
            .map(|text| STANDARD.decode(text));
        let body = match (raw, held.content) {
            (Some(raw), _) => raw.map_err(|_| "its unverifiedbody is no base64")?,
            (None, HeldContent::Here(body)) => body,
            (None, HeldContent::Apart(check)) => {
                notes.push(format!(
                    "its content of {} bytes is kept apart: bring it with --body FILE (./scripts/dead show ID --body)",
                    check.bytes
                ));
                Vec::new()
            }
        };
        let mut headers = held.headers;
        let has = |name: &str| {
            headers
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        if let Some(kind) = message.datacontenttype.filter(|_| !has("content-type")) {
            headers.push(("content-type".to_owned(), kind));
        }
        Ok(Recorded {
            method: None,
            target: format!("/hooks/{}", message.source),
            headers,
            body,
            source: Some(message.source),
            received_ms: time::parse(&message.receivedtime, TimeUnit::Rfc3339),
            dedup_key: Some(message.dedupkey),
            is_envelope: true,
            notes,
        })
    }

    /// A request line, headers, an empty line, and the body to the end of the file, byte for byte
    /// (RFC 9112). Lines may end with LF alone, as editors leave them.
    fn from_wire(bytes: &[u8]) -> Result<Self, String> {
        let mut rest = bytes;
        let mut lines = Vec::new();
        loop {
            let end = rest.iter().position(|byte| *byte == b'\n');
            let (line, after) = match end {
                Some(end) => (&rest[..end], &rest[end + 1..]),
                None => (rest, &rest[rest.len()..]),
            };
            rest = after;
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                break;
            }
            // As the platform does it with bytes that are no UTF-8.
            lines.push(String::from_utf8_lossy(line).into_owned());
            if end.is_none() {
                break;
            }
        }
        let mut lines = lines.iter();
        let mut words = lines
            .next()
            .map(|line| line.split(' '))
            .ok_or("an empty file")?;
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Err(
                "does not begin with a request line such as: POST /hooks/github HTTP/1.1".into(),
            );
        };
        let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_method
            || words
                .next()
                .is_some_and(|version| !version.starts_with("HTTP/"))
        {
            return Err(
                "does not begin with a request line such as: POST /hooks/github HTTP/1.1".into(),
            );
        }
        // The absolute form, as proxies write it.
        let target = match target.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |index| &rest[index..]),
            None => target,
        };
        let mut headers = Vec::new();
        for line in lines {
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| format!("a header without a colon: {line}"))?;
            headers.push((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()));
        }
        let mut notes = Vec::new();
        let head = Head::new(method, target, headers.clone());
        let length = head
            .header("content-length")
            .and_then(|text| text.parse::<usize>().ok());
        let body = match length {
            Some(length) if length < rest.len() => {
                notes.push(format!(
                    "the file has {} bytes behind its headers and declares {length}: the rest was left out",
                    rest.len()
                ));
                &rest[..length]
            }
            Some(length) if length > rest.len() => {
                notes.push(format!(
                    "the file has {} bytes behind its headers and declares {length}: the body is not whole, or was changed",
                    rest.len()
                ));
                rest
            }
            _ => rest,
        };
        Ok(Recorded {
            method: Some(method.to_owned()),
            source: source_of(target),
            target: target.to_owned(),
            headers,
            body: body.to_vec(),
            received_ms: None,
            dedup_key: None,
            is_envelope: false,
            notes,
        })
    }
}

/// The source that a path names.
fn source_of(target: &str) -> Option<String> {
    let name = target.strip_prefix("/hooks/")?;
    let name = name.split(['/', '?', '#']).next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_came_over_the_wire() {
        let read = Recorded::read(
            b"POST /hooks/a/b?c=d HTTP/1.1\r\nX-One:  a b \r\nx-two:\r\n\r\n{\r\n}\r\n",
        )
        .unwrap();
        assert_eq!(
            (read.method.as_deref(), read.source.as_deref()),
            (Some("POST"), Some("a"))
        );
        assert_eq!(read.target, "/hooks/a/b?c=d");
        assert_eq!(read.headers[0], ("X-One".into(), "a b".into()));
        assert_eq!(read.body, b"{\r\n}\r\n");
        let read =
            Recorded::read(b"PUT https://gate.example/x HTTP/1.1\ncontent-length: 2\n\n{}\n")
                .unwrap();
        assert_eq!(
            (read.target.as_str(), read.body.as_slice()),
            ("/x", &b"{}"[..])
        );
        assert_eq!(read.notes.len(), 1);
        let read = Recorded::read(b"GET /hooks/a").unwrap();
        assert!(read.body.is_empty() && read.headers.is_empty());
        let short = Recorded::read(b"POST / HTTP/1.1\ncontent-length: 9\n\n{}").unwrap();
        assert_eq!((short.body.len(), short.notes.len()), (2, 1));
        for text in [
            "",
            "\n",
            "hello",
            "post / HTTP/1.1",
            "POST / GARBAGE",
            "POST / HTTP/1.1\nx",
            "{",
            "{}",
            "[]",
        ] {
            assert!(Recorded::read(text.as_bytes()).is_err(), "{text:?}");
        }
    }
}
