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

/// Control characters, and those that reorder text: they could hide or fake lines.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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
        let hostile = "a\u{1b}[2Jb\r\nc\u{9b}d\u{202e}e\u{7f}é";
        assert_eq!(plain(hostile), "a?[2Jb??c?d?e?é");
        let line = json(&serde_json::json!({ "text": hostile }));
        assert!(!line.chars().any(is_harmful), "{line}");
        let back: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(back["text"], hostile);
        assert_eq!(plain(&"x".repeat(1_000)).chars().count(), 201);
    }
}
