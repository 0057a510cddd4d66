//! A request as it came in: characters and bytes, nothing interpreted twice.

use std::cell::OnceCell;

use crate::cloudevents::{self, Mode};
use crate::event::ClaimCheck;
use crate::hex;
use crate::json;
use crate::scheme::Place;
use crate::uses;

/// Method, path, query and headers, before the body is read.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub method: String,
    /// Percent-encoded, as received, beginning with `/`.
    pub path: String,
    /// Percent-encoded, as received, without the `?`.
    pub query: Option<String>,
    /// Names in lower case. A repeated header is one entry joined by `", "`, as the platform does it.
    headers: Vec<(String, String)>,
}

/// Why a value could not be taken from its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    Missing,
    /// The name stands there more than once: which one was signed?
    Repeated,
    /// Broken percent-encoding, or bytes that are not UTF-8.
    Undecodable,
}

impl Head {
    pub fn new(
        method: &str,
        target: &str,
        headers: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let target = target.split_once('#').map_or(target, |(before, _)| before);
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        let mut joined: Vec<(String, String)> = Vec::new();
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            match joined.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => {
                    known.push_str(", ");
                    known.push_str(&value);
                }
                None => joined.push((name, value)),
            }
        }
        Head {
            method: method.to_owned(),
            path: path.to_owned(),
            query,
            headers: joined,
        }
    }

    /// Reads the one string in which the edge hands a head over: method, URL, then name and value
    /// of each header, one a line. None of them can contain a line feed.
    pub fn from_lines(lines: &str) -> Self {
        let mut lines = lines.split('\n');
        let method = lines.next().unwrap_or_default();
        let url = lines.next().unwrap_or_default();
        let after_scheme = url.find("://").map_or(url, |index| &url[index + 3..]);
        let target = after_scheme
            .find('/')
            .map_or("/", |index| &after_scheme[index..]);
        let mut head = Head::new(method, target, []);
        head.add_pairs(lines);
        head
    }

    /// The same string again, so that a head can wait where there is no room for one of ours.
    pub fn to_lines(&self) -> String {
        let mut lines = format!("{}\nhttps://gate{}", self.method, self.target());
        for (name, value) in &self.headers {
            for text in ["\n", name, "\n", value] {
                lines.push_str(text);
            }
        }
        lines
    }

    /// How long all of it is, in bytes.
    pub fn bytes(&self) -> usize {
        let query = self.query.as_ref().map_or(0, String::len);
        let headers = self.headers.iter();
        let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
        self.method.len() + self.path.len() + query + headers
    }

    /// Puts headers before those that are there. Name and value, one a line.
    pub fn precede(&mut self, lines: &str) {
        let known = std::mem::take(&mut self.headers);
        self.add_pairs(lines.split('\n'));
        for (name, value) in known {
            if self.header(&name).is_none() {
                self.headers.push((name, value));
            }
        }
    }

    fn add_pairs<'a>(&mut self, mut lines: impl Iterator<Item = &'a str>) {
        // The platform joined what was repeated and wrote the names in lower case.
        while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
            self.headers
                .push((name.to_ascii_lowercase(), value.to_owned()));
        }
    }

    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Path and query as received.
    pub fn target(&self) -> String {
        match &self.query {
            None => self.path.clone(),
            Some(query) => format!("{}?{query}", self.path),
        }
    }

    /// The decoded pairs of the query, in order.
    pub fn query_pairs(&self) -> Result<Vec<(String, String)>, Absent> {
        decode_pairs(self.query.as_deref().unwrap_or_default().as_bytes())
    }

    /// A value that stands in the head.
    pub fn value_at(&self, place: &Place) -> Result<String, Absent> {
        match place {
            Place::Header(name) => self.header(name).map(str::to_owned).ok_or(Absent::Missing),
            Place::Query(name) => single(self.query_pairs()?, name),
            Place::LastSegment => {
                let last = self.path.rsplit('/').next();
                last.map(str::to_owned).ok_or(Absent::Missing)
            }
            Place::Json(_)
            | Place::Form(_)
            | Place::SignatureField(_)
            | Place::CloudEvent(_)
            | Place::Claim(_) => Err(Absent::Missing),
        }
    }
}

/// A whole request.
#[derive(Debug)]
pub struct Inbound<'h, 'b> {
    pub head: &'h Head,
    pub body: &'b [u8],
    /// Pointers that will be asked for, so that one pass over the body finds them all.
    pointers: &'h [String],
    json: OnceCell<Vec<Option<String>>>,
    /// The form in which the body is signed, where it says less than the body.
    signed_json: OnceCell<Vec<u8>>,
    /// The claims of the token, as JSON.
    claims: OnceCell<Vec<u8>>,
    streamed: Option<ClaimCheck>,
}

impl<'h, 'b> Inbound<'h, 'b> {
    /// `pointers` are the places in the body's JSON that may be asked for.
    pub fn new(head: &'h Head, body: &'b [u8], pointers: &'h [String]) -> Self {
        Inbound {
            head,
            body,
            pointers,
            json: OnceCell::new(),
            signed_json: OnceCell::new(),
            claims: OnceCell::new(),
            streamed: None,
        }
    }

    /// A request whose body went by as a stream, on its way into the archive: no value is found in it.
    pub fn streamed_to(head: &'h Head, check: ClaimCheck) -> Self {
        Inbound {
            streamed: Some(check),
            ..Inbound::new(head, &[], &[])
        }
    }

    /// Where the body is on its way to, if it was not read whole.
    pub fn streamed(&self) -> Option<&ClaimCheck> {
        self.streamed.as_ref()
    }

    /// From now on JSON values are those of this object, made of what the body's signature covers: what it
    /// does not cover must not make another event of a captured one.
    pub(crate) fn read_as(&self, signed_json: &[u8]) {
        self.signed_json.get_or_init(|| signed_json.to_vec());
    }

    /// What the token claims, for [`Place::Claim`].
    pub(crate) fn claims_are(&self, payload: Option<Vec<u8>>) {
        if let Some(payload) = payload {
            self.claims.get_or_init(|| payload);
        }
    }

    /// A value of the request. In JSON, strings and integers have one; anything else is missing.
    pub fn value_at(&self, place: &Place) -> Result<String, Absent> {
        match place {
            Place::Header(_) | Place::Query(_) | Place::SignatureField(_) | Place::LastSegment => {
                self.head.value_at(place)
            }
            Place::Claim(name) => {
                let claims = self.claims.get().ok_or(Absent::Missing)?;
                let found = json::find(claims, &[&format!("/{name}")]).pop();
                found.flatten().ok_or(Absent::Missing)
            }
            Place::Json(pointer) => self.json_at(pointer).ok_or(Absent::Missing),
            // Whatever the content-type says: it is not signed, and must not change an identity.
            Place::Form(name) => single(decode_pairs(self.body)?, name),
            Place::CloudEvent(_) if !uses::CLOUDEVENTS => Err(Absent::Missing),
            Place::CloudEvent(name) => match cloudevents::mode(self.head) {
                Mode::Binary => cloudevents::attribute(self.head, name),
                Mode::Structured => self.json_at(&format!("/{name}")).ok_or(Absent::Missing),
                Mode::Batched => Err(Absent::Missing),
            },
        }
    }

    fn json_at(&self, pointer: &str) -> Option<String> {
        let body = self.signed_json.get().map_or(self.body, Vec::as_slice);
        let Some(index) = self.pointers.iter().position(|known| known == pointer) else {
            return json::find(body, &[pointer]).pop()?;
        };
        let found = self.json.get_or_init(|| {
            let pointers: Vec<&str> = self.pointers.iter().map(String::as_str).collect();
            json::find(body, &pointers)
        });
        found.get(index)?.clone()
    }
}

fn single(pairs: Vec<(String, String)>, name: &str) -> Result<String, Absent> {
    let mut found = pairs.into_iter().filter(|(known, _)| known == name);
    let value = found.next().ok_or(Absent::Missing)?.1;
    match found.next() {
        None => Ok(value),
        Some(_) => Err(Absent::Repeated),
    }
}

/// Decodes `application/x-www-form-urlencoded` strictly: a `%` without two hex digits and bytes
/// that are not UTF-8 are refused instead of repaired, because a repaired value was not signed.
pub fn decode_pairs(bytes: &[u8]) -> Result<Vec<(String, String)>, Absent> {
    bytes
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let equals = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = match equals {
                Some(index) => (&pair[..index], &pair[index + 1..]),
                None => (pair, &[][..]),
            };
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

fn decode(bytes: &[u8]) -> Result<String, Absent> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = rest.next().and_then(|digit| hex::digit_value(*digit));
                let low = rest.next().and_then(|digit| hex::digit_value(*digit));
                match (high, low) {
                    (Some(high), Some(low)) => high << 4 | low,
                    _ => return Err(Absent::Undecodable),
                }
            }
            other => *other,
        });
    }
    String::from_utf8(decoded).map_err(|_| Absent::Undecodable)
}

/// Encodes pairs as `application/x-www-form-urlencoded`; `decode_pairs` gives them back.
pub fn encode_pairs(pairs: &[(String, String)]) -> String {
    let mut encoded = String::new();
    for (name, value) in pairs {
        if !encoded.is_empty() {
            encoded.push('&');
        }
        encode_into(&mut encoded, name);
        encoded.push('=');
        encode_into(&mut encoded, value);
    }
    encoded
}

/// Percent-encodes everything but the unreserved characters (RFC 3986, section 2.3).
pub fn encode_percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    encode_but(&mut encoded, text, b"-._~");
    encoded
}

/// Decodes percent-encoding strictly; a plus sign stands for itself.
pub fn decode_percent(text: &str) -> Result<String, Absent> {
    decode(text.replace('+', "%2B").as_bytes())
}

fn encode_into(encoded: &mut String, text: &str) {
    encode_but(encoded, text, b"-._*");
}

fn encode_but(encoded: &mut String, text: &str, kept: &[u8; 4]) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => encoded.push(byte as char),
            mark if kept.contains(&mark) => encoded.push(mark as char),
            other => {
                encoded.push('%');
                encoded.push(HEX[usize::from(other >> 4)] as char);
                encoded.push(HEX[usize::from(other & 15)] as char);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_from_the_edges_lines() {
        let head = Head::from_lines(
            "POST\nhttps://gate.example:8787/hooks/github?a=1&b=%2B\nX-One\tname\nv\ncontent-type\ntext/plain",
        );
        assert_eq!(head.method, "POST");
        assert_eq!(head.path, "/hooks/github");
        assert_eq!(head.query.as_deref(), Some("a=1&b=%2B"));
        assert_eq!(head.header("content-type"), Some("text/plain"));
        assert_eq!(Head::from_lines("GET\nhttp://host").path, "/");
        assert_eq!(Head::from_lines("").path, "/");
    }

    #[test]
    fn repeated_headers_arrive_as_one() {
        let head = Head::new(
            "POST",
            "/",
            [("A".into(), "1".into()), ("a".into(), "2".into())],
        );
        assert_eq!(head.header("a"), Some("1, 2"));
    }

    #[test]
    fn pairs_are_decoded_strictly_and_come_back() {
        let pairs = decode_pairs("a=%E6%B5%8B+%2B&b=&c&=d".as_bytes()).unwrap();
        assert_eq!(pairs[0], ("a".into(), "测 +".into()));
        assert_eq!(
            decode_pairs(encode_pairs(&pairs).as_bytes()).unwrap(),
            pairs
        );
        for bad in ["a=%", "a=%2", "a=%zz", "a=%FF"] {
            assert_eq!(
                decode_pairs(bad.as_bytes()),
                Err(Absent::Undecodable),
                "{bad}"
            );
        }
    }
}
