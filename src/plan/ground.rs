//! What the steps of a plan stand on: the experiment, the lab on paper, the targets resolved.

use std::collections::BTreeMap;

use crate::model::experiment::Experiment;
use crate::model::inventory::{Candidate, Host, InstanceName};
use crate::model::plan::{Plan, PlannedLab, PlannedTarget};

/// Borrowed from whoever makes or reads a plan.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    pub experiment: &'a Experiment,
    pub lab: Option<&'a PlannedLab>,
    pub targets: &'a BTreeMap<String, PlannedTarget>,
}

impl<'a> Ground<'a> {
    /// The ground of a finished plan.
    #[must_use]
    pub fn of(plan: &'a Plan) -> Ground<'a> {
        Ground { experiment: &plan.experiment, lab: plan.lab.as_ref(), targets: &plan.targets }
    }

    #[must_use]
    pub fn hosts(&self) -> &'a [Host] {
        self.lab.map_or(&[], |lab| &lab.hosts)
    }

    #[must_use]
    pub fn candidates(&self) -> &'a [Candidate] {
        self.lab.map_or(&[], |lab| &lab.candidates)
    }

    /// Everyone that a target may turn out to be: the chosen, or else all candidates.
    #[must_use]
    pub fn possible(&self, target: &str) -> &'a [InstanceName] {
        self.targets.get(target).map_or(&[], |t| t.chosen.as_ref().unwrap_or(&t.candidates))
    }
}
