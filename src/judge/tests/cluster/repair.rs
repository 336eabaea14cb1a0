//! Stages of a repair, who did it, and the lanes of ready pods.

use super::super::close;
use super::{World, deleting, endpoint, node, pending, ready};
use crate::judge::scripted::Service;
use crate::model::cluster_seen::{ClusterFact, PodSeen};
use crate::model::verdict::Report;

fn names(report: &Report) -> Vec<&str> {
    assert!(report.stages.windows(2).all(|w| w[0].at_seconds <= w[1].at_seconds));
    report.stages.iter().map(|stage| stage.name.as_str()).collect()
}

#[test]
fn a_pod_that_is_replaced_has_its_stages_and_its_mender() {
    let report = World::repaired().report();
    let expected = ["fault effective", "endpoint dropped", "pod scheduled", "pods ready"];
    assert_eq!(names(&report), expected, "we deleted it: nobody evicted it");
    assert!(close(report.stages[1].at_seconds, 0.04) && close(report.stages[3].at_seconds, 1.5));
    assert!(close(report.stages[1].error_seconds, 0.004));
    assert!(report.stages[2].seen_by.contains("pod d is on n1"), "{:?}", report.stages[2]);
    let by = &report.injections[0].by;
    assert_eq!(by, "repaired by deployment shop/web: pod d was ready after 1.500 s");
}

#[test]
fn what_was_not_replaced_is_repaired_by_nobody() {
    let report = World::steady().pod(5.0, deleting("a", "n1")).report();
    assert_eq!(report.injections[0].by, "nothing was seen to repair it");
    assert_eq!(names(&report), ["fault effective"]);
    assert_eq!(names(&World { hit: "other/z", ..World::steady() }.report()), ["fault effective"]);
}

#[test]
fn a_node_that_is_lost_shows_who_noticed_it_when() {
    let evicted =
        PodSeen { disrupted: Some("DeletionByTaintManager".to_owned()), ..deleting("a", "n1") };
    let world = World { hit: "kubelet@n1", ..World::steady() };
    let report = world
        .fact(3000.0, ClusterFact::Node(node("n1", "Unknown")))
        .pod(3010.0, PodSeen { ready: false, ..ready("a", "n1") })
        .endpoint(3050.0, endpoint("a", false))
        .pod(5000.0, evicted)
        // The scheduler's word came by another watch, a little before the eviction's.
        .pod(4998.0, pending("d", ""))
        .pod(4999.0, PodSeen { ready: false, ..ready("d", "n2") })
        .pod(7000.0, ready("d", "n2"))
        .report();
    let expected = [
        "fault effective",
        "node not ready",
        "endpoint dropped",
        "pod evicted",
        "pod scheduled",
        "pods ready",
    ];
    assert_eq!(names(&report), expected);
    assert!(close(report.stages[1].at_seconds, 3.0));
    assert!(close(report.stages[3].at_seconds, 4.999), "moved before its effect");
    assert!(report.stages[3].seen_by.contains("DeletionByTaintManager"));
}

#[test]
fn stages_of_clients_and_of_the_cluster_stand_in_one_order() {
    let mut world = World::repaired();
    world.drill.services.insert("p".to_owned(), Service::refusing(10.0, 1600.0));
    let report = world.report();
    let expected = [
        "fault effective",
        "first bad",
        "endpoint dropped",
        "pod scheduled",
        "pods ready",
        "first good",
        "stable",
    ];
    assert_eq!(names(&report), expected);
}

#[test]
fn ready_pods_of_a_workload_are_a_lane() {
    let report = World::repaired().report();
    let spans = report.roles.iter().filter(|span| span.instance == super::WEB);
    let spans: Vec<(&str, f64)> =
        spans.map(|span| (span.role.as_str(), span.from_seconds)).collect();
    let roles: Vec<&str> = spans.iter().map(|(role, _)| *role).collect();
    assert_eq!(roles, ["3 of 3 ready", "2 of 3 ready", "3 of 3 ready"]);
    assert!(close(spans[1].1, 0.005) && close(spans[2].1, 1.5));
}
