//! An experiment made concrete: a value that can be read, compared and replayed before anything
//! happens. Nothing that the plan does not show is ever done.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::cluster::PlannedCluster;
use super::expectation::Expectation;
use super::experiment::{Experiment, Restore};
use super::inventory::{Candidate, Host, InstanceName};
use super::units::Span;

/// The version of this format.
pub const PLAN_VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    pub version: u32,
    /// SHA-256 over everything below but the paths of files: the same input gives the same digest.
    pub digest: String,
    /// SHA-256 over what people approve: the experiment's text and its filled templates, the lab's
    /// text, policies, ceiling of the blast radius. Candidates may come and go without changing it.
    pub intent_digest: String,
    pub seed: u64,
    pub source: Source,
    pub experiment: Experiment,
    /// None where the drill hits a standing system.
    pub lab: Option<PlannedLab>,
    /// The clusters that targets are in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<PlannedCluster>,
    pub targets: BTreeMap<String, PlannedTarget>,
    pub steps: Vec<PlannedStep>,
    pub blast_radius: BlastRadius,
    /// Digests of the policies that were in force when it was made, by name.
    pub policies: BTreeMap<String, String>,
    /// Things worth knowing that do not forbid anything.
    pub warnings: Vec<String>,
    /// What the cluster's own timers say will happen, for the reader and for the judge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expectations: Vec<Expectation>,
}

impl Plan {
    /// Did squall itself start everything that may be hit?
    #[must_use]
    pub fn is_all_ours(&self) -> bool {
        self.lab.is_some() && self.clusters.iter().all(|cluster| cluster.lab)
    }

    /// Every object of a cluster that may be hit.
    pub fn may_hit(&self) -> impl Iterator<Item = &Candidate> {
        self.clusters.iter().flat_map(|cluster| {
            let found: BTreeSet<&InstanceName> = cluster.found.values().flatten().collect();
            cluster.population.iter().filter(move |c| found.contains(&c.name))
        })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// The files that it was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    pub path: String,
    /// SHA-256 of the experiment's text.
    pub sha256: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedLab {
    pub name: String,
    pub path: String,
    /// SHA-256 of the lab's text.
    pub sha256: String,
    pub hosts: Vec<Host>,
    pub candidates: Vec<Candidate>,
    /// Every timer of every service, `redis.downAfter`.
    pub timers: BTreeMap<String, Span>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedTarget {
    /// All that may be hit, in the order of their names.
    pub candidates: Vec<InstanceName>,
    /// Chosen already, unless a role binds late.
    pub chosen: Option<Vec<InstanceName>>,
    /// How many will be chosen.
    pub count: usize,
    /// In words: `the instance of redis whose role is primary at injection`.
    pub rule: String,
    /// Workloads whose pods are hit too where they take the place of those hit: these are
    /// candidates although nobody knows their names yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follows: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedStep {
    /// Index into the experiment's method.
    pub step: usize,
    pub at: Span,
    pub hold: Span,
    /// The kernel and the guardian end it by then, counted from injection.
    pub deadline: Span,
    pub kind: String,
    pub subjects: Vec<String>,
    pub restore: Restore,
    /// `undone by squall; guardian, journal and read-back stand behind it`,
    /// `cannot be undone; relies on: redis is never restarted, a replica must be promoted`.
    pub defence: String,
    /// Worst number of instances hit by this step.
    pub injections: usize,
}

/// The most that the plan can touch at any moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BlastRadius {
    pub instances: usize,
    pub hosts: usize,
    /// Worst share of each service that is hit at one moment: hit, of how many.
    pub services: BTreeMap<String, (usize, usize)>,
    /// Zones in which something is hit, where zones are known.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub zones: usize,
    /// `ConfigMap`s and Secrets taken away.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub objects: usize,
    pub longest_hold: Span,
    /// Steady state, all steps, the grace of the last revert, and the recovery watch.
    pub longest_drill: Span,
}
