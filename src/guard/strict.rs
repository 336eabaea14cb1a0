//! `strict`: only faults that the kernel ends by itself, whatever dies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facts::Facts;
use super::{Reason, RuleKind};
use crate::model::experiment::Defence;
use crate::model::plan::Plan;

/// It has no parameters: `strict: {}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {}

pub struct Strict;

impl RuleKind for Strict {
    type Params = Params;

    const KIND: &'static str = "strict";
    const SUMMARY: &'static str = "only faults that the kernel ends by itself, whatever dies";
    const EXAMPLE: &'static str = "strict: {}";

    fn check(_params: &Params, plan: &Plan, _facts: &Facts) -> Vec<Reason> {
        let covered =
            |facts: &crate::model::experiment::StepFacts| facts.defence.contains(&Defence::Kernel);
        let open = plan.experiment.method.iter().enumerate().filter(|(_, s)| !covered(&s.facts));
        open.map(|(number, step)| {
            Reason::Breaks(format!(
                "step {}: nothing in the kernel ends {} when all of squall is dead",
                number + 1,
                step.kind
            ))
        })
        .collect()
    }
}
