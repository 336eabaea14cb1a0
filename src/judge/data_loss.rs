//! `dataLoss`: acknowledged writes that are gone. The count decides; with `window`, so does the
//! time over which they were acknowledged, which is the measured RPO.
//!
//! The time runs from the earliest acknowledgement that was lost to the fault, or to the latest one
//! that was lost where that came after it: in a split brain the old primary goes on acknowledging
//! writes that nobody will keep.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measure::axis::count;
use super::{Asked, CheckKind, Figure, Measured, Side};
use crate::model::outcome::ClaimVerdict;
use crate::model::units::Span;
use crate::model::verdict::{ClaimReport, LedgerReport};

/// `dataLoss: {probe: writes, atMost: 50, window: 1s}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    pub probe: String,
    /// Acknowledged writes that may be gone.
    pub at_most: u64,
    /// The time over which they may have been acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Span>,
}

pub struct DataLoss;

impl CheckKind for DataLoss {
    type Params = Params;

    const KIND: &'static str = "dataLoss";
    const SUMMARY: &'static str = "acknowledged writes that are gone, by count and by time";
    const EXAMPLE: &'static str = "dataLoss: {probe: writes, atMost: 50, window: 1s}";

    fn probe(params: &Params) -> Option<&str> {
        Some(&params.probe)
    }

    fn judge(params: &Params, measured: &Measured) -> ClaimReport {
        let (probe, at_most) = (&params.probe, params.at_most);
        let in_time = params.window.map(|window| format!(" over at most {window}"));
        let asked = Asked {
            check: Self::KIND,
            probe: probe.clone(),
            claim: format!(
                "data loss of {probe} at most {at_most} writes{}",
                in_time.unwrap_or_default()
            ),
            limit: count(at_most),
            unit: "writes",
            side: Side::AtMost,
        };
        let Some(figures) = measured.probes.get(probe) else {
            return asked.unknown(format!("the plan has no probe {probe}"));
        };
        let Some(ledger) = &figures.report.ledger else {
            return asked.unknown(format!("probe {probe} wrote nothing"));
        };
        if ledger.reads < 2 {
            let why = ledger.read_error.as_deref().unwrap_or("it was not read back twice");
            return asked.unknown(format!("what was written is unknown: {why}"));
        }
        if ledger.acknowledged == 0 {
            return asked.unknown("no write was acknowledged, so none could be lost");
        }
        let figure = Figure {
            measured: count(ledger.lost),
            error: 0.0,
            finding: finding(ledger),
            bound: None,
        };
        let doubts = measured.doubts_on_ledger(figures);
        in_time_too(asked.weigh(figure, &doubts), params.window, ledger)
    }
}

/// The second limit: a loss within the count may still reach back too far.
fn in_time_too(claim: ClaimReport, window: Option<Span>, ledger: &LedgerReport) -> ClaimReport {
    let Some((window, lost)) = window.zip(loss_seconds(ledger)) else { return claim };
    if lost <= window.seconds() || claim.measured.is_none() {
        return claim;
    }
    let finding = format!("{}; that is more than {window}", claim.finding);
    ClaimReport { verdict: ClaimVerdict::Deviated, finding, ..claim }
}

/// The measured RPO in time; None where nothing was lost.
fn loss_seconds(ledger: &LedgerReport) -> Option<f64> {
    let (before, span) = ledger.lost_before_fault_seconds.zip(ledger.loss_span_seconds)?;
    Some(before.max(span))
}

fn finding(ledger: &LedgerReport) -> String {
    let time = loss_seconds(ledger).map(|lost| format!(" over {lost:.3} s")).unwrap_or_default();
    format!(
        "{} of {} acknowledged writes lost{time}; of {} indeterminate {} absent and {} kept; \
         {} resurrected, {} duplicate, {} phantom",
        ledger.lost,
        ledger.acknowledged,
        ledger.indeterminate,
        ledger.indeterminate_absent,
        ledger.recovered,
        ledger.resurrected,
        ledger.duplicate,
        ledger.phantom
    )
}
