//! A secret is in nothing that squall writes, prints or shows in the list of processes.

use std::fs;
use std::path::Path;

use super::stand::{Drill, Stand, cmdline, pids};

const CANARY: &str = "canary-2b7e151628aed2a6";

/// Every file below, read whole.
fn holds(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            holds(&path, found);
        } else if fs::read(&path)
            .is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(CANARY))
        {
            found.push(path.display().to_string());
        }
    }
}

fn nowhere(probe: &'static str, verbose: &str, deviates: bool) {
    let stand = Stand::new();
    fs::write(stand.path("secret"), format!("{CANARY}\n")).unwrap();
    let hypothesis = "longestOutage: {probe: ping, atMost: 20s}";
    stand.drill(&Drill { hold: "1s", probe, hypothesis, ..Drill::default() });
    let mut command = stand.squall(&["run", "drill.yaml", "--out", "out", verbose]);
    command.env("CANARY", CANARY);
    let mut live = super::live::Live::start(command);
    live.says(if deviates { "waiting for the steady state" } else { "in force:" });
    let shown: Vec<String> =
        pids().into_iter().map(cmdline).filter(|line| line.contains(CANARY)).collect();
    assert!(shown.is_empty(), "{shown:?}");
    // The environment of every part is seen by its owner too: only the conductor was given it.
    let conductor = live.pid();
    for (pid, _) in live.family() {
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let has = String::from_utf8_lossy(&environ).contains(CANARY);
        assert!(!has || pid == conductor, "{} has it in its environment", cmdline(pid));
    }
    let ran = live.finish();
    assert!(matches!(ran.code, Some(0 | 5)), "{ran:?}");
    assert!(!ran.out.contains(CANARY) && !ran.err.contains(CANARY), "{ran:?}");
    fs::remove_file(stand.path("secret")).unwrap();
    let mut found = Vec::new();
    holds(stand.folder(), &mut found);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_secret_from_a_variable_is_nowhere() {
    nowhere(
        r#"{http: {url: "http://{{lab.redis}}/", secretHeaders: {x-key: {env: CANARY}}}, rate: 50/s, deadline: 50ms}"#,
        "-vv",
        true,
    );
}

#[test]
fn a_password_from_a_file_is_nowhere() {
    // A user without a password takes any.
    nowhere(
        r#"{redis: {address: "{{lab.redis}}", username: default, password: {file: secret}}, rate: 50/s, deadline: 50ms}"#,
        "-vv",
        false,
    );
}

#[test]
fn a_secret_that_is_not_there_is_named_and_nothing_starts() {
    let stand = Stand::new();
    let probe = r#"{redis: {address: "{{lab.redis}}", password: {env: CANARY_UNSET}}, rate: 50/s, deadline: 50ms}"#;
    stand.drill(&Drill { probe, ..Drill::default() });
    let ran = stand.run_drill(&[]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("CANARY_UNSET"), "{ran:?}");
    stand.assert_nothing_left();
}
