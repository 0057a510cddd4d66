//! The repository's files, for tests that read them.

use std::path::PathBuf;

use super::root;

/// What stands in the tree and is not ours.
const FOREIGN: [&str; 2] = ["node_modules", "target"];

/// A file with its path from the root of the repository.
pub struct File {
    pub path: String,
    pub text: String,
}

pub fn files(directory: &str, endings: &[&str]) -> Vec<File> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = vec![root().join(directory)];
    while let Some(directory) = open.pop() {
        for path in std::fs::read_dir(&directory)
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
        {
            if path.is_dir() {
                if !FOREIGN.iter().any(|foreign| path.ends_with(foreign)) {
                    open.push(path);
                }
            } else if endings
                .iter()
                .any(|ending| path.extension().is_some_and(|found| found == *ending))
            {
                let text = std::fs::read_to_string(&path).unwrap();
                let path = path
                    .strip_prefix(root())
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                found.push(File { path, text });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(!found.is_empty(), "{directory} holds no file");
    found
}

pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The lines of a file's code, numbered from 1, without its tests, which stand at the end or in a file of that name.
pub fn code(file: &File) -> impl Iterator<Item = (usize, &str)> {
    file.text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]" && !file.path.ends_with("/tests.rs"))
}

pub fn report(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
