//! What the steps of a plan stand on: the experiment, the lab on paper, the targets resolved.

use std::collections::BTreeMap;

use crate::model::cluster::PlannedCluster;
use crate::model::experiment::Experiment;
use crate::model::inventory::{Candidate, Host, InstanceName};
use crate::model::plan::{Plan, PlannedLab, PlannedTarget};

/// Borrowed from whoever makes or reads a plan.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    pub experiment: &'a Experiment,
    pub lab: Option<&'a PlannedLab>,
    pub clusters: &'a [PlannedCluster],
    pub targets: &'a BTreeMap<String, PlannedTarget>,
}

impl<'a> Ground<'a> {
    /// The ground of a finished plan.
    #[must_use]
    pub fn of(plan: &'a Plan) -> Ground<'a> {
        Ground {
            experiment: &plan.experiment,
            lab: plan.lab.as_ref(),
            clusters: &plan.clusters,
            targets: &plan.targets,
        }
    }

    #[must_use]
    pub fn hosts(&self) -> &'a [Host] {
        self.lab.map_or(&[], |lab| &lab.hosts)
    }

    /// The instances of the lab, and everything that was found in clusters.
    pub fn candidates(&self) -> impl Iterator<Item = &'a Candidate> + use<'a> {
        let found = self.clusters.iter().flat_map(|cluster| &cluster.population);
        self.lab.map_or(&[][..], |lab| &lab.candidates).iter().chain(found)
    }

    #[must_use]
    pub fn candidate(&self, name: &InstanceName) -> Option<&'a Candidate> {
        find(self.lab, self.clusters, name)
    }

    /// Everyone that a target may turn out to be: the chosen, or else all candidates.
    #[must_use]
    pub fn possible(&self, target: &str) -> &'a [InstanceName] {
        self.targets.get(target).map_or(&[], |t| t.chosen.as_ref().unwrap_or(&t.candidates))
    }

    /// The same with what is known of each, and where replacements are hit too, every pod of their
    /// workloads.
    #[must_use]
    pub fn reach(&self, target: &str) -> Vec<&'a Candidate> {
        let follows = self.targets.get(target).map_or(&[][..], |t| &t.follows);
        if !follows.is_empty() {
            return self
                .candidates()
                .filter(|c| c.is_pod() && follows.contains(&c.service))
                .collect();
        }
        self.possible(target).iter().filter_map(|name| self.candidate(name)).collect()
    }
}

/// By its name: lab and clusters have theirs in the order of names.
pub(super) fn find<'a>(
    lab: Option<&'a PlannedLab>,
    clusters: &'a [PlannedCluster],
    name: &InstanceName,
) -> Option<&'a Candidate> {
    let populations = clusters.iter().map(|cluster| &cluster.population[..]);
    lab.map(|lab| &lab.candidates[..]).into_iter().chain(populations).find_map(|all| {
        let at = all.binary_search_by(|candidate| candidate.name.cmp(name)).ok()?;
        all.get(at)
    })
}
