//! `hookgate audit`: keys of the logs of the record, and an export of one, checked offline.

use std::path::{Path, PathBuf};

use hookgate::scheme::TimeUnit;
use hookgate::tlog::entry::ID_CHARACTERS_MAX;
use hookgate::tlog::export::{Finding, Record, Report, Trust, check};
use hookgate::tlog::native::{public_key, signing_key};
use hookgate::tlog::note::{KeyKind, Note, VerifierKey, is_name};
use lexopt::prelude::{Long, Short, Value, ValueExt as _};

use super::options::now_ms;
use super::{Failure, random, terminal};

const HELP: &str = "\
hookgate audit, the tamper-evident log of the record (docs/audit-log.md)

  hookgate audit keygen --name NAME
      Makes the key that signs the checkpoints of all tenants' logs. Prints two lines: the secret for
      the Worker (wrangler secret put AUDIT_LOG_KEY), and the public key to check with. NAME is a URL
      without its scheme, such as gate.example/audit; the log of tenant acme is gate.example/audit/acme.
      The secret is printed once and kept nowhere.

  hookgate audit vkey --key KEY --tenant TENANT
      The public key of one tenant's log, for witnesses and for other tools. KEY is keygen's.

  hookgate audit verify DIRECTORY --key KEY [--tenant TENANT] [--witness KEY]… [--checkpoint FILE]…
                        [--max-age TIME | --since TIME] [--json]
      Checks an export (./scripts/audit export) without asking anybody. DIRECTORY has the files of the
      log as https://c2sp.org/tlog-tiles lays them out, and records.ndjson: {id, salt, record} a line.
      If it has newest, what the gate said was the newest checkpoint, it must have nothing newer.
        --key KEY          the log's public key, or keygen's: from where you keep it, not from the gate
        --tenant TENANT    whose log it must be. keygen's key vouches for every tenant's: with it, this
                           must be said
        --witness KEY      this witness must have signed the checkpoint
        --checkpoint FILE  a checkpoint of this log that was kept elsewhere: the log must continue it.
                           Without it, or a witness, whoever has the log's key could have rewritten all.
        --max-age TIME     the checkpoint must not be older: 90m, 26h, 7d. Its time is the witness's, or
                           else that of its newest entry. An older one that is genuine may have been put
                           in its place; or nothing was recorded since
        --since TIME       the same by the clock: 2026-11-22T09:00:00Z
        --json             the report as one JSON object
      Says which record was altered, removed or inserted. A record that a logged run of retention
      deleted is expired, not removed. It shows nothing about what was never logged.
      Exit code 0: all as it was logged. 1: something is not, or is too old. 2: wrong usage, or nothing
      to read.
";

pub fn command(mut arguments: lexopt::Parser) -> Result<(), Failure> {
    match arguments.next()? {
        Some(Value(command)) if command == "keygen" => keygen(arguments),
        Some(Value(command)) if command == "vkey" => vkey(arguments),
        Some(Value(command)) if command == "verify" => verify(arguments),
        None | Some(Long("help") | Short('h')) => {
            print!("{HELP}");
            Ok(())
        }
        Some(other) => Err(other.unexpected().into()),
    }
}

fn keygen(mut arguments: lexopt::Parser) -> Result<(), Failure> {
    let mut name = String::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('h') | Long("help") => {
                print!("{HELP}");
                return Ok(());
            }
            Long("name") => name = arguments.value()?.string()?,
            other => return Err(other.unexpected().into()),
        }
    }
    // The tenant is put behind it, and all of it is a line of a checkpoint.
    if !is_name(&name) || name.ends_with('/') || name.len() > ID_CHARACTERS_MAX {
        return Err(Failure::Usage(
            "--name NAME: without spaces, plus or a slash at the end, such as gate.example/audit"
                .to_owned(),
        ));
    }
    let seed = random()?;
    let public = VerifierKey {
        name: name.clone(),
        kind: KeyKind::Ed25519,
        public_key: public_key(&seed),
    };
    println!("{}", signing_key(&name, seed).to_secret_text());
    println!("{}", public.to_text());
    Ok(())
}

fn vkey(mut arguments: lexopt::Parser) -> Result<(), Failure> {
    let (mut key, mut tenant) = (None, String::new());
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('h') | Long("help") => {
                print!("{HELP}");
                return Ok(());
            }
            Long("key") => key = Some(read_key("--key", &arguments.value()?.string()?)?),
            Long("tenant") => tenant = arguments.value()?.string()?,
            other => return Err(other.unexpected().into()),
        }
    }
    let key = key.ok_or_else(|| Failure::Usage("--key KEY is missing".to_owned()))?;
    let named = VerifierKey {
        name: format!("{}/{tenant}", key.name),
        ..key
    };
    if tenant.is_empty() || !is_name(&named.name) {
        return Err(Failure::Usage("--tenant TENANT is missing".to_owned()));
    }
    println!("{}", named.to_text());
    Ok(())
}

fn verify(mut arguments: lexopt::Parser) -> Result<(), Failure> {
    let (mut directory, mut key, mut is_json) = (None, None, false);
    let (mut witnesses, mut kept) = (Vec::new(), Vec::new());
    let (mut tenant, mut since_ms) = (None, None);
    let now_ms = now_ms();
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('h') | Long("help") => {
                print!("{HELP}");
                return Ok(());
            }
            Long("key") => key = Some(read_key("--key", &arguments.value()?.string()?)?),
            Long("witness") => {
                let witness = read_key("--witness", &arguments.value()?.string()?)?;
                if witness.kind != KeyKind::Cosignature {
                    let why = "--witness: not a key for cosignature/v1".to_owned();
                    return Err(Failure::Usage(why));
                }
                witnesses.push(witness);
            }
            Long("tenant") => tenant = Some(arguments.value()?.string()?),
            Long("max-age") => {
                let text = arguments.value()?.string()?;
                let age = duration_ms(&text)
                    .ok_or_else(|| Failure::Usage("--max-age: write 90m, 26h or 7d".to_owned()))?;
                since_ms = Some(now_ms.saturating_sub(age));
            }
            Long("since") => {
                let text = arguments.value()?.string()?;
                let time = hookgate::time::parse(&text, TimeUnit::Rfc3339).ok_or_else(|| {
                    Failure::Usage("--since: write 2026-11-22T09:00:00Z".to_owned())
                })?;
                since_ms = Some(time);
            }
            Long("checkpoint") => kept.push(read_note(&arguments.value()?.string()?)?),
            Long("json") => is_json = true,
            Value(path) if directory.is_none() => directory = Some(PathBuf::from(path)),
            other => return Err(other.unexpected().into()),
        }
    }
    let missing = |what: &str| Failure::Usage(format!("{what} is missing"));
    let directory = directory.ok_or_else(|| missing("DIRECTORY"))?;
    let key = key.ok_or_else(|| missing("--key KEY"))?;
    let records = read_records(&directory)?;
    let is_alone = witnesses.is_empty() && kept.is_empty();
    let newest = directory.join("newest");
    let newest = newest
        .exists()
        .then(|| read_note(&newest.to_string_lossy()))
        .transpose()?;
    let is_base = tenant.is_none();
    let below = format!("{}/", key.name);
    let trust = Trust {
        key,
        tenant,
        witnesses,
        kept,
        newest,
        since_ms,
    };
    let file = |path: &str| std::fs::read(directory.join(path)).ok();
    let report = check(file, &records, &trust);
    if let [Finding::OtherLog { origin }] = &*report.findings
        && is_base
        && origin.starts_with(&below)
    {
        return Err(Failure::Usage(format!(
            "--tenant TENANT is missing: the key is that of all tenants' logs, and this is {origin:?}"
        )));
    }
    let told_ms = report.time_ms();
    let unlogged = std::fs::read_to_string(directory.join("unlogged.ndjson"));
    let unlogged = unlogged.map_or(0, |text| text.lines().count());
    if is_json {
        let mut report = serde_json::to_value(&report).unwrap_or_default();
        report["checkpoint_at"] = told_ms.map(hookgate::time::rfc3339).into();
        report["unlogged"] = unlogged.into();
        report["age_seconds"] = told_ms.map(|ms| (now_ms - ms) / 1_000).into();
        println!("{}", terminal::json(&report));
    } else {
        tell(&report, is_alone, now_ms);
        if unlogged > 0 {
            println!(
                "Not looked at: {unlogged} records of the last hour, which were not logged yet."
            );
        }
    }
    match report.findings.iter().map(sentence).collect::<Vec<_>>() {
        findings if findings.is_empty() => Ok(()),
        _ if is_json => Err(Failure::Refused(Vec::new())),
        findings => Err(Failure::Refused(findings)),
    }
}

fn read_key(option: &str, text: &str) -> Result<VerifierKey, Failure> {
    let not_one = || Failure::Usage(format!("{option}: not a public key (name+id+base64)"));
    VerifierKey::parse(text).ok_or_else(not_one)
}

fn read_note(path: &str) -> Result<Note, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::Usage(format!("{path}: {error}")))?;
    Note::parse(&text).ok_or_else(|| Failure::Usage(format!("{path}: not a signed note")))
}

fn read_records(directory: &Path) -> Result<Vec<Record>, Failure> {
    let path = directory.join("records.ndjson");
    let wrong = |why: String| Failure::Usage(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
    let lines = text.lines().enumerate();
    lines
        .map(|(index, line)| {
            let record = serde_json::from_str(line);
            record.map_err(|error| wrong(format!("line {}: {error}", index + 1)))
        })
        .collect()
}

fn tell(report: &Report, is_alone: bool, now_ms: i64) {
    let Report {
        origin,
        size,
        records,
        expired,
        retention_runs,
        witnesses,
        newest_entry_ms,
        kept,
        ..
    } = report;
    if origin.is_empty() {
        return;
    }
    println!("{origin}: {size} entries");
    println!(
        "  {records} records as they were logged, {expired} expired in {retention_runs} runs of retention"
    );
    for (witness, time) in witnesses {
        let at = i64::try_from(*time)
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000);
        println!("  signed by {witness} at {}", dated(at, now_ms));
    }
    if let (true, Some(ms)) = (witnesses.is_empty(), newest_entry_ms) {
        let newest = dated(*ms, now_ms);
        println!("  no witness's time; its newest entry is of {newest}");
    }
    if *kept > 0 {
        println!("  continues {kept} checkpoints that were kept elsewhere");
    }
    if is_alone {
        println!(
            "  tamper-evident against store access only: no witness and no checkpoint from elsewhere was given"
        );
    }
    if report.ok {
        let at = report.time_ms().map(|ms| dated(ms, now_ms));
        println!(
            "OK: what was logged until {} is as it was logged. What was never logged, or was later, nothing here can show.",
            at.as_deref().unwrap_or("then")
        );
    }
}

/// A time, and how long ago it was.
fn dated(at_ms: i64, now_ms: i64) -> String {
    let seconds = now_ms.saturating_sub(at_ms) / 1_000;
    let ago = match seconds {
        ..0 => "in the future".to_owned(),
        0..120 => format!("{seconds} seconds ago"),
        120..7_200 => format!("{} minutes ago", seconds / 60),
        7_200..172_800 => format!("{} hours ago", seconds / 3_600),
        _ => format!("{} days ago", seconds / 86_400),
    };
    format!("{} ({ago})", hookgate::time::rfc3339(at_ms))
}

/// `90m`, `26h`, `7d` in milliseconds.
fn duration_ms(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let minutes = match unit {
        "m" => 1,
        "h" => 60,
        "d" => 1_440,
        _ => return None,
    };
    let number: u32 = number.parse().ok()?;
    Some(i64::from(number) * minutes * 60_000)
}

/// What an export may have in it is anything: texts of it are shown as they would stand in Rust.
fn sentence(finding: &Finding) -> String {
    let list = |ids: &[String]| {
        let few: Vec<String> = ids.iter().take(10).map(|id| format!("{id:?}")).collect();
        let more = ids.len().saturating_sub(10);
        let rest = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        few.join(", ") + &rest
    };
    match finding {
        Finding::CheckpointUnsigned => {
            "a checkpoint is missing, or the key given did not sign it".to_owned()
        }
        Finding::OtherLog { origin } => format!("a checkpoint is of another log, {origin:?}"),
        Finding::TooOld { time_ms, since_ms } => {
            let at = time_ms.map(hookgate::time::rfc3339);
            format!(
                "too old: the checkpoint is of {}, which is before {}. An older one was put in its place, or nothing was recorded since: ask the witness, or the gate",
                at.as_deref().unwrap_or("no known time"),
                hookgate::time::rfc3339(*since_ms)
            )
        }
        Finding::ArchiveBehind { size, newest } => format!(
            "too old: the archive has a checkpoint of {size} entries, and the gate had one of {newest}. Whoever may write the archive can put old files back"
        ),
        Finding::KeptUncompared { kept } => format!(
            "the checkpoint of size {kept} that was kept elsewhere cannot be compared: too much of the archive is altered"
        ),
        Finding::RunContradicted { place, id } => format!(
            "altered: entry {place} says of the run of retention {id:?} what the run's own record does not"
        ),
        Finding::Unwitnessed { witness } => {
            format!("the checkpoint bears no good signature of {witness:?}")
        }
        Finding::FileMissing { path } => format!("missing: {path}"),
        Finding::FileAltered { path } => format!("altered: {path}; the entries are as logged"),
        Finding::EntriesAltered { from, to, ids } => format!(
            "altered: entries {from} to {} of the log, where there is now {}",
            to.saturating_sub(1),
            list(ids)
        ),
        Finding::EntriesRemoved { from, to } => {
            format!(
                "removed: entries {from} to {} of the log",
                to.saturating_sub(1)
            )
        }
        Finding::EntriesInserted { at, ids } => {
            format!("inserted: before entry {at} of the log, {}", list(ids))
        }
        Finding::TreeAltered => {
            "altered: neither the entries nor the hashes are those of the checkpoint. Whoever may write the archive can do this".to_owned()
        }
        Finding::HistoryRewritten { from, to } => format!(
            "rewritten: among entries {from} to {}, since the checkpoint of size {to} left. The log's key signed both: whoever has it, or may deploy the Worker, did this",
            to.saturating_sub(1)
        ),
        Finding::HistoryCut { size, kept } => format!(
            "removed: entries {size} to {}, which a checkpoint that was kept elsewhere has. An older log was put in its place, by whoever may write the archive, or it was cut by whoever has its key",
            kept.saturating_sub(1)
        ),
        Finding::EntryUnreadable { place } => format!("entry {place} is of no version known here"),
        Finding::EntryRepeated { place, id } => format!("entry {place} repeats {id:?}"),
        Finding::RecordAltered { place, id } => format!("altered: record {id:?}, entry {place}"),
        Finding::RecordRemoved { place, id } => format!("removed: record {id:?}, entry {place}"),
        Finding::RecordInserted { id } => format!("inserted: record {id:?} was never logged"),
        Finding::RemovedBeforeRetention {
            place,
            gone,
            deleted,
        } => format!(
            "removed: {gone} records are gone that the run of retention of entry {place} could have deleted, and it deleted {deleted}"
        ),
    }
}
