//! What the backend and the record call an event: a value of the request, or several in one text.

use serde::{Deserialize, Serialize};

use super::Place;

/// A place (`json:/id`), or a text with places in braces (`{json:/source}|{json:/id}`). It is there
/// where each of its places has a value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(remote = "Self")]
pub struct Label(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
enum Piece {
    At(Place),
    Text(String),
}

impl Label {
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::At(place) => Some(place),
            Piece::Text(_) => None,
        })
    }

    /// The one place that this label consists of.
    pub fn place(&self) -> Option<&Place> {
        match self.0.as_slice() {
            [Piece::At(place)] => Some(place),
            _ => None,
        }
    }

    /// The text of the label. `value_at` gives the value of a place, and none where it is missing or
    /// empty.
    pub fn read(&self, value_at: impl Fn(&Place) -> Option<String>) -> Option<String> {
        if let Some(place) = self.place() {
            return value_at(place);
        }
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::At(place) => text.push_str(&value_at(place)?),
                Piece::Text(between) => text.push_str(between),
            }
        }
        Some(text)
    }
}

impl TryFrom<String> for Label {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if !text.contains('{') {
            return Ok(Label(vec![Piece::At(Place::try_from(text)?)]));
        }
        let mut pieces = Vec::new();
        for part in text.split_inclusive('}') {
            let Some((before, place)) = part.split_once('{') else {
                pieces.push(Piece::Text(part.to_owned()));
                continue;
            };
            let Some(place) = place.strip_suffix('}') else {
                return Err(format!("\"{text}\": a brace is not closed"));
            };
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(Piece::At(Place::try_from(place.to_owned())?));
        }
        Ok(Label(pieces))
    }
}

impl From<Label> for String {
    fn from(label: Label) -> String {
        if let Some(place) = label.place() {
            return place.to_string();
        }
        let pieces = label.0.iter().map(|piece| match piece {
            Piece::At(place) => format!("{{{place}}}"),
            Piece::Text(text) => text.clone(),
        });
        pieces.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(text: &str) -> Result<Label, String> {
        Label::try_from(text.to_owned())
    }

    #[test]
    fn a_label_is_written_as_it_is_read() {
        for text in [
            "json:/id",
            "header:x-id",
            "{json:/a}|{query:b}",
            "a {json:/a} b",
        ] {
            assert_eq!(String::from(label(text).unwrap()), text);
        }
        for text in ["id", "{json:/a", "{id}", "{}"] {
            assert!(label(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_label_needs_all_its_values() {
        let label = label("{json:/a}|{json:/b}").unwrap();
        assert_eq!(
            label.read(|place| Some(place.to_string())),
            Some("json:/a|json:/b".to_owned())
        );
        let one = |place: &Place| (*place == Place::Json("/a".into())).then(|| "x".to_owned());
        assert_eq!(label.read(one), None);
    }
}
