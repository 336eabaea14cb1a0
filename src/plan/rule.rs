//! Targets in words: what a selector means, and who of those found is chosen.
//!
//! Invariant: the words stay true when roles move, and when pods come and go.

use crate::model::experiment::{Bind, LabSelector, Pick, Selector, TargetSpec};
use crate::model::selector::{Owner, PodSelector};

/// What will be chosen. `found`: of how many; `count`: how many of them.
pub(super) fn of(spec: &TargetSpec, found: usize, count: usize) -> String {
    match &spec.selector {
        Selector::Lab(selector) => lab_rule(selector, spec, (found, count)),
        selector => cluster_rule(selector, spec, (found, count)),
    }
}

/// Who else is hit while the fault is held.
pub(super) fn following(workloads: &[String], count: usize) -> String {
    format!(
        "while it is held also whoever takes their place, {count} at a time at most, of {} only",
        workloads.join(" or ")
    )
}

/// `redis on r1 or r2`, `pods of shop with app=web`, without what is only known at injection.
pub(super) fn place(selector: &Selector) -> String {
    match selector {
        Selector::Lab(lab) => lab_place(lab),
        Selector::Pods(pods) => pods_place(pods),
        Selector::Nodes(nodes) => {
            let mut words = vec!["nodes".to_owned()];
            words.extend((!nodes.names.is_empty()).then(|| nodes.names.join(" or ")));
            words.extend(nodes.selector.as_ref().map(|labels| format!("with {labels}")));
            words.extend(in_zones(&nodes.zones));
            words.join(" ")
        }
        Selector::Workload(one) => {
            format!("{} {}/{}", one.kind.resource().kind(), one.namespace, one.name)
        }
        Selector::Object(one) => {
            format!("{} {}/{}", one.kind.resource().kind(), one.namespace, one.name)
        }
    }
}

fn in_zones(zones: &[String]) -> Option<String> {
    (!zones.is_empty()).then(|| format!("in zone {}", zones.join(" or ")))
}

fn pods_place(pods: &PodSelector) -> String {
    let mut words = vec![format!("pods of {}", pods.namespace)];
    words.extend(pods.selector.as_ref().map(|labels| format!("with {labels}")));
    words.extend(pods.fields.as_ref().map(|fields| format!("where {fields}")));
    words.extend(pods.annotations.iter().map(|(key, value)| format!("annotated {key}={value}")));
    words.extend(pods.name.as_ref().map(|name| format!("named {name}")));
    let owner = |owner: &Owner| format!("of {} {}", owner.kind.resource().kind(), owner.name);
    words.extend(pods.owner.as_ref().map(owner));
    words.extend((!pods.nodes.is_empty()).then(|| format!("on {}", pods.nodes.join(" or "))));
    words.extend(in_zones(&pods.zones));
    words.extend(pods.phase.map(|phase| format!("that are {phase:?}")));
    words.extend(pods.ready.map(|ready| if ready { "that are ready" } else { "not ready" }.into()));
    words.join(" ")
}

/// What is only known at injection: `behind service web`, `holding lease scheduler`.
pub(super) fn condition(selector: &Selector) -> String {
    let Selector::Pods(pods) = selector else { return String::new() };
    let mut words = Vec::new();
    words.extend(pods.service.as_ref().map(|service| format!("behind service {service}")));
    words.extend(pods.lease_holder.as_ref().map(|lease| format!("the holder of lease {lease}")));
    words.extend(pods.role.as_ref().map(|role| format!("labelled {}={}", role.label, role.is)));
    words.join(" and ")
}

fn cluster_rule(selector: &Selector, spec: &TargetSpec, (found, count): (usize, usize)) -> String {
    let place = place(selector);
    if selector.binds_late() {
        let when = when(spec.bind);
        let who = match by(spec.pick) {
            Some(by) => format!("{by} of {place}"),
            None => format!("{} of {place}", String::from(spec.pick)),
        };
        return format!("{who}, {} {when}", condition(selector));
    }
    match by(spec.pick) {
        Some(by) => format!("{by} of {found} {place}{}", drawn(spec.pick)),
        None if count == found => format!("{place}, all {found}"),
        None => format!("{count} of {found} {place}, drawn"),
    }
}

/// Picks that go by something.
fn by(pick: Pick) -> Option<&'static str> {
    match pick {
        Pick::PerNode => Some("one on each node"),
        Pick::PerZone => Some("one in each zone"),
        Pick::Oldest => Some("the oldest"),
        Pick::Newest => Some("the newest"),
        _ => None,
    }
}

fn drawn(pick: Pick) -> &'static str {
    if pick.is_by_age() { "" } else { ", drawn" }
}

fn when(bind: Bind) -> &'static str {
    match bind {
        Bind::Start => "as the method begins",
        Bind::Inject => "at injection",
    }
}

/// `redis`, `redis on r1 or r2`.
pub(super) fn lab_place(selector: &LabSelector) -> String {
    if selector.hosts.is_empty() {
        selector.service.clone()
    } else {
        format!("{} on {}", selector.service, selector.hosts.join(" or "))
    }
}

/// What will be chosen, in words that stay true when roles move.
fn lab_rule(selector: &LabSelector, spec: &TargetSpec, (found, count): (usize, usize)) -> String {
    let place = lab_place(selector);
    let Some(role) = &selector.role else {
        return match spec.pick {
            Pick::All => format!("all {found} instances of {place}"),
            _ if count == found => format!("every instance of {place}"),
            pick => match by(pick) {
                Some(by) => format!("{by} of {found} instances of {place}{}", drawn(pick)),
                None => format!("{count} of {found} instances of {place}, drawn"),
            },
        };
    };
    let when = when(spec.bind);
    match spec.pick {
        Pick::One => format!("the instance of {place} whose role is {role} {when}"),
        Pick::All => format!("every instance of {place} whose role is {role} {when}"),
        pick => format!(
            "{} of the instances of {place} whose role is {role} {when}, drawn",
            String::from(pick)
        ),
    }
}
