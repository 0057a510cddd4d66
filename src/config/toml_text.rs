//! `sources.toml` as a person writes it. Not part of the Worker: it gets the JSON form.

use serde::Deserialize as _;

use super::{Config, Findings};
use crate::scheme::{About, Scheme};
use crate::schemes::BUILT_IN;

/// Reads `sources.toml` and fills in the built-in schemes that its sources name.
///
/// # Errors
/// Sentences that name the table, what is wrong and what to write.
pub fn from_toml(text: &str) -> Result<(Config, Findings), Vec<String>> {
    let value: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        vec![format!("not valid TOML: {}", error.to_string().trim())]
    })?;
    let mut config = Config::deserialize(value)
        .map_err(|error| vec![error.to_string().trim().replace('\n', " ")])?;
    let mut errors = Vec::new();
    let mut doubts = Vec::new();
    for (name, own) in &config.schemes {
        let named = |sentence: String| format!("[schemes.{name}]: {sentence}");
        errors.extend(own.own_faults().into_iter().map(named));
        doubts.extend(own.own_doubts().into_iter().map(named));
        if BUILT_IN.iter().any(|(known, _)| known == name) {
            errors.push(format!(
                "[schemes.{name}]: \"{name}\" is a built-in scheme; give yours another name"
            ));
        }
    }
    let used: Vec<String> = config
        .sources
        .values()
        .map(|source| source.scheme.clone())
        .collect();
    for name in used {
        if config.schemes.contains_key(&name) {
            continue;
        }
        match built_in(&name) {
            Some(Ok(scheme)) => {
                config.schemes.insert(name, scheme);
            }
            Some(Err(error)) => errors.push(format!("built-in scheme \"{name}\": {error}")),
            None => {}
        }
    }
    let mut findings = config.check();
    errors.append(&mut findings.errors);
    findings.warnings.append(&mut doubts);
    if errors.is_empty() {
        Ok((config, findings))
    } else {
        Err(errors)
    }
}

/// A built-in scheme by name.
pub fn built_in(name: &str) -> Option<Result<Scheme, String>> {
    Some(file(name)?.and_then(|mut table| {
        table.remove(ABOUT);
        Scheme::deserialize(table).map_err(|error| error.to_string())
    }))
}

/// What people and tools read about a built-in scheme. The Worker is not given it.
pub fn about(name: &str) -> Option<Result<About, String>> {
    Some(file(name)?.and_then(|mut table| {
        let about = table.remove(ABOUT).unwrap_or(toml::Table::new().into());
        About::deserialize(about).map_err(|error| error.to_string())
    }))
}

/// The table of a scheme's file that is not part of the scheme.
const ABOUT: &str = "about";

fn file(name: &str) -> Option<Result<toml::Table, String>> {
    let (_, text) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
    Some(
        text.parse()
            .map_err(|error: toml::de::Error| error.to_string()),
    )
}
