//! The canonical form of a JSON body, for schemes that sign it instead of the bytes.
//!
//! Top-level members sorted by name, members that are null dropped, written compactly; inside,
//! the order stays. Strings are escaped as Jackson does it (KooGallery's signer): `"`, `\` and the
//! control characters, nothing else. Numbers keep their characters.
//!
//! A name that stands twice in one object is refused at any depth: two parsers would disagree on
//! what was signed.

use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How deep values may be nested. Each level is scanned once more, before the sender is known, so
/// this bounds both the stack and the work; the bodies that are signed this way have three levels.
const DEPTH_MAX: u32 = 8;

/// The body has no canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotCanonical {
    /// Not a JSON object in UTF-8.
    NotAnObject,
    /// A member's name stands twice in one object.
    RepeatedName,
    /// Nested deeper than `DEPTH_MAX`, or at all where only plain values are signed.
    TooDeep,
    /// A name or a value contains what separates them.
    ContainsDelimiter,
}

/// The canonical bytes of `body`.
pub fn sorted_json(body: &[u8]) -> Result<Vec<u8>, NotCanonical> {
    let text = std::str::from_utf8(body).map_err(|_| NotCanonical::NotAnObject)?;
    let mut members = object_members(text)?;
    members.sort_by(|(left, _), (right, _)| left.cmp(right));
    members.retain(|(_, value)| value.get() != "null");
    let mut out = String::with_capacity(body.len());
    write_object(&mut out, &members, DEPTH_MAX)?;
    Ok(out.into_bytes())
}

/// What [`sorted_fields`] yields.
#[derive(Debug, PartialEq, Eq)]
pub struct SortedFields {
    /// The signed string.
    pub joined: Vec<u8>,
    /// The same members as a JSON object of strings: the signature does not tell `1` from `"1"`.
    pub object: Vec<u8>,
}

/// The members of `body`, all of them plain values, as `name=value` sorted by name and joined by `&`.
/// What is null or blank is left out. Neither separator is escaped, so a name with `=` or `&` in it and
/// a value with `&` are refused: the string would have two readings.
pub fn sorted_fields(body: &[u8]) -> Result<SortedFields, NotCanonical> {
    let text = std::str::from_utf8(body).map_err(|_| NotCanonical::NotAnObject)?;
    let mut members = object_members(text)?;
    members.sort_by(|(left, _), (right, _)| left.cmp(right));
    let mut joined = String::with_capacity(body.len());
    let mut object = "{".to_owned();
    for (name, value) in members {
        let value = match value.get().as_bytes().first() {
            Some(b'{' | b'[') => return Err(NotCanonical::TooDeep),
            Some(b'"') => {
                serde_json::from_str(value.get()).map_err(|_| NotCanonical::NotAnObject)?
            }
            _ if value.get() == "null" => continue,
            _ => value.get().to_owned(),
        };
        if value.trim().is_empty() {
            continue;
        }
        if name.contains(['=', '&']) || value.contains('&') {
            return Err(NotCanonical::ContainsDelimiter);
        }
        if !joined.is_empty() {
            joined.push('&');
            object.push(',');
        }
        for text in [&name, "=", &value] {
            joined.push_str(text);
        }
        write_string(&mut object, &name);
        object.push(':');
        write_string(&mut object, &value);
    }
    object.push('}');
    Ok(SortedFields {
        joined: joined.into_bytes(),
        object: object.into_bytes(),
    })
}

pub(crate) type Members<'a> = Vec<(String, &'a RawValue)>;

/// The members of an object in their order, none of them twice.
pub(crate) fn object_members(text: &str) -> Result<Members<'_>, NotCanonical> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let members = reader
        .deserialize_map(ObjectReader)
        .map_err(|_| NotCanonical::NotAnObject)?;
    reader.end().map_err(|_| NotCanonical::NotAnObject)?;
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(NotCanonical::RepeatedName);
    }
    Ok(members)
}

fn write_value(out: &mut String, value: &RawValue, depth: u32) -> Result<(), NotCanonical> {
    let inside = depth.checked_sub(1).ok_or(NotCanonical::TooDeep)?;
    let text = value.get();
    let broken = |_| NotCanonical::NotAnObject;
    match text.as_bytes().first() {
        Some(b'{') => write_object(out, &object_members(text)?, inside),
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(broken)?;
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(out, item, inside)?;
            }
            out.push(']');
            Ok(())
        }
        Some(b'"') => {
            write_string(out, &serde_json::from_str::<String>(text).map_err(broken)?);
            Ok(())
        }
        _ => {
            out.push_str(text);
            Ok(())
        }
    }
}

fn write_object(out: &mut String, members: &Members<'_>, depth: u32) -> Result<(), NotCanonical> {
    out.push('{');
    for (index, (name, value)) in members.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(out, name);
        out.push(':');
        write_value(out, value, depth)?;
    }
    out.push('}');
    Ok(())
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if control < ' ' => out.push_str(&format!("\\u{:04X}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}

struct ObjectReader;

impl<'de> Visitor<'de> for ObjectReader {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Result<String, NotCanonical> {
        sorted_json(text.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn members_are_sorted_at_the_top_and_nulls_dropped() {
        assert_eq!(
            canonical(" { \"b\" : 1.10 , \"a\":{\"z\":null,\"y\":[ 1, \"x\" ]}, \"c\":null } ")
                .unwrap(),
            r#"{"a":{"z":null,"y":[1,"x"]},"b":1.10}"#
        );
        assert_eq!(canonical("{}").unwrap(), "{}");
    }

    #[test]
    fn strings_are_escaped_as_the_signer_does() {
        assert_eq!(
            canonical(r#"{"a":"\/\u00e9实\u001f\b\n\"\\"}"#).unwrap(),
            "{\"a\":\"/é实\\u001F\\b\\n\\\"\\\\\"}"
        );
    }

    #[test]
    fn a_repeated_name_has_no_canonical_form() {
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"o":{"a":1,"a":1}}"#,
            r#"{"l":[{"a":1,"a":1}]}"#,
        ] {
            assert_eq!(canonical(text), Err(NotCanonical::RepeatedName), "{text}");
        }
    }

    #[test]
    fn what_is_no_object_has_no_canonical_form() {
        for text in [
            "",
            "[]",
            "null",
            "\"a\"",
            "{\"a\":1",
            "{} {}",
            "\u{feff}{}",
            "{\"a\":01}",
        ] {
            assert_eq!(canonical(text), Err(NotCanonical::NotAnObject), "{text}");
        }
        assert_eq!(
            sorted_json(b"{\"a\":\"\xff\"}"),
            Err(NotCanonical::NotAnObject)
        );
    }

    #[test]
    fn fields_are_sorted_joined_and_given_as_texts() {
        let body = br#"{"b":"x y","a":1.10,"d":"","e":null,"c":true,"f":"  "}"#;
        let fields = sorted_fields(body).unwrap();
        assert_eq!(fields.joined, b"a=1.10&b=x y&c=true");
        assert_eq!(fields.object, br#"{"a":"1.10","b":"x y","c":"true"}"#);
        for (body, wrong) in [
            (r#"{"a":"1&b=2"}"#, NotCanonical::ContainsDelimiter),
            (r#"{"a=1":"2"}"#, NotCanonical::ContainsDelimiter),
            (r#"{"a&b":"2"}"#, NotCanonical::ContainsDelimiter),
            (r#"{"a":{}}"#, NotCanonical::TooDeep),
            (r#"{"a":[1]}"#, NotCanonical::TooDeep),
            (r#"{"a":"1","\u0061":"2"}"#, NotCanonical::RepeatedName),
            ("[]", NotCanonical::NotAnObject),
        ] {
            assert_eq!(sorted_fields(body.as_bytes()), Err(wrong), "{body}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |open: &str, close: &str, depth| {
            canonical(&format!(
                "{{\"a\":{}1{}}}",
                open.repeat(depth),
                close.repeat(depth)
            ))
        };
        assert!(nested("[", "]", 7).is_ok());
        for depth in [8, 9, 10_000] {
            assert_eq!(nested("[", "]", depth), Err(NotCanonical::TooDeep));
            assert_eq!(nested("{\"a\":", "}", depth), Err(NotCanonical::TooDeep));
        }
    }
}
