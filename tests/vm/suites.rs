//! What runs in the machine: test binaries as cargo built them, each with the number of its tests
//! that must pass there.
//!
//! The number comes from the binary's own list, so a test that is lost on the way is noticed.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::cargo;

/// A test of ours that does not run in the machine, and why.
pub struct Left {
    pub test: &'static str,
    pub why: &'static str,
}

/// A test binary with its arguments.
pub struct Suite {
    pub name: &'static str,
    pub binary: PathBuf,
    pub arguments: Vec<String>,
    /// Tests that must pass.
    pub tests: usize,
}

/// What cargo built.
pub struct Built {
    /// The program, at the path that the tests know.
    pub squall: PathBuf,
    tests: Vec<(String, PathBuf)>,
}

/// Builds these tests the way this one was built, which is nothing when all were built together.
pub fn build(names: &[&str]) -> Built {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let squall = PathBuf::from(env!("CARGO_BIN_EXE_squall"));
    Built { squall, tests: cargo::build_tests(folder, names) }
}

impl Built {
    /// The test binary of that name as a suite: one thread, for the machine has one processor, and
    /// whatever its tests print, for that says which bounds were widened.
    pub fn suite(&self, name: &'static str, left: &[Left]) -> Suite {
        let binary = self.binary(name);
        let mut arguments = vec!["--test-threads=1".to_owned(), "--show-output".to_owned()];
        for Left { test, .. } in left {
            assert!(!list(&binary, &[test]).is_empty(), "{name} has no test {test} to leave out");
            arguments.extend(["--skip".to_owned(), (*test).to_owned()]);
        }
        Suite { name, tests: count(&binary, &arguments), binary, arguments }
    }

    /// One test of that binary, with what it prints.
    pub fn one(&self, name: &'static str, of: &str, test: &str) -> Suite {
        let binary = self.binary(of);
        let arguments = ["--exact", test, "--nocapture"].map(str::to_owned).to_vec();
        Suite { name, tests: count(&binary, &arguments), binary, arguments }
    }

    fn binary(&self, name: &str) -> PathBuf {
        let found = self.tests.iter().find(|(target, _)| target == name);
        found.unwrap_or_else(|| panic!("cargo built no test {name}")).1.clone()
    }
}

impl Suite {
    /// Its line in the machine's list of suites.
    pub fn line(&self) -> String {
        let (name, folder) = (self.name, env!("CARGO_MANIFEST_DIR"));
        format!("{name} {folder} {} {}\n", self.binary.display(), self.arguments.join(" "))
    }
}

fn list(binary: &Path, arguments: &[&str]) -> Vec<String> {
    let output =
        Command::new(binary).args(["--list", "--format=terse"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}: {output:?}", binary.display());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.strip_suffix(": test").map(str::to_owned)).collect()
}

/// Tests that these arguments run: those that are ignored do not.
fn count(binary: &Path, arguments: &[String]) -> usize {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ignored = list(binary, &[&["--ignored"], &arguments[..]].concat());
    list(binary, &arguments).len() - ignored.len()
}
