//! Targets that change between inject and undo: nothing is undone on whoever stands in their place.

use squall::host::process::RunState;
use squall::model::experiment::Defence;
use squall::model::identity::ProcessIdentity;
use squall::model::inventory::Target;
use squall::model::message::FromInjector;

use crate::drill::{Drill, is};
use crate::fixture::Fixture;
use crate::order::{of_labs, pause};
use crate::script::{Answer, Ask, Tell};

/// In force on that target, by the fault that leaves a mark on a process.
fn paused(fixture: &mut Fixture, target: Target) -> Drill {
    let mut drill = Drill::of(fixture, pause()).hold().on_target(target).start();
    drill.wait_in_force();
    drill
}

/// The drill must call it void, and leave the stopped stranger stopped.
fn must_be_void(fixture: &mut Fixture, mut drill: Drill, stranger: &ProcessIdentity) {
    fixture.stop(stranger);
    drill.tell(Tell::Revert);
    let said = drill.wait_for("an end", |said| {
        is(said, |m| matches!(m, FromInjector::Void { .. } | FromInjector::Reverted(_)))
    });
    assert!(is(&said, |m| matches!(m, FromInjector::Void { .. })), "{said:?}");
    assert_eq!(fixture.state_of(stranger), RunState::Stopped, "the stranger was let go");
    fixture.signal(stranger, libc::SIGCONT);
    fixture.until_closed(&mut drill);
    fixture.forget(&drill);
}

pub fn a_target_that_was_restarted_is_left_alone(fixture: &mut Fixture) {
    let target = fixture.next_target();
    let drill = paused(fixture, target.clone());
    let old = target.process.unwrap();
    fixture.signal(&old, libc::SIGKILL);
    let stranger = fixture.until_runs(&target.name.0, Some(&old)).process.unwrap();
    must_be_void(fixture, drill, &stranger);
}

pub fn a_stranger_with_the_number_of_a_target_is_left_alone(fixture: &mut Fixture) {
    let target = fixture.target("once@a");
    let old = target.process.clone().expect("it runs once for each lab");
    let drill = paused(fixture, target);
    fixture.signal(&old, libc::SIGKILL);
    let stranger = match fixture.ask(&Ask::TakeNumber(old.pid)) {
        Answer::Stranger(stranger) => stranger,
        other => panic!("{other:?}"),
    };
    assert_eq!(stranger.pid, old.pid);
    assert_ne!(stranger.start_ticks, old.start_ticks);
    must_be_void(fixture, drill, &stranger);
    fixture.signal(&stranger, libc::SIGKILL);
}

/// What somebody else did in the last moment of a hold is told before the carrier goes, and with it
/// the only place where it can be seen.
pub fn a_change_of_rules_just_before_the_undo_is_told(fixture: &mut Fixture) {
    let held = of_labs().into_iter().filter(|f| f.defence().contains(&Defence::Kernel));
    let point = "injector: revert ordered";
    for fault in held {
        let mut drill = Drill::of(fixture, fault).hold().stopping_at(&[point]).start();
        drill.wait_in_force();
        drill.tell(Tell::Revert);
        // No beat comes between this point and the undo.
        drill.wait_at(point);
        let netns = drill.script.order.target.netns.clone().unwrap();
        let changed = fixture.ask(&Ask::ChangeRules(netns));
        assert!(matches!(changed, Answer::Done), "{changed:?}");
        drill.release();
        let over = |m: &FromInjector| {
            matches!(m, FromInjector::Disturbed { .. } | FromInjector::Reverted(_))
        };
        let said = drill.wait_for("an end", |said| is(said, over));
        let told = is(&said, |m| matches!(m, FromInjector::Disturbed { .. }));
        assert!(told, "{}: {said:?}", fault.kind());
        fixture.until_closed(&mut drill);
        fixture.forget(&drill);
    }
}

/// A namespace of another's under the same name: what is in force in the old one is undone there or
/// void, and nothing is made or removed in the new one.
pub fn a_namespace_that_was_replaced_is_left_alone(fixture: &mut Fixture) {
    let held = of_labs().into_iter().filter(|f| f.defence().contains(&Defence::Kernel));
    for fault in held {
        let mut drill = Drill::of(fixture, fault).hold().start();
        drill.wait_in_force();
        let path = drill.script.order.target.netns.as_ref().unwrap().path.clone();
        assert!(matches!(fixture.ask(&Ask::ReplaceNamespace(path.clone())), Answer::Done));
        drill.tell(Tell::Revert);
        let said = drill.wait_for("an end", |said| {
            is(said, |m| {
                matches!(
                    m,
                    FromInjector::Void { .. }
                        | FromInjector::Reverted(_)
                        | FromInjector::Stuck { .. }
                )
            })
        });
        assert!(
            is(&said, |m| matches!(m, FromInjector::Void { .. })),
            "{}: {said:?}",
            fault.kind()
        );
        assert!(matches!(fixture.ask(&Ask::RestoreNamespace(path)), Answer::Done));
        fixture.until_closed(&mut drill);
        fixture.forget(&drill);
    }
}
