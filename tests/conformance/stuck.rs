//! When an undo does not hold, nobody says that it does: it is stuck, it blocks, and it ends by a
//! later undo or by a person.

use squall::host::process::RunState;
use squall::injection::journal::JournalRecord;
use squall::injection::journal::record::encode;
use squall::model::identity::ProcessIdentity;
use squall::model::message::FromInjector;

use crate::drill::{Drill, is};
use crate::fixture::Fixture;
use crate::order::pause;
use crate::script::{Said, Tell};

/// An adversary stops the target again after each undo and before each look. Neither injector nor
/// guardian may call that undone.
fn stuck(fixture: &mut Fixture) -> (Drill, ProcessIdentity) {
    let points = ["injector: undone, not verified", "guardian: undone, not verified"];
    let mut drill = Drill::of(fixture, pause()).hold().stopping_at(&points).start();
    drill.wait_in_force();
    let target = drill.script.order.target.process.clone().unwrap();
    drill.tell(Tell::Revert);
    for point in points {
        for _try in 0..3 {
            drill.wait_at(point);
            fixture.stop(&target);
            drill.release();
        }
    }
    let said = drill.wait_for("an end", |said| {
        is(said, |m| matches!(m, FromInjector::Stuck { .. } | FromInjector::Reverted(_)))
    });
    assert!(is(&said, |m| matches!(m, FromInjector::Stuck { .. })), "{said:?}");
    drill.wait_for("its end", |said| *said == Said::Ended);
    let last = fixture.records(&drill.script.drill).pop();
    assert!(matches!(last, Some(JournalRecord::Stuck { .. })), "{last:?}");
    (drill, target)
}

pub fn an_undo_that_does_not_hold_is_stuck_until_it_does(fixture: &mut Fixture) {
    let (drill, target) = stuck(fixture);
    assert_eq!(fixture.state_of(&target), RunState::Stopped);
    let pid = target.pid.to_string();
    let (code, text) = fixture.squall(&["now", "--pid", &pid]);
    assert!(code == 4 && text.contains("STUCK"), "{code}: {text}");
    let (code, text) = fixture.undo();
    assert!(code == 0 && text.contains("reverted"), "{code}: {text}");
    assert_eq!(fixture.state_of(&target), RunState::Running);
    fixture.forget(&drill);
}

/// Lets the journal be of a squall that has other faults: no undo of ours can succeed.
fn of_another_version(fixture: &Fixture, drill: &Drill) {
    let mut bytes = Vec::new();
    for mut record in fixture.records(&drill.script.drill) {
        if let JournalRecord::Armed(recipe) = &mut record {
            "processTrance".clone_into(&mut recipe.kind);
        }
        bytes.extend(encode(&record).unwrap());
    }
    let path = fixture.journals().join(drill.script.drill.as_str());
    std::fs::write(path, bytes).unwrap();
}

pub fn what_is_stuck_blocks_until_a_person_clears_it(fixture: &mut Fixture) {
    let (drill, target) = stuck(fixture);
    of_another_version(fixture, &drill);
    let injection = drill.script.order.injection.to_string();
    let (code, text) = fixture.undo();
    assert!(code == 7 && text.contains("STUCK") && text.contains(&injection), "{code}: {text}");
    let run = ["run", "experiments/redis-primary-loss.yaml", "--yes"];
    let (code, text) = fixture.squall(&run);
    assert!(code == 3 && text.contains("stuck"), "{code}: {text}");
    let clear = ["clear", &injection, "--by", "a test", "--reason", "let go by hand"];
    let (code, text) = fixture.squall(&clear);
    assert_eq!(code, 0, "{text}");
    assert_ne!(fixture.squall(&clear).0, 0, "cleared twice");
    assert_eq!(fixture.undo(), (0, "nothing to undo\n".to_owned()));
    // By hand, as SAFETY.md says; `clear` itself touches nothing.
    assert_eq!(fixture.state_of(&target), RunState::Stopped);
    fixture.signal(&target, libc::SIGCONT);
    fixture.forget(&drill);
}

/// An undo waits for no disk: it is done before the journal gets another line.
pub fn an_undo_comes_before_its_record(fixture: &mut Fixture) {
    let point = "injector: undone, not verified";
    let mut drill = Drill::of(fixture, pause()).stopping_at(&[point]).start();
    drill.wait_at(point);
    let target = drill.script.order.target.process.clone().unwrap();
    assert_eq!(fixture.state_of(&target), RunState::Running);
    let last = fixture.records(&drill.script.drill).pop();
    assert!(matches!(last, Some(JournalRecord::Active { .. })), "{last:?}");
    drill.release();
    fixture.until_closed(&mut drill);
    fixture.forget(&drill);
}

/// What is not seen in force is said to have failed, and is undone.
pub fn a_fault_that_did_not_take_is_not_in_force(fixture: &mut Fixture) {
    let point = "injector: journalled active, not verified";
    let mut drill = Drill::of(fixture, pause()).hold().stopping_at(&[point]).start();
    drill.wait_at(point);
    let target = drill.script.order.target.process.clone().unwrap();
    fixture.signal(&target, libc::SIGCONT);
    drill.release();
    let said = drill.wait_for("a verdict", |said| {
        is(said, |m| matches!(m, FromInjector::Failed { .. } | FromInjector::Effective(_)))
    });
    assert!(is(&said, |m| matches!(m, FromInjector::Failed { .. })), "{said:?}");
    fixture.until_closed(&mut drill);
    fixture.assert_untouched(&drill);
    fixture.forget(&drill);
}
