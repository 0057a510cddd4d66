//! What an operator writes, and what the build embeds.

use hookgate::config::{self, Config};
use hookgate::gate::Gate;

use crate::input;

/// Sentences, or a configuration that comes to life.
pub fn holds(bytes: &[u8]) {
    if let Ok((config, _)) = config::from_toml(&input::text(bytes)) {
        let embedded = Config::from_bytes(&config.to_bytes()).expect("what was just written");
        assert_eq!(embedded.to_bytes(), config.to_bytes());
        live(config);
    }
    if let Ok(config) = Config::from_bytes(bytes) {
        live(config);
    }
}

fn live(config: Config) {
    let sources = config.sources.len();
    let gate = Gate::assemble(config, "production", |name| {
        Some(format!("whsec_{name}AAAA"))
    });
    assert_eq!(gate.sources().count(), sources);
}
