//! Why no plan can be made: every reason at once, each with the place in the document.

use super::draw::Unknown;
use crate::model::inventory::InstanceName;

/// One reason. The text names the thing and then the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error(
        "target `{target}` selects from a lab, and there is none; name one under `spec.lab` \
         or with `--lab FILE`"
    )]
    NoLab { target: String },
    #[error("target `{target}`: the lab has no service `{service}`; it has {}", list(known))]
    UnknownService { target: String, service: String, known: Vec<String> },
    #[error("target `{target}`: the lab has no host `{host}`; it has {}", list(known))]
    UnknownHost { target: String, host: String, known: Vec<String> },
    #[error(
        "target `{target}` finds nothing: {selector}; widen the selector, or leave the target out"
    )]
    NothingFound { target: String, selector: String },
    #[error(
        "target `{target}`: {pick} of {found} candidates is none, so the drill would hit nothing \
         and prove nothing; pick `one`, or give the lab more instances"
    )]
    PicksNothing { target: String, pick: String, found: usize },
    #[error(
        "target `{target}`: one in each zone cannot be picked, since nobody knows the zone of {}; \
         pick `perNode`, or label their nodes with topology.kubernetes.io/zone",
        first(of)
    )]
    UnknownZone { target: String, of: Vec<InstanceName> },
    #[error(
        "target `{target}`: nothing can be picked by age, since nobody knows when {} was created; \
         instances of a lab have no age: pick `one`, or a count",
        first(of)
    )]
    UnknownAge { target: String, of: Vec<InstanceName> },
    #[error(
        "target `{target}` finds all {found} {of}, which belong to {}: a selector that leaves \
         nothing out says nothing; name what is meant by `owner` or by a label `selector`, and \
         make a target for each workload",
        list(workloads)
    )]
    Everything { target: String, found: usize, of: String, workloads: Vec<String> },
    #[error(
        "target `{target}` finds all {found} {of}, and all of them are picked: nothing is left to \
         run on; pick fewer, or name them one by one under `names`"
    )]
    AllNodes { target: String, found: usize, of: String },
    #[error("step {}: there is no target `{target}`; name it under `spec.targets`", step + 1)]
    UnknownSubject { step: usize, target: String },
    #[error("step {}: it hits no target at all", step + 1)]
    NoSubject { step: usize },
    #[error(
        "step {}: `{peer}` is no target of the experiment and no host of the lab; name a target, \
         a host or a block of addresses",
        step + 1
    )]
    UnknownPeer { step: usize, peer: String },
    #[error(
        "step {}: nobody is left at the far end when {subject} is hit, since it is not its own \
         peer; name other peers, or leave them out to mean everyone",
        step + 1
    )]
    NoFarEnd { step: usize, subject: InstanceName },
    #[error(
        "probe `{probe}`: there is no host `{host}` in the lab to look from; it has {}",
        list(known)
    )]
    UnknownFrom { probe: String, host: String, known: Vec<String> },
    #[error("failed to write the plan as JSON: {0}")]
    Unwritable(String),
}

impl PlanError {
    pub(super) fn of_unknown(target: &str, unknown: Unknown) -> PlanError {
        let target = target.to_owned();
        match unknown {
            Unknown::Zone(of) => PlanError::UnknownZone { target, of },
            Unknown::Age(of) => PlanError::UnknownAge { target, of },
        }
    }

    /// Where in the document: `spec.targets.primary`, `spec.method[0]`.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            PlanError::NoLab { target }
            | PlanError::UnknownService { target, .. }
            | PlanError::UnknownHost { target, .. }
            | PlanError::NothingFound { target, .. }
            | PlanError::UnknownZone { target, .. }
            | PlanError::UnknownAge { target, .. }
            | PlanError::Everything { target, .. }
            | PlanError::AllNodes { target, .. }
            | PlanError::PicksNothing { target, .. } => format!("spec.targets.{target}"),
            PlanError::UnknownSubject { step, .. }
            | PlanError::NoSubject { step }
            | PlanError::UnknownPeer { step, .. }
            | PlanError::NoFarEnd { step, .. } => format!("spec.method[{step}]"),
            PlanError::UnknownFrom { probe, .. } => format!("spec.probes.{probe}"),
            PlanError::Unwritable(_) => "spec".to_owned(),
        }
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The first few, and how many more there are.
fn first(names: &[InstanceName]) -> String {
    let shown: Vec<&str> = names.iter().take(3).map(|name| name.0.as_str()).collect();
    match names.len().saturating_sub(3) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
