//! CloudEvents 1.0 over HTTP: where the attributes of an event stand.
//!
//! Source: <https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/http-protocol-binding.md>.

use crate::hex;
use crate::request::{Absent, Head};

/// How a request carries its event, or its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One event: attributes in `ce-` headers, the body is its data.
    Binary,
    /// One event: the body is a JSON object of attributes and data.
    Structured,
    /// Several events: the body is a JSON array of such objects.
    Batched,
}

/// Tells the modes apart by the media type (section 3). The batch comes first, because its name
/// begins with the other one's.
pub fn mode(head: &Head) -> Mode {
    let kind = head.header("content-type").unwrap_or_default();
    let begins = |prefix: &str| {
        let start = kind.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    if begins("application/cloudevents-batch") {
        Mode::Batched
    } else if begins("application/cloudevents") {
        Mode::Structured
    } else {
        Mode::Binary
    }
}

/// An attribute in binary mode. Headers arrive as [`Head`] has them.
pub fn attribute(head: &Head, name: &str) -> Result<String, Absent> {
    let value = head.header(&format!("ce-{name}")).ok_or(Absent::Missing)?;
    decode(value).ok_or(Absent::Undecodable)
}

/// Whether every attribute in the headers is text. What is not must be refused (section 3.1.3.2).
pub fn is_text(head: &Head) -> bool {
    let mut attributes = head
        .headers()
        .iter()
        .filter(|(name, _)| name.starts_with("ce-"));
    mode(head) != Mode::Binary || attributes.all(|(_, value)| decode(value).is_some())
}

/// A header's value: quotes around it removed, as older senders write them, then one round of
/// percent-decoding. A `%` without two hex digits stands for itself. `None`: it is not UTF-8.
fn decode(value: &str) -> Option<String> {
    // The platform's mark for bytes that are not UTF-8: two such names would be one.
    if value.contains(char::REPLACEMENT_CHARACTER) {
        return None;
    }
    let quoted = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    let bare = match quoted {
        Some(quoted) => unescape(quoted),
        None => value.to_owned(),
    };
    let mut bytes = Vec::with_capacity(bare.len());
    let mut rest = bare.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = match behind {
            [high, low, ..] if *first == b'%' => {
                hex::digit_value(*high).zip(hex::digit_value(*low))
            }
            _ => None,
        };
        rest = match digits {
            Some((high, low)) => {
                bytes.push(high << 4 | low);
                &behind[2..]
            }
            None => {
                bytes.push(*first);
                behind
            }
        };
    }
    String::from_utf8(bytes).ok()
}

/// A quoted string's content (RFC 9110, section 5.6.4): a backslash stands for what follows it.
fn unescape(quoted: &str) -> String {
    let mut text = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        text.push(match character {
            '\\' => characters.next().unwrap_or('\\'),
            other => other,
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(headers: &[(&str, &str)]) -> Head {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Head::new("POST", "/", headers)
    }

    #[test]
    fn the_media_type_tells_the_modes_apart() {
        for (kind, expected) in [
            ("application/cloudevents-batch+json", Mode::Batched),
            (
                "Application/CloudEvents-Batch+JSON; charset=utf-8",
                Mode::Batched,
            ),
            (
                "application/cloudevents+json; charset=utf-8",
                Mode::Structured,
            ),
            ("application/cloudevents", Mode::Structured),
            ("application/json", Mode::Binary),
            ("application/cloudevent", Mode::Binary),
            ("é", Mode::Binary),
        ] {
            assert_eq!(mode(&head(&[("content-type", kind)])), expected, "{kind}");
        }
        assert_eq!(mode(&head(&[])), Mode::Binary);
    }

    /// The first two from section 3.1.4 of the binding.
    #[test]
    fn values_of_headers_are_decoded_once() {
        for (written, read) in [
            ("Euro%20%E2%82%AC%20%F0%9F%98%80", Some("Euro € 😀")),
            ("%22quoted%22", Some("\"quoted\"")),
            ("%2522", Some("%22")),
            ("\"a \\\" b%20c\"", Some("a \" b c")),
            ("100%", Some("100%")),
            ("%zz%4", Some("%zz%4")),
            ("\"", Some("\"")),
            ("", Some("")),
            ("%C0%A0", None),
            ("%ff", None),
            ("%ED%A0%80", None),
            ("%EF%BF%BD", Some("\u{fffd}")),
            ("caf\u{fffd}", None),
        ] {
            assert_eq!(decode(written).as_deref(), read, "{written}");
        }
    }

    #[test]
    fn one_attribute_that_is_not_text_is_enough() {
        assert!(is_text(&head(&[("ce-id", "1"), ("x-other", "%ff")])));
        assert!(!is_text(&head(&[("ce-id", "1"), ("ce-mine", "%ff")])));
        // In the other modes such headers say nothing.
        let kind = ("content-type", "application/cloudevents+json");
        assert!(is_text(&head(&[kind, ("ce-mine", "%ff")])));
    }
}
