//! `endpointsDropped`: no Service sends traffic any more to the pods that were lost.
//!
//! Lost are pods that ended since the fault, and those that a fault was on. In a null drill the
//! claim turns round: no endpoint may be dropped.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measure::axis::{count, length};
use super::measure::hit::{Drawn, Hit};
use super::measure::watched::{At, last};
use super::{Asked, CheckKind, Figure, Measured, words};
use crate::model::cluster_seen::EndpointSeen;
use crate::model::units::Span;
use crate::model::verdict::ClaimReport;

/// `endpointsDropped: {target: web, within: 2s}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    pub target: String,
    /// From fault effective.
    pub within: Span,
    /// Only of this Service, `NAMESPACE/NAME`; of every Service unless told.
    #[serde(default)]
    pub service: Option<String>,
}

pub struct EndpointsDropped;

/// What the watch must have told.
const NEEDS: &[&str] = &["pods", "endpointslices"];

impl CheckKind for EndpointsDropped {
    type Params = Params;

    const KIND: &'static str = "endpointsDropped";
    const SUMMARY: &'static str =
        "Services send nothing any more to the target's lost pods in time";
    const EXAMPLE: &'static str = "endpointsDropped: {target: web, within: 2s}";
    const IN_CLUSTER: bool = true;

    fn target(params: &Params) -> Option<&str> {
        Some(&params.target)
    }

    fn judge(params: &Params, measured: &Measured) -> ClaimReport {
        let (target, within) = (&params.target, params.within);
        let service = params.service.as_deref();
        let of = service.map(|service| format!(" of {service}")).unwrap_or_default();
        let claim = format!("endpoints{of} of lost pods of {target} dropped within {within}");
        let asked = Asked::at_most(Self::KIND, "", (claim, within));
        if measured.null {
            let asked = Asked {
                claim: format!("no endpoint{of} of {target} is dropped"),
                limit: 0.0,
                unit: "endpoints",
                ..asked
            };
            return measured.on_hit(asked, (target, NEEDS), |hit| none_dropped(hit, service));
        }
        measured.on_hit(asked, (target, NEEDS), |hit| drawn(hit, service))
    }
}

fn drawn(hit: &Hit, service: Option<&str>) -> Result<Drawn, String> {
    let affected = hit.affected();
    if affected.is_empty() {
        return Err(format!("no pod of {} was lost", hit.words()));
    }
    let all = hit.endpoints(service);
    let lost: Vec<_> = all.into_iter().filter(|(uid, _)| affected.contains(uid)).collect();
    if lost.is_empty() {
        let service = service.map_or("no Service".to_owned(), |s| format!("Service {s} not"));
        let of = hit.words();
        return Err(format!("{service} sent traffic to the lost pods of {of} when the fault came"));
    }
    let kept = lost.iter().filter(|(_, all)| hit.dropped(all).is_none());
    let kept: Vec<&str> =
        kept.filter_map(|(_, all)| Some(all.first()?.seen.pod.as_str())).collect();
    if !kept.is_empty() {
        let finding = format!("still in use: {}", kept.join(", "));
        return Ok(hit.not_yet(finding, "they were dropped"));
    }
    let dropped = lost.iter().filter_map(|(_, all)| hit.dropped(all));
    let Some(at) = dropped.max_by_key(|at| at.at_ns) else {
        return Err("no endpoint was seen".to_owned());
    };
    let (measured, error, after) = hit.span(at);
    let (pod, of) = (&at.seen.pod, &at.seen.service);
    let all = words::counted(length(lost.len()), "endpoint");
    let finding = format!("{all} dropped after {after}: the last is {pod} of {of}");
    let figure = Figure { measured, error, finding, bound: None };
    Ok(Drawn { figure, to_ns: at.at_ns })
}

fn none_dropped(hit: &Hit, service: Option<&str>) -> Result<Drawn, String> {
    let all = hit.endpoints(service);
    if all.is_empty() {
        return Err(format!("no Service was seen to send traffic to {}", hit.words()));
    }
    let dropped = all.iter().filter_map(|(_, all)| hit.dropped(all));
    let dropped: Vec<&str> = dropped.map(|at| at.seen.pod.as_str()).collect();
    let finding = match dropped.as_slice() {
        [] => "none was; a null drill breaks nothing".to_owned(),
        dropped => format!("without a fault these were: {}", dropped.join(", ")),
    };
    let measured = count(length(dropped.len()));
    let figure = Figure { measured, error: 0.0, finding, bound: None };
    Ok(Drawn { figure, to_ns: hit.end_ns })
}

/// All that was told of one pod in one slice, with the pod's UID.
type OfPod<'a> = (&'a str, Vec<At<'a, EndpointSeen>>);

impl<'a> Hit<'a> {
    /// Endpoints of the workloads' pods that were in use when the fault came.
    #[must_use]
    pub fn endpoints(&self, service: Option<&str>) -> Vec<OfPod<'a>> {
        let ours = |uid: &str| {
            let pod = self.watched.pods.get(uid).and_then(|all| all.first());
            pod.is_some_and(|at| self.workloads.contains(&at.seen.workload))
        };
        let used = |all: &[At<EndpointSeen>]| {
            last(all, self.began_ns)
                .is_some_and(|e| e.ready && service.is_none_or(|service| e.service == service))
        };
        let all = self.watched.endpoints.iter();
        all.filter(|((_, uid), all)| ours(uid) && used(all))
            .map(|((_, uid), all)| (*uid, all.clone()))
            .collect()
    }

    /// When it was no longer in use.
    #[must_use]
    pub fn dropped<'h>(&self, all: &'h [At<'a, EndpointSeen>]) -> Option<&'h At<'a, EndpointSeen>> {
        all.iter().find(|at| at.at_ns > self.began_ns && at.at_ns <= self.end_ns && !at.seen.ready)
    }
}
