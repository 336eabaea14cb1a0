//! The stages of a failover: fault effective, first bad, role moved, first good, stable.
//!
//! They speak of one probe: the one with the longest outage among those that claims name, or among
//! all where no claim names one. `first good` is where that longest outage ended. Stages come in
//! ascending order; a role, which is known only to within its polling, is moved by at most that
//! much to stand between its neighbours.
//!
//! Where a cluster repairs, what it did stands between them: see `cluster_stage`.

use std::collections::BTreeMap;

use super::cluster_stage;
use super::hit::Hits;
use super::probe::ProbeFigures;
use super::role::{Moved, RoleMoves};
use super::timeline::Timeline;
use super::window::Frame;
use crate::model::verdict::{Outage, Stage};

/// In ascending order; empty where no fault was in force.
#[must_use]
pub fn stages(
    timeline: &Timeline,
    frame: &Frame,
    probes: &BTreeMap<String, ProbeFigures>,
    moves: &RoleMoves,
    hits: &Hits,
) -> Vec<Stage> {
    let Some(first) = timeline.effective.iter().min_by_key(|e| e.effective_ns) else {
        return Vec::new();
    };
    let mut stages = vec![Stage {
        name: "fault effective".to_owned(),
        at_seconds: 0.0,
        error_seconds: frame.zero_error(),
        seen_by: format!("the injector: {}", first.evidence),
    }];
    let spoken = speaker(timeline, probes);
    if let Some((name, probe, outage)) = spoken {
        stages.extend(service_stages(name, probe, outage));
    }
    let seen = moves.values().filter_map(|m| m.as_ref().ok()?.to.as_ref());
    if let Some(moved) = seen.min_by_key(|moved| moved.at_ns) {
        stages.push(role_stage(moved, frame, spoken.map(|(_, _, outage)| outage)));
    }
    stages.extend(cluster_stage::stages(hits, frame));
    in_order(stages)
}

/// Stages in the order in which one leads to another. What came in one instant came in this order.
const ORDER: [&str; 10] = [
    "fault effective",
    "first bad",
    "endpoint dropped",
    "node not ready",
    "pod evicted",
    "role moved",
    "pod scheduled",
    "pods ready",
    "first good",
    "stable",
];

/// What of a cluster is a cause, and what its effect. News of the two come by different watches.
const CAUSES: [(&str, &str); 3] = [
    ("node not ready", "pod evicted"),
    ("pod evicted", "pod scheduled"),
    ("pod scheduled", "pods ready"),
];

/// A cause that seems later than its effect by no more than their errors is moved before it.
fn in_order(mut stages: Vec<Stage>) -> Vec<Stage> {
    for (cause, effect) in CAUSES.iter().rev() {
        let find = |name: &str| stages.iter().position(|stage| stage.name == name);
        let (Some(cause), Some(effect)) = (find(cause), find(effect)) else { continue };
        let late = stages[cause].at_seconds - stages[effect].at_seconds;
        let errors = stages[cause].error_seconds + stages[effect].error_seconds;
        if late > 0.0 && late <= errors {
            stages[cause].at_seconds = stages[effect].at_seconds;
        }
    }
    let rank = |stage: &Stage| ORDER.iter().position(|name| *name == stage.name);
    stages.sort_by(|a, b| a.at_seconds.total_cmp(&b.at_seconds).then(rank(a).cmp(&rank(b))));
    stages
}

/// The probe that the stages speak of, with its longest outage.
fn speaker<'a>(
    timeline: &Timeline,
    probes: &'a BTreeMap<String, ProbeFigures>,
) -> Option<(&'a str, &'a ProbeFigures, &'a Outage)> {
    let experiment = &timeline.opened.plan.experiment;
    let claims = experiment.hypothesis.iter().chain(&experiment.stop_conditions);
    let named: Vec<&str> = claims.filter_map(|claim| claim.probe.as_deref()).collect();
    let longest = |only_named: bool| {
        probes
            .iter()
            .filter(|(name, _)| !only_named || named.contains(&name.as_str()))
            .filter_map(|(name, probe)| Some((name.as_str(), probe, probe.longest()?)))
            .max_by(|a, b| a.2.length_seconds.total_cmp(&b.2.length_seconds))
    };
    longest(true).or_else(|| longest(false))
}

fn service_stages(name: &str, probe: &ProbeFigures, outage: &Outage) -> Vec<Stage> {
    let seen_by = format!("probe {name} at {}/s", probe.report.rate_per_second);
    let stage = |stage: &str, at_seconds: f64, error_seconds: f64| Stage {
        name: stage.to_owned(),
        // Nothing breaks before the fault: what was seen a little earlier broke as it came.
        at_seconds: at_seconds.max(0.0),
        error_seconds,
        seen_by: seen_by.clone(),
    };
    let mut stages = Vec::new();
    if let Some(first_bad) = probe.report.first_bad_seconds {
        stages.push(stage("first bad", first_bad, outage.error_seconds));
    }
    if outage.ended {
        stages.push(stage("first good", outage.to_seconds, outage.error_seconds));
    }
    if let Some(stable) = probe.report.stable_seconds {
        stages.push(stage("stable", stable, probe.recovery.error));
    }
    stages
}

fn role_stage(moved: &Moved, frame: &Frame, outage: Option<&Outage>) -> Stage {
    let at = frame.axis().at(moved.at_ns).max(0.0);
    let error = moved.error();
    let back = outage.filter(|outage| outage.ended).map(|outage| outage.to_seconds);
    let at_seconds = back.filter(|back| at > *back && at - back <= error).unwrap_or(at);
    Stage {
        name: "role moved".to_owned(),
        at_seconds,
        error_seconds: error,
        seen_by: moved.seen_by(),
    }
}
