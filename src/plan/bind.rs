//! A role becomes a name: what the plan left open is closed when the roles are known.
//!
//! Invariant: whoever is bound was a candidate of the plan, and no more are bound than its blast
//! radius counted. Where a number was asked for, no fewer are bound either.

use crate::model::experiment::{Pick, Selector};
use crate::model::inventory::{Candidate, InstanceName};
use crate::model::plan::Plan;

use super::draw;
use super::error::PlanError;
use super::ground::Ground;
use super::rule::{condition, place};

/// Why nobody can be bound. Nothing is injected then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    #[error("the plan has no target `{0}`")]
    UnknownTarget(String),
    #[error("target `{target}`: no instance of {service} is {role} now")]
    Nobody { target: String, service: String, role: String },
    #[error(
        "target `{target}`: {found} is {role} now, but was no candidate of the plan ({candidates})"
    )]
    Stranger { target: String, found: String, role: String, candidates: String },
    #[error(
        "target `{target}`: {pick} were to be hit, and no more than {found} have that role now"
    )]
    TooFew { target: String, pick: String, found: usize },
    /// The plan knew what the pick goes by, so nobody sees this one.
    #[error("{0}")]
    Unknown(String),
    #[error("target `{target}`: {pick} of {found} with that role is none")]
    PicksNothing { target: String, pick: String, found: usize },
}

/// The instances that `target` stands for, given those that have its role now. A target without a
/// role was chosen in the plan, and stays as it is. The same seed binds the same of the same.
pub fn bind(
    plan: &Plan,
    target: &str,
    with_role: &[InstanceName],
) -> Result<Vec<InstanceName>, BindError> {
    let unknown = || BindError::UnknownTarget(target.to_owned());
    let planned = plan.targets.get(target).ok_or_else(unknown)?;
    if let Some(chosen) = &planned.chosen {
        return Ok(chosen.clone());
    }
    let spec = plan.experiment.targets.get(target).ok_or_else(unknown)?;
    let (service, role) = meant(&spec.selector);
    let target = target.to_owned();
    if with_role.is_empty() {
        return Err(BindError::Nobody { target, service, role });
    }
    let known: Vec<InstanceName> =
        with_role.iter().filter(|name| planned.candidates.contains(name)).cloned().collect();
    if known.is_empty() {
        let candidates = join(&planned.candidates);
        return Err(BindError::Stranger { target, found: join(with_role), role, candidates });
    }
    // Half a fault would prove half of what is claimed.
    if let Pick::Count(wanted) = spec.pick
        && (known.len() as u64) < u64::from(wanted)
    {
        let pick = String::from(spec.pick);
        return Err(BindError::TooFew { target, pick, found: known.len() });
    }
    let ground = Ground::of(plan);
    let details: Vec<&Candidate> = known.iter().filter_map(|name| ground.candidate(name)).collect();
    let unknown = |unknown| BindError::Unknown(PlanError::of_unknown(&target, unknown).to_string());
    let count = draw::most(spec.pick, &details).map_err(unknown)?.min(planned.count);
    if count == 0 {
        let pick = String::from(spec.pick);
        return Err(BindError::PicksNothing { target, pick, found: known.len() });
    }
    draw::draw(spec.pick, (plan.seed, &target), &details, count).map_err(unknown)
}

/// Of what, and what it must be now, in words.
fn meant(selector: &Selector) -> (String, String) {
    match selector {
        Selector::Lab(lab) => (lab.service.clone(), lab.role.clone().unwrap_or_default()),
        other => (place(other), condition(other)),
    }
}

fn join(names: &[InstanceName]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
