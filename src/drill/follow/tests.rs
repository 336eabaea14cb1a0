//! Who is hit next: only who has taken the place of one that was.

use super::*;
use crate::model::binding::PeerSet;
use crate::model::cluster::{ClusterIdentity, ObjectIdentity, Resource};
use crate::model::id::DrillId;
use crate::model::inventory::Host;

const WEB: &str = "deployment shop/web";

fn pod(name: &str, uid: &str, service: &str) -> Target {
    let cluster = ClusterIdentity { context: "staging".into(), uid: "c".into() };
    let object = ObjectIdentity {
        cluster,
        resource: Resource::Pod,
        namespace: Some("shop".into()),
        name: name.into(),
        uid: uid.into(),
    };
    Target {
        name: InstanceName(format!("shop/{name}")),
        service: service.into(),
        host: Host::nowhere(),
        port: None,
        process: None,
        netns: None,
        object: Some(object),
    }
}

/// What is there, and all of it fits.
fn seen(pods: &[(&str, &str)]) -> Seen {
    let pods: Vec<Target> = pods
        .iter()
        .map(|(name, uid)| pod(name, uid, if name.starts_with("web") { WEB } else { "job shop/x" }))
        .collect();
    let names = pods.iter().map(|pod| pod.name.clone()).collect();
    Seen {
        targets: pods.into_iter().map(|pod| (pod.name.0.clone(), pod)).collect(),
        selected: [("web".to_owned(), names)].into(),
    }
}

fn order(number: u16, target: Target) -> Order {
    Order {
        injection: InjectionId { drill: DrillId::from_bits(1), number },
        step: 0,
        kind: "podDelete".into(),
        params: serde_json::Value::Null,
        peers: PeerSet::default(),
        target,
        seed: 0,
        deadline: Span::secs(8),
    }
}

/// Of three, those with these names are hit.
fn followed(hit: &[&str]) -> Followed {
    let there = seen(&[("web-1", "u1"), ("web-2", "u2"), ("web-3", "u3")]);
    let of = |name: &&str| order(1, there.targets[&format!("shop/{name}")].clone());
    let orders: Vec<Order> = hit.iter().map(of).collect();
    Followed::of((0, "web"), &[WEB.to_owned()], &orders, &there.targets)
}

fn names(found: &[InstanceName]) -> Vec<&str> {
    found.iter().map(|name| name.0.trim_start_matches("shop/")).collect()
}

#[test]
fn whoever_takes_the_place_is_hit_and_whoever_was_there_is_not() {
    let mut web = followed(&["web-1"]);
    let same = seen(&[("web-1", "u1"), ("web-2", "u2"), ("web-3", "u3")]);
    assert!(web.replacements(&same).is_empty());
    let next = seen(&[("web-2", "u2"), ("web-3", "u3"), ("web-4", "u4")]);
    assert_eq!(names(&web.replacements(&next)), ["web-4"]);
    assert!(web.replacements(&next).is_empty(), "once");
    let after = seen(&[("web-2", "u2"), ("web-3", "u3"), ("web-5", "u5")]);
    assert_eq!(names(&web.replacements(&after)), ["web-5"], "and so on");
}

#[test]
fn a_name_that_is_used_again_is_another_pod() {
    let mut web = followed(&["web-1"]);
    let again = seen(&[("web-1", "u9"), ("web-2", "u2"), ("web-3", "u3")]);
    assert_eq!(names(&web.replacements(&again)), ["web-1"]);
}

#[test]
fn never_more_than_were_hit_and_none_before_its_place_is_free() {
    let mut web = followed(&["web-1"]);
    // Somebody scales up: these take nobody's place.
    let more = [("web-1", "u1"), ("web-2", "u2"), ("web-3", "u3"), ("web-4", "u4")];
    assert!(web.replacements(&seen(&more)).is_empty());
    assert!(web.replacements(&seen(&more[1..])).is_empty(), "it was there before");
    // Three new ones for one that was hit.
    let many = [("web-4", "u4"), ("web-5", "u5"), ("web-6", "u6"), ("web-7", "u7")];
    assert_eq!(names(&web.replacements(&seen(&many))), ["web-5"]);
    assert!(web.replacements(&seen(&many)).is_empty());
    let mut two = followed(&["web-1", "web-2"]);
    assert_eq!(names(&two.replacements(&seen(&many))), ["web-4", "web-5"]);
}

#[test]
fn a_pod_of_another_workload_is_nobodys_replacement() {
    let mut web = followed(&["web-1"]);
    let other = seen(&[("job-1", "u4"), ("web-2", "u2"), ("web-3", "u3")]);
    assert!(web.replacements(&other).is_empty());
}
