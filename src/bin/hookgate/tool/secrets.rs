//! Where the tool finds secrets: in a file of NAME=value lines, or in the environment.

use std::collections::BTreeMap;

use super::Failure;

/// What `scripts/dev` writes.
pub const DEFAULT_FILE: &str = ".dev.vars";

/// Values by name. Nothing prints one.
pub struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// Reads the file that was named; the default one only if it is there.
    pub fn read(file: Option<&str>) -> Result<Self, Failure> {
        let text = match (file, std::fs::read_to_string(file.unwrap_or(DEFAULT_FILE))) {
            (_, Ok(text)) => text,
            (None, Err(_)) => String::new(),
            (Some(file), Err(error)) => {
                return Err(Failure::Refused(vec![format!("{file}: {error}")]));
            }
        };
        Ok(Secrets(lines(&text)))
    }

    /// The file's value.
    pub fn in_file(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The file's value, or the environment's.
    pub fn get(&self, name: &str) -> Option<String> {
        let known = self.0.get(name).cloned();
        known
            .or_else(|| std::env::var(name).ok())
            .filter(|value| !value.is_empty())
    }
}

/// NAME=value lines, as wrangler reads them: quotes around a value are not part of it.
fn lines(text: &str) -> BTreeMap<String, String> {
    let pair = |line: &str| {
        let line = line.trim().strip_prefix("export ").unwrap_or(line.trim());
        let (name, value) = line.split_once('=')?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let value = value.trim();
        let unquoted = ['"', '\'']
            .iter()
            .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        let name = name.trim();
        name.bytes()
            .all(is_name)
            .then(|| (name.to_owned(), unquoted.unwrap_or(value).to_owned()))
    };
    text.lines().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_wrangler_does() {
        let read = lines("A=1\n# B=2\n export C = \"3 4\"\nD='5\"'\nE=6=7\nnonsense\n");
        let pairs: Vec<(&str, &str)> = read.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(
            pairs,
            [("A", "1"), ("C", "3 4"), ("D", "5\""), ("E", "6=7")]
        );
    }
}
