//! tests/support, which the targets share with the tests, names what cargo tells integration tests alone.
//! The part that uses it, running the tool, is never called here.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for name in ["CARGO_BIN_EXE_hookgate", "CARGO_TARGET_TMPDIR"] {
        println!("cargo:rustc-env={name}=");
    }
}
