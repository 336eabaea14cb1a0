//! `optIn`: only what its owner has agreed to have hit.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facts::Facts;
use super::{Reason, RuleKind};
use crate::model::inventory::InstanceName;
use crate::model::plan::Plan;

/// It has no parameters: `optIn: {}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {}

pub struct OptIn;

impl RuleKind for OptIn {
    type Params = Params;

    const KIND: &'static str = "optIn";
    const SUMMARY: &'static str = "only instances whose owner has agreed to have them hit";
    const EXAMPLE: &'static str = "optIn: {}";

    fn check(_params: &Params, plan: &Plan, facts: &Facts) -> Vec<Reason> {
        let Some(agreed) = &facts.opted_in else {
            return vec![Reason::Missing("which owners have agreed to be hit")];
        };
        let hit: BTreeSet<&InstanceName> = plan
            .steps
            .iter()
            .flat_map(|step| &step.subjects)
            .filter_map(|subject| plan.targets.get(subject))
            .flat_map(|target| target.chosen.as_ref().unwrap_or(&target.candidates))
            .collect();
        let open: Vec<&str> = hit
            .iter()
            .filter(|name| !agreed.contains(**name))
            .map(|name| name.0.as_str())
            .collect();
        if open.is_empty() {
            Vec::new()
        } else {
            vec![Reason::Breaks(format!("nobody has agreed to have {} hit", open.join(", ")))]
        }
    }
}
