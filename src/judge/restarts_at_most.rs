//! `restartsAtMost`: containers of the target's workload were restarted no more often than that.
//! A pod that takes another's place is no restart; one that falls over and over is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measure::axis::count;
use super::measure::hit::{Drawn, Hit};
use super::measure::watched::{At, last};
use super::{Asked, CheckKind, Figure, Measured, Side, words};
use crate::model::cluster_seen::PodSeen;
use crate::model::verdict::ClaimReport;

/// `restartsAtMost: {target: web, count: 1}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    pub target: String,
    pub count: u32,
}

pub struct RestartsAtMost;

impl CheckKind for RestartsAtMost {
    type Params = Params;

    const KIND: &'static str = "restartsAtMost";
    const SUMMARY: &'static str = "containers of the target's workload are restarted no more often";
    const EXAMPLE: &'static str = "restartsAtMost: {target: web, count: 1}";
    const IN_CLUSTER: bool = true;

    fn target(params: &Params) -> Option<&str> {
        Some(&params.target)
    }

    fn judge(params: &Params, measured: &Measured) -> ClaimReport {
        let (target, most) = (&params.target, params.count);
        let asked = Asked {
            check: Self::KIND,
            probe: String::new(),
            claim: format!("restarts of {target} at most {most}"),
            limit: f64::from(most),
            unit: "restarts",
            side: Side::AtMost,
        };
        measured.on_hit(asked, (target, &["pods"]), drawn)
    }
}

fn drawn(hit: &Hit) -> Result<Drawn, String> {
    let ours = |all: &&Vec<At<PodSeen>>| {
        all.first().is_some_and(|at| hit.workloads.contains(&at.seen.workload))
    };
    let (mut restarts, mut pods, mut where_from) = (0, 0_u64, Vec::new());
    for all in hit.watched.pods.values().filter(ours) {
        let Some(pod) = last(all, hit.end_ns) else { continue };
        pods += 1;
        let before = last(all, hit.began_ns).map_or(0, |pod| pod.restarts);
        let more = u64::from(pod.restarts.saturating_sub(before));
        if more > 0 {
            where_from.push(format!("{more} of {}", pod.name));
            restarts += more;
        }
    }
    if pods == 0 {
        return Err(format!("no pod of {} was ever seen", hit.words()));
    }
    let of =
        if where_from.is_empty() { String::new() } else { format!(": {}", where_from.join(", ")) };
    let finding = format!("{}{of}", words::counted(restarts, "restart"));
    let figure = Figure { measured: count(restarts), error: 0.0, finding, bound: None };
    Ok(Drawn { figure, to_ns: hit.end_ns })
}
