//! The document as it is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::document::{SteadyState, TargetDocument};
use crate::fault::FaultParams;
use crate::model::blast::BlastClaim;
use crate::model::units::Span;
use crate::probe::ProbeDocument;

/// Which services are lost, one at a time, and who may notice.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BlastDocument {
    /// One sentence: what the map shows.
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
    /// What users do, by name: each is a probe, and watches every loss.
    pub journeys: BTreeMap<String, ProbeDocument>,
    /// What is lost, by name, in this order. Everything that a selector finds is hit, unless it has
    /// a `pick`.
    pub services: BTreeMap<String, TargetDocument>,
    /// How it is lost: a fault whose target is called `service`.
    pub lose: FaultParams,
    /// How long each loss is in force; of a kill, the time to watch.
    pub hold: Span,
    /// A journey is hurt by an outage that is longer than this.
    #[serde(default = "default_hurt_by")]
    pub hurt_by: Span,
    /// What must be true before each loss.
    #[serde(default)]
    pub steady_state: SteadyState,
    /// How long to go on looking after each loss, at most: it ends when every journey was good for
    /// `steadyState.for`.
    #[serde(default = "default_recovery_watch")]
    pub recovery_watch: Span,
    /// What the map as a whole must show.
    #[serde(default)]
    pub claims: Vec<BlastClaim>,
}

/// Shorter ones are what a rolling update does as well.
fn default_hurt_by() -> Span {
    Span::secs(1)
}

fn default_recovery_watch() -> Span {
    Span::secs(30)
}
