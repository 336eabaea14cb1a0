//! Runs the tests one after the other on the one fixture, from the main thread: a lab ends with the
//! thread that raised it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Duration;

use squall::host::linux::clock::monotonic_ns;

use crate::fixture::Fixture;
use crate::{churn, cut, disk, hang, lasting, matrix, stuck};

type Test = (&'static str, fn(&mut Fixture));

macro_rules! tests {
    ($($module:ident::$name:ident,)*) => {
        &[$((concat!(stringify!($module), "::", stringify!($name)), $module::$name),)*]
    };
}

const TESTS: &[Test] = tests![
    matrix::every_fault_is_undone_at_every_crash_point_whoever_dies,
    matrix::every_fault_is_undone_when_whoever_undoes_it_dies_too,
    hang::a_part_that_hangs_is_replaced_within_its_lease,
    hang::an_injector_that_overstays_a_deadline_is_replaced,
    hang::a_guardian_that_wakes_late_undoes_nothing_again,
    hang::the_kernel_ends_what_all_hang_over,
    hang::an_injector_that_is_long_at_a_verb_is_not_replaced,
    hang::what_the_journal_has_closed_is_not_undone_again,
    lasting::a_fault_that_somebody_ended_is_said_in_passing,
    lasting::a_hold_is_looked_at_once_more_at_its_end,
    lasting::a_hold_that_lasted_is_not_doubted,
    lasting::a_target_that_ends_during_its_hold_is_said_at_once,
    lasting::a_recovery_reads_the_world_back,
    lasting::a_recovery_with_nothing_to_undo_reads_it_back_too,
    churn::a_target_that_was_restarted_is_left_alone,
    churn::a_stranger_with_the_number_of_a_target_is_left_alone,
    churn::a_change_of_rules_just_before_the_undo_is_told,
    churn::a_namespace_that_was_replaced_is_left_alone,
    disk::a_journal_that_cannot_be_opened_stops_the_drill_before_it_begins,
    disk::a_record_that_is_not_durable_stops_the_injection,
    cut::a_journal_cut_at_any_byte_undoes_ours_or_nothing,
    cut::a_journal_with_a_flipped_bit_undoes_ours_or_nothing,
    cut::a_guardian_undoes_without_its_journal,
    stuck::an_undo_that_does_not_hold_is_stuck_until_it_does,
    stuck::what_is_stuck_blocks_until_a_person_clears_it,
    stuck::an_undo_comes_before_its_record,
    stuck::a_fault_that_did_not_take_is_not_in_force,
];

/// Arguments that are no option select tests by a part of their name. `--list` only names them, as
/// other test binaries do; none is ignored.
pub fn run(args: &[String]) -> ExitCode {
    let words: Vec<&String> = args.iter().filter(|a| !a.starts_with('-')).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|w| name.contains(w.as_str()));
    let asked = |option: &str| args.iter().any(|a| a == option);
    if asked("--list") {
        let listed = TESTS.iter().filter(|(name, _)| wanted(name) && !asked("--ignored"));
        listed.for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let mut fixture = None;
    let mut failed = Vec::new();
    let mut ran = 0;
    for (name, test) in TESTS.iter().filter(|(name, _)| wanted(name)) {
        println!("test {name} ...");
        ran += 1;
        let began = monotonic_ns();
        let fixture_now = fixture.get_or_insert_with(Fixture::new);
        let outcome = catch_unwind(AssertUnwindSafe(|| test(fixture_now)));
        let seconds = Duration::from_nanos(monotonic_ns() - began).as_secs_f64();
        println!(
            "test {name} ... {} ({seconds:.1} s)",
            if outcome.is_ok() { "ok" } else { "FAILED" }
        );
        if outcome.is_err() {
            failed.push(*name);
            // Who knows what it left behind: the others get a new one.
            fixture = None;
        }
    }
    println!(
        "{} passed, {} failed, {} not asked for",
        ran - failed.len(),
        failed.len(),
        TESTS.len() - ran
    );
    for name in &failed {
        println!("FAILED: {name}");
    }
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
