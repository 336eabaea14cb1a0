//! `rescheduled`: for every pod that was lost another one of its workload was bound to a node.
//!
//! In a null drill nothing is broken, so the claim turns round: no pod may be lost.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measure::axis::{count, length};
use super::measure::hit::{Drawn, Hit};
use super::measure::watched::At;
use super::{Asked, CheckKind, Figure, Measured, words};
use crate::model::cluster_seen::PodSeen;
use crate::model::units::Span;
use crate::model::verdict::ClaimReport;

/// `rescheduled: {target: web, within: 15s}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    pub target: String,
    /// From fault effective.
    pub within: Span,
}

pub struct Rescheduled;

impl CheckKind for Rescheduled {
    type Params = Params;

    const KIND: &'static str = "rescheduled";
    const SUMMARY: &'static str =
        "lost pods of the target are replaced, and bound to nodes in time";
    const EXAMPLE: &'static str = "rescheduled: {target: web, within: 15s}";
    const IN_CLUSTER: bool = true;

    fn target(params: &Params) -> Option<&str> {
        Some(&params.target)
    }

    fn judge(params: &Params, measured: &Measured) -> ClaimReport {
        let (target, within) = (&params.target, params.within);
        let claim = format!("lost pods of {target} rescheduled within {within}");
        let asked = Asked::at_most(Self::KIND, "", (claim, within));
        if measured.null {
            let asked = Asked {
                claim: format!("no pod of {target} is lost"),
                limit: 0.0,
                unit: "pods",
                ..asked
            };
            return measured.on_hit(asked, (target, &["pods"]), |hit| Ok(none_lost(hit)));
        }
        measured.on_hit(asked, (target, &["pods"]), drawn)
    }
}

fn drawn(hit: &Hit) -> Result<Drawn, String> {
    let lost = length(hit.to_replace().len());
    if lost == 0 {
        return Err(format!("no pod of {} was lost", hit.words()));
    }
    let new = hit.new_pods();
    let first = |all: &&[At<PodSeen>]| all.iter().position(|at| at.seen.node.is_some());
    let mut bound: Vec<&At<PodSeen>> =
        new.iter().filter_map(|all| first(all).and_then(|index| all.get(index))).collect();
    bound.sort_by_key(|at| at.at_ns);
    let enough = usize::try_from(lost - 1).ok().and_then(|index| bound.get(index));
    let Some(slowest) = enough else {
        let of = words::counted(lost, "lost pod");
        let finding = format!("{} of {of} of {} rescheduled", bound.len(), hit.words());
        let why = hit.pending();
        let why = if new.is_empty() { vec!["no pod was put in its place".to_owned()] } else { why };
        let finding = std::iter::once(finding).chain(why).collect::<Vec<_>>().join("; ");
        return Ok(hit.not_yet(finding, "the last was bound"));
    };
    let (measured, error, after) = hit.span(slowest);
    let node = slowest.seen.node.as_deref().unwrap_or_default();
    let name = &slowest.seen.name;
    let all = words::counted(lost, "lost pod");
    let finding = format!("{all} rescheduled after {after}: the last is {name} on {node}");
    let to_ns = bound.iter().take(usize::try_from(lost).unwrap_or(0)).map(|at| at.at_ns).max();
    let figure = Figure { measured, error, finding, bound: None };
    Ok(Drawn { figure, to_ns: to_ns.unwrap_or(hit.end_ns) })
}

fn none_lost(hit: &Hit) -> Drawn {
    let lost: Vec<&str> = hit.lost().values().map(|at| at.seen.name.as_str()).collect();
    let finding = match lost.as_slice() {
        [] => "none was; a null drill breaks nothing".to_owned(),
        lost => format!("without a fault these were: {}", lost.join(", ")),
    };
    let measured = count(length(lost.len()));
    Drawn { figure: Figure { measured, error: 0.0, finding, bound: None }, to_ns: hit.end_ns }
}
