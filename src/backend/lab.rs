//! Targets in a lab: whom to ask for a role, and which running instances a selector means now.
//!
//! A plan fixed the set of candidates; an instance outside of it is never chosen, whatever its role.

use std::collections::BTreeMap;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::SeedableRng;
use rand::seq::SliceRandom;

use crate::model::experiment::{LabSelector, Pick};
use crate::model::identity::NetnsIdentity;
use crate::model::inventory::{Host, InstanceName, Role, Target};
use crate::model::lab::{Check, LabSpec};
use crate::model::layout::Layout;
use crate::model::message::RoleWatch;
use crate::model::plan::PlannedTarget;

/// What each instance says that it is; None: it gave no answer.
pub type Roles = BTreeMap<InstanceName, Option<Role>>;

/// One target of a plan, to become names.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    pub selector: &'a LabSelector,
    pub pick: Pick,
    pub planned: &'a PlannedTarget,
    /// The same seed and the same instances found give the same choice.
    pub seed: u64,
}

/// Why a target did not become a name. Nothing may be injected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    #[error("no instance of {service} {rule}{seen}")]
    Nothing { service: String, rule: String, seen: String },
    #[error("{instance} fits, but is outside the plan's candidates; make the plan again")]
    Outside { instance: InstanceName },
    #[error("{found} instances would be chosen where the plan admits {admitted}")]
    TooMany { found: usize, admitted: usize },
    #[error("the plan chose {instance}, which is not in the lab")]
    Absent { instance: InstanceName },
}

/// A watch for every instance of every service that can tell its role. `hosts` are the lab's.
/// Errors: a reader without a port, a host without a namespace, in words.
pub fn role_watches(
    spec: &LabSpec,
    layout: &Layout,
    hosts: &[(Host, NetnsIdentity)],
) -> Result<Vec<RoleWatch>, String> {
    let mut watches = Vec::new();
    for candidate in &layout.candidates {
        let Some(service) = spec.services.get(&candidate.service) else { continue };
        let Some(reader) = &service.role else { continue };
        let asked = match &reader.ask {
            Check::Tcp(tcp) => tcp.port,
            Check::Http(http) => http.port,
        };
        let name = &candidate.name;
        let port = asked.or(candidate.port);
        let port = port.ok_or_else(|| format!("the role of {name} is asked at no port"))?;
        let host = hosts.iter().find(|(host, _)| host.name == candidate.host.name);
        let (_, netns) = host.ok_or_else(|| format!("the host of {name} is not in the lab"))?;
        watches.push(RoleWatch {
            instance: name.clone(),
            address: candidate.host.ipv4,
            port,
            netns: netns.clone(),
            reader: reader.clone(),
        });
    }
    Ok(watches)
}

/// Who is hit: in the order of their names.
pub fn choose(
    choice: &Choice<'_>,
    targets: &[Target],
    roles: &Roles,
) -> Result<Vec<Target>, ChoiceError> {
    if let Some(chosen) = &choice.planned.chosen {
        return chosen.iter().map(|name| planned(name, targets)).collect();
    }
    let mut found: Vec<&Target> =
        targets.iter().filter(|t| fits(choice.selector, t, roles)).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(stranger) = found.iter().find(|t| !choice.planned.candidates.contains(&t.name)) {
        return Err(ChoiceError::Outside { instance: stranger.name.clone() });
    }
    let count = choice.pick.count(found.len());
    if count == 0 {
        return Err(nothing(choice, targets, roles));
    }
    if count > choice.planned.count {
        let admitted = choice.planned.count;
        return Err(ChoiceError::TooMany { found: count, admitted });
    }
    found.shuffle(&mut ChaCha8Rng::seed_from_u64(choice.seed));
    found.truncate(count);
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found.into_iter().cloned().collect())
}

fn planned(name: &InstanceName, targets: &[Target]) -> Result<Target, ChoiceError> {
    let found = targets.iter().find(|t| &t.name == name).cloned();
    found.ok_or_else(|| ChoiceError::Absent { instance: name.clone() })
}

fn fits(selector: &LabSelector, target: &Target, roles: &Roles) -> bool {
    let role = roles.get(&target.name).and_then(Option::as_ref);
    target.service == selector.service
        && (selector.hosts.is_empty() || selector.hosts.contains(&target.host.name))
        && selector.role.as_ref().is_none_or(|wanted| role.is_some_and(|r| &r.0 == wanted))
}

/// Says what was seen instead.
fn nothing(choice: &Choice<'_>, targets: &[Target], roles: &Roles) -> ChoiceError {
    let selector = choice.selector;
    let mut wanted = Vec::new();
    if let Some(role) = &selector.role {
        wanted.push(format!("has the role {role}"));
    }
    if !selector.hosts.is_empty() {
        wanted.push(format!("is on {}", selector.hosts.join(" or ")));
    }
    if matches!(choice.pick, Pick::Minority) {
        wanted.push("is in a minority".to_owned());
    }
    if wanted.is_empty() {
        wanted.push("is there".to_owned());
    }
    let seen: Vec<String> = targets
        .iter()
        .filter(|t| t.service == selector.service && selector.role.is_some())
        .map(|t| match roles.get(&t.name).and_then(Option::as_ref) {
            Some(role) => format!("{} is {role}", t.name),
            None => format!("{} gave no answer", t.name),
        })
        .collect();
    let seen = if seen.is_empty() { String::new() } else { format!(": {}", seen.join(", ")) };
    ChoiceError::Nothing { service: selector.service.clone(), rule: wanted.join(" and "), seen }
}

#[cfg(test)]
mod tests;
