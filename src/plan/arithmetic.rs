//! The arithmetic of the mechanism: from a cluster's own timers to what a step should make happen,
//! and by when.
//!
//! A node's lease is renewed every quarter of its length; the controller looks at it at each of its
//! rounds, and calls the node `NotReady` at the first round at which it has seen no renewal for the
//! whole grace period. So from the moment of a cut the earliest is the grace less one renewal, and
//! the latest the grace and two rounds: one until the last renewal was seen, one until the grace
//! was seen to be over.

mod timers;

use std::collections::{BTreeMap, BTreeSet};

use super::ground::Ground;
use crate::model::cluster::Resource;
use crate::model::expectation::{Expectation, Impact, Milestone};
use crate::model::experiment::{Footprint, Peers, Step};
use crate::model::inventory::Candidate;
use crate::model::kubernetes::{CONTROL_PLANE, Component};
use crate::model::units::Span;
use timers::Timers;

/// What a controller needs to hear of it and to write down what follows.
const SETTLES: Span = Span::secs(1);
/// From the last container's end until the API server has forgotten the pod.
const FORGETS: Span = Span::secs(3);

/// One expectation before those that are alike are put together.
struct Expected {
    milestone: Milestone,
    subject: String,
    range: (Span, Option<Span>),
    because: String,
    assumed: Vec<String>,
}

/// Everything that can be said of the steps, in their order.
#[must_use]
pub fn expectations(ground: &Ground) -> Vec<Expectation> {
    let mut all = Vec::new();
    for (number, step) in ground.experiment.method.iter().enumerate() {
        let reach: Vec<&Candidate> =
            step.facts.subjects.iter().flat_map(|target| ground.reach(target)).collect();
        let expected = match step.impact {
            Impact::Uncounted => Vec::new(),
            Impact::Silences | Impact::Freezes | Impact::Stops => {
                silent(ground, (number, step), &reach)
            }
            Impact::Ends { grace, forced } => {
                ended(ground, &pods_of(ground, step, &reach), (grace, forced))
            }
            Impact::Rolls => rolled(ground, &reach),
        };
        all.extend(together(number, expected));
    }
    all
}

/// Nodes whose lease is not renewed any more, and the pods on them.
fn silent(ground: &Ground, (number, step): (usize, &Step), reach: &[&Candidate]) -> Vec<Expected> {
    // Whoever is started again renews its lease long before the grace is over.
    let silenced = reach.iter().filter(|candidate| match step.impact {
        Impact::Silences => is_cut_off(ground, (number, step), candidate),
        Impact::Freezes => is_kubelet(candidate),
        _ => is_kubelet(candidate) && candidate.stays_down(),
    });
    let hosts: BTreeSet<&str> = silenced.map(|candidate| candidate.host.name.as_str()).collect();
    let mut expected = Vec::new();
    for node in ground.candidates().filter(|c| c.resource() == Some(Resource::Node)) {
        if !hosts.contains(node.host.name.as_str()) {
            continue;
        }
        let timers = Timers::of(ground, node);
        let lost = timers.not_ready();
        expected.push(Expected {
            milestone: Milestone::NodeNotReady,
            subject: format!("node {}", node.host.name),
            range: (lost.0, Some(lost.1)),
            because: timers.lease_words(),
            assumed: timers.assumed(),
        });
        let on = ground.candidates().filter(|c| c.is_pod() && c.host.name == node.host.name);
        let workloads: BTreeSet<&str> = on.map(|pod| pod.service.as_str()).collect();
        for workload in workloads {
            expected.extend(left(&timers, workload, lost));
        }
    }
    expected
}

fn is_kubelet(candidate: &Candidate) -> bool {
    candidate.object.is_none() && candidate.service == Component::Kubelet.service()
}

/// Does it reach the API server no more?
fn is_cut_off(ground: &Ground, (number, step): (usize, &Step), candidate: &Candidate) -> bool {
    if step.facts.footprint != Footprint::Host {
        return false;
    }
    match &step.facts.peers {
        Peers::None => false,
        Peers::Everyone => true,
        Peers::Some { .. } => ground
            .far_end(number, &step.facts.peers, &candidate.name)
            .ok()
            .flatten()
            .is_some_and(|end| end.hosts.iter().any(|host| host.name == CONTROL_PLANE)),
    }
}

/// What becomes of a workload's pods on a node that is `NotReady` from then on.
fn left(timers: &Timers, workload: &str, (earliest, latest): (Span, Span)) -> Vec<Expected> {
    let mut expected = vec![Expected {
        milestone: Milestone::EndpointDropped,
        subject: workload.to_owned(),
        range: (earliest, Some(plus(latest, SETTLES))),
        because: "with NotReady".to_owned(),
        assumed: timers.assumed(),
    }];
    // A DaemonSet's pods tolerate it for ever.
    if let Some((tolerates, assumed)) = timers.tolerates(workload) {
        let words = format!("{tolerates} tolerated after NotReady");
        expected.push(Expected {
            milestone: Milestone::PodEvicted,
            subject: workload.to_owned(),
            range: (plus(earliest, tolerates), Some(plus(plus(latest, tolerates), SETTLES))),
            because: match workload.split(' ').next() {
                Some("statefulset") => {
                    format!("{words}; none takes its place before the node is back")
                }
                _ => words,
            },
            assumed: timers.assumed().into_iter().chain(assumed).collect(),
        });
    }
    expected
}

/// Pods that a step ends: those hit, or those on a node that is hit.
fn pods_of<'a>(ground: &Ground<'a>, step: &Step, reach: &[&'a Candidate]) -> Vec<&'a Candidate> {
    if step.facts.footprint != Footprint::Node {
        return reach.iter().copied().filter(|candidate| candidate.is_pod()).collect();
    }
    let hosts: BTreeSet<&str> = reach.iter().map(|node| node.host.name.as_str()).collect();
    let on = |c: &&Candidate| c.is_pod() && hosts.contains(c.host.name.as_str());
    // Whoever drains leaves the pods of a DaemonSet: they would be back at once.
    let stays = |c: &&Candidate| c.service.starts_with("daemonset ");
    ground.candidates().filter(|c| on(c) && !stays(c)).collect()
}

fn ended(
    ground: &Ground,
    pods: &[&Candidate],
    (grace, forced): (Option<Span>, bool),
) -> Vec<Expected> {
    let mut expected = Vec::new();
    let mut seen = BTreeSet::new();
    for pod in pods.iter().filter(|pod| seen.insert(pod.service.as_str())) {
        let timers = Timers::of(ground, pod);
        let (own, assumed) = timers.grace(&pod.service);
        let (within, because, assumed) = match (forced, grace) {
            (true, _) => (Span::ZERO, "by force: its containers may live on".to_owned(), None),
            (false, Some(grace)) => (grace, format!("grace {grace}"), None),
            (false, None) => (own, format!("terminationGracePeriodSeconds {own}"), assumed),
        };
        let mut say = |milestone, latest, because: &str, assumed: Option<String>| {
            expected.push(Expected {
                milestone,
                subject: pod.service.clone(),
                range: (Span::ZERO, Some(latest)),
                because: because.to_owned(),
                assumed: assumed.into_iter().collect(),
            });
        };
        say(Milestone::EndpointDropped, SETTLES, "as soon as it is told to end", None);
        say(Milestone::PodGone, plus(within, FORGETS), &because, assumed);
    }
    expected
}

fn rolled(ground: &Ground, reach: &[&Candidate]) -> Vec<Expected> {
    let of = |candidate: &&Candidate| {
        let (at_least, because) = Timers::of(ground, candidate).rollout(&candidate.service)?;
        Some(Expected {
            milestone: Milestone::RolloutComplete,
            subject: candidate.service.clone(),
            range: (at_least, None),
            because,
            assumed: Vec::new(),
        })
    };
    reach.iter().filter_map(of).collect()
}

/// Those that are alike are one expectation of several subjects.
fn together(step: usize, expected: Vec<Expected>) -> Vec<Expectation> {
    let mut alike = BTreeMap::new();
    for Expected { milestone, subject, range, because, assumed } in expected {
        let one = alike.entry((milestone, range, because.clone())).or_insert_with(|| {
            let (earliest, latest) = range;
            let subjects = Vec::new();
            Expectation {
                step,
                milestone,
                subjects,
                earliest,
                latest,
                because,
                assumed: Vec::new(),
            }
        });
        let assumed: Vec<String> =
            assumed.into_iter().filter(|name| !one.assumed.contains(name)).collect();
        one.assumed.extend(assumed);
        if !one.subjects.contains(&subject) {
            one.subjects.push(subject);
        }
    }
    alike.into_values().collect()
}

fn plus(a: Span, b: Span) -> Span {
    Span(a.0.saturating_add(b.0))
}

#[cfg(test)]
mod tests;
