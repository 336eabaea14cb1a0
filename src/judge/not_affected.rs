//! `notAffected`: a probe that must notice nothing, which is how a blast radius is proved. Nothing
//! bad, nothing late; slower within the deadline is fine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measure::axis::count;
use super::{Asked, CheckKind, Figure, Measured, Side, words};
use crate::model::verdict::ClaimReport;

/// `notAffected: {probe: reads}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    pub probe: String,
}

pub struct NotAffected;

impl CheckKind for NotAffected {
    type Params = Params;

    const KIND: &'static str = "notAffected";
    const SUMMARY: &'static str = "a probe must see nothing bad and nothing late in the window";
    const EXAMPLE: &'static str = "notAffected: {probe: reads}";

    fn probe(params: &Params) -> Option<&str> {
        Some(&params.probe)
    }

    fn judge(params: &Params, measured: &Measured) -> ClaimReport {
        let asked = Asked {
            check: Self::KIND,
            probe: params.probe.clone(),
            claim: format!("{} is not affected", params.probe),
            limit: 0.0,
            unit: "slots",
            side: Side::AtMost,
        };
        measured.on_probe(asked, |probe| {
            let report = &probe.report;
            // An outage may lie wholly in the moment in which the fault came, before second 0.
            let out: u64 = report.outages.iter().map(|outage| outage.slots).sum();
            let noticed = out.max(report.bad + report.late);
            Ok(Figure {
                measured: count(noticed),
                error: count(probe.unseen.slots()),
                finding: format!(
                    "{} bad or late of {} ({} late)",
                    words::counted(noticed, "slot"),
                    report.slots,
                    report.late
                ),
                bound: None,
            })
        })
    }
}
