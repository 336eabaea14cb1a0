//! `downtime`: all outages of a probe in the window, added up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Asked, CheckKind, Figure, Measured, words};
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

    fn judge(params: &Params, measured: &Measured) -> ClaimReport {
        let (probe, limit) = (&params.probe, params.at_most);
        let claim = format!("downtime of {probe} at most {limit}");
        let asked = Asked::at_most(Self::KIND, probe, (claim, limit));
        measured.on_probe(asked, |probe| {
            let (down, error) = (probe.report.downtime_seconds, probe.downtime_error());
            let outages = words::counted(probe.outages(), "outage");
            Ok(Figure {
                measured: down,
                error,
                finding: format!("{} in {outages}", words::seconds_with_error(down, error)),
                bound: probe.never_ended(),
            })
        })
    }
}
