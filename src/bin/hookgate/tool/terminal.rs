//! Text that strangers wrote, on its way to a person's terminal.

use std::io::{ErrorKind, Write as _};

/// The exit code of what a closed pipe ended: as of the signal that other programs get then, SIGPIPE.
const PIPE_CLOSED: i32 = 128 + 13;

/// Prints, or ends the tool where nobody reads any more.
pub fn say(text: std::fmt::Arguments<'_>) {
    match std::io::stdout().write_fmt(text) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(PIPE_CLOSED),
        Err(error) => {
            // What was to be said is lost, as on a disk that is full: that is no success.
            let _ = writeln!(std::io::stderr(), "hookgate: standard output: {error}");
            std::process::exit(1);
        }
    }
}

/// What has no shape of its own, and can reorder, hide or fake text: in the
/// [Unicode Character Database](https://www.unicode.org/reports/tr44/) the general categories Cf, Zl and Zp, and what is
/// `Default_Ignorable_Code_Point`. `scripts/terminal.mjs` has it by these names, and `scripts/scripts.test.mjs` holds both
/// against each other, code point by code point.
const INVISIBLE: [(char, char); 25] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Control characters, and those that are not seen: they could hide or fake lines.
fn is_harmful(character: char) -> bool {
    let is_within = |(first, last): &(char, char)| (*first..=*last).contains(&character);
    character.is_control() || INVISIBLE.iter().any(is_within)
}

/// One line, with `?` for what could act on the terminal, and not longer than a person reads.
pub fn plain(text: &str) -> String {
    const CHARACTERS_MAX: usize = 200;
    let shown = text.chars().take(CHARACTERS_MAX);
    let mut line: String = shown
        .map(|character| {
            if is_harmful(character) {
                '?'
            } else {
                character
            }
        })
        .collect();
    if text.chars().nth(CHARACTERS_MAX).is_some() {
        line.push('…');
    }
    line
}

/// JSON in one line, the same in meaning: what is harmful in its strings is written as an escape.
pub fn json(value: &serde_json::Value) -> String {
    let mut line = String::new();
    for character in value.to_string().chars() {
        if is_harmful(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                line.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            line.push(character);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_acts_on_the_terminal() {
        let hostile = "a\u{1b}[2Jb\r\nc\u{9b}d\u{202e}e\u{7f}é\u{200b}f\u{feff}g\u{61c}h\u{ad}i\u{e0041}j\u{3164}";
        assert_eq!(plain(hostile), "a?[2Jb??c?d?e?é?f?g?h?i?j?");
        let line = json(&serde_json::json!({ "text": hostile }));
        assert!(!line.chars().any(is_harmful), "{line}");
        let back: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(back["text"], hostile);
        assert_eq!(plain(&"x".repeat(1_000)).chars().count(), 201);
    }
}
