//! `hookgate diagnose`: why a signature does not match.

use std::cell::RefCell;
use std::sync::Arc;

use hookgate::diagnosis::{Case, Judgement, Mistake, Thorough, diagnose_thoroughly, mistakes};
use hookgate::gate::LiveSource;
use hookgate::public_key::native;
use hookgate::request::Inbound;
use hookgate::scheme::Scheme;
use hookgate::verify::{Matched, Statement};
use serde_json::{Value, json};

use super::judge::{head_of, judge};
use super::options::{HELP as OPTIONS, Options, now_ms};
use super::terminal::{json as json_line, plain};
use super::{Failure, NOT_JUDGED};

fn help() -> String {
    format!(
        "\
usage: hookgate diagnose FILE [options]
       hookgate diagnose --list

Tries out the mistakes that senders make, one by one and each two together: the secret decoded or not,
the body with another line end or written again as JSON, parts in another order, and so on. Only the
source's own secrets are tried, those of retired_secrets as well. Nothing is sent anywhere.

{OPTIONS}  --list                prints what is tried, as a table

Examples
  hookgate diagnose request.http
  hookgate diagnose request.http --source billing --secret-file partner.env --json

Exit codes
  0  there is nothing wrong with the signature
  1  it is wrong, and the cause was found; or a file cannot be read
  2  wrong usage
  3  it is wrong, and no known mistake explains it; or a secret or a document is not there
"
    )
}

pub fn command(arguments: lexopt::Parser) -> Result<(), Failure> {
    let Some(options) = Options::read(arguments, &help(), &["list"])? else {
        return Ok(());
    };
    if options.flags.contains(&"list".to_owned()) {
        return list(options.as_json);
    }
    let clock = options.clock()?;
    let recorded = options.recorded()?;
    let (_gate, live) = options.live(&recorded)?;
    let judged = judge(&live, &recorded, &options.documents, clock, now_ms());
    let reason = judged.reason.unwrap_or_default();
    let say = |line: Value, words: &str| {
        if options.as_json {
            println!("{}", json_line(&line));
        } else {
            println!("{}", plain(words));
        }
    };
    if judged.is_ours && judged.reason != Some("key_unusable") && live.keys.is_empty() {
        let words = format!("cannot be judged: {}", judged.why);
        say(
            json!({ "verdict": judged.verdict, "reason": reason, "why": judged.why, "findings": [] }),
            &words,
        );
        return Err(Failure::Quietly(NOT_JUDGED));
    }
    let is_about_form = matches!(
        reason,
        "signature_mismatch"
            | "malformed_signature"
            | "malformed_time"
            | "secret_missing"
            | "secret_unusable"
    );
    if !is_about_form {
        let words = format!(
            "nothing is wrong with the signature: {} ({})",
            judged.word(),
            judged.why
        );
        say(
            json!({ "verdict": judged.verdict, "reason": judged.reason, "why": judged.why, "findings": [] }),
            &words,
        );
        return Ok(());
    }
    let head = head_of(&recorded, &live);
    let scheme = Scheme::clone(&live.scheme);
    let mut case = Case::of(&live, scheme, head, Some(recorded.body.clone()));
    let found = if live.scheme.is_stated() {
        // A copy of the source, to be varied with the case.
        let (gate, varied) = options.live(&recorded)?;
        drop(gate);
        let varied = Arc::into_inner(varied).map(RefCell::new);
        diagnose_thoroughly(&mut case, &|case| {
            let Some(varied) = &varied else {
                return Judgement::Wrong;
            };
            let mut live = varied.borrow_mut();
            case.vary(&mut live);
            let document = |url: &str| options.documents.get(url).cloned();
            let key = who_signed(&live, case, document, judged.now_ms);
            key.map_or(Judgement::Wrong, Judgement::Right)
        })
    } else {
        diagnose_thoroughly(&mut case, &|case| case.judge())
    };
    if options.as_json {
        say(to_json(&found, &judged.why, reason), "");
    } else {
        print(&found, &judged.why, reason);
        for note in &recorded.notes {
            println!("  note     {}", plain(note));
        }
    }
    Err(Failure::Quietly(if found.findings.is_empty() {
        NOT_JUDGED
    } else {
        1
    }))
}

/// The name of the key that made the signature of what is read as a whole.
fn who_signed(
    live: &LiveSource,
    case: &Case<'_>,
    document: impl Fn(&str) -> Option<String>,
    now_ms: i64,
) -> Option<String> {
    let inbound = Inbound::new(case.head(), case.body(), &live.json_pointers);
    let (statement, _) = Statement::read(live, &inbound).ok()?;
    if live.scheme.is_public() {
        native::settle(live, &statement, document, now_ms).ok()?;
        return Some("the public key".into());
    }
    let (matched, _) = statement.matched(live)?;
    let Matched::Mac { key } = matched else {
        return None;
    };
    Some(live.keys.get(key)?.name.clone())
}

fn to_json(found: &Thorough, why: &str, reason: &str) -> Value {
    let mistake = |mistake: &Mistake| json!({ "hypothesis": mistake.name, "words": mistake.words, "remedy": mistake.remedy });
    let findings = found.findings.iter().map(|finding| {
        json!({
            "key_id": finding.key_id,
            "mistakes": finding.mistakes.iter().map(mistake).collect::<Vec<_>>(),
        })
    });
    json!({
        "verdict": "refused",
        "reason": reason,
        "why": why,
        "findings": findings.collect::<Vec<_>>(),
        "tried": found.tried,
        "is_cut_short": found.is_cut_short,
    })
}

fn print(found: &Thorough, why: &str, reason: &str) {
    println!("refused: {reason}");
    println!("  why      {}", plain(why));
    if found.findings.is_empty() {
        println!("  cause    none of {} variations explains it", found.tried);
        println!(
            "  next     another secret, or other bytes: compare the sender's signed text with this file, byte by byte"
        );
    }
    for finding in &found.findings {
        for mistake in &finding.mistakes {
            println!("  cause    {} ({})", mistake.words, mistake.name);
            println!("  remedy   {}", mistake.remedy);
        }
        println!("  secret   {}", plain(&finding.key_id));
    }
    if found.is_cut_short {
        println!("  note     more would have been tried with a shorter body");
    }
}

/// The table of docs/runbook.md.
fn list(as_json: bool) -> Result<(), Failure> {
    let all = mistakes();
    if as_json {
        for mistake in all {
            println!(
                "{}",
                json!({ "hypothesis": mistake.name, "words": mistake.words, "remedy": mistake.remedy })
            );
        }
        return Ok(());
    }
    println!("| hypothesis | what was done | what to do |\n| --- | --- | --- |");
    for mistake in all {
        println!(
            "| `{}` | {} | {} |",
            mistake.name, mistake.words, mistake.remedy
        );
    }
    Ok(())
}
