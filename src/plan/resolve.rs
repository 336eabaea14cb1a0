//! From selectors to candidates and, where no role has to be known first, to the chosen.
//!
//! Invariant: candidates are in the order of their names, and nothing outside them is ever hit.

use std::collections::BTreeSet;

use crate::model::cluster::PlannedCluster;
use crate::model::experiment::{Experiment, LabSelector, ProbeSpec, Selector, TargetSpec};
use crate::model::inventory::{Candidate, InstanceName};
use crate::model::plan::{PlannedLab, PlannedTarget};

use super::draw;
use super::error::PlanError;
use super::ground;
use super::rule::{self, lab_place, place};

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
    let known: Vec<&Candidate> =
        candidates.iter().filter_map(|name| ground::find(lab, clusters, name)).collect();
    let cannot = |unknown| vec![PlanError::of_unknown(name, unknown)];
    let count = draw::most(spec.pick, &known).map_err(cannot)?;
    if count == 0 {
        return Err(vec![PlanError::PicksNothing {
            target: name.to_owned(),
            pick: String::from(spec.pick),
            found: candidates.len(),
        }]);
    }
    let late = spec.selector.binds_late();
    let chosen = if late {
        None
    } else {
        Some(draw::draw(spec.pick, (seed, name), &known, count).map_err(cannot)?)
    };
    let follows = if spec.follow { workloads(&known) } else { Vec::new() };
    let mut rule = rule::of(spec, candidates.len(), count);
    if !follows.is_empty() {
        rule = format!("{rule}; {}", rule::following(&follows, count));
    }
    Ok(PlannedTarget { candidates, chosen, count, rule, follows })
}

/// Whose pods they are.
fn workloads(pods: &[&Candidate]) -> Vec<String> {
    let of: BTreeSet<&String> = pods.iter().filter(|c| c.is_pod()).map(|c| &c.service).collect();
    of.into_iter().cloned().collect()
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
