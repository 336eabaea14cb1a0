//! The arithmetic against figures that were worked out by hand, and against what was measured.

use super::*;
use crate::model::experiment::{Pick, Restore, TargetSpec};
use crate::model::plan::Plan;
use crate::plan::fixture::{
    cluster, experiment, in_cluster, input, nodes_of, pods_of, step, target,
};
use crate::plan::{lab, plan};

/// `NodeNotReady node n1, node n2: 7s-10s`, without the reasons.
fn said(plan: &Plan) -> Vec<String> {
    let line =
        |e: &Expectation| format!("{:?} {}: {}", e.milestone, e.subjects.join(", "), e.range());
    plan.expectations.iter().map(line).collect()
}

fn timed(
    found: &[(&str, &[&str])],
    timers: &[(&str, u64)],
) -> crate::model::cluster::PlannedCluster {
    let mut cluster = cluster(found);
    cluster.timers = timers.iter().map(|(name, s)| ((*name).to_owned(), Span::secs(*s))).collect();
    cluster
}

/// A lab with a cluster of its own, with timers five times as fast as they come.
fn with_cluster(harm: Step, spec: TargetSpec) -> Plan {
    let mut document: crate::model::lab::LabSpec = serde_json::from_value(serde_json::json!({
        "title": "three nodes",
        "services": {},
        "kubernetes": {
            "nodes": [{"name": "n1", "zone": "z1"}, {"name": "n2"}, {"name": "n3"}],
            "images": ["images"],
            "components": {
                "controllerManager":
                    {"flags": {"node-monitor-grace-period": "8s", "node-monitor-period": "1s"}},
                "kubelet": {"config": {"nodeLeaseDurationSeconds": 4}},
            },
        },
    }))
    .unwrap();
    crate::model::kubernetes::expand(&mut document);
    let timers = [("deployment web/web.tolerates", 5), ("deployment web/cart.tolerates", 5)];
    let mut found = timed(&[], &timers);
    found.lab = true;
    found.population.retain(|c| !c.service.contains("agent"));
    let experiment = experiment(&[("t", spec)], vec![harm]);
    let lab = lab("kubernetes", "k.yaml", "1ab", &document).unwrap();
    plan(crate::plan::PlanInput { lab: Some(lab), clusters: vec![found], ..input(&experiment) })
        .unwrap()
}

fn of(impact: Impact, footprint: Footprint, restore: Restore) -> Step {
    let mut harm = step(0, 20, "t", restore);
    harm.impact = impact;
    harm.facts.footprint = footprint;
    harm
}

fn kubelet(host: &str) -> TargetSpec {
    let mut spec = target("kubelet", None, Pick::One);
    spec.selector.lab_mut().unwrap().hosts = vec![host.into()];
    spec
}

const CUT: [&str; 3] = [
    "NodeNotReady node n1: 7s-10s",
    "EndpointDropped deployment web/cart, deployment web/web: 7s-11s",
    "PodEvicted deployment web/cart, deployment web/web: 12s-16s",
];

#[test]
fn a_node_that_is_cut_off_is_not_ready_after_its_grace_and_then_evicted() {
    let mut cut = of(Impact::Silences, Footprint::Host, Restore::Kernel);
    cut.facts.peers = Peers::Everyone;
    let planned = with_cluster(cut.clone(), kubelet("n1"));
    // Measured on such a cluster: NotReady after 8 to 9 s, eviction 5 s later.
    assert_eq!(said(&planned), CUT);
    assert!(planned.expectations.iter().all(|e| e.assumed.is_empty()));
    let because = "lease 4s renewed every 1s, grace 8s, monitored every 1s";
    assert_eq!(planned.expectations[0].because, because);

    cut.facts.peers = Peers::Some { targets: vec!["cp".into()], blocks: Vec::new() };
    assert_eq!(said(&with_cluster(cut.clone(), kubelet("n1"))), CUT, "the API server is there");
    cut.facts.peers = Peers::Some { targets: vec!["n2".into()], blocks: Vec::new() };
    assert!(said(&with_cluster(cut, kubelet("n1"))).is_empty(), "it still reaches the API server");
}

#[test]
fn a_kubelet_that_is_held_or_never_started_again_is_as_good_as_cut_off() {
    let pause = of(Impact::Freezes, Footprint::Process, Restore::Undo);
    assert_eq!(said(&with_cluster(pause, kubelet("n1"))), CUT);
    let kill = of(Impact::Stops, Footprint::Process, Restore::None);
    let killed = with_cluster(kill, kubelet("n1"));
    let repair = &killed.lab.as_ref().unwrap().candidates;
    let stays = repair.iter().find(|c| c.name.0 == "kubelet@n1").unwrap().stays_down();
    assert_eq!(said(&killed), if stays { CUT.to_vec() } else { Vec::new() });
    let proxy = TargetSpec { ..target("kube-proxy", None, Pick::All) };
    let kill = of(Impact::Stops, Footprint::Process, Restore::None);
    assert!(said(&with_cluster(kill, proxy)).is_empty(), "no lease hangs on it");
}

fn pods_end(grace: Option<u64>, forced: bool, timers: &[(&str, u64)]) -> Plan {
    let grace = grace.map(Span::secs);
    let harm = of(Impact::Ends { grace, forced }, Footprint::Pod, Restore::None);
    let experiment = experiment(&[("t", pods_of("web", Pick::One))], vec![harm]);
    plan(in_cluster(&experiment, timed(&[("t", &["web/web-1", "web/web-2"])], timers))).unwrap()
}

#[test]
fn a_pod_that_is_told_to_end_has_its_grace_and_not_with_force() {
    let dropped = "EndpointDropped deployment web/web: at most 1s";
    let gone = |grace: u64| format!("PodGone deployment web/web: at most {grace}s");
    let own = pods_end(None, false, &[("deployment web/web.grace", 10)]);
    assert_eq!(said(&own), [dropped.to_owned(), gone(13)]);
    assert_eq!(said(&pods_end(Some(1), false, &[])), [dropped.to_owned(), gone(4)]);
    assert_eq!(said(&pods_end(None, true, &[])), [dropped.to_owned(), gone(3)]);
    let unread = pods_end(None, false, &[]);
    assert_eq!(said(&unread)[1], gone(33));
    assert_eq!(unread.expectations[1].assumed, ["terminationGracePeriodSeconds 30s"]);
}

#[test]
fn a_node_that_is_drained_ends_the_pods_on_it() {
    let harm = of(Impact::Ends { grace: None, forced: false }, Footprint::Node, Restore::Undo);
    let experiment = experiment(&[("t", nodes_of(&["z1"], Pick::One))], vec![harm]);
    let timers = [("deployment web/web.grace", 1), ("deployment web/cart.grace", 5)];
    let mut found = timed(&[("t", &["node/n1"])], &timers);
    for agent in found.population.iter_mut().filter(|c| c.service.contains("agent")) {
        agent.service = "daemonset web/agent".into();
    }
    let planned = plan(in_cluster(&experiment, found)).unwrap();
    let expected = [
        "EndpointDropped deployment web/cart, deployment web/web: at most 1s",
        "PodGone deployment web/web: at most 4s",
        "PodGone deployment web/cart: at most 8s",
    ];
    assert_eq!(said(&planned), expected);
}

#[test]
fn a_rollout_takes_its_rounds_at_least() {
    let harm = of(Impact::Rolls, Footprint::Workload, Restore::None);
    let experiment = experiment(&[("t", pods_of("web", Pick::One))], vec![harm]);
    let timers =
        [("deployment web/web.rolloutAtLeast", 9), ("deployment web/web.progressDeadline", 600)];
    let found = timed(&[("t", &["deployment/web/web"])], &timers);
    let planned = plan(in_cluster(&experiment, found)).unwrap();
    assert_eq!(said(&planned), ["RolloutComplete deployment web/web: at least 9s"]);
    assert!(planned.expectations[0].because.ends_with("given up after 10m without progress"));
}

#[test]
fn what_cannot_be_read_is_said_to_be_assumed() {
    let mut cut = of(Impact::Silences, Footprint::Host, Restore::Kernel);
    cut.facts.peers = Peers::Everyone;
    let experiment = experiment(&[("t", nodes_of(&["z1"], Pick::One))], vec![cut]);
    for (version, earliest, latest) in [("v1.34.4", 40, 60), ("v1.31.9", 30, 50)] {
        let mut found = timed(&[("t", &["node/n1"])], &[]);
        found.version = version.into();
        let planned = plan(in_cluster(&experiment, found)).unwrap();
        let first = &planned.expectations[0];
        assert_eq!(
            (first.earliest, first.latest),
            (Span::secs(earliest), Some(Span::secs(latest))),
            "{version}"
        );
        assert_eq!(first.assumed.len(), 3, "{first:?}");
        let evicted = planned.expectations.last().unwrap();
        assert!(evicted.assumed.contains(&"tolerationSeconds 5m".to_owned()), "{evicted:?}");
    }
}
