//! From selectors to candidates and, where no role has to be known first, to the chosen.
//!
//! Invariant: candidates are in the order of their names, and nothing outside them is ever hit.

use crate::model::experiment::{
    Bind, Experiment, LabSelector, Pick, ProbeSpec, Selector, TargetSpec,
};
use crate::model::inventory::InstanceName;
use crate::model::plan::{PlannedLab, PlannedTarget};

use super::error::PlanError;
use super::pick::pick;

/// One target of the experiment made concrete. `seed` is the plan's.
/// Errors: a selector that finds nothing, and a pick that counts to nothing.
pub fn target(
    name: &str,
    spec: &TargetSpec,
    lab: Option<&PlannedLab>,
    seed: u64,
) -> Result<PlannedTarget, Vec<PlanError>> {
    let Selector::Lab(selector) = &spec.selector;
    let lab = lab.ok_or_else(|| vec![PlanError::NoLab { target: name.to_owned() }])?;
    let candidates = candidates(name, selector, lab)?;
    let count = spec.pick.count(candidates.len());
    if count == 0 {
        return Err(vec![PlanError::PicksNothing {
            target: name.to_owned(),
            pick: String::from(spec.pick),
            found: candidates.len(),
        }]);
    }
    let chosen = selector.role.is_none().then(|| pick(seed, name, &candidates, count));
    let rule = rule(selector, spec, candidates.len());
    Ok(PlannedTarget { candidates, chosen, count, rule })
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
        return Err(vec![PlanError::NothingFound { target, selector: place(selector) }]);
    }
    Ok(found)
}

/// `redis`, `redis on r1 or r2`.
fn place(selector: &LabSelector) -> String {
    if selector.hosts.is_empty() {
        selector.service.clone()
    } else {
        format!("{} on {}", selector.service, selector.hosts.join(" or "))
    }
}

/// What will be chosen, in words that stay true when roles move.
fn rule(selector: &LabSelector, spec: &TargetSpec, found: usize) -> String {
    let place = place(selector);
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
