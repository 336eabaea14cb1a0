//! From a step of the plan to orders: names become instances, far ends become addresses.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::model::binding::{Order, PeerHost, PeerSet};
use crate::model::experiment::Peers;
use crate::model::id::{DrillId, InjectionId};
use crate::model::identity::NetnsIdentity;
use crate::model::inventory::{Host, InstanceName, Role, Target};
use crate::model::network::Cidr;
use crate::model::plan::Plan;

/// What is known at the moment of injection.
pub struct Known<'a> {
    pub plan: &'a Plan,
    /// Everything that runs, by instance.
    pub targets: &'a BTreeMap<String, Target>,
    pub roles: &'a BTreeMap<InstanceName, Option<Role>>,
    pub hosts: &'a [(Host, NetnsIdentity)],
}

/// The instances that each subject of a step stands for now, by the subject's name.
///
/// Errors: in words; a role that nobody has, an instance that does not run.
pub fn subjects(
    known: &Known<'_>,
    step: usize,
) -> Result<BTreeMap<String, Vec<InstanceName>>, String> {
    let mut bound = BTreeMap::new();
    for name in &known.plan.steps[step].subjects {
        bound.insert(name.clone(), instances(known, name)?);
    }
    Ok(bound)
}

/// One order for each instance.
pub fn orders(
    known: &Known<'_>,
    step: usize,
    bound: &BTreeMap<String, Vec<InstanceName>>,
    mut number: impl FnMut() -> (DrillId, u16),
) -> Result<Vec<Order>, String> {
    let planned = &known.plan.steps[step];
    let declared = &known.plan.experiment.method[planned.step];
    let mut orders = Vec::new();
    for instance in bound.values().flatten() {
        let target = running(known, instance)?;
        let (drill, number) = number();
        orders.push(Order {
            injection: InjectionId { drill, number },
            step: planned.step,
            kind: planned.kind.clone(),
            params: declared.params.clone(),
            peers: peers(known, &declared.facts.peers, target)?,
            target: target.clone(),
            seed: known.plan.seed ^ u64::from(number),
            deadline: planned.deadline,
        });
    }
    Ok(orders)
}

fn instances(known: &Known<'_>, name: &str) -> Result<Vec<InstanceName>, String> {
    let planned =
        known.plan.targets.get(name).ok_or_else(|| format!("the plan has no target `{name}`"))?;
    if let Some(chosen) = &planned.chosen {
        return Ok(chosen.clone());
    }
    crate::backend::select::late(&known.plan.experiment.targets[name], planned, known.roles)
        .map(|found| crate::plan::pick::pick(known.plan.seed, name, &found, planned.count))
        .map_err(|why| format!("target `{name}`: {why}"))
}

fn running<'a>(known: &'a Known<'_>, instance: &InstanceName) -> Result<&'a Target, String> {
    known.targets.get(&instance.0).ok_or_else(|| format!("{instance} is not there"))
}

/// The far ends as addresses of both families. The target's own host is never its own far end.
fn peers(known: &Known<'_>, declared: &Peers, target: &Target) -> Result<PeerSet, String> {
    let others = |wanted: &dyn Fn(&Host) -> bool| -> Vec<PeerHost> {
        let fits = |(host, _): &&(Host, NetnsIdentity)| host.name != target.host.name && wanted(host);
        let as_peer = |(host, netns): &(Host, NetnsIdentity)| PeerHost {
            host: host.clone(),
            netns: netns.clone(),
        };
        known.hosts.iter().filter(fits).map(as_peer).collect()
    };
    match declared {
        Peers::None => Ok(PeerSet::default()),
        Peers::Everyone => Ok(PeerSet { blocks: Vec::new(), hosts: others(&|_| true) }),
        Peers::Some { targets, blocks } => {
            let mut names = Vec::new();
            for name in targets {
                let planned = known
                    .plan
                    .targets
                    .get(name)
                    .ok_or_else(|| format!("the plan has no target `{name}`"))?;
                names.extend(planned.candidates.iter().cloned());
            }
            let named = |host: &Host| {
                names.iter().any(|n| n.0.rsplit_once('@').is_some_and(|(_, h)| h == host.name))
                    || blocks.iter().any(|b| contains(b, host))
            };
            let hosts = others(&named);
            let mut all = blocks.clone();
            for peer in &hosts {
                all.push(Cidr::host(peer.host.ipv4));
                all.push(Cidr::host(peer.host.ipv6));
            }
            all.sort();
            all.dedup();
            if all.is_empty() {
                return Err(format!("nobody is left to keep {} from", target.name));
            }
            Ok(PeerSet { blocks: all, hosts })
        }
    }
}

fn contains(block: &Cidr, host: &Host) -> bool {
    match block.address {
        IpAddr::V4(_) => block.contains(host.ipv4),
        IpAddr::V6(_) => block.contains(host.ipv6),
    }
}
