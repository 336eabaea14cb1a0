//! `errorBudget`: how much of what an objective allows one such drill spends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measure::budget::{Spent, budget};
use super::{Asked, CheckKind, Figure, Measured, Side};
use crate::model::units::{Percent, Span};
use crate::model::verdict::ClaimReport;

/// `errorBudget: {probe: proxy, slo: 99.9%, over: 30d, spendAtMost: 10%}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    pub probe: String,
    /// The objective.
    pub slo: Percent,
    /// The time over which it holds.
    #[serde(default = "thirty_days")]
    pub over: Span,
    pub spend_at_most: Percent,
}

fn thirty_days() -> Span {
    Span::secs(30 * 86_400)
}

pub struct ErrorBudget;

impl CheckKind for ErrorBudget {
    type Params = Params;

    const KIND: &'static str = "errorBudget";
    const SUMMARY: &'static str = "the share of an objective's error budget that the outages spent";
    const EXAMPLE: &'static str =
        "errorBudget: {probe: proxy, slo: 99.9%, over: 30d, spendAtMost: 10%}";

    fn probe(params: &Params) -> Option<&str> {
        Some(&params.probe)
    }

    fn judge(params: &Params, measured: &Measured) -> ClaimReport {
        let (probe, slo, over, most) =
            (&params.probe, params.slo, params.over, params.spend_at_most);
        let asked = Asked {
            check: Self::KIND,
            probe: probe.clone(),
            claim: format!("{probe} spends at most {most} of the budget of {slo} over {over}"),
            limit: most.0,
            unit: "percent",
            side: Side::AtMost,
        };
        let days = over.seconds() / 86_400.0;
        measured.on_probe(asked, |probe| {
            let spent =
                Spent { seconds: probe.report.downtime_seconds, error: probe.downtime_error() };
            let budget = budget(slo, days, spent)
                .ok_or_else(|| format!("an objective of {slo} over {over} leaves no budget"))?;
            let error = 100.0 * spent.error / budget.budget_seconds;
            let (percent, whole) = (budget.spent_percent, budget.budget_seconds);
            let least = if spent.seconds > 0.0 { "" } else { "at least " };
            Ok(Figure {
                measured: percent,
                error,
                finding: format!(
                    "{percent:.3} % ± {error:.3} % of {whole:.1} s; {least}{:.1} such drills spend it all",
                    budget.affordable
                ),
                bound: probe.never_ended(),
            })
        })
    }
}
