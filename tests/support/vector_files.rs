//! The vectors; their format is in `tests/vectors/README.md`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hookgate::gate::Gate;

use super::{Request, gate_for, gate_pinned, gate_with, is_stated, root};

/// A test vector; its format is in `tests/vectors/README.md`.
#[derive(Clone, Debug)]
pub struct Vector {
    pub scheme: String,
    pub name: String,
    /// `accept`, or the name of the refusal.
    pub expect: String,
    pub published: bool,
    pub secrets: Vec<String>,
    /// Lines of the source's table: its pins and public keys.
    pub source: String,
    pub request: Request,
    pub event_id: Option<String>,
    pub event_type: Option<String>,
    pub signed_time_ms: Option<i64>,
}

impl Vector {
    pub fn gate(&self) -> Gate {
        if is_stated(&self.scheme) {
            return gate_with(&self.scheme, &self.secrets, &self.source);
        }
        match self.source.contains(" = \"") {
            true => gate_pinned(&self.scheme, &self.secrets, &self.source),
            false => gate_for(&self.scheme, &self.secrets),
        }
    }

    pub fn title(&self) -> String {
        format!("{}/{}", self.scheme, self.name)
    }
}

/// Every vector, in order of its path.
pub fn vectors() -> Vec<Vector> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(root().join("tests/vectors"))
        .expect("tests/vectors")
        .flatten()
    {
        if entry.path().is_dir() {
            files.extend(
                std::fs::read_dir(entry.path())
                    .expect("readable")
                    .flatten()
                    .map(|file| file.path()),
            );
        }
    }
    files.sort();
    let vectors: Vec<Vector> = files.iter().map(|file| read(file)).collect();
    assert!(!vectors.is_empty(), "no vectors in tests/vectors");
    vectors
}

fn read(file: &Path) -> Vector {
    let checked = |mut vector: Vector| {
        let directory = file
            .parent()
            .and_then(|path| path.file_name())
            .expect("a directory");
        vector.name = file
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if directory.to_string_lossy() != vector.scheme {
            return Err(format!(
                "scheme: {} stands in another directory",
                vector.scheme
            ));
        }
        if file
            .extension()
            .is_none_or(|extension| extension != "vector")
        {
            return Err("the file's name does not end in .vector".into());
        }
        Ok(vector)
    };
    let bytes = std::fs::read(file).expect("readable");
    parse_vector(&bytes)
        .and_then(checked)
        .unwrap_or_else(|wrong| panic!("{}: {wrong}", file.display()))
}

/// Those that a shared secret signs.
pub fn vectors_with_secrets() -> Vec<Vector> {
    let mut vectors = vectors();
    vectors.retain(|vector| !is_stated(&vector.scheme));
    vectors
}

pub fn vector(scheme: &str, name: &str) -> Vector {
    let file = root().join(format!("tests/vectors/{scheme}/{name}.vector"));
    assert!(file.exists(), "{} is not there", file.display());
    read(&file)
}

/// Reads a vector. A key that is unknown, missing or repeated is an error: a misspelt `event_id`
/// would otherwise demand nothing.
pub fn parse_vector(bytes: &[u8]) -> Result<Vector, String> {
    let end = bytes
        .windows(2)
        .position(|two| two == b"\n\n")
        .ok_or("no blank line")?;
    let header = std::str::from_utf8(&bytes[..end]).map_err(|_| "the header is not UTF-8")?;
    let mut once: Vec<(&str, &str)> = Vec::new();
    let mut secrets = Vec::new();
    let mut headers = Vec::new();
    let mut pins = Vec::new();
    let mut public_keys = Vec::new();
    let mut documents = BTreeMap::new();
    for line in header.split('\n') {
        let (key, value) = line
            .split_once(": ")
            .ok_or(format!("not `key: value`: {line}"))?;
        match key {
            "secret" => secrets.push(value.to_owned()),
            "public_key" => public_keys.push(value),
            "pin" => {
                let (name, value) = value.split_once('=').ok_or(format!("not a pin: {value}"))?;
                pins.push(format!("{name} = {value:?}"));
            }
            "document" => {
                let (url, file) = value
                    .split_once(' ')
                    .ok_or(format!("not a document: {value}"))?;
                let text = std::fs::read_to_string(root().join("tests/documents").join(file));
                documents.insert(url.to_owned(), text.map_err(|error| error.to_string())?);
            }
            "header" => {
                let (name, value) = value
                    .split_once(": ")
                    .ok_or(format!("not a header: {value}"))?;
                headers.push((name.to_owned(), value.to_owned()));
            }
            "scheme" | "expect" | "origin" | "published" | "now_ms" | "method" | "target"
            | "event_id" | "event_type" | "signed_time_ms" | "note" => {
                if once.iter().any(|(known, _)| *known == key) {
                    return Err(format!("{key} stands twice"));
                }
                once.push((key, value));
            }
            _ => return Err(format!("unknown key {key}")),
        }
    }
    let find = |key: &str| {
        once.iter()
            .find(|(known, _)| *known == key)
            .map(|(_, value)| (*value).to_owned())
    };
    let need = |key: &str| find(key).ok_or(format!("{key} is missing"));
    let number = |text: String| {
        text.parse::<i64>()
            .map_err(|_| format!("not a number: {text}"))
    };
    need("origin")?;
    let target = need("target")?;
    if secrets.is_empty() && pins.is_empty() && public_keys.is_empty() {
        return Err("secret is missing".into());
    }
    if target != "/hooks/vector" && !target.starts_with("/hooks/vector?") {
        return Err(format!("target {target}: the path is always /hooks/vector"));
    }
    Ok(Vector {
        scheme: need("scheme")?,
        name: String::new(),
        expect: need("expect")?,
        published: need("published")?
            .parse()
            .map_err(|_| "published is true or false")?,
        secrets,
        source: format!(
            "pins = {{ {} }}\npublic_keys = {public_keys:?}\n",
            pins.join(", ")
        ),
        request: Request {
            method: need("method")?,
            target,
            headers,
            body: bytes[end + 2..].to_vec(),
            now_ms: number(need("now_ms")?)?,
            documents,
        },
        event_id: find("event_id"),
        event_type: find("event_type"),
        signed_time_ms: find("signed_time_ms").map(number).transpose()?,
    })
}
