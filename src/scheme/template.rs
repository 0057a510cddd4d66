//! Texts with gaps, for what must be exact but for a name: hosts, paths, forms of pins.

use serde::{Deserialize, Serialize};

use crate::by_name::ByName;

/// A value that stands in a gap is no longer than this.
const GAP_BYTES_MAX: usize = 256;

/// Literal text with gaps: `{NAME}` is a value that is known, `{*}` is any word of letters, digits,
/// `_`, `-` and `.`. A word never holds what separates words (`/`, `:`, `?`, `@`), so a text fits in
/// one way only where a gap is followed by such a character or by the end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(remote = "Self")]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
enum Piece {
    Text(String),
    Any,
    Named(String),
}

/// What gaps are known to hold.
pub type Known = ByName<String>;

impl Template {
    /// The names of its gaps.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Named(name) => Some(name.as_str()),
            Piece::Text(_) | Piece::Any => None,
        })
    }

    /// The text, where every gap is known.
    pub fn fill(&self, known: &Known) -> Option<String> {
        let mut text = String::new();
        for piece in &self.0 {
            text.push_str(match piece {
                Piece::Text(literal) => literal,
                Piece::Named(name) => known.get(name)?,
                Piece::Any => return None,
            });
        }
        Some(text)
    }

    /// Whether `text` fits as a whole. Gaps that are known must hold what is known; the others are
    /// `learnt`.
    pub fn fits(&self, text: &str, known: &Known, learnt: &mut Known) -> bool {
        let mut rest = text;
        let mut pieces = self.0.iter().peekable();
        while let Some(piece) = pieces.next() {
            let after = match (piece, pieces.peek()) {
                (Piece::Text(literal), _) => rest.strip_prefix(literal.as_str()),
                (Piece::Named(name), _) if known.contains_key(name) => known
                    .get(name)
                    .and_then(|value| rest.strip_prefix(value.as_str())),
                (gap, next) => {
                    let end = match next {
                        // The literal's last occurrence inside the word: `{*}.pem`.
                        Some(Piece::Text(literal)) => {
                            let word = &rest[..word_end(rest)];
                            let whole = rest.get(..word.len() + literal.len()).unwrap_or(rest);
                            whole.rfind(literal.as_str())
                        }
                        _ => Some(word_end(rest)),
                    };
                    end.filter(|end| (1..=GAP_BYTES_MAX).contains(end))
                        .map(|end| {
                            if let Piece::Named(name) = gap {
                                learnt.insert(name.clone(), rest[..end].to_owned());
                            }
                            &rest[end..]
                        })
                }
            };
            let Some(after) = after else { return false };
            rest = after;
        }
        rest.is_empty()
    }
}

fn word_end(text: &str) -> usize {
    let in_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    text.bytes()
        .position(|byte| !in_word(byte))
        .unwrap_or(text.len())
}

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (literal, after) = match rest.split_once('{') {
                Some((literal, after)) => (literal, Some(after)),
                None => (rest, None),
            };
            if !literal.is_empty() {
                pieces.push(Piece::Text(literal.to_owned()));
            }
            let Some(after) = after else { break };
            let Some((name, after)) = after.split_once('}') else {
                return Err(format!("\"{text}\": a {{ without its }}"));
            };
            pieces.push(match name {
                "*" => Piece::Any,
                _ => Piece::Named(name.to_owned()),
            });
            rest = after;
        }
        Ok(Template(pieces))
    }
}

impl From<Template> for String {
    fn from(template: Template) -> String {
        let pieces = template.0.into_iter().map(|piece| match piece {
            Piece::Text(literal) => literal,
            Piece::Any => "{*}".to_owned(),
            Piece::Named(name) => format!("{{{name}}}"),
        });
        pieces.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(template: &str, text: &str, known: &[(&str, &str)]) -> Option<Known> {
        let template = Template::try_from(template.to_owned()).unwrap();
        let known = known
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut learnt = Known::default();
        template.fits(text, &known, &mut learnt).then_some(learnt)
    }

    #[test]
    fn gaps_hold_words_and_nothing_else() {
        let path = "/SimpleNotificationService-{*}.pem";
        assert!(fits(path, "/SimpleNotificationService-0a.pem", &[]).is_some());
        assert!(fits(path, "/SimpleNotificationService-a.pem.pem", &[]).is_some());
        for text in [
            "/SimpleNotificationService-.pem",
            "/SimpleNotificationService-a.pem?x",
            "/SimpleNotificationService-a/b.pem",
            "/SimpleNotificationService-a.pem/",
            "/SimpleNotificationService-a.txt",
            "/SimpleNotificationService-é.pem",
            "x/SimpleNotificationService-a.pem",
            "",
        ] {
            assert!(fits(path, text, &[]).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_known_must_stand_there_and_the_rest_is_learnt() {
        let form = "arn:{*}:sns:{region}:{*}:{*}";
        let learnt = fits(form, "arn:aws:sns:eu-west-1:1:t", &[]).unwrap();
        assert_eq!(learnt.get("region").map(String::as_str), Some("eu-west-1"));
        assert!(fits(form, "arn:aws:sns:eu-west-1:1:t:x", &[]).is_none());
        assert!(fits(form, "arn:aws:sns::1:t", &[]).is_none());
        let host = "sns.{region}.amazonaws.com";
        let known = [("region", "eu-west-1")];
        assert!(fits(host, "sns.eu-west-1.amazonaws.com", &known).is_some());
        assert!(fits(host, "sns.eu-west-2.amazonaws.com", &known).is_none());
        assert!(fits(host, "sns.eu-west-1.amazonaws.com.evil", &known).is_none());
    }
}
