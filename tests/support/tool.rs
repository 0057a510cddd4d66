//! The tool, started from outside in a directory of its own. Whatever it prints has no secret in it and nothing that
//! acts on a terminal.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{SourceText, gate, signed, sources_toml};
use serde_json::{Value, json};

pub const SECRET: &str = "Zx81-canary-Spectrum";

/// Exit code, standard output, standard error.
pub struct Ended {
    pub code: i32,
    pub output: String,
    pub errors: String,
}

/// A directory with a sources file and its secrets.
pub struct Bench(PathBuf);

pub fn source<'a>(
    name: &'a str,
    scheme: &'a str,
    secrets: &'a [&'a str],
    more: &'a str,
) -> SourceText<'a> {
    SourceText {
        name,
        tenant: "acme",
        scheme,
        secrets,
        more,
    }
}

impl Bench {
    pub fn new(name: &str) -> Self {
        let bench = Bench(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name));
        std::fs::create_dir_all(&bench.0).unwrap();
        bench.write("sources.toml", sources());
        bench.write("vars", format!("HUB={SECRET}\nSTRIPE=\"{SECRET}-2\"\nDELIVERY_SECRET=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx\n"));
        bench
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.0.join(name), text).unwrap();
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, b"")
    }

    pub fn run_with(&self, arguments: &[&str], input: &[u8]) -> Ended {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hookgate"))
            .args(arguments)
            .current_dir(&self.0)
            .env_remove("HUB")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ended = Ended {
            code: output.status.code().unwrap(),
            output: text(output.stdout),
            errors: text(output.stderr),
        };
        let all = format!("{}{}", ended.output, ended.errors);
        assert!(!all.contains(SECRET), "a secret was printed: {all}");
        let is_safe = |character: char| character == '\n' || !character.is_control();
        assert!(
            all.chars().all(is_safe),
            "what acts on a terminal was printed: {all:?}"
        );
        ended
    }

    /// As JSON.
    pub fn json(&self, arguments: &[&str], input: &[u8]) -> (i32, Value) {
        let ended = self.run_with(&[arguments, &["--json"]].concat(), input);
        let value = serde_json::from_str(&ended.output);
        (
            ended.code,
            value.unwrap_or_else(|error| panic!("{error}: {} {}", ended.output, ended.errors)),
        )
    }
}

pub fn sources() -> String {
    sources_toml(
        &[
            source("hub", "github", &["HUB"], ""),
            source("pay", "stripe", &["STRIPE"], ""),
        ],
        "",
    )
}

/// A request to `hub`, as a line of traffic.
pub fn hub(body: &str) -> Value {
    let gate = gate(
        &[source("hub", "github", &["HUB"], "")],
        "",
        &[("HUB", SECRET)],
    );
    let request = signed(gate.source("hub").unwrap(), body.as_bytes(), "evt");
    json!({ "method": request.method, "target": request.target, "headers": request.headers, "body": body })
}

/// The same for `pay`, signed at [`NOW_MS`].
pub fn pay(id: &str) -> Value {
    let gate = gate(
        &[source("pay", "stripe", &["STRIPE"], "")],
        "",
        &[("STRIPE", &format!("{SECRET}-2"))],
    );
    let body = format!("{{\"id\":\"{id}\"}}");
    let request = signed(gate.source("pay").unwrap(), body.as_bytes(), id);
    json!({ "method": request.method, "target": request.target, "headers": request.headers, "body": body })
}

pub const WITH: [&str; 2] = ["--secret-file", "vars"];
