//! The tool beside the Worker: the same code, without the platform.

#![allow(clippy::disallowed_methods, reason = "a tool reads the clock itself")]

#[cfg(target_arch = "wasm32")]
fn main() {}

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    tool::main()
}

#[cfg(not(target_arch = "wasm32"))]
mod tool;
