//! `hookgate lint`: a sources file, checked as the build checks it.

use hookgate::config;
use lexopt::prelude::{Long, ValueExt as _};

use super::{Failure, lint_secrets, read_sources};

pub fn command(mut arguments: lexopt::Parser) -> Result<(), Failure> {
    let mut file = "sources.toml".to_owned();
    let mut environment = "development".to_owned();
    let mut deployed = None;
    let mut secret_files: Vec<String> = Vec::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("sources") => file = arguments.value()?.string()?,
            Long("environment") => environment = arguments.value()?.string()?,
            Long("deployed") => deployed = Some(arguments.value()?.string()?),
            Long("secret-file") => secret_files.push(arguments.value()?.string()?),
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
    let values = lint_secrets::faults(&config, &environment, &secret_files)?;
    let refused = unverifiable.chain(observers).chain(gaps).chain(values);
    let refused: Vec<String> = refused.collect();
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
