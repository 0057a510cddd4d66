//! What an operator writes, and what the build embeds.

use hookgate::config::{self, Config};
use hookgate::gate::Gate;

use crate::input;

/// Sentences, or a configuration that comes to life, and is the same once embedded. The embedded bytes are not fuzzed:
/// nobody but the build writes them.
pub fn holds(bytes: &[u8]) {
    if let Ok((config, _)) = config::from_toml(&input::text(bytes)) {
        let embedded = Config::from_bytes(&config.to_bytes());
        assert_eq!(embedded.to_bytes(), config.to_bytes());
        live(embedded);
    }
}

fn live(config: Config) {
    let sources = config.sources.len();
    let gate = Gate::assemble(config, "production", |name| {
        Some(format!("whsec_{name}AAAA"))
    });
    assert_eq!(gate.sources().count(), sources);
}
