//! Each test names a way in which a plan could touch more than it says.

use super::heaviest;
use crate::model::experiment::{Bind, Footprint, Pick, Restore, Step};
use crate::model::plan::BlastRadius;
use crate::model::units::Span;
use crate::plan::fixture::{experiment, planned, primary_loss, step, target};
use crate::plan::step::GRACE;

use std::collections::BTreeSet;

fn on_host(mut step: Step) -> Step {
    step.facts.footprint = Footprint::Host;
    step
}

fn primary_twice(second_at: u64, restore: Restore) -> BlastRadius {
    let primary = target("redis", Some("primary"), Pick::One);
    let steps = vec![step(0, 5, "primary", restore), step(second_at, 5, "primary", restore)];
    planned(&experiment(&[("primary", primary)], steps)).blast_radius
}

#[test]
fn one_kill_is_one_of_three() {
    let radius = planned(&primary_loss()).blast_radius;
    assert_eq!((radius.instances, radius.hosts), (1, 1));
    assert_eq!(radius.services["redis"], (1, 3));
    assert_eq!(radius.services.len(), 1, "a service that is not hit is not listed");
    assert_eq!(radius.longest_hold, Span::secs(8));
    assert_eq!(radius.longest_drill, Span::secs(30 + 2 + 8 + 3 + 10));
}

#[test]
fn a_drill_that_becomes_steady_at_the_last_moment_is_within_its_length() {
    for (within, steady) in [(30, 2), (2, 30), (7, 7), (0, 5), (5, 0)] {
        let mut experiment = primary_loss();
        experiment.steady_within = Span::secs(within);
        experiment.steady_for = Span::secs(steady);
        let longest = planned(&experiment).blast_radius.longest_drill;
        // Good only from the end of `within` on, and then for all of `for`.
        let method = experiment.method[0].at.0 + experiment.method[0].hold.0;
        let watched = GRACE.0 + experiment.recovery_watch.0;
        let least = Span(Span::secs(within + steady).0 + method + watched);
        assert!(longest >= least, "{longest} < {least}");
    }
}

#[test]
fn steps_add_up_while_they_overlap_and_the_grace_counts() {
    assert_eq!(primary_twice(5, Restore::Undo).services["redis"], (2, 3));
    assert_eq!(primary_twice(7, Restore::Undo).services["redis"], (2, 3), "within the grace");
    assert_eq!(primary_twice(8, Restore::Undo).services["redis"], (1, 3), "after the grace");
}

#[test]
fn what_cannot_be_undone_counts_to_the_end() {
    assert_eq!(primary_twice(60, Restore::None).services["redis"], (2, 3));
}

#[test]
fn a_target_that_is_fixed_is_one_however_often_it_is_hit() {
    let steps = || vec![step(0, 5, "t", Restore::Undo), on_host(step(1, 5, "t", Restore::Undo))];
    let chosen = target("sentinel", None, Pick::One);
    let radius = planned(&experiment(&[("t", chosen)], steps())).blast_radius;
    assert_eq!((radius.instances, radius.hosts), (1, 1));

    let mut bound_once = target("sentinel", Some("voter"), Pick::One);
    bound_once.bind = Bind::Start;
    let radius = planned(&experiment(&[("t", bound_once)], steps())).blast_radius;
    assert_eq!((radius.instances, radius.services["sentinel"]), (1, (1, 3)));
}

#[test]
fn a_host_fault_counts_every_service_on_that_host() {
    let primary = target("redis", Some("primary"), Pick::One);
    let steps = vec![on_host(step(0, 5, "primary", Restore::Kernel))];
    let radius = planned(&experiment(&[("primary", primary)], steps)).blast_radius;
    // r3 has no nginx, but r1 and r2 have: the worst case counts.
    assert_eq!((radius.instances, radius.hosts), (2, 1));
    assert_eq!(radius.services["redis"], (1, 3));
    assert_eq!(radius.services["nginx"], (1, 2));
}

#[test]
fn two_targets_that_may_be_the_same_are_not_more_than_there_are() {
    let targets = [
        ("a", target("nginx", Some("x"), Pick::All)),
        ("b", target("nginx", Some("y"), Pick::All)),
    ];
    let steps = vec![step(0, 5, "a", Restore::Undo), step(0, 5, "b", Restore::Undo)];
    let radius = planned(&experiment(&targets, steps)).blast_radius;
    assert_eq!((radius.instances, radius.hosts), (2, 2));
    assert_eq!(radius.services["nginx"], (2, 2));
}

#[test]
fn the_heaviest_set_is_exact_where_greed_alone_would_err() {
    let set = |items: &[u8]| items.iter().copied().collect::<BTreeSet<u8>>();
    // 9 fits only the first draw; taking 5 there first must be mended.
    let draws = [(set(&[5, 9]), 1), (set(&[5, 3]), 1)];
    assert_eq!(heaviest(&draws, &|n| usize::from(*n)), 14);
    assert_eq!(heaviest(&[(set(&[1, 2]), 1), (set(&[1, 2]), 1)], &|_| 1), 2);
    assert_eq!(heaviest(&[(set(&[1]), 1), (set(&[1]), 1)], &|_| 1), 1);
    assert_eq!(heaviest(&[(set(&[7]), 3)], &|n| usize::from(*n)), 7);
}
