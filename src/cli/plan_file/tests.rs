//! A kept plan reads back as it was, and nothing else passes for one.

use std::path::{Path, PathBuf};

use super::{read, text, write};
use crate::model::outcome::ExitCode;
use crate::plan::check_stale;
use crate::plan::fixture::{planned, primary_loss};

fn kept(folder: &Path) -> PathBuf {
    let path = folder.join("plan.json");
    write(&planned(&primary_loss()), &path).unwrap();
    path
}

#[test]
fn a_plan_that_was_written_reads_back_and_is_not_stale() {
    let folder = tempfile::tempdir().unwrap();
    let path = kept(folder.path());
    let fresh = planned(&primary_loss());
    assert_eq!(check_stale(&read(&path).unwrap(), &fresh), Ok(()));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text(&fresh).unwrap());
    let names: Vec<_> = folder.path().read_dir().unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["plan.json"], "nothing half-written stays");
}

#[test]
fn what_is_no_plan_is_a_bad_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = kept(folder.path());
    let good = std::fs::read_to_string(&path).unwrap();
    let refused = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let failure = read(&path).unwrap_err();
        assert_eq!(failure.code, ExitCode::Usage as u8);
        failure.why
    };
    assert!(refused(&good.replace("\"seed\": 42", "\"seed\": 6")).contains("was edited"));
    assert!(refused(&good.replace("\"version\": 1", "\"version\": 2")).contains("plan format 2"));
    assert!(refused("title: it holds\n").contains("not a plan"));
    assert!(refused(&good.replace("\"seed\"", "\"sead\"")).contains("not a plan"));
    assert!(refused(&" ".repeat(17 * 1024 * 1024)).contains("larger than any plan"));
    let missing = read(&folder.path().join("none.json")).unwrap_err();
    assert!(missing.why.contains("failed to read"), "{missing}");
}
