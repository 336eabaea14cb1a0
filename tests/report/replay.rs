//! The command that runs the same plan again: what a shell makes of the line, as it is shown.

use std::process::Command;

use squall::model::verdict::{Replay, Report};
use squall::report::text::{self, Style};
use squall::report::{html, markdown, sentence};

use crate::sample;

fn report(experiment: &str, lab: Option<&str>) -> Report {
    let mut report = sample::named("held");
    report.replay.experiment = experiment.to_owned();
    report.replay.lab = lab.map(str::to_owned);
    report
}

/// The words that a shell hands to the program.
fn words(line: &str) -> Vec<String> {
    let printed = line.replacen("squall", "printf '%s\\n'", 1);
    let ran = Command::new("sh").args(["-c", &printed]).output().unwrap();
    assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn the_line_names_the_files_as_they_were_given() {
    let line = sentence::replay(&report("experiments/redis-primary-loss.yaml", None));
    assert_eq!(line, "squall run experiments/redis-primary-loss.yaml --seed 8310764201");
    let mut null = report("x.yaml", Some("labs/alone.yaml"));
    null.null = true;
    let line = sentence::replay(&null);
    assert_eq!(line, "squall run x.yaml --lab labs/alone.yaml --seed 8310764201 --null");
}

#[test]
fn policies_are_given_again_by_their_files() {
    let mut report = report("x.yaml", None);
    report.replay.policies = vec!["prod".to_owned()];
    report.replay.policy_files = vec!["p/prod.yaml".to_owned(), "my own.yaml".to_owned()];
    let read = words(&sentence::replay(&report));
    let given = ["run", "x.yaml", "--policy", "p/prod.yaml", "--policy", "my own.yaml"];
    assert_eq!(read[..6], given, "{read:?}");
    assert!(!sentence::replay_note(&report).contains("policies"), "they are in the line");
}

#[test]
fn a_shell_reads_back_every_path() {
    for path in ["a b.yaml", "it's.yaml", "$HOME/`id`.yaml", "*.yaml", "ä;b.yaml", "~/x.yaml", ""]
    {
        let read = words(&sentence::replay(&report(path, Some(path))));
        assert_eq!(read, ["run", path, "--lab", path, "--seed", "8310764201"], "{path}");
    }
    assert_eq!(words(&sentence::replay(&report("-x.yaml", None)))[1], "./-x.yaml");
}

#[test]
fn it_is_one_line_however_narrow_the_terminal_is() {
    let long = format!("experiments/{}.yaml", "long-".repeat(40));
    let report = report(&long, None);
    let text = text::render(&report, &Style::plain(60), &[]);
    let line = format!("replay: {}", sentence::replay(&report));
    assert!(text.lines().any(|shown| shown == line), "{text}");
    assert!(!sentence::replay(&self::report("a\nb", None)).contains('\n'));
}

#[test]
fn every_face_has_it_and_policies_are_asked_for() {
    let mut report = report("x.yaml", None);
    let line = sentence::replay(&report);
    assert!(html::render(&report).contains(&line) && markdown::render(&report).contains(&line));
    assert!(!sentence::replay_note(&report).contains("policies"), "the default is built in");
    let policies = vec!["prod".to_owned(), "strict".to_owned()];
    report.replay = Replay { policies, ..report.replay };
    let note = sentence::replay_note(&report);
    assert!(note.starts_with("give the policies again, by --policy: prod, strict; "), "{note}");
    assert!(note.contains(&report.digest));
}
