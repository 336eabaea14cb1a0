//! The stages of a repair by a cluster: traffic taken off, the node found lost, pods evicted,
//! replaced, bound and ready.
//!
//! They speak of the target that lost the most pods. Each stage is the last of its kind where there
//! are several pods, but the node and the eviction, which are the first.

use super::axis::seconds;
use super::hit::{Hit, Hits};
use super::ready::{self, Back};
use super::watched::{At, last};
use super::window::Frame;
use crate::model::cluster_seen::{NodeSeen, PodSeen};
use crate::model::verdict::Stage;

/// In no order; empty where no pod of a target was lost.
#[must_use]
pub fn stages(hits: &Hits, frame: &Frame) -> Vec<Stage> {
    let affected = |hit: &&Hit| hit.affected().len();
    let most = hits.values().flatten().filter(|hit| affected(hit) > 0).max_by_key(affected);
    let Some(hit) = most else { return Vec::new() };
    let told = |at: (u64, u64), name: &str, seen_by: String| Stage {
        name: name.to_owned(),
        at_seconds: frame.axis().at(at.0).max(0.0),
        error_seconds: seconds(at.1),
        seen_by: format!("the watch, as it reached us: {seen_by}"),
    };
    let mut stages = Vec::new();
    if let Some((at, service)) = dropped(hit) {
        stages.push(told(at, "endpoint dropped", service));
    }
    if let Some(at) = not_ready(hit) {
        let said = server(at.seen.ready_since.as_ref());
        let seen_by = format!("node {} is {}{said}", at.seen.name, at.seen.ready);
        stages.push(told((at.at_ns, at.late_ns), "node not ready", seen_by));
    }
    if let Some(at) = evicted(hit) {
        let why = at.seen.disrupted.as_deref().unwrap_or("somebody deleted it");
        let seen_by = format!("pod {}: {why}", at.seen.name);
        stages.push(told((at.at_ns, at.late_ns), "pod evicted", seen_by));
    }
    if let Some(at) = bound(hit) {
        let node = at.seen.node.as_deref().unwrap_or_default();
        let said = server(at.seen.bound_since.as_ref());
        let seen_by = format!("pod {} is on {node}{said}", at.seen.name);
        stages.push(told((at.at_ns, at.late_ns), "pod scheduled", seen_by));
    }
    if let Ok(ready::Ready { wanted, back: Back::At { at_ns, late_ns }, .. }) =
        ready::ready(hit, None)
    {
        let seen_by = format!("{wanted} of {wanted} pods of {}", hit.words());
        stages.push(told((at_ns, late_ns), "pods ready", seen_by));
    }
    stages
}

/// The server's own time, for comparison.
fn server(at: Option<&String>) -> String {
    at.map(|at| format!("; the server says {at}")).unwrap_or_default()
}

fn dropped(hit: &Hit) -> Option<((u64, u64), String)> {
    let affected = hit.affected();
    let all = hit.endpoints(None).into_iter().filter(|(uid, _)| affected.contains(uid));
    let mut latest = None;
    for (_, all) in all {
        let at = hit.dropped(&all)?;
        if latest.as_ref().is_none_or(|((at_ns, _), _)| *at_ns < at.at_ns) {
            latest =
                Some(((at.at_ns, at.late_ns), format!("{} of {}", at.seen.pod, at.seen.service)));
        }
    }
    latest
}

/// The first node that pods were lost with.
fn not_ready<'a>(hit: &Hit<'a>) -> Option<At<'a, NodeSeen>> {
    let affected = hit.affected();
    let known = |uid: &&str| {
        let pod = hit.watched.pods.get(*uid).and_then(|all| last(all, hit.began_ns))?;
        pod.node.as_deref()
    };
    let nodes: Vec<&str> = affected.iter().filter_map(known).collect();
    let of = hit.watched.nodes.iter().filter(|(name, _)| nodes.contains(name));
    let lost = of.filter_map(|(_, all)| {
        let was = last(all, hit.began_ns).is_some_and(|node| node.ready == "True");
        let fell = |at: &&At<NodeSeen>| hit.holds(at.at_ns) && at.seen.ready != "True";
        all.iter().find(fell).filter(|_| was).copied()
    });
    lost.min_by_key(|at| at.at_ns)
}

/// The first pod that was told to go by somebody else than us.
fn evicted<'a>(hit: &Hit<'a>) -> Option<At<'a, PodSeen>> {
    let by_others =
        |(uid, at): &(&str, At<PodSeen>)| at.seen.disrupted.is_some() || !hit.named.contains(uid);
    let lost = hit.lost().into_iter().filter(by_others);
    lost.map(|(_, at)| at).filter(|at| at.seen.deleting).min_by_key(|at| at.at_ns)
}

/// The last of the new pods to be bound, where there is one for each that was lost.
fn bound<'a>(hit: &Hit<'a>) -> Option<At<'a, PodSeen>> {
    let first = |all: &[At<'a, PodSeen>]| all.iter().find(|at| at.seen.node.is_some()).copied();
    let mut bound: Vec<_> = hit.new_pods().into_iter().filter_map(first).collect();
    bound.sort_by_key(|at| at.at_ns);
    let needed = hit.to_replace().len();
    bound.get(needed.checked_sub(1)?).copied()
}
