//! Where a search goes on. Opaque to whoever has it, and good for the same search only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::parameters::{Parameters, Unfit};
use crate::hex;

/// Of the digest that ties a cursor to its search. Nothing is kept from anybody by it, whoever makes a cursor of
/// his own sees what he may see anyway: it finds mistakes.
const DIGEST_CHARACTERS: usize = 16;

/// The record that was looked at last; the next page begins with the one that is older.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Where the search ends: what "the last day" was when it began.
    pub from_ms: i64,
    pub at_ms: i64,
    /// Empty: all of that time were looked at.
    pub id: String,
}

impl Cursor {
    /// `search` is what [`search`] gives.
    pub fn to_text(&self, search: &str) -> String {
        let Cursor { from_ms, at_ms, id } = self;
        let (from, at) = (from_ms.to_string(), at_ms.to_string());
        let place = [&*from, ".", &at, ".", id].concat();
        URL_SAFE_NO_PAD.encode(["1.", &*digest(search, &place), ".", &place].concat())
    }

    /// # Errors
    /// It is no cursor, or another search's.
    pub fn parse(text: &str, search: &str) -> Result<Cursor, Unfit> {
        let read = || {
            let text = URL_SAFE_NO_PAD.decode(text).ok()?;
            let text = str::from_utf8(&text).ok()?;
            let (given, place) = text.strip_prefix("1.")?.split_once('.')?;
            let mut parts = place.splitn(3, '.');
            let mut number = || parts.next()?.parse().ok();
            let (from_ms, at_ms) = (number()?, number()?);
            let id = parts.next()?.to_owned();
            (given == digest(search, place)).then_some(Cursor { from_ms, at_ms, id })
        };
        let allowed = "one that an answer gave, with the same other parameters as then";
        read().ok_or_else(|| Unfit::value("cursor", allowed))
    }
}

/// What a search is known by: those of its parameters that may not change from page to page, whatever their order.
pub fn search(parameters: &Parameters, names: &[&str]) -> String {
    let mut text = String::new();
    for name in names {
        let Some(value) = parameters.text(name) else {
            continue;
        };
        // With its length in front, no value is taken for another parameter.
        let length = value.len().to_string();
        text += &[name, "=", &length, ":", value, ";"].concat();
    }
    text
}

fn digest(search: &str, place: &str) -> String {
    let hash = Sha256::new_with_prefix("hookgate cursor 1\n");
    let hash = hash.chain_update(search).chain_update("\n");
    let hash = hash.chain_update(place).finalize();
    let mut hex = hex::encode(&hash);
    hex.truncate(DIGEST_CHARACTERS);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Head;

    fn of(query: &str) -> String {
        let head = Head::new("GET", &format!("/?{query}"), []);
        let parameters = Parameters::of(&head, &["source", "reason", "limit", "cursor"]);
        search(&parameters.unwrap(), &["source", "reason"])
    }

    #[test]
    fn a_cursor_is_good_for_its_own_search() {
        let cursor = Cursor {
            from_ms: 5,
            at_ms: -7,
            id: "req_1.2".to_owned(),
        };
        let text = cursor.to_text(&of("source=a&reason=b"));
        for same in ["source=a&reason=b", "reason=b&limit=7&source=a&cursor=x"] {
            assert_eq!(Cursor::parse(&text, &of(same)), Ok(cursor.clone()));
        }
        for other in ["source=a", "source=a&reason=c", "source=b&reason=a", ""] {
            assert!(Cursor::parse(&text, &of(other)).is_err(), "{other}");
        }
        assert_ne!(of("source=a;reason"), of("source=a&reason=b"));
    }

    #[test]
    fn every_changed_character_is_found() {
        let cursor = Cursor {
            from_ms: 5,
            at_ms: 7,
            id: String::new(),
        };
        let text = cursor.to_text("");
        for index in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(Cursor::parse(&changed, "").is_err(), "{changed}");
        }
        for text in ["", "MQ", "=", "1.2.3", "é"] {
            assert!(Cursor::parse(text, "").is_err(), "{text}");
        }
    }
}
