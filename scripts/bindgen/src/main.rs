//! `hookgate-bindgen INPUT.wasm OUT_DIR --lock Cargo.lock [--strip-names]`
//!
//! Writes `hookgate.js`, `hookgate_bg.wasm` and `snippets/` into OUT_DIR. It does the work of the
//! `wasm-bindgen` program for this one purpose, and needs neither OpenSSL nor a download.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use wasm_bindgen_cli_support::Bindgen;

/// The only version whose format this tool reads; `Cargo.toml` pins the same one.
const WASM_BINDGEN_VERSION: &str = "0.2.130";

const OUT_NAME: &str = "hookgate";

const USAGE: &str = "usage: hookgate-bindgen INPUT.wasm OUT_DIR --lock Cargo.lock [--strip-names]";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("hookgate-bindgen: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let Some(command) = Command::parse(env::args().skip(1))? else {
        println!("{USAGE}");
        return Ok(());
    };
    let lock_text = fs::read_to_string(&command.lock)
        .map_err(|error| format!("cannot read {}: {error}", command.lock.display()))?;
    check_version(&lock_text, &command.lock)?;
    generate(&command)?;
    adapt(&command.out_dir.join(format!("{OUT_NAME}.js")))
}

struct Command {
    input: PathBuf,
    out_dir: PathBuf,
    lock: PathBuf,
    strip_names: bool,
}

impl Command {
    /// `None` when help was asked for.
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut places = Vec::new();
        let mut lock = None;
        let mut strip_names = false;
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--help" | "-h" => return Ok(None),
                "--strip-names" => strip_names = true,
                "--lock" => lock = Some(args.next().ok_or("--lock needs a file")?),
                option if option.starts_with('-') => {
                    return Err(format!("there is no option {option}\n{USAGE}"));
                }
                _ => places.push(PathBuf::from(arg)),
            }
        }
        let (Ok([input, out_dir]), Some(lock)) = (<[PathBuf; 2]>::try_from(places), lock) else {
            return Err(USAGE.to_owned());
        };
        Ok(Some(Self {
            input,
            out_dir,
            lock: lock.into(),
            strip_names,
        }))
    }
}

/// A Worker compiled with another `wasm-bindgen` fails here with the remedy, and not later with
/// a message about schema versions.
fn check_version(lock_text: &str, lock: &Path) -> Result<(), String> {
    let found = locked_versions(lock_text, "wasm-bindgen");
    if found == [WASM_BINDGEN_VERSION] {
        return Ok(());
    }
    let found = match found.as_slice() {
        [] => "no wasm-bindgen".to_owned(),
        versions => format!("wasm-bindgen {}", versions.join(" and ")),
    };
    Err(format!(
        "{} holds {found}, but this tool reads {WASM_BINDGEN_VERSION}: run `cargo update -p \
         wasm-bindgen --precise {WASM_BINDGEN_VERSION}`, or move the version in \
         scripts/bindgen/Cargo.toml and scripts/bindgen/src/main.rs to the new one.",
        lock.display()
    ))
}

/// Cargo writes `name` and then `version` in every `[[package]]` table.
fn locked_versions<'a>(lock_text: &'a str, package: &str) -> Vec<&'a str> {
    let name_line = format!("name = \"{package}\"");
    let mut versions = Vec::new();
    let mut lines = lock_text.lines();
    while let Some(line) = lines.next() {
        if line.trim_end() != name_line {
            continue;
        }
        let version = lines
            .next()
            .and_then(|next| next.trim_end().strip_prefix("version = \""))
            .and_then(|rest| rest.strip_suffix('"'));
        versions.extend(version);
    }
    versions
}

fn generate(command: &Command) -> Result<(), String> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(&command.input)
        .out_name(OUT_NAME)
        .typescript(false)
        // Together these two let an instance that died (stack or memory exhausted) start afresh.
        .reset_state_function(true)
        .force_enable_abort_handler(true)
        .remove_name_section(command.strip_names)
        .remove_producers_section(true);
    bindgen
        .module(true)
        .and_then(|bindgen| bindgen.generate(&command.out_dir))
        .map_err(|error| {
            format!(
                "cannot make bindings for {}: {error:#}",
                command.input.display()
            )
        })
}

/// Changes in the generated module what workerd does not take, and what costs every request.
fn adapt(module: &Path) -> Result<(), String> {
    let text = fs::read_to_string(module)
        .map_err(|error| format!("cannot read {}: {error}", module.display()))?;
    let changed = |how: fn(&str) -> Option<String>, text: &str, what: &str| {
        how(text).ok_or_else(|| {
            format!(
                "{} {what}: this version of wasm-bindgen writes its module in another way; adapt \
                 scripts/bindgen.",
                module.display()
            )
        })
    };
    let plain = changed(
        plain_wasm_import,
        &text,
        "has not exactly one line `import source …`",
    )?;
    let direct = changed(
        direct_imports,
        &plain,
        "does not pass imports to `wrapError` as it did",
    )?;
    fs::write(module, direct).map_err(|error| format!("cannot write {}: {error}", module.display()))
}

/// The generated module says `import source`, which bundlers do not know yet. workerd gives a
/// compiled module for a plain import of a wasm file, so the word is not needed.
fn plain_wasm_import(text: &str) -> Option<String> {
    const SOURCE_IMPORT: &str = "import source ";
    let lines = text.lines().filter(|line| line.starts_with(SOURCE_IMPORT));
    (lines.count() == 1).then(|| text.replacen(SOURCE_IMPORT, "import ", 1))
}

/// So that an exception unwinds through wasm, each function that wasm imports stands in a closure, which is
/// made anew at every call and called through `apply`: 4 µs of an accepted event. The same as a `try` of its own.
fn direct_imports(text: &str) -> Option<String> {
    const BEGIN: &str = "function() { return wrapError(function (";
    const HEAD_END: &str = ") {\n";
    const END: &str = "\n        }, arguments); }";
    const WRAP: &str = "function wrapError(f, args) {
    try {
        return f.apply(this, args);
    } catch (e) {
        if (e instanceof WebAssembly.Exception) throw e;
        throw new WebAssembly.Exception(__wbindgen_jstag_polyfill, [e], { traceStack: true });
    }
}";
    const THROW: &str = "function throwWrapped(e) {
    if (e instanceof WebAssembly.Exception) throw e;
    throw new WebAssembly.Exception(__wbindgen_jstag_polyfill, [e], { traceStack: true });
}";
    let (before, after) = text.split_once(WRAP)?;
    let mut parts = before.split(BEGIN);
    let mut direct = parts.next()?.to_owned();
    for part in parts {
        let (parameters, rest) = part.split_once(HEAD_END)?;
        let (body, rest) = rest.split_once(END)?;
        direct.push_str(&format!(
            "function({parameters}) {{ try {{\n{body}\n        }} catch (e) {{ throwWrapped(e); }} }}{rest}"
        ));
    }
    let is_whole = !direct.contains("wrapError") && !after.contains("wrapError");
    is_whole.then(|| direct + THROW + after)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Option<Command>, String> {
        Command::parse(args.iter().map(|arg| (*arg).to_owned()))
    }

    #[test]
    fn only_the_pinned_version_passes() {
        let lock = "[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n\n\
                    [[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.80\"\n";
        assert_eq!(check_version(lock, Path::new("Cargo.lock")), Ok(()));

        let newer = lock.replace("0.2.130", "0.2.131");
        let problem = check_version(&newer, Path::new("Cargo.lock")).unwrap_err();
        assert!(problem.contains("holds wasm-bindgen 0.2.131"), "{problem}");
        assert!(
            problem.contains("cargo update -p wasm-bindgen --precise 0.2.130"),
            "{problem}"
        );

        let problem = check_version("", Path::new("Cargo.lock")).unwrap_err();
        assert!(problem.contains("holds no wasm-bindgen"), "{problem}");
    }

    #[test]
    fn the_wasm_import_becomes_plain_or_is_refused() {
        assert_eq!(
            plain_wasm_import("// a\nimport source wasmModule from \"./x.wasm\";\n").as_deref(),
            Some("// a\nimport wasmModule from \"./x.wasm\";\n")
        );
        assert_eq!(
            plain_wasm_import("import wasmModule from \"./x.wasm\";\n"),
            None
        );
    }

    #[test]
    fn imports_catch_by_themselves_or_are_refused() {
        let wrap = "function wrapError(f, args) {\n    try {\n        return f.apply(this, args);\n    } catch (e) {\n        \
                    if (e instanceof WebAssembly.Exception) throw e;\n        \
                    throw new WebAssembly.Exception(__wbindgen_jstag_polyfill, [e], { traceStack: true });\n    }\n}\n";
        let imports = "    __wbg_a: function() { return wrapError(function (arg0, arg1) {\n            \
                       return arg0.a(arg1);\n        }, arguments); },\n    __wbg_b: function() { \
                       return wrapError(function () {\n            b();\n        }, arguments); },\n";
        let direct = direct_imports(&format!("{imports}{wrap}")).unwrap();
        assert!(
            direct.starts_with(
                "    __wbg_a: function(arg0, arg1) { try {\n            return arg0.a(arg1);\n        \
                 } catch (e) { throwWrapped(e); } },\n    __wbg_b: function() { try {\n            b();\n        \
                 } catch (e) { throwWrapped(e); } },\nfunction throwWrapped(e) {\n"
            ),
            "{direct}"
        );
        assert_eq!(direct_imports(imports), None);
        let another = imports.replace("}, arguments); },", "}); },");
        assert_eq!(direct_imports(&format!("{another}{wrap}")), None);
        let once_more = format!("{imports}{wrap}const handler = wrapError;\n");
        assert_eq!(direct_imports(&once_more), None);
    }

    #[test]
    fn a_command_line_is_complete_or_refused() {
        assert!(parse(&["in.wasm", "out", "--lock", "Cargo.lock"]).is_ok_and(|c| c.is_some()));
        assert!(parse(&["--help"]).is_ok_and(|c| c.is_none()));
        for wrong in [
            &["in.wasm", "out"][..],
            &["in.wasm", "--lock", "l"],
            &["a", "b", "--lock"],
            &["--x"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
