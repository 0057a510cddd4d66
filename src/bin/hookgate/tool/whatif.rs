//! `hookgate whatif`: what another configuration would change for traffic that was.

use std::collections::BTreeMap;

use hookgate::gate::{Gate, LiveSource};
use serde_json::{Value, json};

use super::judge::{Clock, Judged, assemble, judge};
use super::options::{Options, bytes_of, now_ms};
use super::recorded::Recorded;
use super::terminal::{json as json_line, plain};
use super::{Failure, NOT_JUDGED, read_sources};

const HELP: &str = "\
usage: hookgate whatif OLD NEW TRAFFIC [options]

Judges recorded traffic under two sources files, OLD and NEW, and says what would change: by source, by
reason, with the first line of each kind. TRAFFIC has one JSON object a line: requests as `hookgate sign`
prints them (`received_ms` says when they came), held events, or dead letters. Each is judged at the time
when it was received; where that is not known, at its own signed time.

  --source NAME         whose requests they are, where their paths do not say so
  --secret-file FILE    NAME=value lines; default .dev.vars where that is there. A name that is not in
                        it is looked up in the environment
  --document URL=FILE   what stands at that URL (a certificate, a key set); nothing is fetched
  --clock TIME          one clock for all: now, signed, seconds or milliseconds since 1970, or RFC 3339
  --json                one JSON object instead of words

Examples
  hookgate whatif sources.toml new.toml traffic.ndjson
  git show HEAD:sources.toml > old.toml && hookgate whatif old.toml sources.toml traffic.ndjson --json

Exit codes
  0  nothing that was taken would be refused, or become another event
  1  something would, or a file cannot be read or is refused
  2  wrong usage
  3  nothing would, but some of it could not be judged
";

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    source: String,
    kind: Kind,
    /// `accepted`, or the reason; of another event, what about it changed.
    before: String,
    after: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// It was taken, and would be refused.
    Lost,
    /// Taken both times, but as another event: a copy of it would not be known.
    OtherEvent,
    /// Taken both times, for another tenant or another destination.
    Moved,
    Gained,
    /// Refused both times, for another reason.
    OtherReason,
    NotJudged,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Kind::Lost => "refused_now",
            Kind::OtherEvent => "another_event",
            Kind::Moved => "moved",
            Kind::Gained => "taken_now",
            Kind::OtherReason => "another_reason",
            Kind::NotJudged => "not_judged",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Kind::Lost => "WOULD BE REFUSED",
            Kind::OtherEvent => "would be another event: its copies would be delivered again",
            Kind::Moved => "would go elsewhere",
            Kind::Gained => "would be taken",
            Kind::OtherReason => "would be refused for another reason",
            Kind::NotJudged => "not judged",
        }
    }
}

#[derive(Default)]
struct Report {
    requests: u64,
    same: u64,
    changes: BTreeMap<Change, (u64, usize)>,
}

pub fn command(arguments: lexopt::Parser) -> Result<(), Failure> {
    let Some(options) = Options::read(arguments, HELP, &[])? else {
        return Ok(());
    };
    let [old, new, traffic] = options.files.as_slice() else {
        return Err(Failure::Usage(
            "whatif: name three files: OLD NEW TRAFFIC".into(),
        ));
    };
    let secrets = options.secrets()?;
    let clock = options.clock()?;
    let old = assemble(read_sources(old)?.0, &secrets);
    let new = assemble(read_sources(new)?.0, &secrets);
    let mut report = Report::default();
    for (index, line) in bytes_of(traffic)?.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        report.requests += 1;
        let read = serde_json::from_slice::<Value>(line)
            .map_err(|_| "no JSON".to_owned())
            .and_then(|value| Recorded::from_json(&value));
        let change = match &read {
            Ok(recorded) => compare(&old, &new, recorded, &options, clock),
            Err(error) => Some(not_judged(options.source.as_deref().unwrap_or("?"), error)),
        };
        match change {
            None => report.same += 1,
            Some(change) => report.changes.entry(change).or_insert((0, index + 1)).0 += 1,
        }
    }
    report.print(options.as_json);
    let has = |kind| report.changes.keys().any(|change| change.kind == kind);
    match (
        has(Kind::Lost) || has(Kind::OtherEvent),
        has(Kind::NotJudged),
    ) {
        (true, _) => Err(Failure::Quietly(1)),
        (false, true) => Err(Failure::Quietly(NOT_JUDGED)),
        (false, false) => Ok(()),
    }
}

fn not_judged(source: &str, why: &str) -> Change {
    Change {
        source: source.to_owned(),
        kind: Kind::NotJudged,
        before: why.to_owned(),
        after: String::new(),
    }
}

/// `None`: all stays as it is.
fn compare(
    old: &Gate,
    new: &Gate,
    recorded: &Recorded,
    options: &Options,
    clock: Clock,
) -> Option<Change> {
    let name = options.source.as_ref().or(recorded.source.as_ref());
    let source = name.map_or("?", String::as_str);
    let judged = |live: &LiveSource| {
        let clock = match (clock, recorded.received_ms) {
            (Clock::Recorded, Some(ms)) => Clock::At(ms),
            (Clock::Recorded, None) => Clock::Signed,
            (stated, _) => stated,
        };
        judge(live, recorded, &options.documents, clock, now_ms())
    };
    let (before, after) = (old.source(source), new.source(source));
    let (was, would) = (
        before.map(|live| judged(live)),
        after.map(|live| judged(live)),
    );
    for judged in [&was, &would].into_iter().flatten() {
        if judged.is_ours {
            return Some(not_judged(source, &judged.why));
        }
    }
    let was_taken = was.as_ref().is_some_and(Judged::is_taken);
    if recorded.is_envelope && !was_taken {
        let reason = was.as_ref().map_or("unknown_source", Judged::word);
        let why =
            format!("it was taken, but OLD does not take it from what was kept of it ({reason})");
        return Some(not_judged(source, &why));
    }
    let word = |judged: &Option<Judged>| {
        judged
            .as_ref()
            .map_or("unknown_source", Judged::word)
            .to_owned()
    };
    let change = |kind, before: String, after: String| {
        Some(Change {
            source: source.to_owned(),
            kind,
            before,
            after,
        })
    };
    match (was_taken, would.as_ref().is_some_and(Judged::is_taken)) {
        (true, false) => change(Kind::Lost, word(&was), word(&would)),
        (false, true) => change(Kind::Gained, word(&was), word(&would)),
        (false, false) if word(&was) != word(&would) => {
            change(Kind::OtherReason, word(&was), word(&would))
        }
        (false, false) => None,
        (true, true) => {
            let (before, after) = (before?, after?);
            let key = |judged: &Option<Judged>| {
                let event = judged.as_ref()?.event.as_ref()?;
                Some(event.dedup_key.clone())
            };
            // What was remembered, where that is known.
            let remembered = recorded.dedup_key.clone().or_else(|| key(&was));
            if before.source.tenant != after.source.tenant {
                return change(
                    Kind::Moved,
                    format!("tenant {}", before.source.tenant),
                    format!("tenant {}", after.source.tenant),
                );
            }
            if remembered != key(&would) {
                let rule = |judged: &Option<Judged>| {
                    let rule = judged
                        .as_ref()
                        .and_then(|judged| judged.event.as_ref()?.rule);
                    format!("event by {}", rule.unwrap_or("no rule"))
                };
                return change(Kind::OtherEvent, rule(&was), rule(&would));
            }
            if before.source.destination != after.source.destination {
                let name = |live: &LiveSource| format!("destination {}", live.source.destination);
                return change(Kind::Moved, name(before), name(after));
            }
            None
        }
    }
}

impl Report {
    fn print(&self, as_json: bool) {
        if as_json {
            let changes = self.changes.iter().map(|(change, (count, line))| {
                json!({
                    "source": change.source,
                    "change": change.kind.name(),
                    "before": change.before,
                    "after": change.after,
                    "count": count,
                    "first_line": line,
                })
            });
            let all = json!({
                "requests": self.requests,
                "same": self.same,
                "changes": changes.collect::<Vec<_>>(),
            });
            println!("{}", json_line(&all));
            return;
        }
        println!("{} requests, {} stay as they are", self.requests, self.same);
        for (change, (count, line)) in &self.changes {
            let arrow = if change.after.is_empty() { "" } else { " -> " };
            println!(
                "{}: {count} {}: {}{arrow}{} (line {line})",
                plain(&change.source),
                change.kind.words(),
                plain(&change.before),
                plain(&change.after)
            );
        }
    }
}
