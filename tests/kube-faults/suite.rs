//! Runs the tests one after the other on the one cluster.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use crate::stage::Stage;
use crate::{access, cases, crashes, others, refusals};

type Test = (&'static str, fn(&Stage));

macro_rules! tests {
    ($($module:ident::$name:ident,)*) => {
        &[$((concat!(stringify!($module), "::", stringify!($name)), $module::$name),)*]
    };
}

const TESTS: &[Test] = tests![
    cases::every_fault_of_clusters_has_a_case,
    cases::every_fault_is_in_force_and_then_gone_exactly,
    crashes::every_fault_is_restored_from_elsewhere_at_every_crash_point,
    crashes::every_fault_is_restored_by_the_guardian_and_by_recovery,
    others::what_others_did_meanwhile_survives,
    others::a_mark_is_left_alone_before_its_time,
    others::an_eviction_that_a_budget_refuses_is_a_finding,
    others::a_drain_asks_again_what_a_budget_refuses,
    refusals::what_is_not_as_it_was_planned_is_not_touched,
    refusals::an_object_that_is_marked_is_refused,
    refusals::a_namespace_that_ends_is_no_place_to_restore,
    access::what_the_user_may_not_is_said_before_anything,
];

/// Arguments that are no option select tests by a part of their name. `--list` only names them, as
/// other test binaries do; none is ignored.
pub fn run(args: &[String]) -> ExitCode {
    let words: Vec<&String> = args.iter().filter(|a| !a.starts_with('-')).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|w| name.contains(w.as_str()));
    let asked = |option: &str| args.iter().any(|a| a == option);
    let chosen: Vec<&Test> = TESTS.iter().filter(|(name, _)| wanted(name)).collect();
    if asked("--list") {
        let listed = chosen.iter().filter(|_| !asked("--ignored"));
        listed.for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    if chosen.is_empty() {
        return ExitCode::SUCCESS;
    }
    let stage = match Stage::raise() {
        Ok(stage) => stage,
        Err(why) => {
            for (name, _) in &chosen {
                println!("SKIPPED: {name}: {why}");
            }
            return ExitCode::SUCCESS;
        }
    };
    let mut failed = Vec::new();
    for (name, test) in &chosen {
        println!("test {name} ...");
        let began = Instant::now();
        stage.set_up();
        let outcome = catch_unwind(AssertUnwindSafe(|| test(&stage)));
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        println!("test {name} ... {word} ({:.1} s)", began.elapsed().as_secs_f64());
        if outcome.is_err() {
            failed.push(*name);
        }
    }
    println!("{} passed, {} failed", chosen.len() - failed.len(), failed.len());
    for name in &failed {
        println!("FAILED: {name}");
    }
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
