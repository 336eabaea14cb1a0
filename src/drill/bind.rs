//! From a step of the plan to orders: names become instances, far ends become addresses.

use std::collections::{BTreeMap, BTreeSet};

use super::contest;
use crate::model::binding::{Order, PeerHost, PeerSet};
use crate::model::experiment::Bind;
use crate::model::id::{DrillId, InjectionId};
use crate::model::identity::NetnsIdentity;
use crate::model::inventory::{Host, InstanceName, Role, Target};
use crate::model::plan::Plan;
use crate::plan;

/// The instances that each target stands for, by the target's name.
pub type Bound = BTreeMap<String, Vec<InstanceName>>;

/// The world at the moment of binding.
pub struct Now {
    /// Everything that runs, by instance.
    pub targets: BTreeMap<String, Target>,
    /// Who fits the selector of a target in a cluster now, by the target's name.
    pub selected: Bound,
    pub roles: BTreeMap<InstanceName, Option<Role>>,
    pub hosts: Vec<(Host, NetnsIdentity)>,
    /// Targets whose role is for one.
    pub for_one: BTreeSet<String>,
}

/// What is known at the moment of binding.
pub struct Known<'a> {
    pub plan: &'a Plan,
    pub now: &'a Now,
    /// Bound as the method began: whoever has the role now, these stay meant.
    pub kept: &'a Bound,
}

/// Why a step cannot be ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unbound {
    /// Several claim the role of a target that is for one.
    Contested(String),
    Cannot(String),
}

impl From<String> for Unbound {
    fn from(why: String) -> Unbound {
        Unbound::Cannot(why)
    }
}

/// Targets of the method that wait for a role and are bound once, as it begins.
#[must_use]
pub fn starting(plan: &Plan) -> BTreeSet<&String> {
    let starts = |name: &&String| {
        let open = plan.targets.get(*name).is_some_and(|planned| planned.chosen.is_none());
        open && plan.experiment.targets.get(*name).is_some_and(|spec| spec.bind == Bind::Start)
    };
    plan.steps.iter().flat_map(|step| &step.subjects).filter(starts).collect()
}

/// Binds these targets. Errors as for [`subjects`].
pub fn at_start(known: &Known<'_>) -> Result<Bound, Unbound> {
    starting(known.plan).into_iter().map(|name| bind(known, name)).collect()
}

/// The instances that each subject of a step stands for: those that were bound as the method began,
/// and of every other target those that have its role now.
///
/// Errors: a role that nobody has, an instance that was no candidate, a role for one that several
/// claim: whichever was hit, the system would be blamed for what was expected of the other.
pub fn subjects(known: &Known<'_>, step: usize) -> Result<Bound, Unbound> {
    let subject = |name: &String| match known.kept.get(name) {
        Some(instances) => Ok((name.clone(), instances.clone())),
        None => bind(known, name),
    };
    known.plan.steps[step].subjects.iter().map(subject).collect()
}

fn bind(known: &Known<'_>, name: &String) -> Result<(String, Vec<InstanceName>), Unbound> {
    let with_role = with_role(known, name);
    if with_role.len() > 1 && known.now.for_one.contains(name) {
        let spec = known.plan.experiment.targets.get(name);
        let role = spec.and_then(|spec| contest::role(spec)).unwrap_or_default();
        return Err(Unbound::Contested(contest::words(role, &with_role)));
    }
    plan::bind(known.plan, name, &with_role)
        .map(|instances| (name.clone(), instances))
        .map_err(|e| Unbound::Cannot(e.to_string()))
}

/// One order for each instance, numbered by `number`.
pub fn orders(
    known: &Known<'_>,
    step: usize,
    bound: &Bound,
    mut number: impl FnMut() -> (DrillId, u16),
) -> Result<Vec<Order>, String> {
    let planned = &known.plan.steps[step];
    let declared = &known.plan.experiment.method[planned.step];
    let mut orders = Vec::new();
    for instance in bound.values().flatten() {
        let target = known.now.targets.get(&instance.0);
        let target = target.ok_or_else(|| format!("{instance} is not there any more"))?;
        let (drill, number) = number();
        orders.push(Order {
            injection: InjectionId { drill, number },
            step: planned.step,
            kind: planned.kind.clone(),
            params: declared.params.clone(),
            peers: peers(known, planned.step, instance)?,
            target: target.clone(),
            seed: known.plan.seed ^ u64::from(number),
            deadline: planned.deadline,
        });
    }
    Ok(orders)
}

/// Who has the role that the target asks for, among all instances of its service.
fn with_role(known: &Known<'_>, name: &str) -> Vec<InstanceName> {
    let Some(spec) = known.plan.experiment.targets.get(name) else { return Vec::new() };
    let Some(selector) = spec.selector.lab() else {
        return known.now.selected.get(name).cloned().unwrap_or_default();
    };
    let fits = |(instance, role): &(&InstanceName, &Option<Role>)| {
        let wanted = selector.role.as_deref();
        let target = known.now.targets.get(&instance.0);
        target.is_some_and(|t| {
            t.service == selector.service
                && (selector.hosts.is_empty() || selector.hosts.contains(&t.host.name))
        }) && role.as_ref().map(|r| r.0.as_str()) == wanted
    };
    known.now.roles.iter().filter(fits).map(|(instance, _)| instance.clone()).collect()
}

/// The far ends as addresses of both families, and the namespaces among them.
fn peers(known: &Known<'_>, step: usize, instance: &InstanceName) -> Result<PeerSet, String> {
    let far_end = plan::far_end(known.plan, step, instance).map_err(|e| e.to_string())?;
    let Some(far_end) = far_end else { return Ok(PeerSet::default()) };
    let with_namespace = |host: Host| {
        let (_, netns) = known.now.hosts.iter().find(|(h, _)| h.name == host.name)?;
        Some(PeerHost { host, netns: netns.clone() })
    };
    let hosts = far_end.hosts.into_iter().filter_map(with_namespace).collect();
    Ok(PeerSet { blocks: far_end.blocks, hosts })
}

#[cfg(test)]
mod tests;
