//! Parts of squall die, and the target too: reverted, nothing left, and never `held`.

use super::live::assert_gone;
use super::stand::{Drill, Stand, signal, until};

/// On a lab that outlives the drill, or the lab's end would hide what is left.
fn killed(part: &str) -> (Stand, Option<i32>) {
    let stand = Stand::new();
    stand.raise();
    stand.drill(&Drill { hold: "2s", ..Drill::default() });
    let mut live = stand.start_drill();
    live.says("in force:");
    assert!(!stand.service_runs());
    let family = live.family();
    signal(live.part(part), libc::SIGKILL);
    let ran = live.finish();
    assert!(stand.service_runs(), "{ran:?}");
    assert_gone(&family);
    stand.assert_no_journal();
    assert!(ran.out.contains(part), "it is said who died: {}", ran.out);
    (stand, ran.code)
}

#[test]
fn the_prober_killed_is_inconclusive() {
    let (stand, code) = killed("prober");
    assert!(matches!(code, Some(5 | 6)), "{code:?}");
    assert_ne!(stand.report()["verdict"], "held");
    assert_eq!(stand.report()["injections"][0]["ended"], "reverted");
}

#[test]
fn the_injector_killed_is_aborted_and_the_guardian_reverts() {
    let (stand, code) = killed("injector");
    assert_eq!(code, Some(6));
    let report = stand.report();
    assert_eq!(report["injections"][0]["ended"], "reverted", "{report}");
    assert_eq!(report["injections"][0]["by"], "guardian", "{report}");
}

#[test]
fn the_guardian_killed_is_aborted() {
    let (stand, code) = killed("guardian");
    assert_eq!(code, Some(6));
    assert_eq!(stand.report()["injections"][0]["ended"], "reverted");
}

#[test]
fn injector_and_guardian_killed_are_undone_by_recovery() {
    let stand = Stand::new();
    stand.raise();
    stand.drill(&Drill { hold: "5s", ..Drill::default() });
    let mut live = stand.start_drill();
    live.says("in force:");
    let (family, parts) = (live.family(), [live.part("guardian"), live.part("injector")]);
    for part in parts {
        signal(part, libc::SIGKILL);
    }
    let ran = live.finish();
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(stand.service_runs(), "{ran:?}");
    assert_gone(&family);
    stand.assert_no_journal();
}

/// A hung injector is killed by the guardian when its lease ends.
#[test]
fn the_injector_stopped_is_undone_within_its_lease() {
    let stand = Stand::new();
    stand.raise();
    stand.drill(&Drill { hold: "20s", ..Drill::default() });
    let mut live = stand.start_drill();
    live.says("in force:");
    let (family, injector) = (live.family(), live.part("injector"));
    let since = std::time::Instant::now();
    signal(injector, libc::SIGSTOP);
    until("the service runs again", || stand.service_runs());
    // The lease is 3 s; the rest is room for a loaded machine.
    assert!(since.elapsed().as_millis() < 3600, "{:?}", since.elapsed());
    let ran = live.finish();
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert_gone(&family);
    stand.assert_no_journal();
}

#[test]
fn the_lab_killed_is_aborted_and_nothing_is_left() {
    let stand = Stand::new();
    stand.drill(&Drill { hold: "10s", ..Drill::default() });
    let mut live = stand.start_drill();
    live.says("in force:");
    let (family, init) = (live.family(), live.part("lab-init"));
    signal(init, libc::SIGKILL);
    let ran = live.finish();
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert_gone(&family);
    let undo = stand.run(&["undo", "--all"]);
    assert_eq!(undo.code, Some(0), "{undo:?}");
    stand.assert_nothing_left();
}

#[test]
fn a_target_that_dies_by_itself_is_void_and_never_held() {
    let stand = Stand::new();
    stand.drill(&Drill { hold: "1s", ..Drill::default() });
    let mut live = stand.start_drill();
    live.says("in force:");
    let family = live.family();
    signal(stand.service().unwrap(), libc::SIGKILL);
    let ran = live.finish();
    assert!(matches!(ran.code, Some(4..=6)), "{ran:?}");
    assert_ne!(stand.report()["injections"][0]["ended"], "reverted", "{ran:?}");
    assert_gone(&family);
    stand.assert_nothing_left();
}
