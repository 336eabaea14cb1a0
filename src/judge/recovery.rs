//! `recovery`: from the first fault effective until a probe is good for good. A probe that was
//! never out has recovered at once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Asked, CheckKind, Figure, Measured, words};
use crate::model::units::Span;
use crate::model::verdict::ClaimReport;

/// `recovery: {probe: writes, within: 8s}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    pub probe: String,
    pub within: Span,
}

pub struct Recovery;

impl CheckKind for Recovery {
    type Params = Params;

    const KIND: &'static str = "recovery";
    const SUMMARY: &'static str = "from the first fault effective until a probe is good for good";
    const EXAMPLE: &'static str = "recovery: {probe: writes, within: 8s}";

    fn probe(params: &Params) -> Option<&str> {
        Some(&params.probe)
    }

    fn judge(params: &Params, measured: &Measured) -> ClaimReport {
        let (probe, limit) = (&params.probe, params.within);
        let claim = format!("recovery of {probe} within {limit}");
        let asked = Asked::at_most(Self::KIND, probe, (claim, limit));
        measured.on_probe(asked, |probe| {
            let recovery = probe.recovery;
            let figure = words::seconds_with_error(recovery.seconds, recovery.error);
            let (finding, bound) = if !recovery.stable {
                let why = "it had not come to rest when the watch ended".to_owned();
                (format!("last bad at {figure}"), Some(why))
            } else if probe.report.outages.is_empty() {
                ("never out".to_owned(), None)
            } else {
                (format!("good for good after {figure}"), None)
            };
            let error = recovery.error + probe.unseen.blind_seconds;
            Ok(Figure { measured: recovery.seconds, error, finding, bound })
        })
    }
}
