//! Whether `cargo test` started this process.
//!
//! Cargo sets the same variables for `cargo test` and `cargo run`, so they do not tell. What does:
//!
//! - `NEXTEST` is set by nextest, for tests and what they start.
//! - Cargo runs a test from where the compiler left it: a name with a hash of 16 digits, in a folder
//!   `deps`, or `out` in the layout to come. What `cargo run` runs, or anybody installs, has no such
//!   name there. Benchmarks do.
//! - A documentation test is called `rust_out`, in a folder that begins with `rustdoctest`.
//! - An integration test has `CARGO_BIN_EXE_name` in its environment, and so has the program of that
//!   name which it starts. Older versions of Cargo set that only while the test is compiled; a
//!   program that is started by a test is not recognised then.

use std::ffi::OsString;
use std::path::Path;

/// Whether a test runs this executable, by its path and the environment.
pub(super) fn is_test(
    executable: Option<&Path>,
    lookup: &dyn Fn(&str) -> Option<OsString>,
) -> bool {
    if lookup("NEXTEST").is_some() {
        return true;
    }
    let Some(executable) = executable else { return false };
    let Some(name) = executable.file_name().and_then(|name| name.to_str()) else { return false };
    let name = name.strip_suffix(".exe").unwrap_or(name);
    let folder = executable.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    let folder = folder.unwrap_or_default();
    let hash = name.rsplit_once('-').map_or("", |(_, hash)| hash);
    let hashed = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    (hashed && ["deps", "out"].contains(&folder))
        || (name == "rust_out" && folder.starts_with("rustdoctest"))
        || lookup(&format!("CARGO_BIN_EXE_{name}")).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(executable: &str, variable: &str) -> bool {
        is_test(Some(Path::new(executable)), &|name| (name == variable).then(|| "1".into()))
    }

    #[test]
    fn a_test_is_told_from_a_program() {
        for test in [
            "/shop/target/debug/deps/shop-9949de8168e972d0",
            "/shop/target/x86_64-unknown-linux-musl/release/deps/it-e87ab99a920a8dca",
            "/shop/target/debug/deps/shop-9949de8168e972d0.exe",
            "/build/debug/build/shop/1af3058396f291d2/out/shop-1af3058396f291d2",
            "/tmp/rustdoctest2jOcBz/rust_out",
        ] {
            assert!(runs(test, ""), "{test}");
        }
        for program in [
            "/shop/target/debug/shop",
            "/shop/target/debug/examples/shop",
            "/usr/bin/shop",
            "/usr/bin/shop-9949de8168e972d0",
            "/shop/target/debug/deps/shop",
            "/shop/target/debug/deps/shop-9949de8168e972d",
            "/shop/target/debug/deps/shop-9949de8168e972dg",
            "/tmp/rustdoctest2jOcBz/shop",
            "/tmp/rust_out",
            "/",
        ] {
            assert!(!runs(program, ""), "{program}");
        }
    }

    #[test]
    fn a_program_that_a_test_starts_is_recognised_by_its_environment() {
        assert!(runs("/shop/target/debug/shop", "NEXTEST"));
        assert!(runs("/shop/target/debug/shop", "CARGO_BIN_EXE_shop"));
        assert!(!runs("/shop/target/debug/shop", "CARGO_BIN_EXE_other"));
        assert!(!runs("/shop/target/debug/shop", "CARGO_MANIFEST_DIR"), "`cargo run` has it too");
        assert!(is_test(None, &|name| (name == "NEXTEST").then(|| "1".into())));
        assert!(!is_test(None, &|_| None));
    }

    #[test]
    fn this_very_test_is_one() {
        let executable = std::env::current_exe().expect("a path");
        assert!(is_test(Some(&executable), &|_| None), "{executable:?}");
    }
}
