//! Every shipped experiment has a plan, and a person has read it: the snapshots are the plans.
//!
//! Digests are left out of them, so that a comment in a file does not change its plan's snapshot;
//! the first test holds them to be the same each time.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "all of it is a test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use squall::cli::failure::Failure;
use squall::cli::prepare::{Inputs, Prepared};
use squall::model::plan::{Plan, Source};
use squall::plan::{PlanInput, Style, check_stale, diff, digest, render};
use squall::spec::{self, Surroundings};

const SEED: u64 = 1;

/// Paths relative to the project, where tests run, so that no machine's folders are in a plan.
fn experiments() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("experiments")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "where are the experiments?");
    found
}

fn args(file: &Path) -> Inputs {
    Inputs {
        file: file.to_owned(),
        seed: Some(SEED),
        lab: None,
        policy: Vec::new(),
        approval: Vec::new(),
        kubeconfig: None,
    }
}

/// Nothing of it is in a cluster.
fn prepared(inputs: &Inputs) -> Result<Prepared, Failure> {
    inputs.read()?.prepare(Vec::new())
}

fn planned(inputs: &Inputs) -> Plan {
    prepared(inputs).unwrap_or_else(|e| panic!("{e}")).plan
}

#[test]
fn every_experiment_has_the_plan_that_was_read() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.add_filter("[0-9a-f]{64}", "<digest>");
    settings.add_filter("(policies  [a-z]+) [0-9a-f]{12}", "$1 <digest>");
    settings.bind(|| {
        for file in experiments() {
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            let text = render::text(&planned(&args(&file)), Style::Plain);
            insta::assert_snapshot!(name, text);
        }
    });
}

#[test]
fn the_same_files_give_the_same_plan_wherever_they_lie() {
    let elsewhere = tempfile::tempdir().unwrap();
    copy(Path::new("experiments"), elsewhere.path());
    for file in experiments() {
        let here = planned(&args(&file));
        assert!(digest::holds(&here));
        assert_eq!(here, planned(&args(&file)), "{}", file.display());
        let there = planned(&args(&elsewhere.path().join(file.file_name().unwrap())));
        assert_eq!(here.digest, there.digest, "{}", file.display());
        assert_eq!(here.intent_digest, there.intent_digest, "{}", file.display());
        assert_eq!(check_stale(&here, &there), Ok(()));
    }
}

#[test]
fn a_kept_plan_of_each_reads_back_as_it_was() {
    for file in experiments() {
        let plan = planned(&args(&file));
        let text = serde_json::to_string_pretty(&plan).unwrap();
        let read: Plan = serde_json::from_str(&text).unwrap();
        assert_eq!(read.digest, plan.digest);
        assert!(digest::holds(&read), "{}", file.display());
        assert_eq!(diff(&read, &plan).unwrap(), [], "{}", file.display());
    }
}

#[test]
fn another_lab_is_another_plan_and_says_so() {
    let file = Path::new("experiments/redis-primary-loss.yaml");
    let here = planned(&args(file));
    let alone = Inputs { lab: Some("experiments/labs/redis-alone.yaml".into()), ..args(file) };
    let there = planned(&alone);
    let told = check_stale(&here, &there).unwrap_err();
    assert!(told.iter().any(|line| line.starts_with("the lab is redis-alone")), "{told:?}");
    assert!(
        there.steps[0].defence.contains("nothing of redis is left to take over"),
        "{}",
        there.steps[0].defence
    );
}

#[test]
fn a_changed_comment_outdates_an_approval_and_a_kept_plan() {
    let folder = tempfile::tempdir().unwrap();
    copy(Path::new("experiments"), folder.path());
    let file = folder.path().join("redis-primary-loss.yaml");
    let before = planned(&args(&file));
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text + "# one more remark\n").unwrap();
    let after = planned(&args(&file));
    assert_ne!(before.intent_digest, after.intent_digest);
    let told = check_stale(&before, &after).unwrap_err();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("the experiment ") && told[0].ends_with(" changed"));
}

/// The plan of a file, where the variable `ROLE` has that value.
fn planned_with(file: &Path, role: &str) -> Plan {
    let env = |name: &str| (name == "ROLE").then(|| role.to_owned());
    let loaded = spec::experiment(file, &Surroundings { lab: None, env: &env }).unwrap();
    let lab = loaded.value.lab.as_ref().unwrap();
    let input = PlanInput {
        experiment: &loaded.value.experiment,
        source: Source { path: file.display().to_string(), sha256: loaded.sha256.clone() },
        lab: Some(squall::plan::lab(&lab.name, "lab.yaml", &lab.sha256, &lab.value).unwrap()),
        clusters: Vec::new(),
        seed: SEED,
        policies: BTreeMap::new(),
        warnings: Vec::new(),
    };
    squall::plan::plan(input).unwrap()
}

#[test]
fn a_variable_with_another_value_outdates_an_approval() {
    let folder = tempfile::tempdir().unwrap();
    copy(Path::new("experiments"), folder.path());
    let file = folder.path().join("redis-primary-loss.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let open = text.replace("role: primary}", "role: \"{{env.ROLE}}\"}");
    assert_ne!(text, open);
    std::fs::write(&file, open).unwrap();
    let (replica, primary) = (planned_with(&file, "replica"), planned_with(&file, "primary"));
    assert_eq!(replica.source, primary.source);
    assert_eq!(replica.blast_radius, primary.blast_radius);
    assert_ne!(replica.intent_digest, primary.intent_digest);
    assert_eq!(primary.intent_digest, planned_with(&file, "primary").intent_digest);
}

#[test]
fn a_changed_lab_outdates_an_approval() {
    let folder = tempfile::tempdir().unwrap();
    copy(Path::new("experiments"), folder.path());
    let file = folder.path().join("redis-primary-loss.yaml");
    let before = planned(&args(&file));
    let lab = folder.path().join("labs/redis-sentinel.yaml");
    let text = std::fs::read_to_string(&lab).unwrap();
    std::fs::write(&lab, text + "# one more remark\n").unwrap();
    assert_ne!(before.intent_digest, planned(&args(&file)).intent_digest);
}

#[test]
fn every_shipped_policy_is_read_and_named_in_the_plan() {
    let file = Path::new("experiments/redis-primary-loss.yaml");
    for name in ["default", "ci", "staging", "production"] {
        let path = PathBuf::from(format!("policies/{name}.yaml"));
        let plan = planned(&Inputs { policy: vec![path], ..args(file) });
        assert_eq!(plan.policies.keys().collect::<Vec<_>>(), [name]);
    }
    let none = planned(&args(file)).policies;
    let text = std::fs::read("policies/default.yaml").unwrap();
    assert_eq!(none["default"], digest::sha256(&text), "what is embedded is what is shipped");
}

#[test]
fn a_rule_that_cannot_be_meant_is_a_bad_file_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("odd.yaml");
    let text = "apiVersion: squall.dev/v1alpha1\nkind: Policy\nmetadata: {name: odd}\nspec:\n  \
                title: Odd\n  rules:\n    - limits: {}\n    - window: {zone: Mars/Phobos, open: []}\n";
    std::fs::write(&policy, text).unwrap();
    let file = Path::new("experiments/redis-primary-loss.yaml");
    let args = Inputs { policy: vec![policy], ..args(file) };
    let Err(failure) = prepared(&args) else { panic!("an odd policy was taken") };
    for part in ["odd.yaml:7:", "it limits nothing", "odd.yaml:8:", "no IANA", "never opens"] {
        assert!(failure.why.contains(part), "{part}: {failure}");
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
