//! The documents as they are written. Each type here is what the schema shows and the reader reads;
//! what they mean is filled into the model's types by `experiment`, `lab` and `policy`.
//!
//! Externally tagged choices only: other forms lose the place of an error.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::StringDeserializer;
use serde::{Deserialize, Deserializer, Serialize};

use crate::fault::FaultParams;
use crate::guard::RuleParams;
use crate::judge::CheckParams;
use crate::model::experiment::{Bind, LabSelector, Pick, Selector};
use crate::model::selector::{NodeSelector, ObjectSelector, PodSelector, WorkloadSelector};
use crate::model::units::Span;
use crate::probe::ProbeDocument;

/// The version of the language that this squall speaks.
pub const API_VERSION: &str = "squall.dev/v1alpha1";

/// What every document has.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope<S> {
    /// The version of the language.
    pub api_version: String,
    /// Experiment, Lab or Policy.
    pub kind: String,
    pub metadata: Metadata,
    pub spec: S,
}

/// What a document is called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// Lower-case letters, digits and hyphens, at most 63.
    pub name: String,
    /// To find and to group by.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// For other tools; squall does not read them.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// What to break, what to watch, and what must hold.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExperimentDocument {
    /// One sentence that is true if the hypothesis holds.
    pub title: String,
    /// Who answers for it; some policies want one.
    #[serde(default)]
    pub owner: Option<String>,
    /// The change or ticket it belongs to; some policies want one.
    #[serde(default)]
    pub change: Option<String>,
    /// The marker that the owner of a standing system has set; not for a lab.
    #[serde(default)]
    pub environment: Option<String>,
    /// The lab's file, relative to this one. `--lab FILE` puts another in its place.
    #[serde(default)]
    pub lab: Option<String>,
    /// What may be hit, by name.
    #[serde(default)]
    pub targets: BTreeMap<String, TargetDocument>,
    /// What watches, by name.
    #[serde(default)]
    pub probes: BTreeMap<String, ProbeDocument>,
    /// What must be true before anything breaks.
    #[serde(default)]
    pub steady_state: SteadyState,
    /// The faults, each with its time. Steps overlap by their times.
    #[serde(default)]
    pub method: Vec<StepDocument>,
    /// What must hold while it is broken.
    #[serde(default)]
    pub hypothesis: Vec<CheckParams>,
    /// What ends a hold at once; tripped, also after the hold, it is a deviated claim.
    #[serde(default)]
    pub stop_conditions: Vec<CheckParams>,
    /// How long to go on looking after the last revert, at most: it ends when every probe was good
    /// for `steadyState.for`.
    #[serde(default = "default_recovery_watch")]
    pub recovery_watch: Span,
}

/// What may be hit, and how many of it. Exactly one selector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetDocument {
    /// Instances of a lab's service.
    #[serde(default)]
    pub lab: Option<LabSelector>,
    /// Pods of a cluster.
    #[serde(default)]
    pub pods: Option<PodSelector>,
    /// Nodes of a cluster.
    #[serde(default)]
    pub nodes: Option<NodeSelector>,
    /// One workload of a cluster, as a whole.
    #[serde(default)]
    pub workload: Option<WorkloadSelector>,
    /// One `ConfigMap` or Secret of a cluster.
    #[serde(default)]
    pub object: Option<ObjectSelector>,
    /// How many of those found.
    #[serde(default)]
    pub pick: PickDocument,
    /// When a role becomes a name.
    #[serde(default)]
    pub bind: Bind,
    /// Of pods: hit also those that take the place of the hit while the fault is held.
    #[serde(default)]
    pub follow: bool,
}

/// How many of those found are chosen, always by the drill's seed.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[serde(transparent)]
pub struct PickDocument(pub Pick);

/// What must be true before anything breaks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SteadyState {
    /// Every probe must be good this long.
    #[serde(rename = "for")]
    pub good_for: Span,
    /// How long to wait for that before giving up.
    pub within: Span,
}

/// One fault, when, and for how long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepDocument {
    /// From the start of the method.
    #[serde(default)]
    pub at: Span,
    /// How long it stays in force; of a kill, the time to watch.
    pub hold: Span,
    /// The fault.
    pub inject: FaultParams,
}

/// What guards a plan: every rule must admit it.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyDocument {
    /// One sentence: what it is for.
    pub title: String,
    #[schemars(length(min = 1))]
    pub rules: Vec<RuleParams>,
}

impl TargetDocument {
    /// Every selector that it has; a target has one.
    pub fn selectors(&self) -> Vec<Selector> {
        let lab = self.lab.clone().map(Selector::Lab);
        let pods = self.pods.clone().map(|pods| Selector::Pods(Box::new(pods)));
        let nodes = self.nodes.clone().map(Selector::Nodes);
        let workload = self.workload.clone().map(Selector::Workload);
        let object = self.object.clone().map(Selector::Object);
        [lab, pods, nodes, workload, object].into_iter().flatten().collect()
    }
}

impl Default for SteadyState {
    fn default() -> SteadyState {
        SteadyState { good_for: Span::secs(2), within: Span::secs(30) }
    }
}

impl<'de> Deserialize<'de> for PickDocument {
    /// From its text, written with quotes or, a bare count, without.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PickDocument, D::Error> {
        let text = String::deserialize(deserializer)?;
        Pick::deserialize(StringDeserializer::new(text)).map(PickDocument)
    }
}

impl JsonSchema for PickDocument {
    fn schema_name() -> Cow<'static, str> {
        "Pick".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "one, a count, a percentage (rounded down), all, minority, majority, \
                            perNode or perZone (one of each), oldest or newest",
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"enum": ["one", "all", "minority", "majority", "perNode", "perZone", "oldest",
                          "newest"]},
                {"type": "string", "pattern": r"^([1-9][0-9]*|[0-9]+(\.[0-9]+)?\s*%)$"}
            ]
        })
    }
}

fn default_recovery_watch() -> Span {
    Span::secs(5)
}
