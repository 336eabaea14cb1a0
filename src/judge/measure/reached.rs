//! When each milestone that the plan expects was reached, as the watch of the cluster told it,
//! counted from the injection that brought it about.

use std::collections::{BTreeMap, BTreeSet};

use super::axis::seconds;
use super::timeline::Timeline;
use super::watched::{At, Watched, clusters, last};
use crate::judge::arithmetic::Reached;
use crate::model::cluster_seen::{NodeSeen, PodSeen, WorkloadSeen};
use crate::model::expectation::{Expectation, Milestone};
use crate::model::history::Effective;

/// A time of arrival, and how long it may have been under way; nanoseconds.
type Moment = (u64, u64);

/// In the order of the plan's expectations; what was never seen is not in it.
#[must_use]
pub fn reached(timeline: &Timeline) -> Vec<Reached> {
    let clusters = clusters(timeline);
    let mut all = Vec::new();
    for expected in &timeline.opened.plan.expectations {
        for subject in &expected.subjects {
            let of_step = timeline.effective.iter().filter(|e| e.step == expected.step);
            let seen = of_step.flat_map(|effective| {
                let moments = clusters
                    .values()
                    .filter_map(move |watched| moment(watched, (expected, subject), effective));
                moments.map(move |moment| (effective.effective_ns, moment))
            });
            // Of several that were hit the slowest is compared.
            let slowest = seen.max_by_key(|(zero_ns, (at_ns, _))| at_ns.saturating_sub(*zero_ns));
            all.extend(slowest.map(|(zero_ns, (at_ns, late_ns))| Reached {
                step: expected.step,
                milestone: expected.milestone,
                subject: subject.clone(),
                seconds: seconds(at_ns.saturating_sub(zero_ns)),
                error: seconds(late_ns),
            }));
        }
    }
    all
}

fn moment(
    watched: &Watched,
    (expected, subject): (&Expectation, &str),
    effective: &Effective,
) -> Option<Moment> {
    let from_ns = effective.effective_ns;
    match expected.milestone {
        Milestone::NodeNotReady => {
            let node = subject.strip_prefix("node ")?;
            let lost = |node: &NodeSeen| node.ready != "True" || node.gone;
            (host(effective) == Some(node))
                .then(|| first(watched.nodes.get(node)?, from_ns, lost))?
        }
        Milestone::EndpointDropped => {
            let struck = struck(watched, subject, effective);
            let of = watched.endpoints.iter().filter(|((_, uid), _)| struck.contains(uid));
            of.filter_map(|(_, all)| first(all, from_ns, |e| !e.ready || e.gone)).max()
        }
        Milestone::PodEvicted => {
            pods(watched, subject, effective, |pod: &PodSeen| pod.deleting || pod.gone).min()
        }
        Milestone::PodGone => pods(watched, subject, effective, |pod: &PodSeen| pod.gone).max(),
        Milestone::RolloutComplete => {
            let all = watched.workloads.get(subject)?;
            let before = last(all, from_ns).map_or(0, |seen| seen.generation);
            let done = |seen: &WorkloadSeen| seen.generation > before && seen.is_complete();
            first(all, from_ns, done)
        }
    }
}

/// Of each pod of the workload that the injection is on.
fn pods<'w>(
    watched: &'w Watched,
    workload: &str,
    effective: &'w Effective,
    is: fn(&PodSeen) -> bool,
) -> impl Iterator<Item = Moment> + 'w {
    let struck: BTreeSet<String> =
        struck(watched, workload, effective).into_iter().map(str::to_owned).collect();
    let of: BTreeMap<_, _> =
        watched.pods.iter().filter(|(uid, _)| struck.contains(**uid)).collect();
    of.into_values().filter_map(move |all| first(all, effective.effective_ns, is))
}

/// UIDs of the workload's pods that were hit, or that were on the node that was.
fn struck<'a>(watched: &Watched<'a>, workload: &str, effective: &Effective) -> BTreeSet<&'a str> {
    let name = effective.instance.0.rsplit(':').next().unwrap_or_default();
    let host = host(effective);
    let hit = |pod: &PodSeen| {
        let named = format!("{}/{}", pod.namespace, pod.name) == name;
        pod.workload == workload
            && !pod.gone
            && (named || (host.is_some() && pod.node.as_deref() == host))
    };
    let then = watched.pods.values().filter_map(|all| last(all, effective.began_ns));
    then.filter(|pod| hit(pod)).map(|pod| pod.uid.as_str()).collect()
}

/// The node that the injection is on: `node/n1`, or a host of the lab, `kubelet@n1`.
fn host(effective: &Effective) -> Option<&str> {
    let name = effective.instance.0.rsplit(':').next()?;
    name.strip_prefix("node/").or_else(|| Some(name.split_once('@')?.1))
}

fn first<T>(all: &[At<T>], from_ns: u64, is: impl Fn(&T) -> bool) -> Option<Moment> {
    let mut after = all.iter().filter(|at| at.at_ns >= from_ns);
    after.find(|at| is(at.seen)).map(|at| (at.at_ns, at.late_ns))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::scripted::Drill;
    use crate::model::cluster_seen::{ClusterFact, ClusterSeen, EndpointSeen};
    use crate::model::history::{Entry, Record};
    use crate::model::id::{DrillId, InjectionId};
    use crate::model::inventory::InstanceName;
    use crate::model::units::Span;

    const S: u64 = 1_000_000_000;
    const WEB: &str = "deployment web/web";

    fn fact(at_s: u64, fact: ClusterFact) -> Record {
        let seen = ClusterSeen { context: "lab".into(), late_ns: S / 10, listed: false, fact };
        Record { at_ns: at_s * S, entry: Entry::Cluster(Box::new(seen)) }
    }

    fn pod(at_s: u64, name: &str, node: &str, change: fn(&mut PodSeen)) -> Record {
        let mut pod = PodSeen {
            namespace: "web".into(),
            name: name.into(),
            uid: format!("uid-{name}"),
            workload: WEB.into(),
            node: Some(node.into()),
            ..PodSeen::default()
        };
        change(&mut pod);
        fact(at_s, ClusterFact::Pod(pod))
    }

    fn node(at_s: u64, name: &str, ready: &str) -> Record {
        let seen = NodeSeen { name: name.into(), ready: ready.into(), ..NodeSeen::default() };
        fact(at_s, ClusterFact::Node(seen))
    }

    fn endpoint(at_s: u64, pod: &str, ready: bool) -> Record {
        let (slice, uid) = ("web-1".into(), format!("uid-{pod}"));
        let seen = EndpointSeen { slice, uid, ready, ..EndpointSeen::default() };
        fact(at_s, ClusterFact::Endpoint(seen))
    }

    /// A history in which `instance` is hit at 100 s, and these things are told.
    fn told(instance: &str, expected: &[(Milestone, &str)], facts: Vec<Record>) -> Vec<Reached> {
        let mut records = Drill::default().records();
        let Some(Entry::Opened(opened)) = records.first_mut().map(|record| &mut record.entry)
        else {
            panic!("no first line")
        };
        let of = |(milestone, subject): &(Milestone, &str)| Expectation {
            step: 7,
            milestone: *milestone,
            subjects: vec![(*subject).to_owned()],
            earliest: Span::secs(1),
            latest: None,
            because: String::new(),
            assumed: Vec::new(),
        };
        opened.plan.expectations = expected.iter().map(of).collect();
        let effective = Effective {
            injection: InjectionId { drill: DrillId::from_bits(1), number: 9 },
            step: 7,
            instance: InstanceName(instance.into()),
            kind: "someFault".into(),
            began_ns: 100 * S,
            effective_ns: 100 * S,
            evidence: String::new(),
        };
        let closed = records.pop();
        records.push(Record { at_ns: 100 * S, entry: Entry::Effective(effective) });
        records.extend(facts);
        records.extend(closed);
        reached(&Timeline::read(&records).unwrap())
    }

    fn figures(reached: &[Reached]) -> Vec<(Milestone, f64)> {
        reached.iter().map(|one| (one.milestone, one.seconds)).collect()
    }

    #[test]
    fn a_node_that_is_lost_takes_its_own_pods() {
        let expected = [
            (Milestone::NodeNotReady, "node n1"),
            (Milestone::NodeNotReady, "node n2"),
            (Milestone::EndpointDropped, WEB),
            (Milestone::PodEvicted, WEB),
        ];
        let facts = || {
            vec![
                pod(90, "a", "n1", |_| ()),
                pod(90, "b", "n2", |_| ()),
                endpoint(90, "a", true),
                node(90, "n1", "True"),
                pod(101, "b", "n2", |pod| pod.deleting = true),
                endpoint(102, "b", false),
                node(103, "n2", "Unknown"),
                node(108, "n1", "Unknown"),
                endpoint(109, "a", false),
                pod(113, "a", "n1", |pod| pod.deleting = true),
            ]
        };
        let lost = [
            (Milestone::NodeNotReady, 8.0),
            (Milestone::EndpointDropped, 9.0),
            (Milestone::PodEvicted, 13.0),
        ];
        let cut = told("kubelet@n1", &expected, facts());
        assert_eq!(figures(&cut), lost);
        assert!((cut[0].error - 0.1).abs() < 1e-9);
        assert_eq!(figures(&told("node/n1", &expected, facts())), lost);
        assert_eq!(figures(&told("lab:node/n1", &expected, facts())), lost);
    }

    #[test]
    fn a_pod_is_known_by_its_uid_from_before_it_was_hit() {
        let facts = vec![
            pod(90, "a", "n1", |_| ()),
            pod(104, "a", "n1", |pod| pod.gone = true),
            pod(105, "c", "n1", |_| ()),
            pod(120, "c", "n1", |pod| pod.gone = true),
        ];
        let gone = told("web/a", &[(Milestone::PodGone, WEB)], facts);
        assert_eq!(figures(&gone), [(Milestone::PodGone, 4.0)]);
    }

    #[test]
    fn a_rollout_is_complete_when_a_newer_one_is() {
        let workload = |at_s, generation, updated| {
            let mut seen = WorkloadSeen { workload: WEB.into(), desired: 2, ..Default::default() };
            (seen.replicas, seen.available, seen.ready, seen.updated) = (2, 2, 2, updated);
            (seen.generation, seen.observed_generation) = (generation, generation);
            fact(at_s, ClusterFact::Workload(seen))
        };
        let facts =
            vec![workload(90, 1, 2), workload(101, 1, 2), workload(102, 2, 1), workload(107, 2, 2)];
        let done = told("deployment/web/web", &[(Milestone::RolloutComplete, WEB)], facts);
        assert_eq!(figures(&done), [(Milestone::RolloutComplete, 7.0)]);
    }
}
