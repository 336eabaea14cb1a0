//! Somebody stands still whom a drill has to wait for: it ends all the same.

use std::time::{Duration, Instant};

use super::live::assert_gone;
use super::stand::{Stand, cmdline, marked, signal, stat, until};

/// Goes on in the end, so that whoever cleans up is not kept waiting.
struct Stopped(i32);

impl Stopped {
    fn stop(pid: i32) -> Stopped {
        signal(pid, libc::SIGSTOP);
        Stopped(pid)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        signal(self.0, libc::SIGCONT);
    }
}

/// The lab's init says no more who runs, when the second step has to know.
#[test]
fn a_lab_whose_init_stands_still_ends_the_drill_and_is_removed() {
    let stand = Stand::new();
    let one = "method: [{at: 0s, hold: 100ms, inject: {processPause: {target: redis}}}]";
    let two = "method: [{at: 0s, hold: 100ms, inject: {processPause: {target: redis}}}, \
               {at: 3s, hold: 100ms, inject: {processPause: {target: redis}}}]";
    let text = stand.read("drill.yaml");
    assert!(text.contains(one), "{text}");
    std::fs::write(stand.path("drill.yaml"), text.replace(one, two)).unwrap();
    let mut live = stand.start_drill();
    live.says("in force:");
    until("the first is undone", || stand.service_runs());
    let (family, began) = (live.family(), Instant::now());
    let _init = Stopped::stop(live.part("lab-init"));
    let ran = live.finish();
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    assert_eq!(ran.code, Some(6), "{ran:?}");
    let ended = &stand.report()["injections"];
    assert_eq!(ended[0]["ended"], "reverted", "{ended}");
    assert_eq!(ended[1]["ended"], "never in force", "{ended}");
    assert_gone(&family);
    stand.assert_nothing_left();
}

fn keeper_of(stand: &Stand) -> i32 {
    let init = marked(&stand.mark).into_iter().find(|pid| cmdline(*pid).contains("part lab-init"));
    stat(init.unwrap()).unwrap().0
}

#[test]
fn ctrl_c_ends_the_wait_for_a_keeper_that_stands_still() {
    let stand = Stand::new();
    stand.raise();
    let _keeper = Stopped::stop(keeper_of(&stand));
    let live = stand.start_drill();
    let seats = stand.path("state/squall/seats");
    until("it is admitted", || {
        std::fs::read_dir(&seats).is_ok_and(|mut seats| seats.next().is_some())
    });
    live.signal(libc::SIGINT);
    let ran = live.finish();
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(ran.err.contains("while the lab was attached to"), "{ran:?}");
    stand.assert_no_journal();
}

#[test]
fn a_keeper_that_stands_still_is_not_waited_for_without_end() {
    let stand = Stand::new();
    stand.raise();
    let _keeper = Stopped::stop(keeper_of(&stand));
    let ran = stand.run_drill(&[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("stands still"), "{ran:?}");
    stand.assert_no_journal();
}
