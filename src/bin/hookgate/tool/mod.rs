//! The commands, and what they share.

/// Like the standard library's, but a reader that has seen enough, as `head` has, ends the tool instead of
/// making it panic.
macro_rules! print {
    ($($text:tt)*) => {
        $crate::tool::terminal::say(format_args!($($text)*))
    };
}
macro_rules! println {
    () => {
        print!("\n")
    };
    ($($text:tt)*) => {
        print!("{}\n", format_args!($($text)*))
    };
}

mod admin;
mod audit;
mod diagnose;
mod judge;
mod lint;
mod lint_secrets;
mod options;
mod recorded;
mod schemes;
mod schemes_needs;
mod schemes_text;
mod secrets;
mod send;
mod sign;
mod terminal;
mod vectors;
mod verify;
mod whatif;

use std::process::ExitCode;

use hookgate::config;
use lexopt::prelude::{Long, Value};

const HELP: &str = "\
hookgate, the tool beside the Worker

  hookgate lint [--sources FILE] [--environment NAME] [--deployed FILE] [--secret-file FILE]… [--json]
      Checks a sources file (default sources.toml) as the build does, and with NAME = production
      also what may only be done there when it is acknowledged. Each scheme signs a request and
      verifies it. With --deployed, the sources file that is live now: refuses what would forget
      events under way. With --secret-file, NAME=value lines: refuses secrets that are missing,
      unusable, shared by sources that must not, or known to everybody; and with two such files, of
      two environments, those that are the same in both. No value is printed. With --json, one JSON
      object: verdict (in_order or refused), faults, warnings and counts.
      Exit code 0: in order. 1: refused, each reason a sentence. 2: wrong usage.

  hookgate verify FILE [options]
      Runs a recorded request through the gate's own code, offline: what it would say, and why.

  hookgate diagnose FILE [options]
      Why a signature does not match: tries out the mistakes that senders make.

  hookgate whatif OLD NEW TRAFFIC [options]
      What another sources file would change for traffic that was recorded.

  hookgate sign --source NAME [options]
      Prints a request signed as the provider of that source would sign it.

  hookgate send --source NAME [options]
      Signs one and posts it to the gate.

  These have a help of their own with examples and exit codes: hookgate COMMAND --help. No command
  prints a secret.

  hookgate audit keygen | vkey | verify
      The tamper-evident log of the record: its keys, and an export of it checked offline.
      hookgate audit --help says more.

  hookgate admin token NAME [--role read|operate] [--tenants TENANTS]
      Makes an operator's token, and the line for the Worker's secret ADMINS. hookgate admin --help
      says more.

  hookgate schemes [--list | --json]
      Prints docs/schemes.md from the table of schemes; with --list, README.md's list of them. With
      --json, one JSON object a line for each scheme: its entry, and what the page says besides.

  hookgate vectors FILE… [--json]
      Runs files of test vectors, each a JSON array of entries (tests/vectors/README.md), and prints
      a line for each entry that does not come out as expected, then the counts for each scheme.
      The clock is the entry's now_unix_ms or now_unix, else its timestamp_unix; where it has none,
      freshness is not judged. Nothing is fetched.
      With --json, one JSON object a line for each entry, and the rest on standard error.
      Exit code 0: all as expected. 1: some not. 2: none of that, but a scheme that is unknown here.
";

/// How a command ends when it does not succeed.
pub enum Failure {
    Usage(String),
    Refused(Vec<String>),
    /// A vector is of a scheme that the gate does not have.
    Unknown,
    /// All is said; this is the exit code.
    Quietly(u8),
}

/// The exit code of what could not be judged: nothing is known to be wrong, and nothing to be right.
const NOT_JUDGED: u8 = 3;

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Failure::Usage(error.to_string())
    }
}

pub fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(text)) => {
            eprintln!("hookgate: {text}\nTry hookgate --help");
            ExitCode::from(2)
        }
        Err(Failure::Refused(errors)) => {
            for error in errors {
                eprintln!("hookgate: {error}");
            }
            ExitCode::FAILURE
        }
        Err(Failure::Unknown) => ExitCode::from(2),
        Err(Failure::Quietly(code)) => ExitCode::from(code),
    }
}

fn run() -> Result<(), Failure> {
    let mut arguments = lexopt::Parser::from_env();
    match arguments.next()? {
        Some(Value(command)) if command == "admin" => admin::command(arguments),
        Some(Value(command)) if command == "audit" => audit::command(arguments),
        Some(Value(command)) if command == "lint" => lint::command(arguments),
        Some(Value(command)) if command == "sign" => sign::command(arguments),
        Some(Value(command)) if command == "schemes" => schemes::command(arguments),
        Some(Value(command)) if command == "vectors" => vectors::command(arguments),
        Some(Value(command)) if command == "verify" => verify::command(arguments),
        Some(Value(command)) if command == "diagnose" => diagnose::command(arguments),
        Some(Value(command)) if command == "whatif" => whatif::command(arguments),
        Some(Value(command)) if command == "send" => send::command(arguments),
        None | Some(Long("help") | lexopt::Arg::Short('h')) => {
            print!("{HELP}");
            Ok(())
        }
        Some(other) => Err(other.unexpected().into()),
    }
}

/// Fresh bytes for what must not be guessed.
fn random() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    let read = std::fs::File::open("/dev/urandom")
        .and_then(|mut source| std::io::Read::read_exact(&mut source, &mut bytes));
    read.map_err(|error| Failure::Refused(vec![format!("/dev/urandom: {error}")]))?;
    Ok(bytes)
}

fn read_sources(file: &str) -> Result<(config::Config, config::Findings), Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::Refused(vec![format!("{file}: {error}")]))?;
    config::from_toml(&text).map_err(|errors| {
        Failure::Refused(
            errors
                .into_iter()
                .map(|error| format!("{file}: {error}"))
                .collect(),
        )
    })
}
