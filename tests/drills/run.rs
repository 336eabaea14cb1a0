//! Runs one line of the table, with at most one more beside it: the machine measures as well.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};

use serde_json::Value;
use squall::host::linux::clock::monotonic_ns;

use super::table::Changes;

/// One line of the table.
#[derive(Debug)]
pub struct Drill {
    pub file: &'static str,
    pub lab: &'static str,
    pub changes: Changes,
    pub lab_changes: Changes,
    pub code: i32,
    /// `CHECK PROBE`, or `CHECK` alone, in order.
    pub deviated: &'static [&'static str],
}

/// No shipped experiment may take longer, with its lab, seconds.
const LONGEST_S: u64 = 40;

static RUNNING: (Mutex<u32>, Condvar) = (Mutex::new(0), Condvar::new());

struct Turn;

impl Turn {
    fn take() -> Turn {
        let (count, freed) = &RUNNING;
        let held = count.lock().unwrap_or_else(PoisonError::into_inner);
        let mut held = freed.wait_while(held, |running| *running >= 2).unwrap();
        *held += 1;
        Turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *RUNNING.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        RUNNING.1.notify_one();
    }
}

pub fn experiments() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments")
}

impl Drill {
    pub fn is(&self, file: &str, code: i32) -> bool {
        self.file == file && self.code == code
    }

    /// The shipped files themselves, or copies that are changed.
    fn files(&self, scratch: &Path) -> (PathBuf, PathBuf) {
        let file = experiments().join(format!("{}.yaml", self.file));
        let lab = experiments().join(format!("labs/{}.yaml", self.lab));
        (changed(&file, self.changes, scratch), changed(&lab, self.lab_changes, scratch))
    }
}

fn changed(path: &Path, changes: Changes, scratch: &Path) -> PathBuf {
    if changes.is_empty() {
        return path.to_owned();
    }
    let mut text = fs::read_to_string(path).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "no `{from}` in {}", path.display());
        text = text.replace(from, to);
    }
    let copy = scratch.join(path.file_name().unwrap());
    fs::write(&copy, text).unwrap();
    copy
}

/// Runs it and compares everything that the table says.
pub fn comes_out(drill: &Drill) {
    let _turn = Turn::take();
    let scratch = tempfile::Builder::new().prefix("squall-drills-").tempdir().unwrap();
    let (file, lab) = drill.files(scratch.path());
    let began = monotonic_ns();
    let ran = Command::new(env!("CARGO_BIN_EXE_squall"))
        .args(["run", "-q", "--out", "out", "--lab"])
        .args([lab, file])
        .current_dir(scratch.path())
        .env("XDG_STATE_HOME", scratch.path().join("state"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let took = (monotonic_ns() - began) / 1_000_000_000;
    let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    eprintln!("{} on {}: exit {:?} after {took} s", drill.file, drill.lab, ran.status.code());
    assert_eq!(ran.status.code(), Some(drill.code), "{drill:?}\n{said}");
    let report = fs::read(scratch.path().join("out/report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(deviated(&report), drill.deviated, "{said}");
    assert_eq!(report["residue"].as_array().unwrap().len(), 0, "{said}");
    assert!(said.contains("nothing of the drill is left"), "{said}");
    let journals = scratch.path().join("state/squall/journal");
    assert_eq!(fs::read_dir(journals).unwrap().count(), 0, "a journal is open");
    assert!(took <= LONGEST_S, "{} took {took} s", drill.file);
}

fn deviated(report: &Value) -> Vec<String> {
    let claims = report["claims"].as_array().unwrap();
    let name = |claim: &Value| {
        let check = claim["check"].as_str().unwrap();
        claim["probe"]
            .as_str()
            .filter(|probe| !probe.is_empty())
            .map_or_else(|| check.to_owned(), |probe| format!("{check} {probe}"))
    };
    let deviated = claims.iter().filter(|claim| claim["verdict"] == "deviated");
    let mut names: Vec<String> = deviated.map(name).collect();
    names.sort_unstable();
    names
}
