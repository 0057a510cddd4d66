//! The options that the commands about recorded requests share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use hookgate::gate::{Gate, LiveSource};
use lexopt::prelude::{Long, Short, Value, ValueExt as _};

use super::judge::{Clock, assemble};
use super::recorded::Recorded;
use super::secrets::Secrets;
use super::terminal::plain;
use super::{Failure, read_sources};

/// What the options are called, for the commands' help.
pub const HELP: &str = "  FILE                  the request: as it came over the wire (request line, headers, empty line,
                        body), as `hookgate sign` prints one, a held event, or a dead letter; `-` is
                        standard input
  --source NAME         whose request it is, where its path does not say so
  --sources FILE        default sources.toml
  --secret-file FILE    NAME=value lines; default .dev.vars where that is there. A name that is not in
                        it is looked up in the environment
  --body FILE           the body, where the request's file does not have it
  --document URL=FILE   what stands at that URL (a certificate, a key set); nothing is fetched
  --clock TIME          now, signed (its own time, so that its age does not matter), seconds or
                        milliseconds since 1970, or 2025-10-09T08:53:20Z. Default: when the gate had
                        read it, where the file says so, else now
  --json                one JSON object instead of words
";

/// What was asked for.
pub struct Options {
    pub files: Vec<String>,
    pub source: Option<String>,
    pub sources: String,
    secret_file: Option<String>,
    body: Option<String>,
    pub documents: BTreeMap<String, String>,
    clock: Option<String>,
    pub as_json: bool,
    /// Options without a value that only one command has.
    pub flags: Vec<String>,
}

impl Options {
    /// Reads the arguments. `None`: the help was asked for, and printed.
    ///
    /// # Errors
    /// Wrong usage.
    pub fn read(
        mut arguments: lexopt::Parser,
        help: &str,
        flags: &[&str],
    ) -> Result<Option<Self>, Failure> {
        let mut options = Options {
            files: Vec::new(),
            source: None,
            sources: "sources.toml".to_owned(),
            secret_file: None,
            body: None,
            documents: BTreeMap::new(),
            clock: None,
            as_json: false,
            flags: Vec::new(),
        };
        while let Some(argument) = arguments.next()? {
            match argument {
                Short('h') | Long("help") => {
                    print!("{help}");
                    return Ok(None);
                }
                Long("json") => options.as_json = true,
                Long("source") => options.source = Some(arguments.value()?.string()?),
                Long("sources") => options.sources = arguments.value()?.string()?,
                Long("secret-file") => options.secret_file = Some(arguments.value()?.string()?),
                Long("body") => options.body = Some(arguments.value()?.string()?),
                Long("clock") => options.clock = Some(arguments.value()?.string()?),
                Long("document") => {
                    let text = arguments.value()?.string()?;
                    let (url, file) = text.rsplit_once('=').ok_or_else(|| {
                        Failure::Usage("--document URL=FILE: there is no = in it".into())
                    })?;
                    let text = String::from_utf8_lossy(&bytes_of(file)?).into_owned();
                    options.documents.insert(url.to_owned(), text);
                }
                Long(flag) if flags.contains(&flag) => options.flags.push(flag.to_owned()),
                Value(file) => options.files.push(file.string()?),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(Some(options))
    }

    /// The one request that is to be looked at.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn recorded(&self) -> Result<Recorded, Failure> {
        let [file] = self.files.as_slice() else {
            return Err(Failure::Usage("name one file with a request, or -".into()));
        };
        let mut recorded = Recorded::read(&bytes_of(file)?)
            .map_err(|error| Failure::Refused(vec![plain(&format!("{file}: {error}"))]))?;
        if let Some(body) = &self.body {
            recorded.body = bytes_of(body)?;
            recorded.notes.clear();
        }
        Ok(recorded)
    }

    pub fn secrets(&self) -> Result<Secrets, Failure> {
        Secrets::read(self.secret_file.as_deref())
    }

    /// The gate, and the source whose request it is.
    ///
    /// # Errors
    /// There is no such source, or the sources file is refused.
    pub fn live(&self, recorded: &Recorded) -> Result<(Gate, Arc<LiveSource>), Failure> {
        let (config, _) = read_sources(&self.sources)?;
        let names: Vec<String> = config.sources.keys().cloned().collect();
        let gate = assemble(config, &self.secrets()?);
        let name = self.source.as_ref().or(recorded.source.as_ref());
        let live = name.and_then(|name| gate.source(name)).cloned();
        match live {
            Some(live) => Ok((gate, live)),
            None => Err(Failure::Refused(vec![plain(&format!(
                "whose request is it? There is no source \"{}\" in {}; use --source with one of: {}",
                name.map_or("", String::as_str),
                self.sources,
                names.join(", ")
            ))])),
        }
    }

    pub fn clock(&self) -> Result<Clock, Failure> {
        match &self.clock {
            None => Ok(Clock::Recorded),
            Some(text) => {
                Clock::read(text, now_ms()).map_err(|error| Failure::Usage(plain(&error)))
            }
        }
    }
}

/// A file's bytes, or those of standard input.
///
/// # Errors
/// It cannot be read.
pub fn bytes_of(file: &str) -> Result<Vec<u8>, Failure> {
    let read = if file == "-" {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    read.map_err(|error| Failure::Refused(vec![plain(&format!("{file}: {error}"))]))
}

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}
