//! `hookgate vectors`: files of test vectors, run through the gate as it verifies.

mod entry;
mod handshake;
mod public;
mod run;

use std::collections::BTreeMap;

use lexopt::prelude::{Long, Value, ValueExt as _};
use serde_json::json;

use super::Failure;
use entry::Entry;
use run::{Outcome, run};

pub fn command(mut arguments: lexopt::Parser) -> Result<(), Failure> {
    let mut files = Vec::new();
    let mut as_json = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("json") => as_json = true,
            Value(file) => files.push(file.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if files.is_empty() {
        return Err(Failure::Usage("vectors: name at least one file".into()));
    }
    let mut report = Report {
        as_json,
        counts: BTreeMap::new(),
    };
    for file in &files {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Failure::Refused(vec![format!("{file}: {error}")]))?;
        let entries = Entry::read_all(&text)
            .map_err(|error| Failure::Refused(vec![format!("{file}: {error}")]))?;
        for (index, entry) in entries.iter().enumerate() {
            report.add(file, index, entry);
        }
    }
    report.end()
}

/// What came out so far.
struct Report {
    as_json: bool,
    counts: BTreeMap<String, Count>,
}

#[derive(Default)]
struct Count {
    as_expected: usize,
    otherwise: usize,
    unknown: usize,
}

impl Report {
    fn add(&mut self, file: &str, index: usize, entry: &Entry) {
        let outcome = run(entry);
        let wrong = outcome.differences(entry);
        let count = self.counts.entry(entry.scheme.clone()).or_default();
        let is_unknown = matches!(outcome, Outcome::Unknown);
        if is_unknown {
            count.unknown += 1;
        } else if wrong.is_empty() {
            count.as_expected += 1;
        } else {
            count.otherwise += 1;
        }
        if !wrong.is_empty() {
            self.say(&format!(
                "{file}, entry {index}, {} ({}): {}",
                entry.scheme,
                entry.title(),
                wrong.join("; ")
            ));
        } else if is_unknown {
            self.say(&format!(
                "{file}, entry {index}, {}: unknown: the gate has no such scheme",
                entry.scheme
            ));
        }
        if self.as_json {
            let seen = outcome.seen();
            println!(
                "{}",
                json!({
                    "file": file,
                    "entry": index,
                    "scheme": entry.scheme,
                    "expect": entry.expect,
                    "verdict": outcome.verdict(),
                    "reason": outcome.reason(),
                    "id": seen.and_then(|seen| seen.id.as_deref()),
                    "type": seen.and_then(|seen| seen.kind.as_deref()),
                    "as_expected": !is_unknown && wrong.is_empty(),
                })
            );
        }
    }

    fn end(&self) -> Result<(), Failure> {
        let width = self.counts.keys().map(String::len).max().unwrap_or(0);
        self.say(&format!("{:width$}  as expected  not  unknown", "scheme"));
        let mut all = Count::default();
        for (scheme, count) in &self.counts {
            self.line(width, scheme, count);
            all.as_expected += count.as_expected;
            all.otherwise += count.otherwise;
            all.unknown += count.unknown;
        }
        self.line(width, "all", &all);
        match (all.otherwise, all.unknown) {
            (0, 0) => Ok(()),
            (0, _) => Err(Failure::Unknown),
            _ => Err(Failure::Refused(Vec::new())),
        }
    }

    fn line(&self, width: usize, scheme: &str, count: &Count) {
        self.say(&format!(
            "{scheme:width$}  {:11}  {:3}  {:7}",
            count.as_expected, count.otherwise, count.unknown
        ));
    }

    /// For people: where the machine's lines do not go.
    fn say(&self, line: &str) {
        if self.as_json {
            eprintln!("{line}");
        } else {
            println!("{line}");
        }
    }
}
