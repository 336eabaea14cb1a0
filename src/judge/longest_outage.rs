//! `longestOutage`: the longest single outage of a probe in the window.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Asked, CheckKind, Measured};
use crate::model::units::Span;
use crate::model::verdict::ClaimReport;

/// `longestOutage: {probe: writes, atMost: 5s}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    pub probe: String,
    pub at_most: Span,
}

pub struct LongestOutage;

impl CheckKind for LongestOutage {
    type Params = Params;

    const KIND: &'static str = "longestOutage";
    const SUMMARY: &'static str = "the longest single outage of a probe in the window";
    const EXAMPLE: &'static str = "longestOutage: {probe: writes, atMost: 5s}";

    fn probe(params: &Params) -> Option<&str> {
        Some(&params.probe)
    }

    fn judge(params: &Params, measured: &Measured) -> ClaimReport {
        let (probe, limit) = (&params.probe, params.at_most);
        let claim = format!("longest outage of {probe} at most {limit}");
        let asked = Asked::at_most(Self::KIND, probe, (claim, limit));
        measured.on_probe(asked, |probe| Ok(probe.longest_figure()))
    }
}
