//! The one function that makes a plan.

use std::collections::BTreeMap;

use crate::model::cluster::PlannedCluster;
use crate::model::experiment::Experiment;
use crate::model::plan::{PLAN_VERSION, Plan, PlannedLab, Source};

use super::arithmetic;
use super::blast_radius::blast_radius;
use super::digest;
use super::error::PlanError;
use super::everything;
use super::ground::Ground;
use super::resolve;
use super::step;
use super::too_short;
use super::warning::warnings;

/// Everything that a plan depends on. The same input gives the same plan.
#[derive(Debug, Clone)]
pub struct PlanInput<'a> {
    pub experiment: &'a Experiment,
    pub source: Source,
    /// None where the drill hits a standing system.
    pub lab: Option<PlannedLab>,
    /// What was found in clusters.
    pub clusters: Vec<PlannedCluster>,
    pub seed: u64,
    /// Digests of the policies in force, by name.
    pub policies: BTreeMap<String, String>,
    /// What the reader of the files found worth saying; the plan carries it.
    pub warnings: Vec<String>,
}

/// Makes the plan, or says everything that is in the way.
pub fn plan(input: PlanInput) -> Result<Plan, Vec<PlanError>> {
    let PlanInput { experiment, source, lab, clusters, seed, policies, warnings: mut notes } =
        input;
    let mut wrong = Vec::new();
    let mut targets = BTreeMap::new();
    for (name, spec) in &experiment.targets {
        match resolve::target((name, spec), lab.as_ref(), &clusters, seed) {
            Ok(target) => drop(targets.insert(name.clone(), target)),
            Err(errors) => wrong.extend(errors),
        }
    }
    wrong.extend(resolve::places(experiment, lab.as_ref()));
    let ground = Ground { experiment, lab: lab.as_ref(), clusters: &clusters, targets: &targets };
    let steps = match step::steps(&ground) {
        Ok(steps) => steps,
        Err(errors) => {
            wrong.extend(errors.into_iter().filter(|e| !follows(e, experiment, &targets)));
            Vec::new()
        }
    };
    wrong.extend(everything::refused(&ground));
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let blast_radius = blast_radius(&ground, &steps);
    let expectations = arithmetic::expectations(&ground);
    notes.extend(too_short::warnings(experiment, &expectations));
    for note in everything::noted(&ground).into_iter().chain(warnings(&blast_radius)) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    let mut plan = Plan {
        version: PLAN_VERSION,
        digest: String::new(),
        intent_digest: String::new(),
        seed,
        source,
        experiment: experiment.clone(),
        lab,
        clusters,
        targets,
        steps,
        blast_radius,
        policies,
        warnings: notes,
        expectations,
    };
    let unwritable = |e: serde_json::Error| vec![PlanError::Unwritable(e.to_string())];
    // First, since the digest of the plan covers it.
    plan.intent_digest = digest::of_intent(&plan).map_err(unwritable)?;
    plan.digest = digest::of_plan(&plan).map_err(unwritable)?;
    Ok(plan)
}

/// A peer that is declared but could not be resolved has been complained of already.
fn follows<T>(error: &PlanError, experiment: &Experiment, resolved: &BTreeMap<String, T>) -> bool {
    matches!(error, PlanError::UnknownPeer { peer, .. }
        if experiment.targets.contains_key(peer) && !resolved.contains_key(peer))
}

#[cfg(test)]
mod tests;
