//! SIGKILL at every crash point of every fault: what is left is restored from another machine.

use squall::injection::crash::POINTS;
use squall::model::message::FromInjector;

use crate::cases::{Case, UNDONE};
use crate::drill::{Drill, order};
use crate::stage::Stage;

const EVERYBODY: &[&str] = &["conductor", "injector", "guardian", "recovery"];

/// Everybody dies, and so does the machine with its journal.
pub fn every_fault_is_restored_from_elsewhere_at_every_crash_point(stage: &Stage) {
    for case in UNDONE {
        stage.set_up();
        let before = stage.written(&(case.object)(stage));
        for point in POINTS.iter().copied() {
            let drill = crash(stage, case, point);
            let (code, text) = stage.undo(&["--force"]);
            let what = format!("{} killed at `{point}`: {text}", case.step);
            assert_eq!(code, 0, "{what}");
            assert_eq!(stage.ours(), Vec::<String>::new(), "{what}");
            assert_eq!(stage.written(&(case.object)(stage)), before, "{what}");
            drill.forget();
        }
        println!("  {}: {} points", case.step, POINTS.len());
    }
}

/// Everything that stands between us and the object dies at that point.
fn crash(stage: &Stage, case: &Case, point: &str) -> Drill {
    let object = (case.object)(stage);
    let order = order(case.step, object);
    let part = point.split(':').next().unwrap();
    if part == "injector" {
        let mut drill = Drill::start(stage, order, point);
        drill.wait_at(point);
        drill.kill(EVERYBODY);
        return drill;
    }
    let first = "injector: in force";
    let points = if part == "guardian" { format!("{first};{point}") } else { first.to_owned() };
    let mut drill = Drill::start(stage, order, &points);
    drill.wait_at(first);
    if part == "guardian" {
        drill.kill(&["injector"]);
        drill.wait_at(point);
        drill.kill(EVERYBODY);
        return drill;
    }
    drill.kill(EVERYBODY);
    let mut next = Drill::recover(&drill.script, point);
    next.wait_at(point);
    next.kill(EVERYBODY);
    next
}

/// The lines of defence before that one.
pub fn every_fault_is_restored_by_the_guardian_and_by_recovery(stage: &Stage) {
    for case in UNDONE {
        for killed in [&["injector"][..], &["conductor", "injector", "guardian"]] {
            stage.set_up();
            let object = (case.object)(stage);
            let before = stage.written(&object);
            let mut drill =
                Drill::start(stage, order(case.step, object.clone()), "injector: in force");
            drill.wait_at("injector: in force");
            drill.kill(killed);
            let by = if killed.len() == 1 {
                drill.wait_ended()
            } else {
                let mut next = Drill::recover(&drill.script, "");
                let ended = next.wait_ended();
                next.forget();
                ended
            };
            let FromInjector::Reverted(reverted) = by else { panic!("{}: {by:?}", case.step) };
            let wanted = if killed.len() == 1 { "guardian" } else { "recovery" };
            assert_eq!(reverted.by, wanted, "{}", case.step);
            assert_eq!(stage.written(&object), before, "{}", case.step);
            assert_eq!(stage.ours(), Vec::<String>::new(), "{}", case.step);
            drill.forget();
        }
    }
}
