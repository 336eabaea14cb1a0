//! `limits`: the most that a plan may touch, and for how long. It counts the worst case.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facts::Facts;
use super::{Reason, RuleKind};
use crate::model::plan::Plan;
use crate::model::units::{Percent, Span};

/// Each one left out limits nothing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// Instances hit at one moment.
    #[serde(default)]
    pub max_instances: Option<usize>,
    /// Hosts hit at one moment.
    #[serde(default)]
    pub max_hosts: Option<usize>,
    /// Share of any one service that is hit at one moment.
    #[serde(default)]
    pub max_share: Option<Percent>,
    /// Longest time that one fault is held.
    #[serde(default)]
    pub max_hold: Option<Span>,
    /// Longest time that the whole drill may take.
    #[serde(default)]
    pub max_drill: Option<Span>,
}

pub struct Limits;

impl RuleKind for Limits {
    type Params = Params;

    const KIND: &'static str = "limits";
    const SUMMARY: &'static str = "the most that a plan may touch at one moment, and for how long";
    const EXAMPLE: &'static str =
        "limits: {maxInstances: 1, maxHosts: 1, maxShare: 34%, maxHold: 1m, maxDrill: 10m}";

    fn faults_of(params: &Params) -> Vec<String> {
        if *params == Params::default() {
            vec![
                "it limits nothing; give one of maxInstances, maxHosts, maxShare, maxHold, \
                  maxDrill"
                    .into(),
            ]
        } else {
            Vec::new()
        }
    }

    fn check(params: &Params, plan: &Plan, _facts: &Facts) -> Vec<Reason> {
        let radius = &plan.blast_radius;
        let mut reasons = Vec::new();
        let mut say = |text| reasons.push(Reason::Breaks(text));
        if let Some(most) = params.max_instances.filter(|most| radius.instances > *most) {
            let worst = radius.instances;
            say(format!("hits up to {worst} instances at one moment, allowed is {most}"));
        }
        if let Some(most) = params.max_hosts.filter(|most| radius.hosts > *most) {
            say(format!("hits up to {} hosts at one moment, allowed is {most}", radius.hosts));
        }
        for (service, (hit, of)) in &radius.services {
            if let Some(most) = params.max_share.filter(|most| share(*hit, *of) > most.0) {
                say(format!("hits up to {hit} of {of} {service}, allowed is {most}"));
            }
        }
        if let Some(most) = params.max_hold.filter(|most| radius.longest_hold > *most) {
            say(format!("holds a fault for {}, allowed is {most}", radius.longest_hold));
        }
        if let Some(most) = params.max_drill.filter(|most| radius.longest_drill > *most) {
            say(format!("may take {}, allowed is {most}", radius.longest_drill));
        }
        reasons
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of instances fits")]
fn share(hit: usize, of: usize) -> f64 {
    hit as f64 * 100.0 / of.max(1) as f64
}
