//! The tool beside the Worker: the same code, without the platform.

#![allow(clippy::disallowed_methods, reason = "a tool reads the clock itself")]
#![cfg_attr(target_arch = "wasm32", allow(dead_code))]

#[cfg(target_arch = "wasm32")]
fn main() {}

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    tool::main()
}

#[cfg(not(target_arch = "wasm32"))]
mod tool {
    use std::collections::BTreeMap;
    use std::process::ExitCode;
    use std::time::SystemTime;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use hookgate::config;
    use hookgate::keys::LiveKey;
    use hookgate::sign::{Draft, sign, tamper};
    use lexopt::prelude::{Long, Value, ValueExt as _};

    const HELP: &str = "\
hookgate, the tool beside the Worker

  hookgate lint [--sources FILE] [--environment NAME] [--deployed FILE]
      Checks a sources file (default sources.toml) as the build does, and with NAME = production
      also what may only be done there when it is acknowledged. Each scheme signs a request and
      verifies it. With --deployed, the sources file that is live now: refuses what would forget
      events under way.
      Exit code 0: in order. 1: refused, each reason a sentence. 2: wrong usage.

  hookgate sign --source NAME [options]
      Prints a request signed as the provider of that source would sign it, one JSON object a
      line: method, target, headers, body_base64.
        --sources FILE      default sources.toml
        --secret-file FILE  NAME=value lines, default .dev.vars
        --secret VALUE      instead of the source's first secret
        --body FILE         instead of the sample; {{event_id}} and {{time}} are filled in
        --event-id ID       default demo-1
        --event-type TYPE   where the type is a header
        --age SECONDS       sign as of that long ago (negative: ahead)
        --tamper            change one character after signing
        --count N           N requests; from the second on, -2, -3, … is appended to the id
";

    /// Sample bodies by scheme.
    const SAMPLES: &[(&str, &str)] = &[
        ("github", include_str!("../../scripts/samples/github.json")),
        ("heroku", include_str!("../../scripts/samples/heroku.json")),
        (
            "koogallery-v1",
            include_str!("../../scripts/samples/koogallery-v1.query"),
        ),
        (
            "koogallery-v2",
            include_str!("../../scripts/samples/koogallery-v2.json"),
        ),
        (
            "shopify",
            include_str!("../../scripts/samples/shopify.json"),
        ),
        ("slack", include_str!("../../scripts/samples/slack.json")),
        (
            "standard-webhooks",
            include_str!("../../scripts/samples/standard-webhooks.json"),
        ),
        ("stripe", include_str!("../../scripts/samples/stripe.json")),
        (
            "svix",
            include_str!("../../scripts/samples/standard-webhooks.json"),
        ),
        ("vercel", include_str!("../../scripts/samples/vercel.json")),
    ];
    const SAMPLE: &str = include_str!("../../scripts/samples/custom.json");

    enum Failure {
        Usage(String),
        Refused(Vec<String>),
    }

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
        }
    }

    fn run() -> Result<(), Failure> {
        let mut arguments = lexopt::Parser::from_env();
        match arguments.next()? {
            Some(Value(command)) if command == "lint" => lint(arguments),
            Some(Value(command)) if command == "sign" => sign_command(arguments),
            None | Some(Long("help") | lexopt::Arg::Short('h')) => {
                print!("{HELP}");
                Ok(())
            }
            Some(other) => Err(other.unexpected().into()),
        }
    }

    fn lint(mut arguments: lexopt::Parser) -> Result<(), Failure> {
        let mut file = "sources.toml".to_owned();
        let mut environment = "development".to_owned();
        let mut deployed = None;
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("sources") => file = arguments.value()?.string()?,
                Long("environment") => environment = arguments.value()?.string()?,
                Long("deployed") => deployed = Some(arguments.value()?.string()?),
                other => return Err(other.unexpected().into()),
            }
        }
        let (config, findings) = read_sources(&file)?;
        let unverifiable = config.schemes.iter().filter_map(|(name, scheme)| {
            let error = hookgate::sign::self_test(scheme).err()?;
            Some(format!("{file}: [schemes.{name}]: {error}"))
        });
        let observers = config.unacknowledged_observers(&environment).into_iter().map(|name| {
            format!("{file}: [sources.{name}]: mode = \"observe\" refuses every delivery in {environment}: if that is meant, set observe_in_production = true")
        });
        let deployed = deployed.map(|file| read_sources(&file)).transpose()?;
        let gaps = deployed
            .iter()
            .flat_map(|(deployed, _)| config::gaps(deployed, &config));
        let gaps = gaps.map(|gap| format!("{file}: {gap}"));
        let refused: Vec<String> = unverifiable.chain(observers).chain(gaps).collect();
        if !refused.is_empty() {
            return Err(Failure::Refused(refused));
        }
        for warning in findings.warnings {
            println!("{file}: warning: {warning}");
        }
        println!(
            "{file}: in order: {} sources, {} destinations, {} secrets",
            config.sources.len(),
            config.destinations.len(),
            config.secret_names().len()
        );
        Ok(())
    }

    #[derive(Default)]
    struct SignOptions {
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

    fn sign_command(mut arguments: lexopt::Parser) -> Result<(), Failure> {
        let mut options = SignOptions {
            count: 1,
            ..SignOptions::default()
        };
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("source") => options.source = arguments.value()?.string()?,
                Long("sources") => options.sources = Some(arguments.value()?.string()?),
                Long("secret-file") => options.secret_file = Some(arguments.value()?.string()?),
                Long("secret") => options.secret = Some(arguments.value()?.string()?),
                Long("body") => options.body = Some(arguments.value()?.string()?),
                Long("event-id") => options.event_id = Some(arguments.value()?.string()?),
                Long("event-type") => options.event_type = Some(arguments.value()?.string()?),
                Long("age") => options.age_seconds = arguments.value()?.parse()?,
                Long("tamper") => options.tamper = true,
                Long("count") => options.count = arguments.value()?.parse()?,
                other => return Err(other.unexpected().into()),
            }
        }
        sign_requests(&options)
    }

    fn sign_requests(options: &SignOptions) -> Result<(), Failure> {
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
        let name = source
            .secrets
            .first()
            .map(config::SecretRef::name)
            .unwrap_or_default();
        let secret = match &options.secret {
            Some(secret) => secret.clone(),
            None => read_secret(options.secret_file.as_deref().unwrap_or(".dev.vars"), name)?,
        };
        let key = LiveKey::new(name, &secret, &scheme.key, scheme.algorithm).map_err(|error| {
            refuse(format!(
                "{name}: not a key for {}: {error:?}",
                source.scheme
            ))
        })?;
        let template = match &options.body {
            Some(path) => {
                std::fs::read(path).map_err(|error| refuse(format!("{path}: {error}")))?
            }
            None => SAMPLES
                .iter()
                .find(|(known, _)| *known == source.scheme)
                .map_or(SAMPLE, |(_, sample)| sample)
                .as_bytes()
                .to_vec(),
        };
        let event_type = options.event_type.clone().unwrap_or_else(|| {
            source
                .discriminator_values
                .first()
                .cloned()
                .unwrap_or_else(|| "push".to_owned())
        });
        let time_ms = now_ms() - options.age_seconds.saturating_mul(1_000);
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
            };
            let mut signed = sign(&draft, &key).map_err(refuse)?;
            if options.tamper {
                tamper(&mut signed);
            }
            println!(
                "{}",
                serde_json::json!({
                    "method": signed.method,
                    "target": signed.target,
                    "headers": signed.headers,
                    "body_base64": STANDARD.encode(&signed.body),
                })
            );
        }
        Ok(())
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
}
