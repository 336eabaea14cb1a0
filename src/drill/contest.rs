//! Which target a role stands for must be beyond doubt. Where a target picks one by a role that is
//! for one, and two instances claim it (an old primary that just woke, and the new one), nobody
//! can tell which is meant; nothing is broken before one of them gives way.
//!
//! Which roles are for one nobody declares. A claim that presumes it says so (`roleMoved`), and
//! what just one instance had for most of the steady state is one. Roles that several have, like
//! that of a replica, may be picked from; where several primaries are as it should be, a target
//! narrows them by its hosts.

use std::collections::BTreeSet;

use super::roles::RolesSeen;
use crate::judge;
use crate::model::experiment::{Claim, LabSelector, Pick, TargetSpec};
use crate::model::inventory::InstanceName;
use crate::model::plan::Plan;

/// Targets of the method that pick one by a role that is for one.
pub fn for_one(plan: &Plan, seen: &mut RolesSeen, now_ns: u64) -> BTreeSet<String> {
    let subjects = plan.steps.iter().flat_map(|step| &step.subjects);
    let is_for_one = |name: &&String| {
        let Some((selector, role)) = picks_one(plan, name) else { return false };
        presumed(plan, name) || seen.is_for_one(&selector.service, role, now_ns)
    };
    subjects.filter(is_for_one).cloned().collect()
}

/// In words, who claims the role of such a target besides another; None where nobody does.
pub fn contested(plan: &Plan, seen: &mut RolesSeen, now_ns: u64) -> Option<String> {
    for_one(plan, seen, now_ns).into_iter().find_map(|name| {
        let (selector, role) = picks_one(plan, &name)?;
        let holders = seen.holders(&selector.service, role).into_iter();
        let holders: Vec<_> = holders.filter(|who| stands_on(plan, selector, who)).collect();
        (holders.len() > 1).then(|| words(role, &holders))
    })
}

/// `two instances say primary: redis@r1, redis@r3`
#[must_use]
pub fn words(role: &str, holders: &[InstanceName]) -> String {
    let names: Vec<String> = holders.iter().map(ToString::to_string).collect();
    let number = if names.len() == 2 { "two".to_owned() } else { names.len().to_string() };
    format!("{number} instances say {role}: {}", names.join(", "))
}

/// The role that a target is chosen by.
#[must_use]
pub fn role(spec: &TargetSpec) -> Option<&str> {
    spec.selector.lab()?.role.as_deref()
}

fn picks_one<'a>(plan: &'a Plan, name: &str) -> Option<(&'a LabSelector, &'a str)> {
    let spec = plan.experiment.targets.get(name)?;
    let selector = spec.selector.lab()?;
    let role = role(spec)?;
    matches!(spec.pick, Pick::One | Pick::Count(1)).then_some((selector, role))
}

/// Does a claim on the target only make sense for a role that one has?
fn presumed(plan: &Plan, name: &str) -> bool {
    let presumes = |claim: &Claim| {
        claim.target.as_deref() == Some(name)
            && judge::find(&claim.check).is_some_and(judge::CheckEntry::one_holder)
    };
    let experiment = &plan.experiment;
    experiment.hypothesis.iter().chain(&experiment.stop_conditions).any(presumes)
}

fn stands_on(plan: &Plan, selector: &LabSelector, who: &InstanceName) -> bool {
    let mut candidates = plan.lab.iter().flat_map(|lab| &lab.candidates);
    selector.hosts.is_empty()
        || candidates.any(|c| c.name == *who && selector.hosts.contains(&c.host.name))
}

#[cfg(test)]
mod tests;
