//! Why no plan can be made: every reason at once, each with the place in the document.

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
    /// Where in the document: `spec.targets.primary`, `spec.method[0]`.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            PlanError::NoLab { target }
            | PlanError::UnknownService { target, .. }
            | PlanError::UnknownHost { target, .. }
            | PlanError::NothingFound { target, .. }
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
