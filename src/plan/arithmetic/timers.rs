//! The timers of the cluster that a candidate is of: read where they can be, and what Kubernetes
//! has where nothing is told, named as an assumption, where they cannot.
//!
//! Names in [`PlannedCluster::timers`]: `node.lease`; for each workload, behind its name and a dot,
//! `tolerates`, `grace`, `rolloutAtLeast`. Of a lab's own cluster the control plane's timers stand
//! in the lab's plan.

use super::super::ground::Ground;
use crate::model::cluster::PlannedCluster;
use crate::model::inventory::Candidate;
use crate::model::kubernetes::Component;
use crate::model::units::Span;

const LEASE: Span = Span::secs(40);
const MONITOR: Span = Span::secs(5);
const GRACE: Span = Span::secs(50);
/// Before 1.32.
const GRACE_ONCE: Span = Span::secs(40);
const TOLERATES: Span = Span::secs(300);
const TERMINATES: Span = Span::secs(30);

pub struct Timers<'a> {
    ground: &'a Ground<'a>,
    cluster: Option<&'a PlannedCluster>,
}

impl<'a> Timers<'a> {
    pub fn of(ground: &'a Ground<'a>, candidate: &Candidate) -> Timers<'a> {
        let object = candidate.object.as_ref();
        let its = |c: &&PlannedCluster| object.is_some_and(|o| o.cluster == c.cluster);
        Timers { ground, cluster: ground.clusters.iter().find(its) }
    }

    /// From the last sign of a node: the earliest and the latest.
    pub fn not_ready(&self) -> (Span, Span) {
        let (lease, grace, monitor) = (self.lease(), self.monitor_grace(), self.monitor());
        let earliest = grace.0.0.saturating_sub(lease.0.0 / 4);
        (Span(earliest), Span(grace.0.0.saturating_add(monitor.0.0.saturating_mul(2))))
    }

    pub fn lease_words(&self) -> String {
        let (lease, grace, monitor) = (self.lease().0, self.monitor_grace().0, self.monitor().0);
        let renewed = Span(lease.0 / 4);
        format!("lease {lease} renewed every {renewed}, grace {grace}, monitored every {monitor}")
    }

    /// Of those that [`Timers::not_ready`] rests on.
    pub fn assumed(&self) -> Vec<String> {
        let all = [
            ("nodeLeaseDurationSeconds", self.lease()),
            ("node-monitor-grace-period", self.monitor_grace()),
            ("node-monitor-period", self.monitor()),
        ];
        let assumed = all.into_iter().filter(|(_, (_, read))| !read);
        assumed.map(|(name, (span, _))| format!("{name} {span}")).collect()
    }

    /// How long pods of a workload stay on a node that is gone; None: for ever.
    pub fn tolerates(&self, workload: &str) -> Option<(Span, Option<String>)> {
        if workload.starts_with("daemonset ") {
            return None;
        }
        match self.own(&format!("{workload}.tolerates")) {
            Some(span) => Some((span, None)),
            None => Some((TOLERATES, Some(format!("tolerationSeconds {TOLERATES}")))),
        }
    }

    pub fn grace(&self, workload: &str) -> (Span, Option<String>) {
        match self.own(&format!("{workload}.grace")) {
            Some(span) => (span, None),
            None => (TERMINATES, Some(format!("terminationGracePeriodSeconds {TERMINATES}"))),
        }
    }

    /// The least that a rollout takes, and why.
    pub fn rollout(&self, workload: &str) -> Option<(Span, String)> {
        let at_least = self.own(&format!("{workload}.rolloutAtLeast"))?;
        let given_up = self.own(&format!("{workload}.progressDeadline"));
        let given_up = given_up.map(|span| format!(", given up after {span} without progress"));
        let words = "its rounds, each as long as readiness and minReadySeconds";
        Some((at_least, format!("{words}{}", given_up.unwrap_or_default())))
    }

    fn lease(&self) -> (Span, bool) {
        let own = self.own("node.lease").or_else(|| self.lab(Component::Kubelet, "leaseDuration"));
        own.map_or((LEASE, false), |span| (span, true))
    }

    fn monitor_grace(&self) -> (Span, bool) {
        let told = self.lab(Component::ControllerManager, "nodeMonitorGracePeriod");
        let minor = self.cluster.and_then(|c| c.version.split('.').nth(1)?.parse::<u32>().ok());
        let unless = if minor.is_some_and(|minor| minor < 32) { GRACE_ONCE } else { GRACE };
        told.map_or((unless, false), |span| (span, true))
    }

    fn monitor(&self) -> (Span, bool) {
        let told = self.lab(Component::ControllerManager, "nodeMonitorPeriod");
        told.map_or((MONITOR, false), |span| (span, true))
    }

    fn own(&self, name: &str) -> Option<Span> {
        self.cluster?.timers.get(name).copied()
    }

    fn lab(&self, of: Component, name: &str) -> Option<Span> {
        let lab = self.ground.lab.filter(|_| self.cluster.is_some_and(|cluster| cluster.lab))?;
        lab.timers.get(&format!("{}.{name}", of.service())).copied()
    }
}
