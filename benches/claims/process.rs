//! Whole processes of the release binary, from start to reaped; and its size.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use squall::host::linux::clock::monotonic_ns;

use crate::sample::Sample;
use crate::table::{Goal, Row};
use crate::{Bench, SQUALL};

/// The smallest system that can be drilled: one program on one host, and one that looks.
const LAB: &str = r#"apiVersion: squall.dev/v1alpha1
kind: Lab
metadata: {name: idle}
spec:
  title: One program that does nothing
  services:
    idle:
      hosts: [h1]
      command: [sleep, "1000"]
"#;
const EXPERIMENT: &str = r#"apiVersion: squall.dev/v1alpha1
kind: Experiment
metadata: {name: nothing}
spec:
  title: Nothing happens
  lab: lab.yaml
  targets:
    idle: {lab: {service: idle}}
  probes:
    look: {command: {run: ["true"]}, rate: 20/s, deadline: 500ms}
  steadyState: {for: 200ms}
  method:
    - {at: 0s, hold: 200ms, inject: {processPause: {target: idle}}}
  hypothesis:
    - notAffected: {probe: look}
"#;

struct Place {
    folder: PathBuf,
}

pub fn run(bench: &Bench) -> Vec<Row> {
    let place = Place { folder: bench.folder().to_owned() };
    fs::write(place.folder.join("lab.yaml"), LAB).unwrap();
    fs::write(place.folder.join("nothing.yaml"), EXPERIMENT).unwrap();
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/production.yaml");
    let policy = policy.to_str().unwrap();
    let (mut validate, mut plan) = (Sample::default(), Sample::default());
    let (mut refused, mut null) = (Sample::default(), Sample::default());
    for round in 0..bench.repeats(40) {
        validate.push_ns_as_ms(place.time(&["validate", "nothing.yaml"], 0));
        plan.push_ns_as_ms(place.time(&["plan", "nothing.yaml"], 0));
        let run = ["run", "nothing.yaml", "--yes", "--policy", policy];
        refused.push_ns_as_ms(place.time(&run, 3));
        null.push_ns_as_ms(place.null_drill(round));
    }
    let row = |metric: &str, sample: &Sample| {
        Row::of_times(metric, sample, Goal::at_most("p50", sample.p50(), 50.0))
    };
    let note = "`squall run --null` of one program on one host in a lab of its own, from start to \
                reaped, less the time between the beginning of the steady state and the end of the \
                recovery watch, which the file asks for; lab up, three parts, judge, four reports \
                and lab down are in it";
    let size = fs::metadata(SQUALL).unwrap().len() as f64 / f64::from(1 << 20);
    vec![
        row("squall validate, whole process", &validate),
        row("squall plan, whole process", &plan),
        row("squall run, refused by policy", &refused),
        Row { note: Some(note.to_owned()), ..row("squall run, null drill less its waits", &null) },
        Row {
            metric: "stripped release binary".to_owned(),
            unit: "MiB",
            p50: size,
            p99: None,
            repeats: 1,
            goals: vec![Goal::at_most("", size, 20.0)],
            peer: crate::peer::toxiproxy::program().map(|path| crate::table::Peer {
                name: "toxiproxy-server",
                p50: fs::metadata(path).unwrap().len() as f64 / f64::from(1 << 20),
                p99: None,
            }),
            note: None,
        },
    ]
}

impl Place {
    fn squall(&self, argv: &[&str]) -> Command {
        let mut command = Command::new(SQUALL);
        command.args(argv).current_dir(&self.folder).env("XDG_STATE_HOME", &self.folder);
        command.stdin(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// From before it is started until it is reaped.
    fn time(&self, argv: &[&str], code: i32) -> u64 {
        let began_ns = monotonic_ns();
        let output = self.squall(argv).output().unwrap();
        let took_ns = monotonic_ns() - began_ns;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(code), "{argv:?}: {said}");
        took_ns
    }

    fn null_drill(&self, round: usize) -> u64 {
        let out = format!("out{round}");
        let argv = ["run", "nothing.yaml", "--yes", "--null", "--events", "--out", &out];
        let began_ns = monotonic_ns();
        let mut child = self.squall(&argv).stdout(Stdio::piped()).spawn().unwrap();
        let (mut steady_ns, mut settle_ns, mut lines) = (0, 0, Vec::new());
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if let Ok(record) = serde_json::from_str::<Value>(&line) {
                let at_ns = record["atNs"].as_u64().unwrap_or(0);
                match record["entry"]["phase"].as_str() {
                    Some("steady") => steady_ns = at_ns,
                    Some("settle") => settle_ns = at_ns,
                    _ => {}
                }
            }
            lines.push(line);
        }
        let status = child.wait().unwrap();
        let took_ns = monotonic_ns() - began_ns;
        // On a busy machine it may call its own slots too late; it did the same work.
        assert!(matches!(status.code(), Some(0 | 5)), "{status}: {}", lines.join("\n"));
        assert!(steady_ns > 0 && settle_ns > steady_ns, "{}", lines.join("\n"));
        took_ns - (settle_ns - steady_ns)
    }
}
