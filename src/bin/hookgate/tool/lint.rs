//! `hookgate lint`: a sources file, checked as the build checks it.

use hookgate::config::{self, Config};
use lexopt::prelude::{Long, ValueExt as _};
use serde_json::json;

use super::terminal::json as json_line;
use super::{Failure, lint_secrets, read_sources};

pub fn command(mut arguments: lexopt::Parser) -> Result<(), Failure> {
    let mut asked = Asked {
        file: "sources.toml".to_owned(),
        environment: "development".to_owned(),
        deployed: None,
        secret_files: Vec::new(),
    };
    let mut as_json = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("sources") => asked.file = arguments.value()?.string()?,
            Long("environment") => asked.environment = arguments.value()?.string()?,
            Long("deployed") => asked.deployed = Some(arguments.value()?.string()?),
            Long("secret-file") => asked.secret_files.push(arguments.value()?.string()?),
            Long("json") => as_json = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let file = &asked.file;
    match asked.check() {
        Ok((config, warnings)) if as_json => {
            let said = json!({
                "file": file,
                "verdict": "in_order",
                "faults": [],
                "warnings": warnings,
                "sources": config.sources.len(),
                "destinations": config.destinations.len(),
                "secrets": config.secret_names().len(),
            });
            println!("{}", json_line(&said));
            Ok(())
        }
        Ok((config, warnings)) => {
            for warning in warnings {
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
        Err(Failure::Refused(faults)) if as_json => {
            let said = json!({ "file": file, "verdict": "refused", "faults": faults });
            println!("{}", json_line(&said));
            Err(Failure::Quietly(1))
        }
        Err(other) => Err(other),
    }
}

struct Asked {
    file: String,
    environment: String,
    deployed: Option<String>,
    secret_files: Vec<String>,
}

impl Asked {
    /// The configuration, and what is doubtful about it.
    fn check(&self) -> Result<(Config, Vec<String>), Failure> {
        let (file, environment) = (&self.file, &self.environment);
        let (config, findings) = read_sources(file)?;
        let unverifiable = config.schemes.iter().filter_map(|(name, scheme)| {
            let error = hookgate::sign::self_test(scheme).err()?;
            Some(format!("{file}: [schemes.{name}]: {error}"))
        });
        let observers = config.unacknowledged_observers(environment).into_iter().map(|name| {
            format!("{file}: [sources.{name}]: mode = \"observe\" refuses every delivery in {environment}: if that is meant, set observe_in_production = true")
        });
        let deployed = self.deployed.as_deref().map(read_sources).transpose()?;
        let gaps = deployed
            .iter()
            .flat_map(|(deployed, _)| config::gaps(deployed, &config));
        let gaps = gaps.map(|gap| format!("{file}: {gap}"));
        let values = lint_secrets::faults(&config, environment, &self.secret_files)?;
        let refused = unverifiable.chain(observers).chain(gaps).chain(values);
        let refused: Vec<String> = refused.collect();
        if !refused.is_empty() {
            return Err(Failure::Refused(refused));
        }
        Ok((config, findings.warnings))
    }
}
