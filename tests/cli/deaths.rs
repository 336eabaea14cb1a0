//! Parts of squall die, and the target too: reverted, nothing left, and never `held`.

use super::live::{Live, assert_gone};
use super::stand::{Drill, Stand, pids, signal, stat, until};

/// A pause in force on a lab that outlives the drill: the end of the lab would hide what is left.
pub fn in_force_on_standing_lab(hold: &'static str) -> (Stand, Live) {
    let stand = Stand::new();
    stand.raise();
    stand.drill(&Drill { hold, ..Drill::default() });
    let mut live = stand.start_drill();
    live.says("in force:");
    (stand, live)
}

pub fn kill_conductor(live: Live) {
    live.signal(libc::SIGKILL);
    assert_eq!(live.finish().code, None);
}

/// One part dies while the fault is in force.
fn killed(part: &str) -> (Stand, Option<i32>) {
    let (stand, live) = in_force_on_standing_lab("2s");
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
    let (stand, live) = in_force_on_standing_lab("5s");
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
    let (stand, live) = in_force_on_standing_lab("20s");
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

/// The guardian lives, and does nothing: its turn passes, and a recovery undoes.
#[test]
fn a_guardian_that_stands_still_is_replaced() {
    let (stand, live) = in_force_on_standing_lab("30s");
    let (family, injector) = (live.family(), live.part("injector"));
    signal(live.part("guardian"), libc::SIGSTOP);
    signal(injector, libc::SIGKILL);
    let ran = live.finish();
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(stand.service_runs(), "{ran:?}");
    assert!(ran.out.contains("it has not acted in the injector's place"), "{ran:?}");
    assert_eq!(stand.report()["injections"][0]["by"], "recovery", "{ran:?}");
    assert_gone(&family);
    stand.assert_no_journal();
}

/// Both live, and neither does anything. Only their silence tells.
#[test]
fn injector_and_guardian_that_stand_still_are_replaced() {
    let (stand, mut live) = in_force_on_standing_lab("60s");
    let family = live.family();
    for part in [live.part("guardian"), live.part("injector")] {
        signal(part, libc::SIGSTOP);
    }
    live.says("the injector was lost: it missed its beats");
    live.says("the guardian was lost: it has not acted");
    let ran = live.finish();
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(stand.service_runs(), "{ran:?}");
    assert_gone(&family);
    stand.assert_no_journal();
}

/// It was ordered and never obeyed: there is nothing to be stuck.
#[test]
fn an_order_that_a_stopped_injector_never_obeyed_is_not_stuck() {
    let stand = Stand::new();
    stand.raise();
    let steady = "{for: 2s, within: 10s}";
    stand.drill(&Drill { hold: "30s", steady, ..Drill::default() });
    let mut live = stand.start_drill();
    live.says("waiting for the steady state");
    let family = live.family();
    signal(live.part("injector"), libc::SIGSTOP);
    let ran = live.finish();
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(ran.out.contains("was ordered and never armed"), "{ran:?}");
    assert!(!ran.out.contains("in force:") && stand.service_runs(), "{ran:?}");
    assert_gone(&family);
    stand.assert_no_journal();
}

/// What is left of a drill whose conductor died holds the lab: no other drill begins over it, and
/// who asks is told which processes those are.
#[test]
fn a_drill_does_not_begin_over_what_is_left_of_another() {
    let (stand, live) = in_force_on_standing_lab("60s");
    let (guardian, injector) = (live.part("guardian"), live.part("injector"));
    for part in [guardian, injector] {
        signal(part, libc::SIGSTOP);
    }
    kill_conductor(live);
    stand.drill(&Drill::default());
    let refused = stand.run(&["run", "drill.yaml", "--out", "second"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(!stand.path("second").exists() && !refused.out.contains("in force:"), "{refused:?}");
    let undo = stand.run(&["undo", "--all"]);
    assert_eq!(undo.code, Some(3), "the fault is in force: {undo:?}");
    for said in [&refused.err, &undo.out] {
        for holder in
            [format!("guardian (process {guardian})"), format!("injector (process {injector})")]
        {
            assert!(said.contains(&holder), "no {holder} in {said}");
        }
        assert!(said.contains("has lost its conductor"), "{said}");
        assert!(!said.contains("nothing to undo"), "{said}");
    }
    assert!(!stand.service_runs(), "it is undone by nobody yet");
    // They go on, and so does the next drill: it waits for them.
    for part in [guardian, injector] {
        signal(part, libc::SIGCONT);
    }
    let ran = stand.run(&["run", "drill.yaml", "--out", "third"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    stand.assert_no_journal();
}

/// The guardian needs its lease to find out; whoever comes meanwhile waits for it.
#[test]
fn a_drill_waits_for_a_guardian_that_is_still_at_it() {
    let (stand, live) = in_force_on_standing_lab("60s");
    signal(live.part("injector"), libc::SIGSTOP);
    kill_conductor(live);
    stand.drill(&Drill::default());
    let ran = stand.run(&["run", "drill.yaml", "--out", "second"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("for what is left of drill d"), "{ran:?}");
    stand.assert_no_journal();
}

/// The kernel waits for everybody who was born in a lab before its init is gone, and lets nobody in
/// from the moment it was killed. What was in force there is void, and the next drill goes on.
#[test]
fn a_drill_begins_while_the_lab_of_a_dead_one_is_still_dying() {
    let stand = Stand::new();
    stand.drill(&Drill { hold: "60s", ..Drill::default() });
    let mut live = stand.start_drill();
    live.says("in force:");
    let (family, init) = (live.family(), live.part("lab-init"));
    // Born in the lab, reaped outside of it: by this one, when it goes on.
    let mut outside = std::process::Command::new("nsenter")
        .args(["--target", &init.to_string(), "--user", "--pid", "--preserve-credentials"])
        .args(["sleep", "100"])
        .spawn()
        .unwrap();
    let reaper = i32::try_from(outside.id()).unwrap();
    until("it has a child in the lab", || {
        pids().into_iter().any(|pid| stat(pid).is_some_and(|(parent, ..)| parent == reaper))
    });
    signal(reaper, libc::SIGSTOP);
    // They would undo it, were they quicker than the end of their lab.
    for part in [live.part("guardian"), live.part("injector")] {
        signal(part, libc::SIGSTOP);
    }
    kill_conductor(live);
    until("its parts are gone", || {
        family.iter().filter(|(pid, _)| *pid != init).all(|(pid, start)| {
            !matches!(stat(*pid), Some((_, state, began)) if began == *start && state != 'Z')
        })
    });
    assert!(stat(init).is_some_and(|(_, state, _)| state != 'Z'), "its init is dying, not dead");
    stand.drill(&Drill::default());
    let next = stand.start(&["run", "drill.yaml", "--out", "second"]);
    std::thread::sleep(std::time::Duration::from_millis(700));
    signal(reaper, libc::SIGKILL);
    outside.wait().unwrap();
    let ran = next.finish();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("void: its lab is gone"), "{ran:?}");
    stand.assert_nothing_left();
}

/// The conductor is killed while a fault is in force: its history ends there, and says no more than
/// it knows.
#[test]
fn the_history_of_a_killed_conductor_breaks_off_with_the_fault_in_force() {
    let (stand, live) = in_force_on_standing_lab("60s");
    kill_conductor(live);
    let judged = stand.run(&["judge", "out"]);
    assert_eq!(judged.code, Some(5), "{judged:?}");
    let said = judged.out.replace('\n', " ");
    assert!(said.contains("the history breaks off at"), "{judged:?}");
    assert!(said.contains("processPause redis@r1"), "{judged:?}");
    for untrue in ["nothing was injected", "nothing of the drill is left", "never in force"] {
        assert!(!said.contains(untrue), "{judged:?}");
    }
    assert!(said.contains("the world was not read back"), "{judged:?}");
    until("the guardian has undone it", || stand.service_runs());
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

/// It was seen to be gone, and shows again before the drill is over: that stays on record until it
/// is undone.
#[test]
fn what_is_back_in_the_end_stays_on_record() {
    let stand = Stand::new();
    stand.raise();
    let steady = "{for: 2s, within: 10s}";
    stand.drill(&Drill { hold: "200ms", steady, watch: "3s", ..Drill::default() });
    let mut live = stand.start_drill();
    // The recovery takes the 2 s of a steady state, so that there is time.
    live.says("watching the recovery");
    signal(stand.service().unwrap(), libc::SIGSTOP);
    let ran = live.finish();
    assert_eq!(ran.code, Some(7), "{ran:?}");
    assert!(ran.out.contains("still in the world"), "{ran:?}");
    assert!(!stand.service_runs(), "{ran:?}");
    let undo = stand.run(&["undo", "--all"]);
    assert_eq!(undo.code, Some(0), "{undo:?}");
    assert!(undo.out.contains("reverted"), "{undo:?}");
    assert!(stand.service_runs());
    stand.assert_no_journal();
}

/// The lease ends the hold early, and the drill goes on when it wakes: half a hold proves nothing.
#[test]
fn a_conductor_that_was_stopped_for_a_lease_never_holds() {
    let stand = Stand::new();
    stand.drill(&Drill { hold: "20s", ..Drill::default() });
    let mut live = stand.start_drill();
    live.says("in force:");
    let family = live.family();
    live.signal(libc::SIGSTOP);
    until("the lease to end the hold", || stand.service_runs());
    live.signal(libc::SIGCONT);
    let ran = live.finish();
    assert!(matches!(ran.code, Some(5 | 6)), "{ran:?}");
    let report = stand.report();
    let finding = report["claims"][0]["finding"].as_str().unwrap();
    assert!(finding.contains("held for ") && finding.contains(" of 20 s"), "{report}");
    assert_eq!(report["claims"][0]["verdict"], "inconclusive", "{report}");
    assert_gone(&family);
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
