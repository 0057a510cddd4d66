//! `hookgate sign`: a request as the provider of a source would sign it.

use std::collections::BTreeMap;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookgate::config;
use hookgate::keys::LiveKey;
use hookgate::sign::{Draft, Signed, a_type, sample, sign, tamper, unsignable};
use lexopt::prelude::{Long, Short, ValueExt as _};

use super::terminal::json;
use super::{Failure, read_sources};

/// Sample bodies by scheme.
const SAMPLES: &[(&str, &str)] = &[
    (
        "github",
        include_str!("../../../../scripts/samples/github.json"),
    ),
    (
        "heroku",
        include_str!("../../../../scripts/samples/heroku.json"),
    ),
    (
        "koogallery-v1",
        include_str!("../../../../scripts/samples/koogallery-v1.query"),
    ),
    (
        "koogallery-v2",
        include_str!("../../../../scripts/samples/koogallery-v2.json"),
    ),
    (
        "shopify",
        include_str!("../../../../scripts/samples/shopify.json"),
    ),
    (
        "slack",
        include_str!("../../../../scripts/samples/slack.json"),
    ),
    (
        "standard-webhooks",
        include_str!("../../../../scripts/samples/standard-webhooks.json"),
    ),
    (
        "stripe",
        include_str!("../../../../scripts/samples/stripe.json"),
    ),
    (
        "svix",
        include_str!("../../../../scripts/samples/standard-webhooks.json"),
    ),
    (
        "vercel",
        include_str!("../../../../scripts/samples/vercel.json"),
    ),
];

const HELP: &str = "\
usage: hookgate sign --source NAME [options]

Prints a request signed as the provider of that source would sign it, one JSON object a line: method,
target, headers, body_base64. No request is sent. Every scheme can be signed but those that take the sender's
private key; where the URL is signed, it is the one of the source's pin.

  --sources FILE        default sources.toml
  --secret-file FILE    NAME=value lines, default .dev.vars
  --secret VALUE        instead of the source's first secret
  --body FILE           instead of the sample, which nobody sends but has all that the scheme looks for;
                        {{event_id}} and {{time}} are filled in
  --event-id ID         default demo-1
  --event-type TYPE     where the type is a header
  --age SECONDS         sign as of that long ago (negative: ahead)
  --tamper              change one character after signing
  --count N             N requests; from the second on, -2, -3, … is appended to the id

Examples
  hookgate sign --source github
  hookgate sign --source stripe --age 3600 | hookgate verify -
  hookgate sign --source custom --count 100 > traffic.ndjson

Exit codes
  0  signed          1  it cannot be signed, or a file cannot be read          2  wrong usage
";

/// What is to be signed.
#[derive(Default)]
pub struct SignOptions {
    source: String,
    sources: Option<String>,
    secret_file: Option<String>,
    secret: Option<String>,
    body: Option<String>,
    event_id: Option<String>,
    event_type: Option<String>,
    age_seconds: i64,
    tamper: bool,
    count: u32,
}

impl SignOptions {
    pub fn new() -> Self {
        SignOptions {
            count: 1,
            ..SignOptions::default()
        }
    }

    /// Takes the option of this name.
    ///
    /// # Errors
    /// There is no such option, or its value is none.
    pub fn take(&mut self, name: &str, arguments: &mut lexopt::Parser) -> Result<(), Failure> {
        let mut text = || -> Result<String, Failure> { Ok(arguments.value()?.string()?) };
        match name {
            "source" => self.source = text()?,
            "sources" => self.sources = Some(text()?),
            "secret-file" => self.secret_file = Some(text()?),
            "secret" => self.secret = Some(text()?),
            "body" => self.body = Some(text()?),
            "event-id" => self.event_id = Some(text()?),
            "event-type" => self.event_type = Some(text()?),
            "age" => self.age_seconds = arguments.value()?.parse()?,
            "tamper" => self.tamper = true,
            "count" => self.count = arguments.value()?.parse()?,
            other => return Err(Failure::Usage(format!("there is no option --{other}"))),
        }
        Ok(())
    }
}

pub fn command(mut arguments: lexopt::Parser) -> Result<(), Failure> {
    let mut options = SignOptions::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('h') | Long("help") => {
                print!("{HELP}");
                return Ok(());
            }
            Long(name) => {
                let name = name.to_owned();
                options.take(&name, &mut arguments)?;
            }
            other => return Err(other.unexpected().into()),
        }
    }
    for signed in signed_requests(&options)? {
        println!(
            "{}",
            json(&serde_json::json!({
                "method": signed.method,
                "target": signed.target,
                "headers": signed.headers,
                "body_base64": STANDARD.encode(&signed.body),
            }))
        );
    }
    Ok(())
}

/// The requests, signed.
///
/// # Errors
/// There is no such source, no secret, or its scheme cannot sign this.
pub fn signed_requests(options: &SignOptions) -> Result<Vec<Signed>, Failure> {
    let file = options.sources.as_deref().unwrap_or("sources.toml");
    let (config, _) = read_sources(file)?;
    let refuse = |text: String| Failure::Refused(vec![text]);
    let Some(source) = config.sources.get(&options.source) else {
        let names: Vec<&str> = config.sources.keys().map(String::as_str).collect();
        return Err(refuse(format!(
            "no source \"{}\" in {file}; there are: {}",
            options.source,
            names.join(", ")
        )));
    };
    let Some(scheme) = config.schemes.get(&source.scheme) else {
        return Err(refuse(format!("no scheme \"{}\"", source.scheme)));
    };
    if let Some(why) = unsignable(scheme) {
        return Err(refuse(why));
    }
    let name = source
        .secrets
        .first()
        .map(config::SecretRef::name)
        .unwrap_or_default();
    let secret_file = options.secret_file.as_deref().unwrap_or(".dev.vars");
    let secret = match &options.secret {
        Some(secret) => secret.clone(),
        None => read_secret(secret_file, name)?,
    };
    let mut pins = source.pins.clone();
    for value in pins.values_mut() {
        if let Some(name) = value.strip_prefix('$') {
            *value = read_secret(secret_file, name)?;
        }
    }
    let key = LiveKey::new(name, &secret, &scheme.key, scheme.algorithm).map_err(|error| {
        refuse(format!(
            "{name}: not a key for {}: {error:?}",
            source.scheme
        ))
    })?;
    let template = match &options.body {
        Some(path) => std::fs::read(path).map_err(|error| refuse(format!("{path}: {error}")))?,
        None => SAMPLES
            .iter()
            .find(|(known, _)| *known == source.scheme)
            .map_or_else(|| sample(scheme), |(_, sample)| sample.as_bytes().to_vec()),
    };
    let event_type = options.event_type.clone().unwrap_or_else(|| {
        source
            .discriminator_values
            .first()
            .cloned()
            .unwrap_or_else(|| a_type(scheme, "push"))
    });
    let time_ms = now_ms() - options.age_seconds.saturating_mul(1_000);
    let mut requests = Vec::new();
    for number in 1..=options.count {
        let mut event_id = options
            .event_id
            .clone()
            .unwrap_or_else(|| "demo-1".to_owned());
        if number > 1 {
            event_id.push_str(&format!("-{number}"));
        }
        let body = fill_in(&template, &event_id, time_ms);
        let draft = Draft {
            source: &options.source,
            scheme,
            body: &body,
            event_id: &event_id,
            event_type: &event_type,
            nonce: &format!("nonce-{}-{number}", now_nanos()),
            time_ms,
            pins: &pins,
        };
        let mut signed = sign(&draft, &key).map_err(refuse)?;
        if options.tamper {
            tamper(&mut signed);
        }
        requests.push(signed);
    }
    Ok(requests)
}

/// Fills in the places of a sample. A body that is not text is left as it is.
fn fill_in(template: &[u8], event_id: &str, time_ms: i64) -> Vec<u8> {
    match std::str::from_utf8(template) {
        Ok(text) => text
            .replace("{{event_id}}", event_id)
            .replace("{{time}}", &hookgate::time::rfc3339(time_ms))
            .into_bytes(),
        Err(_) => template.to_vec(),
    }
}

/// Reads a value from NAME=value lines, quotes around it removed.
fn read_secret(file: &str, name: &str) -> Result<String, Failure> {
    let missing = |why: String| {
        Failure::Refused(vec![format!(
            "{why}; ./scripts/dev makes the demo's secrets, or use --secret"
        )])
    };
    let text =
        std::fs::read_to_string(file).map_err(|error| missing(format!("{file}: {error}")))?;
    let values: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim().trim_matches(['"', '\''])))
        .collect();
    match values.get(name) {
        Some(value) if !value.is_empty() => Ok((*value).to_owned()),
        _ => Err(missing(format!("{file} has no {name}"))),
    }
}

fn now_nanos() -> u128 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos())
}

fn now_ms() -> i64 {
    i64::try_from(now_nanos() / 1_000_000).unwrap_or(i64::MAX)
}
