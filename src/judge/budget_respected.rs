//! `budgetRespected`: no eviction left fewer ready pods of the target's workload than its
//! `PodDisruptionBudget` wants. An eviction that was refused for its sake is what it is there for.
//!
//! A workload without a budget has none to respect, and deviates. One whose budget was never put to
//! the test proves nothing. What fails by itself, and what is deleted past the eviction API, is no
//! voluntary disruption, and no budget is asked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measure::axis::{count, length};
use super::measure::hit::{Drawn, Hit};
use super::measure::watched::{At, last};
use super::{Asked, CheckKind, Figure, Measured, Side, words};
use crate::model::cluster_seen::{BudgetSeen, PodSeen};
use crate::model::verdict::ClaimReport;

/// `budgetRespected: {target: web}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    pub target: String,
}

pub struct BudgetRespected;

/// Why a pod is ended that was evicted.
const EVICTED: &str = "EvictionByEvictionAPI";

impl CheckKind for BudgetRespected {
    type Params = Params;

    const KIND: &'static str = "budgetRespected";
    const SUMMARY: &'static str = "evictions leave as many pods as the target's budget wants";
    const EXAMPLE: &'static str = "budgetRespected: {target: web}";
    const IN_CLUSTER: bool = true;

    fn target(params: &Params) -> Option<&str> {
        Some(&params.target)
    }

    fn judge(params: &Params, measured: &Measured) -> ClaimReport {
        let target = &params.target;
        let asked = Asked {
            check: Self::KIND,
            probe: String::new(),
            claim: format!("the disruption budget of {target} is respected"),
            limit: 0.0,
            unit: "pods",
            side: Side::AtMost,
        };
        measured.on_hit(asked, (target, &["pods", "poddisruptionbudgets"]), drawn)
    }
}

/// The figure: how many pods fewer than its budget wants an eviction left, at worst.
fn drawn(hit: &Hit) -> Result<Drawn, String> {
    let bare: Vec<&str> =
        hit.workloads.iter().filter(|of| budgets(hit, of).is_empty()).map(String::as_str).collect();
    if !bare.is_empty() {
        let finding = format!("no PodDisruptionBudget covers {}", bare.join(", "));
        // Any number of its pods may go at once: all but the first are too many.
        let ready = hit.watched.pods_at(&hit.workloads, hit.began_ns).filter(|p| p.serves());
        let measured = count(length(ready.count()).max(1));
        let figure = Figure { measured, error: 0.0, finding, bound: None };
        return Ok(Drawn { figure, to_ns: hit.end_ns });
    }
    let evicted: Vec<(&At<PodSeen>, u64)> = evictions(hit);
    let refused = hit.refused.iter().filter(|(at_ns, _)| hit.holds(*at_ns)).collect::<Vec<_>>();
    if evicted.is_empty() && refused.is_empty() {
        return Err("no pod was evicted and no eviction refused: it was never asked".to_owned());
    }
    let worst = evicted.iter().max_by_key(|(_, short)| *short);
    let mut finding = match worst {
        Some((at, short)) if *short > 0 => {
            let short = words::counted(*short, "pod");
            format!("{short} fewer than it wants once {} was evicted", at.seen.name)
        }
        _ => {
            let evictions = words::counted(length(evicted.len()), "eviction");
            format!("{evictions} left enough pods")
        }
    };
    if let Some((_, why)) = refused.first() {
        let times = words::counted(length(refused.len()), "eviction");
        finding = format!("{finding}; {times} refused: {why}");
    }
    let measured = count(worst.map_or(0, |(_, short)| *short));
    let figure = Figure { measured, error: 0.0, finding, bound: None };
    Ok(Drawn { figure, to_ns: hit.end_ns })
}

/// Budgets that covered a workload when the fault came.
fn budgets<'a>(hit: &Hit<'a>, workload: &str) -> Vec<&'a BudgetSeen> {
    let all = hit.watched.budgets.values().filter_map(|all| last(all, hit.began_ns));
    all.filter(|b| !b.gone && b.workloads.iter().any(|of| of == workload)).collect()
}

/// Every eviction in the window, with how many ready pods it left fewer than wanted.
fn evictions<'h, 'a>(hit: &'h Hit<'a>) -> Vec<(&'h At<'a, PodSeen>, u64)> {
    let ours = |all: &&Vec<At<PodSeen>>| {
        all.first().is_some_and(|at| hit.workloads.contains(&at.seen.workload))
    };
    let evicted = |at: &&At<PodSeen>| {
        at.at_ns > hit.began_ns
            && at.at_ns <= hit.end_ns
            && at.seen.disrupted.as_deref() == Some(EVICTED)
    };
    let first = hit.watched.pods.values().filter(ours).filter_map(|all| all.iter().find(evicted));
    first.map(|at| (at, short(hit, at))).collect()
}

fn short(hit: &Hit, evicted: &At<PodSeen>) -> u64 {
    let of = &evicted.seen.workload;
    let wanted = budgets(hit, of).iter().map(|budget| u64::from(budget.wanted)).max().unwrap_or(0);
    let left = hit.watched.pods_at(&hit.workloads, evicted.at_ns);
    let left = left.filter(|p| p.workload == *of && p.serves() && p.uid != evicted.seen.uid);
    wanted.saturating_sub(length(left.count()))
}
