//! What each claim measures where everything was watched.

use serde_json::json;

use super::super::close;
use super::{World, deleting, endpoint, pending, ready, rollout, within};
use crate::model::cluster_seen::{ClusterFact, LeaseSeen, PodSeen, WorkloadSeen};
use crate::model::outcome::ClaimVerdict::{Deviated, Held, Inconclusive};

#[test]
fn pods_are_ready_again_once_as_many_are_as_were_wanted() {
    let claim = World::repaired().claim("podsReady", json!({"target": "web", "within": "5s"}));
    assert_eq!(claim.verdict, Held, "{claim:?}");
    assert!(close(claim.measured.unwrap(), 1.5), "{claim:?}");
    // So late the news may be, and so uncertain the fault itself is.
    assert!(close(claim.error.unwrap(), 0.006), "{claim:?}");
    assert!(claim.finding.contains("3 ready of deployment shop/web"), "{claim:?}");
    assert!(claim.finding.contains("at worst 2"), "{claim:?}");
    assert_eq!(within(World::repaired(), "podsReady", "1s").0, Deviated);
    let two = json!({"target": "web", "within": "1s", "atLeast": 2});
    let claim = World::repaired().claim("podsReady", two);
    assert!(claim.verdict == Held && close(claim.measured.unwrap(), 0.0), "{claim:?}");
    let four = json!({"target": "web", "within": "1s", "atLeast": 4});
    assert_eq!(World::repaired().claim("podsReady", four).verdict, Deviated);
}

#[test]
fn ready_is_for_good_or_not_at_all() {
    let again = World::repaired()
        .pod(4000.0, PodSeen { ready: false, ..ready("b", "n2") })
        .pod(6000.0, ready("b", "n2"));
    let (verdict, measured, _) = within(again, "podsReady", "5s");
    assert!(verdict == Deviated && close(measured.unwrap(), 6.0));
    let never = World::steady()
        .pod(5.0, deleting("a", "n1"))
        .pod(100.0, pending("d", "0/3 nodes are available"));
    let (verdict, _, finding) = within(never.clone(), "podsReady", "5s");
    assert_eq!(verdict, Deviated, "{finding}");
    assert!(finding.contains("2 of 3 pods"), "{finding}");
    assert!(finding.contains("pod shop/d is Pending: 0/3 nodes are available"), "{finding}");
    assert_eq!(within(never, "podsReady", "60s").0, Inconclusive, "not watched for so long");
    let (verdict, measured, finding) = within(World::steady(), "podsReady", "1s");
    assert!(verdict == Held && close(measured.unwrap(), 0.0), "{finding}");
    assert!(finding.contains("never fewer than 3"), "{finding}");
}

#[test]
fn lost_pods_are_rescheduled_when_others_are_bound() {
    let (verdict, measured, finding) = within(World::repaired(), "rescheduled", "1s");
    assert!(verdict == Held && close(measured.unwrap(), 0.2), "{finding}");
    assert!(finding.contains("the last is d on n1"), "{finding}");
    assert_eq!(within(World::repaired(), "rescheduled", "100ms").0, Deviated);
    let waits = World::steady()
        .pod(5.0, deleting("a", "n1"))
        .pod(100.0, pending("d", "old words"))
        .says(110.0, "pod shop/x", ("FailedScheduling", "another's"))
        .says(120.0, "pod shop/d", ("FailedScheduling", "0/3 nodes: 1 unreachable"));
    let (verdict, _, finding) = within(waits, "rescheduled", "5s");
    assert_eq!(verdict, Deviated, "{finding}");
    assert!(finding.contains("0 of 1 lost pod"), "{finding}");
    assert!(finding.contains("pod shop/d is Pending: 0/3 nodes: 1 unreachable"), "{finding}");
    let one_of_two = World::repaired().pod(50.0, deleting("b", "n2"));
    let (verdict, _, finding) = within(one_of_two, "rescheduled", "5s");
    assert!(verdict == Deviated && finding.contains("1 of 2 lost pods"), "{finding}");
    // Hit, and never given up: that it was not replaced is known.
    let (verdict, _, finding) = within(World::steady(), "rescheduled", "5s");
    assert!(verdict == Deviated && finding.contains("no pod was put in its place"), "{finding}");
    let elsewhere = World { hit: "other/z", ..World::steady() };
    let (verdict, _, finding) = within(elsewhere, "rescheduled", "5s");
    assert!(verdict == Inconclusive && finding.contains("no pod of"), "{finding}");
}

#[test]
fn endpoints_of_lost_pods_are_dropped_when_the_last_is() {
    let (verdict, measured, finding) = within(World::repaired(), "endpointsDropped", "1s");
    assert!(verdict == Held && close(measured.unwrap(), 0.04), "{finding}");
    assert!(finding.contains("the last is a of shop/web"), "{finding}");
    assert_eq!(within(World::repaired(), "endpointsDropped", "20ms").0, Deviated);
    let kept = World::steady().pod(5.0, deleting("a", "n1"));
    let (verdict, _, finding) = within(kept, "endpointsDropped", "5s");
    assert!(verdict == Deviated && finding.contains("still in use: a"), "{finding}");
    let other = json!({"target": "web", "within": "1s", "service": "shop/other"});
    let claim = World::repaired().claim("endpointsDropped", other);
    assert_eq!(claim.verdict, Inconclusive, "{claim:?}");
    let bare = World::repaired().without(|fact| matches!(fact, ClusterFact::Endpoint(_)));
    assert_eq!(within(bare, "endpointsDropped", "1s").0, Inconclusive);
    // Those that were not lost may be dropped as they like.
    let more = World::repaired().endpoint(900.0, endpoint("b", false));
    assert!(close(within(more, "endpointsDropped", "1s").1.unwrap(), 0.04));
}

#[test]
fn a_rollout_is_complete_when_the_workload_says_so() {
    let told = |world: World, ms, seen| world.fact(ms, ClusterFact::Workload(seen));
    let rolled = told(told(World::steady(), 100.0, rollout(1, 2)), 4000.0, rollout(3, 3));
    let (verdict, measured, finding) = within(rolled.clone(), "rolloutCompletes", "5s");
    assert!(verdict == Held && close(measured.unwrap(), 4.0), "{finding}");
    assert_eq!(within(rolled, "rolloutCompletes", "3s").0, Deviated);
    let old = WorkloadSeen { observed_generation: 1, ..rollout(3, 3) };
    let unobserved = told(World::steady(), 100.0, old);
    assert_eq!(within(unobserved, "rolloutCompletes", "5s").0, Deviated, "of the old template");
    let stuck =
        WorkloadSeen { stuck: Some("ProgressDeadlineExceeded".to_owned()), ..rollout(1, 2) };
    let (verdict, _, finding) = within(told(World::steady(), 9.0, stuck), "rolloutCompletes", "5s");
    assert!(verdict == Deviated && finding.contains("ProgressDeadlineExceeded"), "{finding}");
    assert_eq!(within(World::steady(), "rolloutCompletes", "5s").0, Inconclusive, "none was");
    let silent = World::repaired().without(|fact| matches!(fact, ClusterFact::Workload(_)));
    assert_eq!(within(silent, "rolloutCompletes", "5s").0, Inconclusive);
}

#[test]
fn a_lease_has_moved_when_another_holds_it() {
    let held = |world: World, ms, holder: &str| {
        let lease = LeaseSeen { lease: "shop/lead".to_owned(), holder: holder.to_owned() };
        world.fact(ms, ClusterFact::Lease(lease))
    };
    let claim = |world: World, target: &str, within: &str| {
        world.claim("leaderMoved", json!({"target": target, "within": within}))
    };
    let moved = held(held(World::steady(), 500.0, ""), 2000.0, "b_2");
    let found = claim(moved.clone(), "leader", "3s");
    assert!(found.verdict == Held && close(found.measured.unwrap(), 2.0), "{found:?}");
    assert!(found.finding.contains("from a_1 to b_2"), "{found:?}");
    assert_eq!(claim(moved.clone(), "leader", "1s").verdict, Deviated);
    assert_eq!(claim(held(World::steady(), 500.0, ""), "leader", "3s").verdict, Deviated, "nobody");
    assert_eq!(claim(moved.clone(), "web", "3s").verdict, Inconclusive, "it holds no Lease");
    assert_eq!(claim(moved.null(), "leader", "3s").verdict, Deviated, "without a fault");
    assert_eq!(claim(World::steady().null(), "leader", "3s").verdict, Held);
    let free = World::steady().without(|fact| matches!(fact, ClusterFact::Lease(_)));
    assert_eq!(claim(free, "leader", "3s").verdict, Inconclusive);
}

#[test]
fn restarts_are_counted_from_the_fault_on_and_over_all_pods() {
    let restarted = |pod: PodSeen, restarts| PodSeen { restarts, ..pod };
    let world = World::steady()
        .pod(-2350.0, restarted(ready("a", "n1"), 5))
        .pod(1000.0, restarted(ready("a", "n1"), 6))
        .pod(1200.0, restarted(ready("d", "n1"), 2));
    let most = |count: u32| {
        world.clone().claim("restartsAtMost", json!({"target": "web", "count": count}))
    };
    assert_eq!(most(3).verdict, Held, "{:?}", most(3));
    assert_eq!(most(2).verdict, Deviated);
    assert!(close(most(3).measured.unwrap(), 3.0) && most(3).finding.contains("1 of a, 2 of d"));
    let unseen = World::steady().without(|fact| matches!(fact, ClusterFact::Pod(_)));
    let claim = unseen.claim("restartsAtMost", json!({"target": "web", "count": 9}));
    assert_eq!(claim.verdict, Inconclusive);
}

#[test]
fn in_a_null_drill_nothing_may_be_lost() {
    for check in ["rescheduled", "endpointsDropped", "podsReady", "rolloutCompletes"] {
        let (verdict, _, finding) = within(World::steady().null(), check, "5s");
        assert_eq!(verdict, Held, "{check}: {finding}");
    }
    for check in ["rescheduled", "endpointsDropped"] {
        let (verdict, _, finding) = within(World::repaired().null(), check, "5s");
        assert!(verdict == Deviated && finding.contains("without a fault"), "{check}: {finding}");
    }
}
