//! `rolloutCompletes`: the newest template of the target's workload is everywhere, and every pod of
//! it is available, as the workload says itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measure::hit::{Drawn, Hit};
use super::measure::watched::{At, last};
use super::{Asked, CheckKind, Figure, Measured};
use crate::model::cluster_seen::WorkloadSeen;
use crate::model::units::Span;
use crate::model::verdict::ClaimReport;

/// `rolloutCompletes: {target: web, within: 60s}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    pub target: String,
    /// From fault effective.
    pub within: Span,
}

pub struct RolloutCompletes;

impl CheckKind for RolloutCompletes {
    type Params = Params;

    const KIND: &'static str = "rolloutCompletes";
    const SUMMARY: &'static str =
        "the target's workload is rolled out, every pod available, in time";
    const EXAMPLE: &'static str = "rolloutCompletes: {target: web, within: 60s}";
    const IN_CLUSTER: bool = true;

    fn target(params: &Params) -> Option<&str> {
        Some(&params.target)
    }

    fn judge(params: &Params, measured: &Measured) -> ClaimReport {
        let (target, within) = (&params.target, params.within);
        let claim = format!("rollout of {target} complete within {within}");
        let asked = Asked::at_most(Self::KIND, "", (claim, within));
        let needs = &["deployments", "statefulsets", "daemonsets", "replicasets"];
        measured.on_hit(asked, (target, needs), |hit| drawn(hit, measured.null))
    }
}

/// The workload that was complete last decides.
fn drawn(hit: &Hit, null: bool) -> Result<Drawn, String> {
    let mut latest: Option<(&str, At<WorkloadSeen>)> = None;
    let mut seen = false;
    for workload in &hit.workloads {
        let Some(all) = hit.watched.workloads.get(workload.as_str()) else { continue };
        seen = true;
        match course(hit, all) {
            Course::Steady => {}
            Course::Complete(at) => {
                if latest.is_none_or(|(_, last)| last.at_ns < at.at_ns) {
                    latest = Some((workload, at));
                }
            }
            Course::Incomplete(at) => {
                return Ok(hit.not_yet(far(at.seen), "the rollout was complete"));
            }
        }
    }
    if !seen {
        return Err(format!("nothing was heard of a rollout of {}", hit.words()));
    }
    let Some((workload, at)) = latest else {
        if null {
            let finding = "complete all along; a null drill breaks nothing".to_owned();
            let figure = Figure { measured: 0.0, error: 0.0, finding, bound: None };
            return Ok(Drawn { figure, to_ns: hit.end_ns });
        }
        return Err(format!("no rollout was under way: {} was complete all along", hit.words()));
    };
    let (measured, error, after) = hit.span(&at);
    let finding = format!("{workload} complete after {after}");
    let figure = Figure { measured, error, finding, bound: None };
    // For good: the rest of the window had to be watched, too.
    Ok(Drawn { figure, to_ns: hit.end_ns })
}

enum Course<'a> {
    /// It was complete all along.
    Steady,
    /// For good since then.
    Complete(At<'a, WorkloadSeen>),
    /// As it was at last.
    Incomplete(At<'a, WorkloadSeen>),
}

fn course<'a>(hit: &Hit, all: &[At<'a, WorkloadSeen>]) -> Course<'a> {
    let complete = |seen: &WorkloadSeen| seen.is_complete() && !seen.gone;
    let before = last(all, hit.began_ns).is_some_and(complete);
    let within = all.iter().filter(|at| at.at_ns > hit.began_ns && at.at_ns <= hit.end_ns);
    let mut course = Course::Steady;
    let mut was = before;
    let mut latest = all.iter().rev().find(|at| at.at_ns <= hit.began_ns);
    for at in within {
        if complete(at.seen) && !was {
            course = Course::Complete(*at);
        }
        was = complete(at.seen);
        latest = Some(at);
    }
    match latest {
        Some(at) if !was => Course::Incomplete(*at),
        _ => course,
    }
}

/// `deployment shop/web: 2 of 3 updated, 2 available`
fn far(seen: &WorkloadSeen) -> String {
    let WorkloadSeen { workload, updated, desired, available, .. } = seen;
    let stuck = seen.stuck.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    if seen.gone {
        return format!("{workload} is gone");
    }
    format!("{workload}: {updated} of {desired} updated, {available} available{stuck}")
}
