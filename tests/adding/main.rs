//! A fault is one file and one line: the one of CONTRIBUTING.md is added to a copy of the project,
//! and everything else of it must know the fault by that alone.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

#[path = "../vm/cargo.rs"]
mod cargo;
mod copy;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const KIND: &str = "processHangup";

/// The copy and what was built of it.
struct Added {
    tree: PathBuf,
    tests: Vec<(String, PathBuf)>,
    squall: PathBuf,
}

#[test]
fn a_fault_is_one_file_and_one_line() {
    let added = Added::build();

    let faults = added.squall(&["faults"]);
    assert!(faults.contains("processHangup") && faults.contains("asks a process to reload"));
    let doctor = added.squall(&["doctor"]);
    assert!(doctor.contains("processHangup: works"), "{doctor}");
    let schema: Value = serde_json::from_str(&added.squall(&["schema"])).unwrap();
    assert!(schema["$defs"]["FaultParams"].to_string().contains(KIND), "not in the schema");

    let stale = added.test("spec", "reference::the_reference", &[]);
    let said = String::from_utf8_lossy(&stale.stdout);
    assert!(!stale.status.success() && said.contains("run `make reference`"), "{said}");
    let write = [("SQUALL_WRITE_REFERENCE", "1")];
    assert_passed(&added.test("spec", "reference::", &write));
    let page = std::fs::read_to_string(added.tree.join("docs/reference/faults.md")).unwrap();
    assert!(page.contains("\n## processHangup\n"), "no section in the reference");
    assert!(page.contains("\n| `processHangup` | needed |"), "not in the table of capabilities");

    let only = [("SQUALL_FAULT", KIND)];
    let conformance = added.test("conformance", "every_fault_is_undone_at_every", &only);
    let said = assert_passed(&conformance);
    let cases = said.lines().find_map(|line| line.trim().split_once(" cases,"));
    let cases: usize = cases.unwrap().0.parse().unwrap();
    println!("{cases} cases of conformance");
    assert!(cases > 50, "every crash point, whoever dies there: {said}");
}

impl Added {
    fn build() -> Added {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let tree = target.join("adding");
        copy::tree(root, &tree);
        let tests = cargo::build_tests(&tree, &["spec", "conformance"]);
        let squall = Path::new(env!("CARGO_BIN_EXE_squall")).with_file_name(copy::PROGRAM);
        Added { tree, tests, squall }
    }

    fn squall(&self, args: &[&str]) -> String {
        let output = Command::new(&self.squall).args(args).output().unwrap();
        assert_passed(&output)
    }

    fn test(&self, name: &str, only: &str, environment: &[(&str, &str)]) -> Output {
        let (_, binary) = self.tests.iter().find(|(test, _)| test == name).unwrap();
        let mut command = Command::new(binary);
        command.arg(only).envs(environment.iter().copied()).current_dir(&self.tree);
        command.output().unwrap()
    }
}

fn assert_passed(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
