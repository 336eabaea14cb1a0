//! `leaderMoved`: the Lease that the target held when the fault came has another holder.
//!
//! In a null drill nothing is broken, so the claim turns round: it must stay where it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measure::hit::{Drawn, Hit};
use super::measure::watched::last;
use super::{Asked, CheckKind, Figure, Measured};
use crate::model::units::Span;
use crate::model::verdict::ClaimReport;

/// `leaderMoved: {target: leader, within: 20s}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// A target that is chosen by `leaseHolder`.
    pub target: String,
    /// From fault effective.
    pub within: Span,
}

pub struct LeaderMoved;

impl CheckKind for LeaderMoved {
    type Params = Params;

    const KIND: &'static str = "leaderMoved";
    const SUMMARY: &'static str = "the Lease that the target held has another holder in time";
    const EXAMPLE: &'static str = "leaderMoved: {target: leader, within: 20s}";
    const IN_CLUSTER: bool = true;

    fn target(params: &Params) -> Option<&str> {
        Some(&params.target)
    }

    fn judge(params: &Params, measured: &Measured) -> ClaimReport {
        let (target, within) = (&params.target, params.within);
        let claim = format!("the lease of {target} moves within {within}");
        let asked = Asked::at_most(Self::KIND, "", (claim, within));
        if measured.null {
            let claim = format!("the lease of {target} stays where it is");
            let asked = Asked { claim, limit: 0.0, unit: "moves", ..asked };
            return measured.on_hit(asked, (target, &["lease"]), stays);
        }
        measured.on_hit(asked, (target, &["lease"]), moved)
    }
}

/// Who held it when the fault came, and the first news of another holder.
struct Moved<'a> {
    lease: &'a str,
    from: &'a str,
    to: Option<&'a super::measure::watched::At<'a, crate::model::cluster_seen::LeaseSeen>>,
}

fn look<'h>(hit: &'h Hit) -> Result<Moved<'h>, String> {
    let target = hit.target;
    let lease = hit.lease.as_deref();
    let lease = lease.ok_or_else(|| format!("target {target} is not chosen by `leaseHolder`"))?;
    let all = hit.watched.leases.get(lease).map_or(&[][..], Vec::as_slice);
    let from = last(all, hit.began_ns).map_or("", |seen| seen.holder.as_str());
    if from.is_empty() {
        return Err(format!("nobody held lease {lease} when the fault came"));
    }
    let other = |holder: &str| !holder.is_empty() && holder != from;
    let to = all
        .iter()
        .find(|at| at.at_ns > hit.began_ns && at.at_ns <= hit.end_ns && other(&at.seen.holder));
    Ok(Moved { lease, from, to })
}

fn moved(hit: &Hit) -> Result<Drawn, String> {
    let Moved { lease, from, to } = look(hit)?;
    let Some(at) = to else {
        let finding = format!("nobody but {from} was seen to hold {lease}");
        return Ok(hit.not_yet(finding, "it moved"));
    };
    let (measured, error, after) = hit.span(at);
    let finding = format!("{lease} went from {from} to {} after {after}", at.seen.holder);
    let figure = Figure { measured, error, finding, bound: None };
    Ok(Drawn { figure, to_ns: at.at_ns })
}

fn stays(hit: &Hit) -> Result<Drawn, String> {
    let Moved { from, to, .. } = look(hit)?;
    let (measured, finding) = match to {
        Some(at) => (1.0, format!("without a fault {} took it from {from}", at.seen.holder)),
        None => (0.0, format!("{from} held it; a null drill breaks nothing")),
    };
    let figure = Figure { measured, error: 0.0, finding, bound: None };
    Ok(Drawn { figure, to_ns: hit.end_ns })
}
