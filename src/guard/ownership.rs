//! `ownership`: somebody answers for the drill, and it belongs to a known change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facts::Facts;
use super::{Reason, RuleKind};
use crate::model::plan::Plan;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// What the experiment must state.
    pub require: Vec<Stated>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Stated {
    /// `spec.owner`: who is called when it goes wrong.
    Owner,
    /// `spec.change`: the change or ticket that announces it.
    Change,
}

pub struct Ownership;

impl RuleKind for Ownership {
    type Params = Params;

    const KIND: &'static str = "ownership";
    const SUMMARY: &'static str = "the experiment states an owner, a change reference, or both";
    const EXAMPLE: &'static str = "ownership: {require: [owner, change]}";

    fn faults_of(params: &Params) -> Vec<String> {
        if params.require.is_empty() {
            vec!["it requires nothing; name owner, change, or both".into()]
        } else {
            Vec::new()
        }
    }

    fn check(params: &Params, plan: &Plan, _facts: &Facts) -> Vec<Reason> {
        let experiment = &plan.experiment;
        let mut reasons = Vec::new();
        for stated in &params.require {
            let (value, name) = match stated {
                Stated::Owner => (&experiment.owner, "owner"),
                Stated::Change => (&experiment.change, "change"),
            };
            if value.as_ref().is_none_or(|text| text.trim().is_empty()) {
                reasons.push(Reason::Breaks(format!("the experiment states no `spec.{name}`")));
            }
        }
        reasons
    }
}
