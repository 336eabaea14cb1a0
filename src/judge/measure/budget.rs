//! The error budget: how much of what an objective allows this drill has spent.

use crate::model::units::Percent;
use crate::model::verdict::ErrorBudget;

/// Days over which a probe's own objective is counted.
pub const DAYS: f64 = 30.0;

/// Downtime of a drill and its error, seconds.
#[derive(Debug, Clone, Copy)]
pub struct Spent {
    pub seconds: f64,
    pub error: f64,
}

/// None where the objective is 100 %: then there is no budget, and nothing to count.
///
/// `affordable` for a drill that spent nothing that could be seen is counted as if it had spent
/// its error: the service can afford at least that many.
#[must_use]
pub fn budget(slo: Percent, days: f64, spent: Spent) -> Option<ErrorBudget> {
    let budget_seconds = days * 86_400.0 * (1.0 - slo.fraction());
    let each = if spent.seconds > 0.0 { spent.seconds } else { spent.error };
    (budget_seconds > 0.0 && each > 0.0).then(|| ErrorBudget {
        slo: slo.0,
        days,
        budget_seconds,
        spent_seconds: spent.seconds,
        spent_percent: 100.0 * spent.seconds / budget_seconds,
        affordable: budget_seconds / each,
    })
}
