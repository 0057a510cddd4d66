//! Checks the sources file and embeds it in the Worker as bytes. `HOOKGATE_SOURCES` names another
//! file than `sources.toml`.

#![allow(
    dead_code,
    unused_imports,
    reason = "the configuration's code is shared with the crate"
)]
#![allow(clippy::expect_used, reason = "Cargo sets these variables")]

#[path = "src/config/mod.rs"]
mod config;
#[path = "src/scheme/mod.rs"]
mod scheme;
#[path = "src/schemes.rs"]
mod schemes;

use std::path::Path;

fn main() {
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("Cargo sets it");
    let out = std::env::var("OUT_DIR").expect("Cargo sets it");
    let name = std::env::var("HOOKGATE_SOURCES").unwrap_or_else(|_| "sources.toml".to_owned());
    println!("cargo::rerun-if-env-changed=HOOKGATE_SOURCES");
    for watched in [
        "build.rs",
        "src/config",
        "src/scheme",
        "src/schemes",
        "src/schemes.rs",
        &name,
    ] {
        println!("cargo::rerun-if-changed={watched}");
    }
    let text = match std::fs::read_to_string(Path::new(&root).join(&name)) {
        Ok(text) => text,
        Err(error) => return println!("cargo::error={name}: {error}"),
    };
    match config::from_toml(&text) {
        Ok((config, findings)) => {
            for warning in findings.warnings {
                println!("cargo::warning={name}: {warning}");
            }
            let bytes = config.to_bytes();
            let file = Path::new(&out).join("sources.postcard");
            if let Err(error) = std::fs::write(&file, bytes) {
                println!("cargo::error={}: {error}", file.display());
            }
        }
        Err(errors) => {
            for error in errors {
                println!("cargo::error={name}: {error}");
            }
        }
    }
}
