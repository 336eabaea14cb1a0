//! `budgetRespected`: how many pods an eviction left, and who refused one.

use serde_json::json;

use super::{World, deleting, ready};
use crate::judge::scripted::injection;
use crate::model::cluster_seen::{ClusterFact, PodSeen};
use crate::model::history::{Entry, Finding};
use crate::model::outcome::ClaimVerdict::{Deviated, Held, Inconclusive};
use crate::model::verdict::ClaimReport;

fn evicted(name: &str, node: &str) -> PodSeen {
    let why = Some("EvictionByEvictionAPI".to_owned());
    PodSeen { disrupted: why, ..deleting(name, node) }
}

fn claim(world: World) -> ClaimReport {
    world.claim("budgetRespected", json!({"target": "web"}))
}

fn refused(mut world: World, pod: &str) -> World {
    let why = "web needs 2 healthy pods and has 2".to_owned();
    let finding = Finding::EvictionRefused { pod: pod.to_owned(), why };
    world.drill = world.drill.entry(20.0, Entry::Finding { injection: injection(0), finding });
    world
}

#[test]
fn an_eviction_may_leave_as_many_as_the_budget_wants() {
    let one = World::steady().pod(5.0, evicted("a", "n1"));
    assert_eq!(claim(one.clone()).verdict, Held, "two are left");
    let two = claim(one.clone().pod(50.0, evicted("b", "n2")));
    assert_eq!((two.verdict, two.measured), (Deviated, Some(1.0)), "{two:?}");
    assert!(two.finding.contains("1 pod fewer than it wants once b"), "{two:?}");
    let replaced = one.pod(30.0, ready("d", "n1")).pod(50.0, evicted("b", "n2"));
    assert_eq!(claim(replaced).verdict, Held, "another was ready by then");
}

#[test]
fn a_refusal_is_what_a_budget_is_for() {
    let held = claim(refused(World::steady(), "shop/a"));
    assert_eq!(held.verdict, Held, "{held:?}");
    assert!(held.finding.contains("1 eviction refused: web needs 2"), "{held:?}");
    let stranger = claim(refused(World::steady(), "shop/z"));
    assert_eq!(stranger.verdict, Inconclusive, "of a pod that is not the target's");
}

#[test]
fn a_budget_that_was_never_asked_proves_nothing() {
    let deleted = claim(World::repaired());
    assert_eq!(deleted.verdict, Inconclusive, "{deleted:?}");
    assert!(deleted.finding.contains("never asked"), "{deleted:?}");
}

#[test]
fn no_budget_at_all_deviates_whatever_happened() {
    let bare = |world: World| world.without(|fact| matches!(fact, ClusterFact::Budget(_)));
    let found = claim(bare(World::steady().pod(5.0, evicted("a", "n1"))));
    assert_eq!(found.verdict, Deviated, "{found:?}");
    assert!(found.finding.contains("no PodDisruptionBudget covers deployment shop/web"));
    assert_eq!(claim(bare(World::repaired())).verdict, Deviated);
}
