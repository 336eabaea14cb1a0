//! However a person walks away, the fault is undone and the exit code says what happened.

use std::io::{BufRead, BufReader, Read};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, fcntl};

use super::live::{Live, assert_gone};
use super::stand::{Drill, Stand, signal, stat, until};

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

/// Three requests that cannot become one on their way, as three of the same signal may.
fn out(live: &Live) {
    for number in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        live.signal(number);
    }
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
    out(&live);
    let ran = live.finish();
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(stand.service_runs(), "it waits for the undo: {ran:?}");
    reverted_and_aborted(&stand);
    assert_gone(&family);
    let undo = stand.run(&["undo", "--all"]);
    assert_eq!(undo.code, Some(0), "{undo:?}");
    stand.assert_no_journal();
    stand.lower();
    stand.assert_nothing_left();
}

/// The injector hangs, and the guardian was stopped for a while: out is out, but not before it is
/// undone, and it is said who is waited for. Nobody is killed for being slow.
#[test]
fn ctrl_c_three_times_still_waits_for_the_guardian() {
    let stand = Stand::new();
    stand.raise();
    long_pause(&stand);
    let mut live = stand.start_drill();
    live.says("in force:");
    let family = live.family();
    let (injector, guardian) = (live.part("injector"), live.part("guardian"));
    for part in [injector, guardian] {
        signal(part, libc::SIGSTOP);
    }
    out(&live);
    let names = format!("injector (process {injector}) and guardian (process {guardian})");
    live.says(&format!("waiting for {names} to undo"));
    // Longer than a part may take to end that holds nothing.
    std::thread::sleep(Duration::from_secs(3));
    signal(guardian, libc::SIGCONT);
    let ran = live.finish();
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(stand.service_runs(), "{ran:?}");
    assert_eq!(stand.report()["injections"][0]["by"], "guardian", "{ran:?}");
    assert_gone(&family);
    stand.assert_no_journal();
}

/// Who asks a fourth time is not kept: what is open is said to be stuck, and by whom it is held.
#[test]
fn ctrl_c_four_times_does_not_wait_and_kills_nobody_that_undoes() {
    let stand = Stand::new();
    stand.raise();
    long_pause(&stand);
    let mut live = stand.start_drill();
    live.says("in force:");
    let (injector, guardian) = (live.part("injector"), live.part("guardian"));
    for part in [injector, guardian] {
        signal(part, libc::SIGSTOP);
    }
    out(&live);
    live.says("waiting for injector");
    live.signal(libc::SIGINT);
    let ran = live.finish();
    assert_eq!(ran.code, Some(7), "{ran:?}");
    assert!(ran.out.contains(&format!("guardian (process {guardian})")), "{ran:?}");
    assert!(stat(guardian).is_some() && stat(injector).is_some(), "they may still undo it");
    for part in [injector, guardian] {
        signal(part, libc::SIGCONT);
    }
    until("the service runs again", || stand.service_runs());
    until("their journal is free", || {
        !stand.run(&["undo", "--all"]).out.contains("has lost its conductor")
    });
    stand.assert_no_journal();
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
    let mut first = String::new();
    BufReader::new(out).read_line(&mut first).unwrap();
    let ran = live.finish();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(stand.report()["verdict"], "held");
    stand.assert_nothing_left();
}

/// A full pipe that nobody empties holds up what is said, and nothing else.
#[test]
fn a_reader_that_does_not_read_holds_up_nothing() {
    let stand = Stand::new();
    stand.drill(&Drill { hold: "2s", ..Drill::default() });
    let args = ["run", "drill.yaml", "--out", "out", "--events"];
    let (live, mut out) = Live::start_unheard(stand.squall(&args));
    fcntl(&out, FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
    until("the drill is over and judged", || stand.path("out/junit.xml").exists());
    let history = stand.read("out/history.jsonl");
    assert!(history.len() > 8192, "it fits into the pipe: {} bytes", history.len());
    assert!(!history.contains("partLost"), "nobody is blamed for it");
    let mut said = String::new();
    out.read_to_string(&mut said).unwrap();
    assert_eq!(said, history, "nothing of it is left out");
    let ran = live.finish();
    assert!(matches!(ran.code, Some(0 | 5)), "{ran:?}");
    stand.assert_nothing_left();
}

/// Nobody reads, and somebody wants out.
#[test]
fn a_signal_ends_the_wait_for_a_reader() {
    let stand = Stand::new();
    stand.drill(&Drill { hold: "1s", ..Drill::default() });
    let args = ["run", "drill.yaml", "--out", "out", "--events"];
    let (live, out) = Live::start_unheard(stand.squall(&args));
    fcntl(&out, FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
    until("the drill is over and judged", || stand.path("out/junit.xml").exists());
    let asked = Instant::now();
    // It may not listen again yet in the moment after the last file.
    let ended = || {
        live.signal(libc::SIGINT);
        stat(live.pid()).is_none_or(|(_, state, _)| state == 'Z')
    };
    until("it has ended", ended);
    assert!(asked.elapsed() < Duration::from_secs(8), "{:?}", asked.elapsed());
    assert!(matches!(live.finish().code, Some(0 | 5)));
    drop(out);
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
