//! Faults that do not last, and looks at what is left: whoever ends a fault before its time is
//! found out, and so is what shows after the end, by whoever lives to look.

use squall::model::message::FromInjector;

use crate::drill::{Drill, is};
use crate::fixture::Fixture;
use crate::order::{of_labs, pause};
use crate::script::{Said, Tell};

fn paused(fixture: &mut Fixture) -> Drill {
    let mut drill = Drill::of(fixture, pause()).hold().start();
    drill.wait_in_force();
    drill
}

fn disturbed(drill: &Drill, said: &Said) -> bool {
    let ours = Some(&drill.script.order.injection);
    is(
        said,
        |m| matches!(m, FromInjector::Disturbed { injection, .. } if injection.as_ref() == ours),
    )
}

fn ended(said: &Said) -> bool {
    is(said, |m| matches!(m, FromInjector::Reverted(_) | FromInjector::Void { .. }))
}

fn wait_disturbed(drill: &mut Drill) {
    let injection = drill.script.order.injection.clone();
    drill.wait_for("a doubt", |said| {
        is(
            said,
            |m| matches!(m, FromInjector::Disturbed { injection: Some(i), .. } if *i == injection),
        )
    });
}

fn close(fixture: &mut Fixture, mut drill: Drill) {
    drill.tell(Tell::Revert);
    fixture.until_closed(&mut drill);
    fixture.forget(&drill);
}

pub fn a_fault_that_somebody_ended_is_said_in_passing(fixture: &mut Fixture) {
    let mut drill = paused(fixture);
    let target = drill.script.order.target.process.clone().unwrap();
    fixture.signal(&target, libc::SIGCONT);
    // Long before its end, and of its own accord.
    wait_disturbed(&mut drill);
    assert!(!drill.said.iter().any(ended), "{:?}", drill.said);
    close(fixture, drill);
}

pub fn a_hold_is_looked_at_once_more_at_its_end(fixture: &mut Fixture) {
    let mut drill = paused(fixture);
    let target = drill.script.order.target.process.clone().unwrap();
    fixture.signal(&target, libc::SIGCONT);
    drill.tell(Tell::EndHold);
    drill.wait_for("an end", ended);
    let doubts = drill.said.iter().filter(|said| disturbed(&drill, said)).count();
    assert_eq!(doubts, 1, "once, whichever look saw it: {:?}", drill.said);
    close(fixture, drill);
}

/// Neither with each beat nor at the end, for no fault.
pub fn a_hold_that_lasted_is_not_doubted(fixture: &mut Fixture) {
    for fault in of_labs() {
        let mut drill = Drill::of(fixture, fault).hold().start();
        drill.wait_in_force();
        let beats = drill.beats();
        while drill.beats() < beats + 2 {
            drill.listen();
        }
        drill.tell(Tell::EndHold);
        drill.wait_for("an end", ended);
        let doubted = drill.said.iter().any(|said| disturbed(&drill, said));
        assert!(!doubted, "{}: {:?}", fault.kind(), drill.said);
        close(fixture, drill);
    }
}

pub fn a_target_that_ends_during_its_hold_is_said_at_once(fixture: &mut Fixture) {
    let mut drill = paused(fixture);
    let target = drill.script.order.target.process.clone().unwrap();
    fixture.signal(&target, libc::SIGKILL);
    wait_disturbed(&mut drill);
    assert!(!drill.said.iter().any(ended), "{:?}", drill.said);
    drill.tell(Tell::EndHold);
    let end = drill.wait_for("an end", ended);
    assert!(is(&end, |m| matches!(m, FromInjector::Void { .. })), "{end:?}");
    close(fixture, drill);
}

/// What the recovery of this drill says is still there.
fn residue(drill: &mut Drill) -> Vec<String> {
    let said =
        drill.wait_for("what is left", |said| is(said, |m| matches!(m, FromInjector::Residue(_))));
    match said {
        Said::Heard(message) => match *message {
            FromInjector::Residue(residue) => residue,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// Clean, and then with a target that is stopped again between the look after the undo and the
/// last one.
pub fn a_recovery_reads_the_world_back(fixture: &mut Fixture) {
    let mut drill = paused(fixture);
    drill.kill(&["injector", "guardian"]);
    assert_eq!(residue(&mut drill), [""; 0]);
    fixture.until_closed(&mut drill);
    fixture.forget(&drill);

    let point = "recovery: journalled reverting";
    let mut drill = Drill::of(fixture, pause()).hold().stopping_at(&[point]).start();
    drill.wait_in_force();
    drill.kill(&["injector", "guardian"]);
    drill.wait_at(point);
    stopped_again(fixture, drill, Drill::release);
}

pub fn a_recovery_with_nothing_to_undo_reads_it_back_too(fixture: &mut Fixture) {
    let point = "injector: journalled reverted, guardian not told";
    let mut drill = Drill::of(fixture, pause()).stopping_at(&[point]).start();
    drill.wait_at(point);
    stopped_again(fixture, drill, |drill| {
        drill.kill(&["injector", "guardian"]);
    });
}

fn stopped_again(fixture: &mut Fixture, mut drill: Drill, go_on: impl FnOnce(&mut Drill)) {
    let target = drill.script.order.target.clone();
    let process = target.process.unwrap();
    fixture.stop(&process);
    go_on(&mut drill);
    let residue = residue(&mut drill);
    assert!(residue.len() == 1 && residue[0].starts_with(&target.name.0), "{residue:?}");
    fixture.signal(&process, libc::SIGCONT);
    fixture.until_closed(&mut drill);
    fixture.forget(&drill);
}
