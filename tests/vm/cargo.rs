//! Builds tests from within a test, the way this one was built.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Their binaries, by the names of the targets. Panics with cargo's words when they do not build.
pub fn build_tests(folder: &Path, names: &[&str]) -> Vec<(String, PathBuf)> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // Ours, wherever the folder is: what is built already is not built again.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    command.args(["test", "--no-run", "--message-format=json", "--quiet", "--target-dir"]);
    command.arg(target);
    command.args(names.iter().flat_map(|name| ["--test", name]));
    if cfg!(feature = "crash-points") {
        command.args(["--features", "crash-points"]);
    }
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    // What cargo tells a test about its package is no part of the environment of a build; with it
    // build scripts would run again.
    for (name, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"]
            .iter()
            .any(|of_package| name.to_string_lossy().starts_with(of_package))
        {
            command.env_remove(name);
        }
    }
    let output = command.current_dir(folder).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cannot build {names:?}: {errors}");
    executables(&String::from_utf8(output.stdout).unwrap())
}

/// The test binaries among cargo's messages, by the names of their targets.
fn executables(messages: &str) -> Vec<(String, PathBuf)> {
    let found = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let file = message["executable"].as_str()?;
        let is_test = message["target"]["kind"][0] == "test";
        is_test.then(|| (message["target"]["name"].as_str().unwrap().to_owned(), file.into()))
    });
    found.collect()
}

#[test]
fn of_the_messages_only_tests_that_can_be_run_count() {
    let messages = r#"{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"squall"},"executable":"/t/squall"}
{"reason":"compiler-artifact","target":{"kind":["test"],"name":"linux"},"executable":"/t/linux-1"}
{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"squall"},"executable":null}
{"reason":"build-finished","success":true}"#;
    assert_eq!(executables(messages), [("linux".to_owned(), PathBuf::from("/t/linux-1"))]);
}
