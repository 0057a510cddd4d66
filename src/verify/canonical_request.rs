//! A request in the canonical form of Huawei Cloud's `SDK-HMAC-SHA256`.
//!
//! Source: <https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-algorithm-002.html>, and
//! `core/auth/signer` of Huawei's SDKs. Six lines: the method; the path with each segment
//! percent-encoded and a slash at the end; the query's pairs percent-encoded and sorted; `name:value`
//! for each signed header, and an empty line; their names; SHA-256 of the body. The body is always
//! hashed here: `x-sdk-content-sha256`, by which a sender may leave the body out
//! (`UNSIGNED-PAYLOAD`), counts for nothing.

use sha2::{Digest as _, Sha256};

use super::missing_part;
use super::signature::{Fields, field};
use crate::hex;
use crate::request::{Absent, Head, Inbound, decode_percent, encode_percent};
use crate::scheme::{Place, Scheme};
use crate::verdict::{Reject, Shape};

/// The list item that names the signed headers.
const SIGNED_HEADERS: &str = "SignedHeaders";
/// Each is looked up before the sender is known. Huawei's gateway signs three.
const HEADERS_MAX: usize = 32;

/// The names that a request gives, as far as they are names of headers.
pub(super) fn names(fields: &Fields) -> Vec<String> {
    let list = field(fields, SIGNED_HEADERS).unwrap_or_default();
    let is_name = |name: &&str| {
        let plain = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_'
        };
        !name.is_empty() && name.bytes().all(plain)
    };
    let names = list.split(';').take(HEADERS_MAX).filter(is_name);
    names.map(str::to_owned).collect()
}

/// The names of the signed headers. The one with the signed time must be among them: the string that
/// is signed names the time once more, but only so is it bound to the header.
pub(super) fn signed_headers(
    scheme: &Scheme,
    head: &Head,
    fields: &Fields,
) -> Result<String, Reject> {
    let names = field(fields, SIGNED_HEADERS).map_err(missing_part)?;
    if names.split(';').count() > HEADERS_MAX {
        return Err(Reject::MalformedSignedPart(Shape::TooMany));
    }
    let time = scheme.time.as_ref().map(|form| &form.at);
    let has_time = names
        .split(';')
        .any(|name| time == Some(&Place::Header(name.to_owned())));
    if !has_time {
        return Err(Reject::MissingSignedPart);
    }
    let mut seen: Vec<&str> = Vec::new();
    for name in names.split(';') {
        if seen.contains(&name) {
            return Err(Reject::MalformedSignedPart(Shape::RepeatedName));
        }
        // A signed header that is not there was there when it was signed.
        if head.header(name).is_none() {
            return Err(Reject::MissingSignedPart);
        }
        seen.push(name);
    }
    Ok(names)
}

/// The parts of the form, so that what belongs to the attempt can be told from what is the message.
#[derive(Debug)]
pub(super) struct CanonicalRequest<'a> {
    method: &'a str,
    path: String,
    query: String,
    headers: String,
    body: &'a [u8],
}

impl<'a> CanonicalRequest<'a> {
    pub(super) fn of(inbound: &'a Inbound<'_, '_>, signed_headers: &str) -> Result<Self, Reject> {
        let head = inbound.head;
        let mut headers = String::new();
        for name in signed_headers.split(';') {
            let value = head.header(name).ok_or(Reject::MissingSignedPart)?;
            for text in [name, ":", value.trim(), "\n"] {
                headers.push_str(text);
            }
        }
        headers.push('\n');
        headers.push_str(signed_headers);
        Ok(CanonicalRequest {
            method: &head.method,
            path: canonical_path(&head.path).map_err(missing_part)?,
            query: canonical_query(head).map_err(missing_part)?,
            headers,
            body: inbound.body,
        })
    }

    pub(super) fn sha256_hex(&self) -> String {
        let mut digest = Sha256::new();
        for line in [self.method, &self.path, &self.query, &self.headers] {
            digest.update(line.as_bytes());
            digest.update(b"\n");
        }
        digest.update(hex::encode(&Sha256::digest(self.body)).as_bytes());
        hex::encode(&digest.finalize())
    }

    /// What the backend is given, where it is not the body: the query of a request without one.
    pub(super) fn into_content(self) -> Option<Vec<u8>> {
        let is_query = self.body.is_empty() && !self.query.is_empty();
        is_query.then(|| self.query.into_bytes())
    }

    /// Headers are of the attempt: one of them is its time.
    pub(super) fn identify(&self, each: &mut dyn FnMut(&[u8])) {
        each(self.method.as_bytes());
        each(self.path.as_bytes());
        each(self.query.as_bytes());
        each(self.body);
    }
}

fn canonical_path(path: &str) -> Result<String, Absent> {
    let mut canonical = String::with_capacity(path.len() + 1);
    for segment in path.split('/').skip(1) {
        canonical.push('/');
        canonical.push_str(&encode_percent(&decode_percent(segment)?));
    }
    if !canonical.ends_with('/') {
        canonical.push('/');
    }
    Ok(canonical)
}

fn canonical_query(head: &Head) -> Result<String, Absent> {
    let mut pairs: Vec<String> = Vec::new();
    for (name, value) in head.query_pairs()? {
        pairs.push([encode_percent(&name), encode_percent(&value)].join("="));
    }
    pairs.sort();
    Ok(pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_end_with_a_slash_and_are_spelt_one_way() {
        for (path, canonical) in [
            ("/", "/"),
            ("/path", "/path/"),
            ("/a/b/", "/a/b/"),
            ("/%61/%2f%20~", "/a/%2F%20~/"),
            ("/%E5%AE%9E", "/%E5%AE%9E/"),
        ] {
            assert_eq!(canonical_path(path).as_deref(), Ok(canonical), "{path}");
        }
        assert_eq!(canonical_path("/%ff"), Err(Absent::Undecodable));
    }

    #[test]
    fn queries_are_sorted_by_name_and_then_by_value() {
        for (target, canonical) in [
            ("/", ""),
            ("/?b=2&a=1&b=1", "a=1&b=1&b=2"),
            ("/?a=x+y%20*&c", "a=x%20y%20%2A&c="),
        ] {
            let head = Head::new("GET", target, []);
            assert_eq!(canonical_query(&head).as_deref(), Ok(canonical), "{target}");
        }
    }
}
