//! Values of a JSON body by their pointers (RFC 6901), found in one pass that builds nothing else.

mod members;

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

pub use members::Members;

/// The values at `pointers`, in their order. Strings and integers have one; anything else, and
/// everything where the body is not JSON, is `None`. Of a name that stands twice the last counts, as
/// in most parsers.
pub fn find(body: &[u8], pointers: &[&str]) -> Vec<Option<String>> {
    let mut found = vec![None; pointers.len()];
    let wanted: Vec<Wanted<'_>> = pointers
        .iter()
        .enumerate()
        .map(|(index, rest)| Wanted { rest, index })
        .collect();
    let mut reader = serde_json::Deserializer::from_slice(body);
    let search = Search {
        wanted: &wanted,
        found: &mut found,
    };
    let read = search.deserialize(&mut reader).and_then(|()| reader.end());
    if read.is_err() {
        found.fill(None);
    }
    found
}

/// Whether the whole is one JSON value.
pub fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

/// The bytes of the first item of an array. `None`: the body is no array, or an empty one.
pub fn first_item(body: &[u8]) -> Option<&[u8]> {
    let inside = body
        .trim_ascii_start()
        .strip_prefix(b"[")?
        .trim_ascii_start();
    if !is_json(body) {
        return None;
    }
    let mut items = serde_json::Deserializer::from_slice(inside).into_iter::<IgnoredAny>();
    // Of an empty array there is a bracket where the item should begin.
    items.next()?.ok()?;
    inside.get(..items.byte_offset())
}

/// What is left of a pointer at this depth, and whose it is.
#[derive(Clone, Copy)]
struct Wanted<'p> {
    rest: &'p str,
    index: usize,
}

struct Search<'p, 's> {
    wanted: &'s [Wanted<'p>],
    found: &'s mut [Option<String>],
}

impl<'p> Search<'p, '_> {
    /// Those that go on under this name.
    fn under(&self, name: &str) -> Vec<Wanted<'p>> {
        let goes_on = |wanted: &Wanted<'p>| {
            let rest = wanted.rest.strip_prefix('/')?;
            let end = rest.find('/').unwrap_or(rest.len());
            let (token, rest) = rest.split_at(end);
            let index = wanted.index;
            is_token_of(token, name).then_some(Wanted { rest, index })
        };
        self.wanted.iter().filter_map(goes_on).collect()
    }

    fn set(self, value: Option<&str>) {
        for wanted in self.wanted.iter().filter(|wanted| wanted.rest.is_empty()) {
            self.found[wanted.index] = value.map(str::to_owned);
        }
    }

    /// An earlier value under the same name no longer counts.
    fn forget(&mut self, wanted: &[Wanted<'_>]) {
        for wanted in wanted {
            self.found[wanted.index] = None;
        }
    }
}

fn is_token_of(token: &str, name: &str) -> bool {
    if token.contains('~') {
        token.replace("~1", "/").replace("~0", "~") == name
    } else {
        token == name
    }
}

impl<'de> DeserializeSeed<'de> for Search<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Search<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Name<'de>>()? {
            let wanted = self.under(&name.0);
            if wanted.is_empty() {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            self.forget(&wanted);
            map.next_value_seed(Search {
                wanted: &wanted,
                found: self.found,
            })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        for index in 0_usize.. {
            let wanted = self.under(&index.to_string());
            let next = if wanted.is_empty() {
                items.next_element::<IgnoredAny>()?.map(|_| ())
            } else {
                items.next_element_seed(Search {
                    wanted: &wanted,
                    found: self.found,
                })?
            };
            if next.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.set(Some(text));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.set(Some(&number.to_string()));
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.set(Some(&number.to_string()));
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.set(None);
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.set(None);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.set(None);
        Ok(())
    }
}

/// A member's name, copied only where it is escaped.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(body: &str, pointer: &str) -> Option<String> {
        find(body.as_bytes(), &[pointer]).remove(0)
    }

    #[test]
    fn strings_and_integers_have_a_value_and_nothing_else() {
        let body = r#"{"a":"x","n":10,"m":-3,"f":1.10,"e":1e3,"t":true,"z":null,"o":{"b":"y"},"l":["p",{"q":7}]}"#;
        for (pointer, value) in [
            ("/a", Some("x")),
            ("/n", Some("10")),
            ("/m", Some("-3")),
            ("/o/b", Some("y")),
            ("/l/0", Some("p")),
            ("/l/1/q", Some("7")),
            ("/f", None),
            ("/e", None),
            ("/t", None),
            ("/z", None),
            ("/o", None),
            ("/l", None),
            ("/a/b", None),
            ("/l/2", None),
            ("/l/00", None),
            ("/l/x", None),
            ("/none", None),
        ] {
            assert_eq!(at(body, pointer).as_deref(), value, "{pointer}");
        }
    }

    #[test]
    fn names_are_unescaped_on_both_sides() {
        let body = r#"{"a/b":{"c~d":"1"},"\u0065":"2","":"3"}"#;
        assert_eq!(at(body, "/a~1b/c~0d").as_deref(), Some("1"));
        assert_eq!(at(body, "/e").as_deref(), Some("2"));
        assert_eq!(at(body, "/").as_deref(), Some("3"));
    }

    #[test]
    fn of_a_repeated_name_the_last_counts() {
        assert_eq!(at(r#"{"a":"1","a":"2"}"#, "/a").as_deref(), Some("2"));
        assert_eq!(at(r#"{"a":"1","a":null}"#, "/a"), None);
        assert_eq!(at(r#"{"a":{"b":"1"},"a":{}}"#, "/a/b"), None);
        assert_eq!(at(r#"{"a":{"b":"1"},"a":5}"#, "/a/b"), None);
    }

    #[test]
    fn one_pass_serves_several_pointers() {
        let body = br#"{"id":"1","data":{"object":{"id":"2","n":3}},"type":"t"}"#;
        let pointers = ["/type", "/data/object/id", "/id", "/data/object/id", "/x"];
        let found = find(body, &pointers);
        let found: Vec<Option<&str>> = found.iter().map(Option::as_deref).collect();
        assert_eq!(found, [Some("t"), Some("2"), Some("1"), Some("2"), None]);
    }

    #[test]
    fn what_is_not_json_has_no_values() {
        for body in [
            "",
            "x",
            r#"{"a":"1""#,
            r#"{"a":"1"} x"#,
            r#"{"a":"1",}"#,
            "{\"a\":\"1\u{0}\"}",
        ] {
            assert_eq!(at(body, "/a"), None, "{body}");
        }
        assert_eq!(at("[1]", "/a"), None);
        assert_eq!(at("\"x\"", ""), Some("x".into()));
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(at(&deep, "/a"), None);
        assert_eq!(at(&deep, &"/0".repeat(100_000)), None);
    }
}
