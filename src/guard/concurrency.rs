//! `concurrency`: how many drills at a time, in one network namespace or altogether.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facts::Facts;
use super::{Reason, RuleKind};
use crate::model::plan::Plan;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// This drill included.
    pub at_most: usize,
    #[serde(default)]
    pub per: Per,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Per {
    /// Drills that touch a network namespace, or a lab, that this one touches.
    #[default]
    NetworkNamespace,
    /// All drills that squall knows of.
    Everything,
}

pub struct Concurrency;

impl RuleKind for Concurrency {
    type Params = Params;

    const KIND: &'static str = "concurrency";
    const SUMMARY: &'static str = "how many drills at a time";
    const EXAMPLE: &'static str = "concurrency: {atMost: 1, per: networkNamespace}";

    fn faults_of(params: &Params) -> Vec<String> {
        if params.at_most == 0 {
            vec!["`atMost: 0` admits no drill at all; write at least 1".into()]
        } else {
            Vec::new()
        }
    }

    fn check(params: &Params, _plan: &Plan, facts: &Facts) -> Vec<Reason> {
        let mut missing = Vec::new();
        if facts.running.is_none() {
            missing.push(Reason::Missing("which drills are running"));
        }
        if facts.places.is_none() && params.per == Per::NetworkNamespace {
            missing.push(Reason::Missing("which network namespaces the drill would touch"));
        }
        let Some(running) = &facts.running else { return missing };
        let meets = |places: &std::collections::BTreeSet<String>| match params.per {
            Per::Everything => true,
            Per::NetworkNamespace => facts.places.as_ref().is_some_and(|p| !p.is_disjoint(places)),
        };
        let others: Vec<&str> =
            running.iter().filter(|r| meets(&r.places)).map(|r| r.drill.as_str()).collect();
        if missing.is_empty() && others.len() >= params.at_most {
            let whose = match params.per {
                Per::Everything => "under way",
                Per::NetworkNamespace => "under way in the same place",
            };
            missing.push(Reason::Breaks(format!(
                "{} {whose}, allowed at a time is {}; wait, or abort it",
                others.join(", "),
                params.at_most
            )));
        }
        missing
    }
}
