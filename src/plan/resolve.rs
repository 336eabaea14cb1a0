//! From selectors to candidates and, where no role has to be known first, to the chosen.
//!
//! Invariant: candidates are in the order of their names, and nothing outside them is ever hit.

use crate::model::cluster::PlannedCluster;
use crate::model::experiment::{
    Bind, Experiment, LabSelector, Pick, ProbeSpec, Selector, TargetSpec,
};
use crate::model::inventory::InstanceName;
use crate::model::plan::{PlannedLab, PlannedTarget};
use crate::model::selector::{Owner, PodSelector};

use super::error::PlanError;
use super::pick::pick;

/// One target of the experiment made concrete. `seed` is the plan's.
/// Errors: a selector that finds nothing, and a pick that counts to nothing.
pub fn target(
    (name, spec): (&str, &TargetSpec),
    lab: Option<&PlannedLab>,
    clusters: &[PlannedCluster],
    seed: u64,
) -> Result<PlannedTarget, Vec<PlanError>> {
    let candidates = match &spec.selector {
        Selector::Lab(selector) => {
            let lab = lab.ok_or_else(|| vec![PlanError::NoLab { target: name.to_owned() }])?;
            candidates(name, selector, lab)?
        }
        selector => found(name, selector, clusters)?,
    };
    let count = spec.pick.count(candidates.len());
    if count == 0 {
        return Err(vec![PlanError::PicksNothing {
            target: name.to_owned(),
            pick: String::from(spec.pick),
            found: candidates.len(),
        }]);
    }
    let late = spec.selector.binds_late();
    let chosen = (!late).then(|| pick(seed, name, &candidates, count));
    let rule = match &spec.selector {
        Selector::Lab(selector) => rule(selector, spec, candidates.len()),
        selector => cluster_rule(selector, spec, candidates.len()),
    };
    Ok(PlannedTarget { candidates, chosen, count, rule })
}

/// What was found in a cluster when it was asked.
fn found(
    target: &str,
    selector: &Selector,
    clusters: &[PlannedCluster],
) -> Result<Vec<InstanceName>, Vec<PlanError>> {
    let mut found: Vec<InstanceName> = clusters
        .iter()
        .filter_map(|cluster| cluster.found.get(target))
        .flatten()
        .cloned()
        .collect();
    found.sort();
    found.dedup();
    if found.is_empty() {
        let (target, selector) = (target.to_owned(), place(selector));
        return Err(vec![PlanError::NothingFound { target, selector }]);
    }
    Ok(found)
}

/// Probes that look from a host that there is not.
#[must_use]
pub fn places(experiment: &Experiment, lab: Option<&PlannedLab>) -> Vec<PlanError> {
    let hosts = lab.map_or(&[][..], |lab| &lab.hosts);
    let known: Vec<String> = hosts.iter().map(|host| host.name.clone()).collect();
    let unknown = |(probe, spec): (&String, &ProbeSpec)| {
        let host = spec.from.clone().filter(|host| !known.contains(host))?;
        Some(PlanError::UnknownFrom { probe: probe.clone(), host, known: known.clone() })
    };
    experiment.probes.iter().filter_map(unknown).collect()
}

fn candidates(
    target: &str,
    selector: &LabSelector,
    lab: &PlannedLab,
) -> Result<Vec<InstanceName>, Vec<PlanError>> {
    let target = target.to_owned();
    let mut services: Vec<String> = lab.candidates.iter().map(|c| c.service.clone()).collect();
    services.sort();
    services.dedup();
    if !services.contains(&selector.service) {
        let service = selector.service.clone();
        return Err(vec![PlanError::UnknownService { target, service, known: services }]);
    }
    let hosts: Vec<String> = lab.hosts.iter().map(|h| h.name.clone()).collect();
    let strange = |host: &&String| !hosts.contains(*host);
    let unknown: Vec<PlanError> = selector
        .hosts
        .iter()
        .filter(strange)
        .map(|host| PlanError::UnknownHost {
            target: target.clone(),
            host: host.clone(),
            known: hosts.clone(),
        })
        .collect();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let wanted = |host: &String| selector.hosts.is_empty() || selector.hosts.contains(host);
    let mut found: Vec<InstanceName> = lab
        .candidates
        .iter()
        .filter(|c| c.service == selector.service && wanted(&c.host.name))
        .map(|c| c.name.clone())
        .collect();
    found.sort();
    found.dedup();
    if found.is_empty() {
        return Err(vec![PlanError::NothingFound { target, selector: lab_place(selector) }]);
    }
    Ok(found)
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

/// What will be chosen of a cluster, in words that stay true when pods come and go.
fn cluster_rule(selector: &Selector, spec: &TargetSpec, found: usize) -> String {
    let place = place(selector);
    let number = spec.pick.count(found);
    if selector.binds_late() {
        let when = match spec.bind {
            Bind::Start => "as the method begins",
            Bind::Inject => "at injection",
        };
        return format!("{} of {place}, {} {when}", String::from(spec.pick), condition(selector));
    }
    match number {
        number if number == found => format!("{place}, all {found}"),
        number => format!("{number} of {found} {place}, drawn"),
    }
}

/// `redis`, `redis on r1 or r2`.
fn lab_place(selector: &LabSelector) -> String {
    if selector.hosts.is_empty() {
        selector.service.clone()
    } else {
        format!("{} on {}", selector.service, selector.hosts.join(" or "))
    }
}

/// What will be chosen, in words that stay true when roles move.
fn rule(selector: &LabSelector, spec: &TargetSpec, found: usize) -> String {
    let place = lab_place(selector);
    let Some(role) = &selector.role else {
        return match spec.pick {
            Pick::All => format!("all {found} instances of {place}"),
            pick if pick.count(found) == found => format!("every instance of {place}"),
            pick => format!("{} of {found} instances of {place}, drawn", pick.count(found)),
        };
    };
    let when = match spec.bind {
        Bind::Start => "as the method begins",
        Bind::Inject => "at injection",
    };
    match spec.pick {
        Pick::One => format!("the instance of {place} whose role is {role} {when}"),
        Pick::All => format!("every instance of {place} whose role is {role} {when}"),
        pick => format!(
            "{} of the instances of {place} whose role is {role} {when}, drawn",
            String::from(pick)
        ),
    }
}
