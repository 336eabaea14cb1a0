//! `minHealthy`: how many healthy instances must be left in the worst case.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facts::Facts;
use super::{Reason, RuleKind};
use crate::model::plan::Plan;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// Left healthy of every service that is hit.
    pub at_least: usize,
    /// Another number for some services; these are counted even where they are not hit.
    #[serde(default)]
    pub services: BTreeMap<String, usize>,
}

pub struct MinHealthy;

impl RuleKind for MinHealthy {
    type Params = Params;

    const KIND: &'static str = "minHealthy";
    const SUMMARY: &'static str = "how many healthy instances must be left in the worst case";
    const EXAMPLE: &'static str = "minHealthy: {atLeast: 1, services: {sentinel: 2}}";

    fn check(params: &Params, plan: &Plan, facts: &Facts) -> Vec<Reason> {
        let Some(healthy) = &facts.healthy else {
            return vec![Reason::Missing("how many instances of each service are healthy")];
        };
        let hit = &plan.blast_radius.services;
        let mut wanted: BTreeMap<&str, usize> =
            hit.keys().map(|service| (service.as_str(), params.at_least)).collect();
        wanted.extend(params.services.iter().map(|(name, count)| (name.as_str(), *count)));
        wanted
            .into_iter()
            .filter_map(|(service, least)| {
                let Some(now) = healthy.get(service) else {
                    return Some(Reason::Breaks(format!("nobody knows how healthy {service} is")));
                };
                // Those hit are taken to be healthy ones: the worst that the draw can do.
                let worst = hit.get(service).map_or(0, |(hit, _)| *hit);
                let left = now.saturating_sub(worst);
                (left < least).then(|| {
                    Reason::Breaks(format!(
                        "leaves {left} healthy {service} of {now} in the worst case, needed is \
                         {least}"
                    ))
                })
            })
            .collect()
    }
}
