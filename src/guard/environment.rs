//! `environment`: where a drill may run at all.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facts::Facts;
use super::{Reason, RuleKind};
use crate::model::plan::Plan;

/// What a lab is called among environments; nobody's marker may claim it.
pub const LAB: &str = "lab";

/// Environments that are admitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// Names as owners mark them; `lab` means labs that squall starts itself.
    pub allow: Vec<String>,
}

pub struct Environment;

impl RuleKind for Environment {
    type Params = Params;

    const KIND: &'static str = "environment";
    const SUMMARY: &'static str =
        "where a drill may run at all; `lab` is what squall starts itself";
    const EXAMPLE: &'static str = "environment: {allow: [lab, staging]}";

    fn faults_of(params: &Params) -> Vec<String> {
        if params.allow.is_empty() {
            vec!["`allow` is empty, so nothing is admitted anywhere; name an environment".into()]
        } else {
            Vec::new()
        }
    }

    fn check(params: &Params, plan: &Plan, facts: &Facts) -> Vec<Reason> {
        let breaks = |text: String| vec![Reason::Breaks(text)];
        let here = match (facts.is_lab, plan.experiment.environment.as_deref()) {
            (None, _) => {
                return vec![Reason::Missing("whether the targets are a lab of squall's own")];
            }
            (Some(true), _) => LAB,
            (Some(false), None) => return breaks("the experiment states no environment".into()),
            (Some(false), Some(LAB)) => {
                return breaks("`lab` is for labs that squall starts; this is none".into());
            }
            (Some(false), Some(stated)) => stated,
        };
        if params.allow.iter().any(|allowed| allowed == here) {
            Vec::new()
        } else {
            breaks(format!("{here} is not among {}", params.allow.join(", ")))
        }
    }
}
