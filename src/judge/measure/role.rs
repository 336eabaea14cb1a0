//! Roles: who was what, when; and whether the role of a target moved to another instance.
//!
//! A role is what an instance said when it was asked, so every time here is known to within the
//! interval of asking.
//!
//! A move is seen on another instance of the target's own service, which the last time it was heard
//! before the fault did not have the role. Another service may have roles of the same name; and one
//! that had the role already proves nothing, even where it lost it for a while. The `hosts` of a
//! target say who may be hit, not who may take over: a role moves to any host of its service.

use std::collections::{BTreeMap, BTreeSet};

use super::axis::seconds;
use super::timeline::{RoleSeen, Timeline};
use super::window::Frame;
use crate::model::experiment::LabSelector;
use crate::model::inventory::InstanceName;
use crate::model::verdict::RoleSpan;

/// What became of a target's role.
#[derive(Debug, Clone)]
pub struct RoleMove {
    pub role: String,
    /// Who had it when the fault came.
    pub from: Vec<InstanceName>,
    /// Second of the fault that the move counts from.
    pub since_seconds: f64,
    /// None: it stayed where it was for as long as we looked.
    pub to: Option<Moved>,
}

#[derive(Debug, Clone)]
pub struct Moved {
    pub instance: InstanceName,
    pub at_ns: u64,
    pub asked_every_ns: u64,
}

/// By target; where nothing can be said, why not.
pub type RoleMoves = BTreeMap<String, Result<RoleMove, String>>;

/// Spans of one role of one instance, in the order of instances.
#[must_use]
pub fn spans(timeline: &Timeline, frame: &Frame) -> Vec<RoleSpan> {
    let axis = frame.axis();
    let mut by_instance: BTreeMap<&InstanceName, Vec<RoleSeen>> = BTreeMap::new();
    for seen in &timeline.roles {
        let roles = by_instance.entry(seen.instance).or_default();
        if roles.last().is_none_or(|last| last.role != seen.role) {
            roles.push(*seen);
        }
    }
    let mut spans = Vec::new();
    for (instance, roles) in by_instance {
        let ends = roles.iter().skip(1).map(|seen| seen.at_ns).chain([frame.seen_to_ns]);
        for (seen, end_ns) in roles.iter().zip(ends) {
            spans.push(RoleSpan {
                instance: instance.0.clone(),
                role: seen.role.map_or_else(|| "unknown".to_owned(), |role| role.0.clone()),
                from_seconds: axis.at(seen.at_ns),
                to_seconds: axis.at(end_ns.max(seen.at_ns)),
            });
        }
    }
    spans
}

/// Asks every target of the experiment.
#[must_use]
pub fn moves(timeline: &Timeline, frame: &Frame) -> RoleMoves {
    let targets = timeline.opened.plan.experiment.targets.iter();
    targets
        .map(|(name, spec)| {
            let selector = spec.selector.lab();
            let moved = match selector.and_then(|lab| Some((lab, lab.role.as_ref()?))) {
                Some((selector, role)) => moved(timeline, frame, (name, selector), role),
                None => Err(format!("target {name} is not chosen by a role, so none can move")),
            };
            (name.clone(), moved)
        })
        .collect()
}

fn moved(
    timeline: &Timeline,
    frame: &Frame,
    (target, selector): (&str, &LabSelector),
    role: &str,
) -> Result<RoleMove, String> {
    let from = holders(timeline, frame, (target, selector), role);
    if from.is_empty() {
        return Err(format!("nobody was seen to be {role} when the fault came"));
    }
    let of_service = |seen: &&RoleSeen| service_and_host(seen.instance).0 == selector.service;
    let others =
        || timeline.roles.iter().filter(of_service).filter(|seen| !from.contains(seen.instance));
    // Where there is no other instance, it is known without asking that nobody took the role.
    if others().next().is_none() && !are_all(timeline, &from) {
        return Err(format!("no other instance was ever asked whether it is {role}"));
    }
    let hit = timeline.effective.iter().filter(|e| from.contains(&e.instance));
    let (began_ns, zero_ns) = hit
        .min_by_key(|effective| effective.effective_ns)
        .map_or((frame.began_ns, frame.zero_ns), |e| (e.began_ns, e.effective_ns));
    let had = last_heard(others().filter(|seen| seen.at_ns < began_ns), role);
    let to = others()
        .filter(|seen| seen.at_ns >= began_ns && seen.at_ns <= frame.end_ns)
        .filter(|seen| seen.role.is_some_and(|seen| seen.0 == role))
        .filter(|seen| !had.contains(seen.instance))
        .min_by_key(|seen| seen.at_ns)
        .map(|seen| Moved {
            instance: seen.instance.clone(),
            at_ns: seen.at_ns,
            asked_every_ns: seen.asked_every_ns,
        });
    Ok(RoleMove {
        role: role.to_owned(),
        from: from.into_iter().collect(),
        since_seconds: frame.axis().at(zero_ns),
        to,
    })
}

/// Are these all instances that the lab has of their service?
fn are_all(timeline: &Timeline, these: &BTreeSet<InstanceName>) -> bool {
    let Some(lab) = &timeline.opened.plan.lab else { return false };
    let of_theirs = |service: &String| {
        lab.candidates.iter().any(|c| &c.service == service && these.contains(&c.name))
    };
    lab.candidates.iter().all(|c| !of_theirs(&c.service) || these.contains(&c.name))
}

/// The instances that the target was bound to; without a binding (a null drill injects nothing)
/// those it can mean that said last before the window that they have the role.
fn holders(
    timeline: &Timeline,
    frame: &Frame,
    (target, selector): (&str, &LabSelector),
    role: &str,
) -> BTreeSet<InstanceName> {
    let bound = timeline.bound.iter().find(|(bound, _)| *bound == target);
    if let Some((_, instances)) = bound {
        return instances.iter().cloned().collect();
    }
    let meant = |seen: &&RoleSeen| {
        let (service, host) = service_and_host(seen.instance);
        service == selector.service
            && (selector.hosts.is_empty() || selector.hosts.iter().any(|h| h == host))
    };
    let before = timeline.roles.iter().filter(|seen| seen.at_ns <= frame.zero_ns);
    let mut last: BTreeMap<&InstanceName, bool> = BTreeMap::new();
    for seen in before.filter(meant) {
        last.insert(seen.instance, seen.role.is_some_and(|seen| seen.0 == role));
    }
    last.into_iter().filter(|(_, has)| *has).map(|(instance, _)| instance.clone()).collect()
}

/// Those whose last answer was this role. One that did not answer is what it last said it was.
fn last_heard<'a>(
    seen: impl Iterator<Item = &'a RoleSeen<'a>>,
    role: &str,
) -> BTreeSet<&'a InstanceName> {
    let mut last: BTreeMap<&InstanceName, &str> = BTreeMap::new();
    for seen in seen {
        if let Some(heard) = seen.role {
            last.insert(seen.instance, &heard.0);
        }
    }
    last.into_iter().filter(|(_, heard)| *heard == role).map(|(instance, _)| instance).collect()
}

/// `redis@r1` is of the service `redis` on the host `r1`.
fn service_and_host(instance: &InstanceName) -> (&str, &str) {
    instance.0.split_once('@').unwrap_or((&instance.0, ""))
}

impl Moved {
    /// Who was asked, and how often: `redis@r2 asked every 20ms`.
    #[must_use]
    pub fn seen_by(&self) -> String {
        let every = crate::model::units::Span(std::time::Duration::from_nanos(self.asked_every_ns));
        format!("{} asked every {every}", self.instance)
    }

    /// Half-width of its time, seconds.
    #[must_use]
    pub fn error(&self) -> f64 {
        seconds(self.asked_every_ns)
    }
}
