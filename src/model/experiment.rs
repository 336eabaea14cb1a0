//! An experiment after parsing: every choice made explicit, every step asked for its facts.
//!
//! The kinds of faults, probes, checks and rules are strings with canonical JSON here, so that
//! `plan`, `guard`, `drill` and `judge` can count and order without knowing any kind.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::expectation::Impact;
use super::units::{Percent, Rate, Span};

pub use super::pick::Pick;
pub use super::selector::{LabSelector, Selector};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Experiment {
    pub name: String,
    pub title: String,
    pub labels: BTreeMap<String, String>,
    /// Who answers for it; some policies want one.
    pub owner: Option<String>,
    /// The change or ticket it belongs to; some policies want one.
    pub change: Option<String>,
    /// The marker that the owner of the target must have set; None for a lab.
    pub environment: Option<String>,
    /// Path of the lab's file as written, relative to the experiment's.
    pub lab: Option<String>,
    pub targets: BTreeMap<String, TargetSpec>,
    pub probes: BTreeMap<String, ProbeSpec>,
    /// Every probe must be good this long before anything breaks.
    pub steady_for: Span,
    /// How long to wait for the steady state before giving up.
    pub steady_within: Span,
    pub method: Vec<Step>,
    pub hypothesis: Vec<Claim>,
    pub stop_conditions: Vec<Claim>,
    /// How long to go on looking after the last revert, at most: it ends when every probe was good
    /// for `steady_for`.
    pub recovery_watch: Span,
}

/// What may be hit, and how many of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetSpec {
    pub selector: Selector,
    pub pick: Pick,
    pub bind: Bind,
    /// Does the fault also hit the pods that take the place of those hit, while it is held?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follow: bool,
}

/// When a role becomes a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Bind {
    /// Once, as the method begins: every step hits the same, whoever has the role by then.
    Start,
    /// At the moment of injection, anew for each step.
    #[default]
    Inject,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProbeSpec {
    pub kind: String,
    pub params: Value,
    pub rate: Rate,
    pub deadline: Span,
    /// Must this probe be good before anything breaks? True unless told.
    pub steady: bool,
    /// The objective that its error budget is counted against, `99.9%`.
    pub slo: Option<Percent>,
    /// The host whose network it looks from; None: the prober's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// One fault, when, for how long. What the catalogue said of it is kept beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// From the start of the method.
    pub at: Span,
    pub hold: Span,
    pub kind: String,
    pub params: Value,
    pub facts: StepFacts,
    /// What it does to what a cluster looks after.
    #[serde(default, skip_serializing_if = "Impact::is_uncounted")]
    pub impact: Impact,
}

/// What a fault's entry knows of one step, so that nobody else need know its kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepFacts {
    /// Names of targets that are hit: one injection for each instance picked.
    pub subjects: Vec<String>,
    /// The far ends, where the fault has any.
    pub peers: Peers,
    pub restore: Restore,
    pub defence: Vec<Defence>,
    pub footprint: Footprint,
    /// In words, with `{target}` for the instance: `SIGKILL to {target}`.
    pub summary: String,
}

/// Whom a network fault keeps the target from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Peers {
    /// The fault has no far end.
    #[default]
    None,
    /// Everyone, clients included.
    Everyone,
    /// Targets by name (all their candidates), and blocks of addresses.
    Some { targets: Vec<String>, blocks: Vec<super::network::Cidr> },
}

/// How a fault ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Restore {
    /// Vanishes with a descriptor or a timeout.
    Kernel,
    /// Needs our recipe.
    Undo,
    /// Squall cannot bring it back: the system under test has to.
    None,
}

/// Who undoes a fault, if those before it are gone.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Defence {
    Kernel,
    Guardian,
    Journal,
    ReadBack,
}

/// What a fault touches, for the count of the blast radius.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Footprint {
    /// One process.
    Process,
    /// A host's network: every service on that host.
    Host,
    /// One pod.
    Pod,
    /// A node of a cluster: every pod on it.
    Node,
    /// A workload: every pod of it.
    Workload,
    /// A `ConfigMap` or a Secret.
    Object,
}

/// A check with its parameters: `downtime: {probe: proxy, atMost: 6s}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Claim {
    pub check: String,
    pub params: Value,
    pub probe: Option<String>,
    pub target: Option<String>,
    /// The line of the file, for messages.
    pub line: u64,
}
