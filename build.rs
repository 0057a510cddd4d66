//! Checks the sources file and embeds it in the Worker as bytes. `HOOKGATE_SOURCES` names another
//! file than `sources.toml`.

#![allow(
    dead_code,
    unused_imports,
    reason = "the configuration's code is shared with the crate"
)]
#![allow(clippy::expect_used, reason = "Cargo sets these variables")]

#[path = "src/by_name.rs"]
mod by_name;
#[path = "src/config/mod.rs"]
mod config;
#[path = "src/scheme/mod.rs"]
mod scheme;
#[path = "src/schemes.rs"]
mod schemes;
#[path = "src/uses.rs"]
mod uses;

use std::path::Path;

/// A constant of `src/uses.rs`, or a module of the edge.
struct Word {
    cfg: &'static str,
    is_used_by: fn(&config::Config) -> bool,
}

const WORDS: [Word; 22] = [
    Word {
        cfg: "uses_access",
        is_used_by: |config| config.access,
    },
    Word {
        cfg: "uses_diagnosis",
        is_used_by: |config| config.diagnosis,
    },
    Word {
        cfg: "uses_public_keys",
        is_used_by: |config| config.schemes.values().any(scheme::Scheme::is_public),
    },
    Word {
        cfg: "uses_certificates",
        is_used_by: |config| {
            let mut schemes = config.schemes.values();
            schemes.any(|scheme| scheme.certificate.is_some())
        },
    },
    Word {
        cfg: "uses_stated_macs",
        is_used_by: |config| config.schemes.values().any(scheme::Scheme::states_mac),
    },
    Word {
        cfg: "uses_stated_parts",
        is_used_by: |config| {
            let mut schemes = config.schemes.values();
            schemes.any(|scheme| scheme.stated_parts().next().is_some())
        },
    },
    Word {
        cfg: "uses_message_signatures",
        is_used_by: |config| {
            let mut schemes = config.schemes.values();
            schemes.any(scheme::Scheme::is_message_signature)
        },
    },
    Word {
        cfg: "uses_decryption",
        is_used_by: |config| config.sources.values().any(|source| source.decrypt_fields),
    },
    Word {
        cfg: "uses_credentials",
        is_used_by: |config| config.schemes.values().any(scheme::Scheme::is_bearer),
    },
    Word {
        cfg: "uses_key_requests",
        is_used_by: |config| {
            let mut schemes = config.schemes.values();
            schemes.any(|scheme| scheme.key_request.is_some())
        },
    },
    Word {
        cfg: "uses_jws",
        is_used_by: |config| config.schemes.values().any(scheme::Scheme::is_jws),
    },
    Word {
        cfg: "uses_canonical_requests",
        is_used_by: |config| config.schemes.values().any(scheme::Scheme::signs_headers),
    },
    Word {
        cfg: "uses_cloudevents",
        is_used_by: |config| {
            config
                .schemes
                .values()
                .any(scheme::Scheme::reads_cloudevents)
        },
    },
    Word {
        cfg: "uses_sorted_fields",
        is_used_by: |config| {
            let mut parts = config.schemes.values().flat_map(|scheme| &scheme.signed);
            parts.any(|part| *part == scheme::Part::SortedFields)
        },
    },
    Word {
        cfg: "uses_body_times",
        is_used_by: |config| config.schemes.values().any(scheme::Scheme::has_body_time),
    },
    Word {
        cfg: "uses_body_signatures",
        is_used_by: |config| {
            config
                .schemes
                .values()
                .any(scheme::Scheme::has_body_signature)
        },
    },
    Word {
        cfg: "uses_plain_hashes",
        is_used_by: |config| {
            let mut schemes = config.schemes.values();
            schemes.any(|scheme| scheme.algorithm == scheme::Algorithm::Sha256)
        },
    },
    Word {
        cfg: "uses_several_signatures",
        is_used_by: |config| {
            let mut schemes = config.schemes.values();
            schemes.any(|scheme| !scheme.signature.or.is_empty() && !scheme.is_bearer())
        },
    },
    Word {
        cfg: "uses_base64_url",
        is_used_by: |config| {
            let mut schemes = config.schemes.values();
            schemes.any(|scheme| scheme.signature.encoding == scheme::SignatureEncoding::Base64Url)
        },
    },
    Word {
        cfg: "uses_partial_signatures",
        is_used_by: |config| {
            let mut schemes = config.schemes.values();
            schemes.any(|scheme| scheme.signs_sender_only)
        },
    },
    Word {
        cfg: "uses_greetings",
        is_used_by: |config| {
            let mut shakes = config
                .schemes
                .values()
                .flat_map(|scheme| &scheme.handshakes);
            shakes.any(|shake| !shake.is_verified())
        },
    },
    Word {
        cfg: "uses_pings",
        is_used_by: |config| {
            config
                .schemes
                .values()
                .any(|scheme| scheme.ping_ms().is_some())
        },
    },
];

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
        "src/uses.rs",
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
            for word in WORDS {
                if (word.is_used_by)(&config) {
                    println!("cargo::rustc-cfg={}", word.cfg);
                }
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
