//! Secrets, compared when the gate is configured and never on a request: a request tells nobody whether it would be
//! right elsewhere.

use hookgate::config::Config;
use hookgate::gate::Gate;
use hookgate::verdict::Trouble;

use super::Failure;
use super::secrets::Secrets;
use super::terminal::plain;

/// Printed in providers' documentation and in everybody's first try. The first four are GitHub's, Standard Webhooks',
/// Svix's and Slack's examples (tests/vectors names the pages).
const KNOWN_TO_EVERYBODY: [&str; 10] = [
    "It's a Secret to Everybody",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "whsec_plJ3nmyCDGBKInavdOK15jsl",
    "8f742231b10e8888abcd99yyyzzz85a5",
    "secret",
    "changeme",
    "password",
    "test",
    "undefined",
    "null",
];

/// Sentences about the values in these files, each an environment's. None has a value in it.
pub fn faults(
    config: &Config,
    environment: &str,
    files: &[String],
) -> Result<Vec<String>, Failure> {
    let mut sentences = Vec::new();
    let mut known: Vec<(&str, Secrets)> = Vec::new();
    for file in files {
        let secrets = Secrets::read(Some(file))?;
        let gate = Gate::assemble(config.clone(), environment, |name| {
            secrets.in_file(name).map(str::to_owned)
        });
        for fault in &gate.faults {
            if let Some(destination) = &fault.destination
                && fault.trouble == Trouble::SecretShared
            {
                let secret = fault.secret.as_deref().unwrap_or("a secret");
                sentences.push(format!(
                    "{file}: destination {destination}: {secret} is also another backend's: one could write deliveries to the other"
                ));
            }
            if let Some(source) = &fault.source {
                let secret = fault.secret.as_deref().unwrap_or("a secret");
                sentences.push(format!(
                    "{file}: [sources.{source}]: {secret} {}",
                    words(fault.trouble)
                ));
            }
        }
        for name in config.secret_names() {
            let Some(value) = secrets.in_file(name) else {
                continue;
            };
            let bare = |text: &str| text.trim_start_matches("whsec_").to_owned();
            if KNOWN_TO_EVERYBODY
                .iter()
                .any(|text| bare(text) == bare(value))
            {
                sentences.push(format!(
                    "{file}: {name} is known to everybody: it is an example, or the first that anyone would try"
                ));
            }
            for (other_file, others) in &known {
                for other in config.secret_names() {
                    if others.in_file(other) == Some(value) {
                        sentences.push(format!(
                            "{file}: {name} is the same as {other} in {other_file}: whoever can sign in one environment can sign in the other"
                        ));
                    }
                }
            }
        }
        known.push((file, secrets));
    }
    Ok(sentences.iter().map(|sentence| plain(sentence)).collect())
}

fn words(trouble: Trouble) -> String {
    match trouble {
        Trouble::SecretMissing => "is missing or empty: the source answers 503 to what it would verify".into(),
        Trouble::SecretUnusable => "cannot be decoded as its scheme says".into(),
        Trouble::SecretShared => {
            "is also another source's, or signs deliveries: a request to one would be right for the other".into()
        }
        Trouble::PinShared => "has the same pins as another source".into(),
        other => other.name().replace('_', " "),
    }
}
