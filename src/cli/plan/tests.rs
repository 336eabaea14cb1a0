//! The subcommand with files of its own, and a reader that hands out the plan room's fixture.

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::{Loaded, PlanArgs, Setting, run};
use crate::cli::failure::Failure;
use crate::cli::{approval, plan_file};
use crate::model::experiment::{Experiment, Pick};
use crate::model::outcome::ExitCode;
use crate::model::plan::Source;
use crate::plan::fixture::{lab, primary_loss};
use crate::plan::{Style, check_stale};

fn args() -> PlanArgs {
    PlanArgs {
        file: PathBuf::from("trial.yaml"),
        output: None,
        diff: None,
        seed: None,
        lab: None,
        policies: Vec::new(),
    }
}

fn loaded(experiment: Experiment) -> Loaded {
    let source = Source { path: "trial.yaml".into(), sha256: "e1".into() };
    let warnings = vec!["mind the gap".into()];
    Loaded { experiment, source, lab: Some(lab()), policies: Vec::new(), warnings }
}

fn planned(args: &PlanArgs, experiment: &Experiment) -> Result<String, Failure> {
    let load = |_: &PlanArgs| Ok(loaded(experiment.clone()));
    let setting = Setting { load: &load, fresh_seed: 7, style: Style::Plain };
    let mut out = Vec::new();
    let code = run(args, &setting, &mut out)?;
    assert_eq!(code, ExitCode::Held);
    Ok(String::from_utf8(out).unwrap())
}

fn kept(folder: &Path, seed: u64) -> PathBuf {
    let path = folder.join("plan.json");
    let args = PlanArgs { output: Some(path.clone()), seed: Some(seed), ..args() };
    let said = planned(&args, &primary_loss()).unwrap();
    assert!(said.ends_with(&format!("written   {}\n", path.display())), "{said}");
    path
}

#[test]
fn it_prints_the_plan_and_the_policy_in_force() {
    let said = planned(&args(), &primary_loss()).unwrap();
    assert!(said.starts_with("It holds\n"), "{said}");
    assert!(
        said.contains("\n  seed      7\n") && said.contains("\n  policies  default "),
        "{said}"
    );
    assert!(said.contains("mind the gap"));
    let seeded = planned(&PlanArgs { seed: Some(9), ..args() }, &primary_loss()).unwrap();
    assert!(seeded.contains("\n  seed      9\n"));
}

#[test]
fn a_plan_that_was_written_reads_back_and_is_not_stale() {
    let folder = tempfile::tempdir().unwrap();
    let read = plan_file::read(&kept(folder.path(), 5)).unwrap();
    let fresh = super::make(loaded(primary_loss()), 5).unwrap();
    assert_eq!(check_stale(&read, &fresh), Ok(()));
    let names: Vec<_> = folder.path().read_dir().unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["plan.json"], "nothing half-written stays");

    let dash = PlanArgs { output: Some("-".into()), seed: Some(5), ..args() };
    let printed = planned(&dash, &primary_loss()).unwrap();
    assert_eq!(printed, std::fs::read_to_string(folder.path().join("plan.json")).unwrap());
}

#[test]
fn a_difference_takes_the_seed_of_the_old_plan() {
    let folder = tempfile::tempdir().unwrap();
    let old = kept(folder.path(), 5);
    let same = PlanArgs { diff: Some(old.clone()), ..args() };
    assert_eq!(planned(&same, &primary_loss()).unwrap(), "no difference: the plans are the same\n");
    let reseeded = PlanArgs { diff: Some(old), seed: Some(6), ..args() };
    let said = planned(&reseeded, &primary_loss()).unwrap();
    assert!(
        said.contains("~ seed: 5 -> 6\n") && said.ends_with("2 changed, 0 removed\n"),
        "{said}"
    );
}

#[test]
fn what_is_no_plan_is_a_bad_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = kept(folder.path(), 5);
    let good = std::fs::read_to_string(&path).unwrap();
    let refused = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let failure = plan_file::read(&path).unwrap_err();
        assert_eq!(failure.code, ExitCode::Usage);
        failure.text
    };
    assert!(refused(&good.replace("\"seed\": 5", "\"seed\": 6")).contains("was edited"));
    assert!(refused(&good.replace("\"version\": 1", "\"version\": 2")).contains("plan format 2"));
    assert!(refused("title: it holds\n").contains("not a plan"));
    assert!(refused(&good.replace("\"seed\"", "\"sead\"")).contains("not a plan"));
    assert!(refused(&" ".repeat(17 * 1024 * 1024)).contains("larger than any plan"));
    let missing = plan_file::read(&folder.path().join("none.json")).unwrap_err();
    assert!(missing.text.contains("failed to read"), "{missing}");
}

#[test]
fn every_error_is_printed_with_the_file() {
    let mut wrong = primary_loss();
    wrong.method[0].facts.subjects = vec!["a".into(), "b".into()];
    wrong.targets.get_mut("primary").unwrap().pick = Pick::All;
    let failure = planned(&args(), &wrong).unwrap_err();
    assert_eq!(failure.code, ExitCode::Usage);
    let lines: Vec<&str> = failure.text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("trial.yaml: spec.method[0]: step 1: there is no target `a`"));
}

struct Broken(ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_pipe_is_no_failure_and_a_full_disk_is() {
    let load = |_: &PlanArgs| Ok(loaded(primary_loss()));
    let setting = Setting { load: &load, fresh_seed: 7, style: Style::Plain };
    assert!(run(&args(), &setting, &mut Broken(ErrorKind::BrokenPipe)).is_ok());
    let full = run(&args(), &setting, &mut Broken(ErrorKind::StorageFull)).unwrap_err();
    assert_eq!(full.code, ExitCode::Internal);
}

#[test]
fn an_approval_is_read_from_yaml_or_json() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bob.yaml");
    let times = "2026-06-15T09:00:00Z";
    std::fs::write(&path, format!("by: bob\nintentDigest: ab\nat: {times}\nuntil: {times}\n"))
        .unwrap();
    assert_eq!(approval::read(&path).unwrap().by, "bob");
    std::fs::write(
        &path,
        format!(r#"{{"by": "eve", "intentDigest": "ab", "at": "{times}", "until": "{times}"}}"#),
    )
    .unwrap();
    assert_eq!(approval::read(&path).unwrap().by, "eve");
    std::fs::write(&path, "by: bob\n").unwrap();
    let failure = approval::read(&path).unwrap_err();
    assert!(failure.text.contains("not an approval"), "{failure}");
    assert_eq!(failure.code, ExitCode::Usage);
}
