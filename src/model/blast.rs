//! A map of who is hurt when one service is lost: what is declared, and what was found.
//!
//! A map is a series of ordinary drills, one for each service, that the same probes watch: the
//! journeys of users. It adds no measurement of its own: each cell is one claim of one drill.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outcome::{ClaimVerdict, Outcome};
use super::units::Span;

/// The version of `blast.json`.
pub const BLAST_VERSION: u32 = 1;

/// What is declared, apart from the experiments that it is written out into.
#[derive(Debug, Clone, PartialEq)]
pub struct BlastMap {
    pub name: String,
    pub title: String,
    /// An outage longer than this hurts.
    pub hurt_by: Span,
    /// In the order in which they are written.
    pub journeys: Vec<String>,
    /// In the order in which they are written, and lost.
    pub services: Vec<String>,
    pub claims: Vec<BlastClaim>,
}

/// What the map as a whole must show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum BlastClaim {
    /// `survives: {journey: checkout, losing: [mail, reviews]}`: none of them hurts it.
    Survives(Survives),
}

/// A journey, and what may be lost without hurting it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Survives {
    /// Name of a journey.
    pub journey: String,
    /// Names of services, each lost by itself.
    pub losing: Vec<String>,
}

/// `blast.json`: the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BlastReport {
    pub version: u32,
    pub map: String,
    pub title: String,
    pub squall: String,
    /// RFC 3339 with offset.
    pub started: String,
    pub seed: u64,
    /// An outage longer than this hurts.
    pub hurt_by_seconds: f64,
    /// The columns.
    pub journeys: Vec<String>,
    /// The rows.
    pub losses: Vec<Loss>,
    pub claims: Vec<BlastClaimReport>,
    pub verdict: Outcome,
    /// One sentence: why it is that verdict.
    pub reason: String,
}

/// One service, lost by one drill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Loss {
    pub service: String,
    /// What was done, in words; empty where nothing was.
    pub what: String,
    /// Id of the drill; empty where there was none.
    pub drill: String,
    /// Where its history and its report lie, relative to the map.
    pub folder: String,
    /// How the drill ended. Null: there was none.
    pub outcome: Option<Outcome>,
    /// Why it ended so, or why there was none.
    pub reason: String,
    /// How long the loss was in force.
    pub in_force_seconds: Option<f64>,
    /// What each journey noticed, by its name.
    pub cells: BTreeMap<String, Cell>,
}

/// What one loss did to one journey.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cell {
    pub effect: Effect,
    /// Share of the drill's requests that got no right answer in time, percent.
    pub unavailable_percent: Option<f64>,
    pub longest_seconds: Option<f64>,
    pub error_seconds: Option<f64>,
    /// False: still out when we stopped looking; the length is a lower bound.
    pub ended: bool,
    /// What was answered most in the longest outage.
    pub error: Option<String>,
    /// In words.
    pub finding: String,
}

/// Did a loss hurt a journey?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    Unhurt,
    Hurt,
    /// Not measured, or not well enough.
    Inconclusive,
}

/// One claim about the map, judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BlastClaimReport {
    /// In words: `checkout survives the loss of mail, reviews`.
    pub claim: String,
    pub verdict: ClaimVerdict,
    /// In words: `lost with mail, it was out for 4.1 s`.
    pub finding: String,
}

impl Loss {
    /// The journeys with that effect, in the map's order.
    pub fn with<'a>(
        &'a self,
        effect: Effect,
        journeys: &'a [String],
    ) -> impl Iterator<Item = &'a str> {
        let has = move |name: &&String| self.cells.get(*name).is_some_and(|c| c.effect == effect);
        journeys.iter().filter(has).map(String::as_str)
    }
}
