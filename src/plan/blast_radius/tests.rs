//! Each test names a way in which a plan could touch more than it says.

use super::heaviest::heaviest;
use crate::host::linux::clock::monotonic_ns;
use crate::model::cluster::PlannedCluster;
use crate::model::experiment::{Bind, Footprint, Pick, Restore, Step};
use crate::model::plan::BlastRadius;
use crate::model::units::Span;
use crate::plan::fixture::{
    cluster, experiment, in_cluster, nodes_of, planned, pods_of, primary_loss, step, target,
};
use crate::plan::plan;
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
    // 9 and 8 fit only the first of two each: 5 and 4, taken there in between, must both be mended.
    let draws = [(set(&[9, 8, 5, 4]), 2), (set(&[5, 4, 1]), 2)];
    assert_eq!(heaviest(&draws, &|n| usize::from(*n)), 26);
    let draws = [(set(&[9, 5]), 1), (set(&[5, 3]), 1), (set(&[3, 2]), 1)];
    assert_eq!(heaviest(&draws, &|n| usize::from(*n)), 17);
}

fn radius(
    found: &[&str],
    spec: crate::model::experiment::TargetSpec,
    footprint: Footprint,
) -> BlastRadius {
    let mut harm = step(0, 5, "t", Restore::Undo);
    harm.facts.footprint = footprint;
    let experiment = experiment(&[("t", spec)], vec![harm]);
    plan(in_cluster(&experiment, cluster(&[("t", found)]))).unwrap().blast_radius
}

const WEB: [&str; 3] = ["web/web-1", "web/web-2", "web/web-3"];
const NODES: [&str; 3] = ["node/n1", "node/n2", "node/n3"];

fn hit(radius: &BlastRadius) -> Vec<(&str, usize, usize)> {
    radius.services.iter().map(|(name, (hit, of))| (name.as_str(), *hit, *of)).collect()
}

#[test]
fn a_pod_is_one_of_its_workload_on_one_node_of_one_zone() {
    let radius = radius(&WEB, pods_of("web", Pick::One), Footprint::Pod);
    assert_eq!((radius.instances, radius.hosts, radius.zones), (1, 1, 1));
    assert_eq!(hit(&radius), [("deployment web/web", 1, 3)]);
}

#[test]
fn pods_of_each_zone_are_counted_as_one_of_each() {
    let per_zone = radius(&WEB, pods_of("web", Pick::PerZone), Footprint::Pod);
    assert_eq!((per_zone.instances, per_zone.hosts, per_zone.zones), (3, 3, 3));
    let oldest = radius(&WEB, pods_of("web", Pick::Oldest), Footprint::Pod);
    assert_eq!((oldest.instances, oldest.zones), (1, 1));
}

#[test]
fn a_node_takes_every_pod_on_it_and_is_no_instance_itself() {
    let radius = radius(&NODES[..2], nodes_of(&["z1", "z2"], Pick::One), Footprint::Node);
    // n1 and n2 have a pod each of cart, web and the agent; which node it is nobody knows.
    assert_eq!((radius.instances, radius.hosts, radius.zones), (3, 1, 1));
    let all = ["deployment web/agent", "deployment web/cart", "deployment web/web", "node"];
    let of = [3, 2, 3, 3];
    let expected: Vec<_> = all.into_iter().zip(of).map(|(name, of)| (name, 1, of)).collect();
    assert_eq!(hit(&radius), expected);
}

#[test]
fn a_workload_is_all_its_pods_and_is_none_itself() {
    let radius = radius(&["deployment/web/web"], pods_of("web", Pick::One), Footprint::Workload);
    assert_eq!((radius.instances, radius.hosts, radius.zones), (3, 3, 3));
    assert_eq!(hit(&radius), [("deployment web/web", 3, 3)]);
}

#[test]
fn what_is_only_read_is_counted_apart() {
    let radius = radius(&["deployment/web/web"], pods_of("web", Pick::One), Footprint::Object);
    assert_eq!((radius.instances, radius.hosts, radius.objects), (0, 0, 1));
    assert!(radius.services.is_empty());
}

#[test]
fn whoever_takes_the_place_of_the_hit_is_counted_with_its_workload() {
    let mut spec = pods_of("web", Pick::One);
    spec.follow = true;
    let radius = radius(&WEB[..1], spec, Footprint::Pod);
    // Only one was found, and the next may be any pod of the workload.
    assert_eq!((radius.instances, radius.hosts), (1, 1));
    let mut harm = step(0, 5, "t", Restore::None);
    harm.facts.footprint = Footprint::Pod;
    let again = step(7, 5, "other", Restore::None);
    let mut spec = pods_of("web", Pick::One);
    spec.follow = true;
    let targets = [("t", spec), ("other", pods_of("web", Pick::One))];
    let experiment = experiment(&targets, vec![harm, again]);
    let found: [(&str, &[&str]); 2] = [("t", &WEB[..1]), ("other", &WEB[..1])];
    let both = plan(in_cluster(&experiment, cluster(&found))).unwrap().blast_radius;
    assert_eq!(both.services["deployment web/web"], (2, 3), "the follower may hit another");
}

#[test]
fn ten_thousand_pods_are_counted_in_no_time() {
    let mut many: PlannedCluster = cluster(&[]);
    let pod = |number: usize| {
        let (name, node) = (format!("p-{number:05}"), format!("k{:04}", number % 1000));
        crate::plan::fixture::pod(&name, &format!("w{}", number % 100), &node, Some("z1"))
    };
    many.population = (0..10_000).map(pod).collect();
    let names = many.population.iter().map(|pod| pod.name.clone()).collect();
    many.found.insert("t".into(), names);
    let mut harm = step(0, 5, "t", Restore::None);
    harm.facts.footprint = Footprint::Pod;
    let experiment = experiment(&[("t", pods_of("web", Pick::Count(1000)))], vec![harm]);
    let began = monotonic_ns();
    let planned = plan(in_cluster(&experiment, many.clone())).unwrap();
    // Unoptimised, beside other tests; squares of ten thousand take minutes.
    let took_ns = monotonic_ns() - began;
    assert!(took_ns < 20_000_000_000, "{took_ns} ns");
    let chosen: BTreeSet<_> = planned.targets["t"].chosen.iter().flatten().collect();
    let hit: Vec<_> = many.population.iter().filter(|pod| chosen.contains(&pod.name)).collect();
    let hosts: BTreeSet<&str> = hit.iter().map(|pod| pod.host.name.as_str()).collect();
    let radius = planned.blast_radius;
    assert_eq!((radius.instances, radius.hosts), (1000, hosts.len()));
    let of_one = hit.iter().filter(|pod| pod.service == "deployment web/w7").count();
    assert_eq!(radius.services["deployment web/w7"], (of_one, 100));
}
