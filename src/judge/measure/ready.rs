//! How many pods of a target's workloads were ready, and since when there were enough again.

use std::collections::BTreeMap;

use super::axis::length;
use super::hit::{Hit, Hits};
use super::window::Frame;
use crate::model::verdict::RoleSpan;

/// The number of ready pods over the window.
#[derive(Debug, Clone, PartialEq)]
pub struct Ready {
    pub wanted: u64,
    /// The fewest that were seen.
    pub worst: u64,
    pub at_last: u64,
    pub back: Back,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Back {
    /// There were never too few.
    NeverShort,
    /// Enough for good since then; so late the news may have been, nanoseconds.
    At { at_ns: u64, late_ns: u64 },
    /// There were too few when the watch ended.
    NotYet,
}

/// Counts. Each workload must have as many as it wanted when the fault came; with `at_least`, all
/// together must have so many.
///
/// Errors: what is wanted is not known, or is nothing.
pub fn ready(hit: &Hit, at_least: Option<u64>) -> Result<Ready, String> {
    let wanted = wanted(hit);
    let total = at_least.unwrap_or_else(|| wanted.values().sum());
    if total == 0 {
        return Err(format!("no pod of {} was wanted when the fault came", hit.words()));
    }
    let enough = |ready: &BTreeMap<&str, u64>| match at_least {
        Some(total) => ready.values().sum::<u64>() >= total,
        None => wanted.iter().all(|(of, wanted)| ready.get(of).copied().unwrap_or(0) >= *wanted),
    };
    let before = counts(hit, hit.began_ns);
    let (mut short, mut worst) = (!enough(&before), before.values().sum());
    let mut back = if short { Back::NotYet } else { Back::NeverShort };
    for (at_ns, late_ns) in moments(hit) {
        let now = counts(hit, at_ns);
        worst = now.values().sum::<u64>().min(worst);
        match (short, enough(&now)) {
            (true, true) => back = Back::At { at_ns, late_ns },
            (false, false) => back = Back::NotYet,
            _ => {}
        }
        short = !enough(&now);
    }
    let in_the_end = counts(hit, hit.end_ns).values().sum();
    Ok(Ready { wanted: total, worst, at_last: in_the_end, back })
}

/// Of each workload; where it does not say itself, as many as were ready.
fn wanted<'h>(hit: &'h Hit) -> BTreeMap<&'h str, u64> {
    let ready = counts(hit, hit.began_ns);
    let of = |workload: &'h String| {
        let told = hit.watched.desired_at(workload, hit.began_ns);
        (
            workload.as_str(),
            told.unwrap_or_else(|| ready.get(workload.as_str()).copied().unwrap_or(0)),
        )
    };
    hit.workloads.iter().map(of).collect()
}

/// Ready pods of each workload at that time.
fn counts<'h>(hit: &'h Hit, at_ns: u64) -> BTreeMap<&'h str, u64> {
    let mut counts = BTreeMap::new();
    for pod in hit.watched.pods_at(&hit.workloads, at_ns).filter(|pod| pod.serves()) {
        *counts.entry(pod.workload.as_str()).or_default() += 1;
    }
    counts
}

/// Every moment of the window at which a pod changed, in order.
fn moments(hit: &Hit) -> Vec<(u64, u64)> {
    let all = hit.watched.moments(&hit.workloads).into_iter();
    all.filter(|(at_ns, _)| *at_ns > hit.began_ns && *at_ns <= hit.end_ns).collect()
}

/// Spans of one number of ready pods, for each workload that any target has.
#[must_use]
pub fn spans(hits: &Hits, frame: &Frame) -> Vec<RoleSpan> {
    let mut spans: BTreeMap<&str, Vec<RoleSpan>> = BTreeMap::new();
    for hit in hits.values().flatten() {
        for workload in &hit.workloads {
            spans.entry(workload).or_insert_with(|| lane(hit, workload, frame));
        }
    }
    spans.into_values().flatten().collect()
}

/// `2 of 3 ready`, from one change to the next.
fn lane(hit: &Hit, workload: &str, frame: &Frame) -> Vec<RoleSpan> {
    let axis = frame.axis();
    let only = std::iter::once(workload.to_owned()).collect();
    let mut spans: Vec<RoleSpan> = Vec::new();
    for (at_ns, _) in hit.watched.moments(&only) {
        let ready = hit.watched.pods_at(&only, at_ns).filter(|pod| pod.serves()).count();
        let wanted = hit.watched.desired_at(workload, at_ns);
        let wanted = wanted.map(|wanted| format!(" of {wanted}")).unwrap_or_default();
        let role = format!("{}{wanted} ready", length(ready));
        let from_seconds = axis.at(at_ns);
        if let Some(last) = spans.last_mut() {
            if last.role == role {
                continue;
            }
            last.to_seconds = from_seconds;
        }
        spans.push(RoleSpan {
            instance: workload.to_owned(),
            role,
            from_seconds,
            to_seconds: axis.at(frame.seen_to_ns.max(at_ns)),
        });
    }
    spans
}
