//! `outage`: the stop condition that ends a hold when a probe has been out for too long. It is
//! asked while the drill runs, where silence counts as out; when it is met, the hold ends at once
//! and the claim that it stands for has deviated.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Asked, CheckKind, Live, Measured};
use crate::model::units::Span;
use crate::model::verdict::ClaimReport;

/// `outage: {probe: writes, longerThan: 15s}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    pub probe: String,
    pub longer_than: Span,
}

pub struct Outage;

impl CheckKind for Outage {
    type Params = Params;

    const KIND: &'static str = "outage";
    const SUMMARY: &'static str = "stop condition: a probe has been out for longer than that";
    const EXAMPLE: &'static str = "outage: {probe: writes, longerThan: 15s}";
    const STOPS: bool = true;

    fn probe(params: &Params) -> Option<&str> {
        Some(&params.probe)
    }

    fn trips(params: &Params, live: &mut Live, now_ns: u64) -> Option<String> {
        let lasted = live.open_outage(&params.probe, now_ns)?;
        (lasted > params.longer_than)
            .then(|| format!("{} has been out for {:.2} s", params.probe, lasted.seconds()))
    }

    fn patience(params: &Params) -> Option<Span> {
        Some(params.longer_than)
    }

    fn judge(params: &Params, measured: &Measured) -> ClaimReport {
        let (probe, limit) = (&params.probe, params.longer_than);
        let claim = format!("no outage of {probe} longer than {limit}");
        let asked = Asked::at_most(Self::KIND, probe, (claim, limit));
        measured.on_probe(asked, |probe| Ok(probe.longest_figure()))
    }
}
