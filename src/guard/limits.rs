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
    /// Hosts or nodes hit at one moment.
    #[serde(default)]
    pub max_hosts: Option<usize>,
    /// Zones hit at one moment. What is hit must say its zone.
    #[serde(default)]
    pub max_zones: Option<usize>,
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
                "it limits nothing; give one of maxInstances, maxHosts, maxZones, maxShare, \
                  maxHold, maxDrill"
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
        // A ConfigMap taken away is felt by whoever reads it: one at least.
        let worst = radius.instances + radius.objects;
        if let Some(most) = params.max_instances.filter(|most| worst > *most) {
            say(format!("hits up to {worst} instances at one moment, allowed is {most}"));
        }
        if let Some(most) = params.max_hosts.filter(|most| radius.hosts > *most) {
            say(format!("hits up to {} hosts at one moment, allowed is {most}", radius.hosts));
        }
        if let Some(most) = params.max_zones {
            let (worst, unknown) = (radius.zones, has_no_zone(plan));
            if unknown {
                say("some of what may be hit is in a zone that nobody knows".to_owned());
            } else if worst > most {
                say(format!("hits something in up to {worst} zones, allowed is {most}"));
            }
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

/// Is anything that may be hit on a host, and in no zone that we know of?
fn has_no_zone(plan: &Plan) -> bool {
    let radius = &plan.blast_radius;
    let mut found = plan.may_hit();
    (radius.hosts > 0 && radius.zones == 0)
        || found.any(|candidate| !candidate.host.name.is_empty() && candidate.zone.is_none())
}

#[expect(clippy::cast_precision_loss, reason = "a count of instances fits")]
fn share(hit: usize, of: usize) -> f64 {
    hit as f64 * 100.0 / of.max(1) as f64
}
