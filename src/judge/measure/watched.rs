//! What watches of clusters told, put in order: who was what at any moment, and when nobody told.
//!
//! A time here is when the news reached us; it came about at most so much before as the server was
//! late. What was not watched is never good: whoever draws a figure over a gap says so.

use std::collections::{BTreeMap, BTreeSet};

use super::axis::seconds;
use super::timeline::Timeline;
use crate::model::cluster_seen::{
    BudgetSeen, ClusterFact, EndpointSeen, EventSeen, LeaseSeen, NodeSeen, PodSeen, WorkloadSeen,
};

/// A fact with the time of its arrival.
#[derive(Debug)]
pub struct At<'a, T> {
    pub at_ns: u64,
    /// How long it may have been under way.
    pub late_ns: u64,
    pub seen: &'a T,
}

// Not derived: what it speaks of is only pointed at.
impl<T> Clone for At<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for At<'_, T> {}

/// Everything that was told of one cluster.
#[derive(Debug, Clone, Default)]
pub struct Watched<'a> {
    /// By UID.
    pub pods: BTreeMap<&'a str, Vec<At<'a, PodSeen>>>,
    pub nodes: BTreeMap<&'a str, Vec<At<'a, NodeSeen>>>,
    /// By slice and UID of the pod.
    pub endpoints: BTreeMap<(&'a str, &'a str), Vec<At<'a, EndpointSeen>>>,
    pub workloads: BTreeMap<&'a str, Vec<At<'a, WorkloadSeen>>>,
    pub budgets: BTreeMap<&'a str, Vec<At<'a, BudgetSeen>>>,
    pub leases: BTreeMap<&'a str, Vec<At<'a, LeaseSeen>>>,
    pub events: Vec<At<'a, EventSeen>>,
    /// What was never told, and why.
    pub unreadable: Vec<(&'a str, &'a str)>,
    /// When everything was told for the first time.
    pub since_ns: Option<u64>,
    /// From, to, why; without an end where the history has none.
    pub gaps: Vec<(u64, Option<u64>, &'a str)>,
}

/// By context.
pub type Clusters<'a> = BTreeMap<&'a str, Watched<'a>>;

#[must_use]
pub fn clusters<'a>(timeline: &Timeline<'a>) -> Clusters<'a> {
    let mut clusters = Clusters::new();
    for planned in &timeline.opened.plan.clusters {
        clusters.entry(planned.cluster.context.as_str()).or_default();
    }
    for (at_ns, seen) in &timeline.clusters {
        clusters.entry(seen.context.as_str()).or_default().take((*at_ns, seen.late_ns), &seen.fact);
    }
    clusters
}

impl<'a> Watched<'a> {
    fn take(&mut self, (at_ns, late_ns): (u64, u64), fact: &'a ClusterFact) {
        macro_rules! keep {
            ($list:ident, $key:expr, $seen:expr) => {
                self.$list.entry($key).or_default().push(At { at_ns, late_ns, seen: $seen })
            };
        }
        match fact {
            ClusterFact::Watched => {
                self.since_ns.get_or_insert(at_ns);
                if let Some(gap) = self.gaps.last_mut().filter(|gap| gap.1.is_none()) {
                    gap.1 = Some(at_ns);
                }
            }
            ClusterFact::Unwatched { from_ns, why } => self.gaps.push((*from_ns, None, why)),
            ClusterFact::Unreadable { what, why } => self.unreadable.push((what, why)),
            ClusterFact::Pod(pod) => keep!(pods, &pod.uid, pod),
            ClusterFact::Node(node) => keep!(nodes, &node.name, node),
            ClusterFact::Endpoint(e) => keep!(endpoints, (&e.slice, &e.uid), e),
            ClusterFact::Workload(workload) => keep!(workloads, &workload.workload, workload),
            ClusterFact::Budget(budget) => keep!(budgets, &budget.budget, budget),
            ClusterFact::Lease(lease) => keep!(leases, &lease.lease, lease),
            ClusterFact::Event(seen) => self.events.push(At { at_ns, late_ns, seen }),
        }
    }

    /// Was it watched from then to then, of everything in `needs`? Errors: when not, or why not.
    pub fn told(&self, needs: &[&str], (from_ns, to_ns): (u64, u64)) -> Result<(), String> {
        let unread = self.unreadable.iter().find(|(what, _)| {
            needs.iter().any(|need| what.split_once(' ').map_or(*what, |(what, _)| what) == *need)
        });
        if let Some((what, why)) = unread {
            return Err(format!("{what} could not be watched: {why}"));
        }
        let Some(since_ns) = self.since_ns else {
            return Err(match self.gaps.first() {
                Some((_, _, why)) => format!("the cluster was never watched: {why}"),
                None => "the cluster was not watched".to_owned(),
            });
        };
        if since_ns > from_ns {
            let late = seconds(since_ns - from_ns);
            return Err(format!(
                "the cluster was watched only from {late:.2} s after the fault on"
            ));
        }
        let lasting = |gap: &&(u64, Option<u64>, &str)| {
            gap.0 <= to_ns && gap.1.is_none_or(|end_ns| end_ns >= from_ns)
        };
        match self.gaps.iter().find(lasting) {
            None => Ok(()),
            Some((gap_ns, end_ns, why)) => {
                let at = |ns: u64| seconds(ns.saturating_sub(from_ns));
                let to = end_ns.map_or("the end".to_owned(), |ns| format!("{:.2} s", at(ns)));
                let from = at(*gap_ns);
                Err(format!("unwatched from {from:.2} s to {to} after the fault: {why}"))
            }
        }
    }

    /// Every moment at which a pod of these workloads changed, in order.
    #[must_use]
    pub fn moments(&self, workloads: &BTreeSet<String>) -> Vec<(u64, u64)> {
        let ours = |at: &&At<PodSeen>| workloads.contains(&at.seen.workload);
        let all = self.pods.values().flatten().filter(ours).map(|at| (at.at_ns, at.late_ns));
        all.collect::<BTreeMap<u64, u64>>().into_iter().collect()
    }

    /// Pods of these workloads as they were known at that time, those gone left out.
    pub fn pods_at<'s>(
        &'s self,
        workloads: &'s BTreeSet<String>,
        at_ns: u64,
    ) -> impl Iterator<Item = &'a PodSeen> + 's {
        let ours = move |seen: &&PodSeen| workloads.contains(&seen.workload) && !seen.gone;
        self.pods.values().filter_map(move |all| last(all, at_ns)).filter(ours)
    }

    /// How many ready pods a workload ought to have had at that time, as it said itself.
    #[must_use]
    pub fn desired_at(&self, workload: &str, at_ns: u64) -> Option<u64> {
        let told = self.workloads.get(workload).and_then(|all| last(all, at_ns));
        told.filter(|seen| !seen.gone).map(|seen| u64::from(seen.desired))
    }
}

/// What was known at that time.
#[must_use]
pub fn last<'a, T>(all: &[At<'a, T>], at_ns: u64) -> Option<&'a T> {
    all.iter().rev().find(|at| at.at_ns <= at_ns).map(|at| at.seen)
}
