//! `downtime`: all outages of a probe in the window, added up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CheckKind;
use super::measure::Measured;
use crate::model::outcome::ClaimVerdict;
use crate::model::units::Span;
use crate::model::verdict::ClaimReport;

/// `downtime: {probe: proxy, atMost: 6s}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    pub probe: String,
    pub at_most: Span,
}

pub struct Downtime;

impl CheckKind for Downtime {
    type Params = Params;

    const KIND: &'static str = "downtime";
    const SUMMARY: &'static str = "all outages of a probe in the window, added up";
    const EXAMPLE: &'static str = "downtime: {probe: proxy, atMost: 6s}";

    fn probe(params: &Params) -> Option<&str> {
        Some(&params.probe)
    }

    fn judge(params: &Params, _measured: &Measured) -> ClaimReport {
        ClaimReport {
            check: Self::KIND.to_owned(),
            probe: params.probe.clone(),
            verdict: ClaimVerdict::Inconclusive,
            measured: None,
            error: None,
            limit: params.at_most.seconds(),
            unit: "seconds".to_owned(),
            claim: String::new(),
            finding: String::new(),
            stop_condition: false,
        }
    }
}
