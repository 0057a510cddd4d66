//! The members of a JSON object that one of us wrote.

use serde_json::{Map, Value};

/// The members of an object, taken out one by one. Whether each was of its kind is asked at the end: to return at once would
/// be, behind each of them, the code that takes away those before it. For the same reason nothing here is inlined.
#[derive(Debug)]
pub struct Members {
    /// Those that nobody has taken.
    pub left: Map<String, Value>,
    /// Of those that were taken none was missing, and none of another kind.
    pub are_sound: bool,
}

impl Members {
    /// `None`: the text is no object.
    pub fn read(text: &str) -> Option<Members> {
        let left = serde_json::from_str(text).ok()?;
        let are_sound = true;
        Some(Members { left, are_sound })
    }

    #[inline(never)]
    pub fn text(&mut self, name: &str) -> String {
        let text = self.text_or_none(name);
        self.needed(text)
    }

    #[inline(never)]
    pub fn text_or_none(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            _ => {
                self.are_sound = false;
                None
            }
        }
    }

    pub fn number(&mut self, name: &str) -> u32 {
        let number = self.number_or_none(name);
        self.needed(number)
    }

    #[inline(never)]
    pub fn number_or_none(&mut self, name: &str) -> Option<u32> {
        let number = self.take(name)?.as_u64();
        let number = number.and_then(|number| number.try_into().ok());
        self.are_sound &= number.is_some();
        number
    }

    fn needed<T: Default>(&mut self, member: Option<T>) -> T {
        self.are_sound &= member.is_some();
        member.unwrap_or_default()
    }

    /// `null` is as good as absent.
    #[inline(never)]
    fn take(&mut self, name: &str) -> Option<Value> {
        self.left.remove(name).filter(|value| !value.is_null())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_of_another_kind_is_not_sound() {
        let text = r#"{"text":"a","number":7,"null":null,"large":4294967296,"list":[]}"#;
        let sound = |take: fn(&mut Members)| {
            let mut members = Members::read(text).unwrap();
            take(&mut members);
            members.are_sound
        };
        assert!(sound(|members| assert_eq!(members.text("text"), "a")));
        assert!(sound(|members| assert_eq!(members.number("number"), 7)));
        for name in ["null", "none"] {
            let mut members = Members::read(text).unwrap();
            assert_eq!(members.text_or_none(name), None);
            assert_eq!(members.number_or_none(name), None);
            assert!(members.are_sound);
        }
        for taken in [
            sound(|members| drop(members.text("null"))),
            sound(|members| drop(members.text("none"))),
            sound(|members| drop(members.text("number"))),
            sound(|members| drop(members.text_or_none("list"))),
            sound(|members| assert_eq!(members.number("null"), 0)),
            sound(|members| assert_eq!(members.number("text"), 0)),
            sound(|members| assert_eq!(members.number_or_none("large"), None)),
        ] {
            assert!(!taken);
        }
        for none in ["", "[]", "7", r#"{"a":1"#] {
            assert!(Members::read(none).is_none(), "{none}");
        }
    }
}
