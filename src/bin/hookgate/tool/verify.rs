//! `hookgate verify`: what the gate would say to a request, and why.

use hookgate::gate::LiveSource;
use hookgate::time;

use super::judge::{Judged, judge};
use super::options::{HELP as OPTIONS, Options, now_ms};
use super::recorded::Recorded;
use super::terminal::{json, plain};
use super::{Failure, NOT_JUDGED};

fn help() -> String {
    format!(
        "\
usage: hookgate verify FILE [options]

Runs a recorded request through the gate's own code, offline, and says what came of it and why.

{OPTIONS}
Examples
  hookgate verify request.http                    the path names the source
  hookgate verify request.http --source github --clock signed
  hookgate sign --source stripe | hookgate verify -
  ./scripts/dead show ID > letter.json && hookgate verify letter.json

Exit codes
  0  it would be taken          1  it would be refused, or a file cannot be read
  2  wrong usage                3  it cannot be judged: a secret or a document is not there
"
    )
}

pub fn command(arguments: lexopt::Parser) -> Result<(), Failure> {
    let Some(options) = Options::read(arguments, &help(), &[])? else {
        return Ok(());
    };
    let clock = options.clock()?;
    let recorded = options.recorded()?;
    let (_gate, live) = options.live(&recorded)?;
    let judged = judge(&live, &recorded, &options.documents, clock, now_ms());
    if options.as_json {
        let mut line = judged.to_json(&live);
        line["notes"] = recorded.notes.clone().into();
        println!("{}", json(&line));
    } else {
        print(&judged, &live, &recorded);
    }
    match (judged.is_taken(), judged.is_ours) {
        (true, _) => Ok(()),
        (false, true) => Err(Failure::Quietly(NOT_JUDGED)),
        (false, false) => Err(Failure::Quietly(1)),
    }
}

fn print(judged: &Judged, live: &LiveSource, recorded: &Recorded) {
    let reason = judged.reason.map(|reason| format!(": {reason}"));
    println!("{}{}", judged.verdict, reason.unwrap_or_default());
    let line = |name: &str, text: &str| println!("  {name:<8} {}", plain(text));
    line("why", &judged.why);
    line(
        "source",
        &format!(
            "{}, of tenant {}, scheme {}",
            live.name, live.source.tenant, live.source.scheme
        ),
    );
    if let Some(key_id) = &judged.key_id {
        line("secret", key_id);
    }
    if let Some(signed_ms) = judged.signed_ms {
        line("signed", &time::rfc3339(signed_ms));
    }
    line("clock", &time::rfc3339(judged.now_ms));
    if let Some(event) = &judged.event {
        line("event", &format!("{} {}", event.kind, event.id));
        let rule = event.rule.unwrap_or_default();
        line("key", &format!("{} by {rule}", event.dedup_key));
    }
    for note in &recorded.notes {
        line("note", note);
    }
    if recorded.is_envelope && !judged.is_taken() {
        line(
            "note",
            "the gate keeps no query and no credential with an event: a request that needs one is refused here though it was taken",
        );
    }
    if judged.is_mismatch {
        line("next", "hookgate diagnose, with the same arguments");
    }
}
