//! However a person walks away, the fault is undone and the exit code says what happened.

use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use super::live::{Live, assert_gone};
use super::stand::{Drill, Stand, until};

fn long_pause(stand: &Stand) {
    stand.drill(&Drill { hold: "30s", ..Drill::default() });
}

fn reverted_and_aborted(stand: &Stand) {
    let report = stand.report();
    assert_eq!(report["verdict"], "aborted", "{}", report["reason"]);
    assert_eq!(report["injections"][0]["ended"], "reverted", "{report}");
    assert_eq!(report["residue"].as_array().unwrap().len(), 0);
}

fn ended_by(number: i32, name: &str) {
    let stand = Stand::new();
    long_pause(&stand);
    let mut live = stand.start_drill();
    live.says("in force:");
    let family = live.family();
    live.signal(number);
    let ran = live.finish();
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(ran.out.contains(name) && ran.out.contains("nothing of the drill is left"), "{ran:?}");
    reverted_and_aborted(&stand);
    assert_gone(&family);
    stand.assert_nothing_left();
}

#[test]
fn ctrl_c_once_reverts_and_still_watches_and_judges() {
    ended_by(libc::SIGINT, "Ctrl-C");
}

#[test]
fn sigterm_is_as_good_as_ctrl_c() {
    ended_by(libc::SIGTERM, "SIGTERM");
}

#[test]
fn sighup_is_as_good_as_ctrl_c() {
    ended_by(libc::SIGHUP, "terminal");
}

#[test]
fn ctrl_c_twice_skips_the_watch() {
    let stand = Stand::new();
    // Nobody starts it again: the watch would last its full time.
    let fault = "processKill: {target: redis}";
    stand.drill(&Drill { hold: "30s", fault, watch: "30s", ..Drill::default() });
    let mut live = stand.start_drill();
    live.says("in force:");
    live.signal(libc::SIGINT);
    live.says("watching the recovery");
    let asked = Instant::now();
    live.signal(libc::SIGINT);
    let ran = live.finish();
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    stand.assert_nothing_left();
}

#[test]
fn ctrl_c_three_times_leaves_at_once_and_the_guardian_undoes() {
    let stand = Stand::new();
    stand.raise();
    long_pause(&stand);
    let mut live = stand.start_drill();
    live.says("in force:");
    assert!(!stand.service_runs());
    let family = live.family();
    let asked = Instant::now();
    for _ in 0..3 {
        live.signal(libc::SIGINT);
    }
    let ran = live.finish();
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert!(matches!(ran.code, Some(6 | 7)), "{ran:?}");
    until("the service runs again", || stand.service_runs());
    assert_gone(&family);
    let undo = stand.run(&["undo", "--all"]);
    assert_eq!(undo.code, Some(0), "{undo:?}");
    stand.assert_no_journal();
    stand.lower();
    stand.assert_nothing_left();
}

#[test]
fn ctrl_c_while_the_lab_comes_up_injects_nothing() {
    let stand = Stand::new();
    let mut live = stand.start_drill();
    live.says("raising lab");
    live.signal(libc::SIGINT);
    let ran = live.finish();
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(!ran.out.contains("in force:"), "{ran:?}");
    stand.assert_nothing_left();
}

#[test]
fn a_closed_terminal_reverts() {
    let stand = Stand::new();
    long_pause(&stand);
    let mut terminal = stand.start_on_terminal(&["run", "drill.yaml", "--out", "out"], &[]);
    terminal.says("in force:");
    let family = terminal.live.family();
    let ran = terminal.close().finish();
    assert_eq!(ran.code, Some(6), "{ran:?}");
    reverted_and_aborted(&stand);
    assert_gone(&family);
    stand.assert_nothing_left();
}

#[test]
fn a_reader_that_has_gone_changes_nothing() {
    let stand = Stand::new();
    let (live, out) = Live::start_unheard(stand.squall(&["run", "drill.yaml", "--out", "out"]));
    BufReader::new(out).read_line(&mut String::new()).unwrap();
    let ran = live.finish();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(stand.report()["verdict"], "held");
    stand.assert_nothing_left();
}

/// The conductor dies without a word: only the parts that outlive it can undo.
#[test]
fn the_conductor_killed_leaves_nothing_in_force() {
    let stand = Stand::new();
    stand.raise();
    long_pause(&stand);
    let mut live = stand.start_drill();
    live.says("in force:");
    let family = live.family();
    live.signal(libc::SIGKILL);
    assert_eq!(live.finish().code, None);
    until("the service runs again", || stand.service_runs());
    assert_gone(&family);
    let undo = stand.run(&["undo", "--all"]);
    assert_eq!(undo.code, Some(0), "{undo:?}");
    stand.assert_no_journal();
}
