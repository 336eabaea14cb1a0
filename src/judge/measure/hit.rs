//! A target in a cluster as claims speak of it: its workloads, the fault that they count from, and
//! the pods that were lost since.

use std::collections::{BTreeMap, BTreeSet};

use super::axis::seconds;
use super::timeline::Timeline;
use super::watched::{At, Clusters, Watched, last};
use super::window::Frame;
use crate::model::cluster::{PlannedCluster, Resource};
use crate::model::cluster_seen::PodSeen;
use crate::model::history::Effective;
use crate::model::inventory::Candidate;
use crate::model::plan::Plan;
use crate::model::selector::Selector;

/// What bears on a target.
#[derive(Debug, Clone)]
pub struct Hit<'a> {
    pub target: &'a str,
    pub watched: Watched<'a>,
    /// `deployment shop/web`
    pub workloads: BTreeSet<String>,
    /// Namespace and name of the Lease whose holder it is.
    pub lease: Option<String>,
    /// Nodes that were hit, or whose programs were.
    pub nodes: BTreeSet<String>,
    /// UIDs of pods that were hit themselves.
    pub struck: BTreeSet<&'a str>,
    /// The fault that figures count from: just before it, and when it was certainly in force.
    pub began_ns: u64,
    pub zero_ns: u64,
    pub end_ns: u64,
}

/// By target; where nothing can be said, why not.
pub type Hits<'a> = BTreeMap<&'a str, Result<Hit<'a>, String>>;

/// Every target of the experiment.
#[must_use]
pub fn hits<'a>(timeline: &Timeline<'a>, frame: &Frame, clusters: &Clusters<'a>) -> Hits<'a> {
    let targets = timeline.opened.plan.experiment.targets.iter();
    targets
        .map(|(name, spec)| {
            let hit = Looked { timeline, frame, clusters }.hit(name, &spec.selector);
            (name.as_str(), hit)
        })
        .collect()
}

struct Looked<'l, 'a> {
    timeline: &'l Timeline<'a>,
    frame: &'l Frame,
    clusters: &'l Clusters<'a>,
}

impl<'a> Looked<'_, 'a> {
    fn hit(&self, target: &'a str, selector: &Selector) -> Result<Hit<'a>, String> {
        let plan = &self.timeline.opened.plan;
        if matches!(selector, Selector::Lab(_)) {
            return Err(format!("target {target} is in no cluster"));
        }
        let planned = cluster_of(plan, target)
            .ok_or_else(|| format!("the plan has no cluster with target {target}"))?;
        let watched = self.clusters.get(planned.cluster.context.as_str());
        let watched = watched.ok_or_else(|| "the cluster was not watched".to_owned())?;
        let found: Vec<&Candidate> = candidates(planned, target).collect();
        let meant: BTreeSet<&str> = found.iter().map(|c| c.name.0.as_str()).collect();
        let ours = |effective: &&&Effective| meant.contains(effective.instance.0.as_str());
        let first = self.timeline.effective.iter().filter(ours).min_by_key(|e| e.effective_ns);
        let (began_ns, zero_ns) = first
            .map_or((self.frame.began_ns, self.frame.zero_ns), |e| (e.began_ns, e.effective_ns));
        let nodes = self.nodes(planned, watched);
        let mut hit = Hit {
            target,
            workloads: workloads(planned, &found),
            lease: lease(selector),
            watched: watched.clone(),
            nodes,
            struck: BTreeSet::new(),
            began_ns,
            zero_ns,
            end_ns: self.frame.end_ns,
        };
        hit.struck = self.struck(&hit, &found);
        Ok(hit)
    }

    /// Nodes that a fault was on: by themselves, or as hosts of the lab that the cluster is in.
    fn nodes(&self, planned: &PlannedCluster, watched: &Watched) -> BTreeSet<String> {
        let node = |effective: &&'a Effective| {
            let instance = &effective.instance.0;
            let by_itself = population(planned, instance)
                .filter(|c| resource(c) == Some(Resource::Node))
                .map(|c| c.host.name.clone());
            let as_host = instance.split_once('@').filter(|_| planned.lab);
            by_itself.or_else(|| as_host.map(|(_, host)| host.to_owned()))
        };
        let hit = self.timeline.effective.iter().filter_map(node);
        hit.filter(|name| watched.nodes.contains_key(name.as_str())).collect()
    }

    /// Pods of the target's workloads that a fault was on, or on whose node one was.
    fn struck(&self, hit: &Hit<'a>, found: &[&Candidate]) -> BTreeSet<&'a str> {
        let struck = |name: &str| self.timeline.effective.iter().any(|e| e.instance.0 == name);
        let named: BTreeSet<&str> = found
            .iter()
            .filter(|candidate| struck(&candidate.name.0))
            .filter_map(|candidate| Some(candidate.object.as_ref()?.uid.as_str()))
            .collect();
        let on_node = |pod: &PodSeen| pod.node.as_ref().is_some_and(|n| hit.nodes.contains(n));
        let there = hit.watched.pods_at(&hit.workloads, hit.began_ns);
        there
            .filter(|pod| named.contains(pod.uid.as_str()) || on_node(pod))
            .map(|pod| pod.uid.as_str())
            .collect()
    }
}

impl<'a> Hit<'a> {
    /// From just before the fault to that time.
    #[must_use]
    pub fn until(&self, at_ns: u64) -> (u64, u64) {
        (self.began_ns, at_ns)
    }

    /// Seconds from fault effective; nothing that it did was before it.
    #[must_use]
    pub fn after(&self, at_ns: u64) -> f64 {
        seconds(at_ns.saturating_sub(self.zero_ns))
    }

    /// How uncertain the fault itself is, seconds.
    #[must_use]
    pub fn zero_error(&self) -> f64 {
        seconds(self.zero_ns - self.began_ns)
    }

    /// `deployment shop/web`
    #[must_use]
    pub fn words(&self) -> String {
        self.workloads.iter().cloned().collect::<Vec<_>>().join(", ")
    }

    /// What became of each pod of the workloads that was there when the fault came, and was lost
    /// in the window: told to end, gone, or no longer ready.
    #[must_use]
    pub fn lost(&self) -> BTreeMap<&'a str, At<'a, PodSeen>> {
        let mut lost = BTreeMap::new();
        for (uid, all) in &self.watched.pods {
            let was = last(all, self.began_ns);
            let was = was.filter(|pod| !pod.is_lost() && self.workloads.contains(&pod.workload));
            let Some(was) = was else { continue };
            let gone = |at: &&At<'a, PodSeen>| {
                at.seen.is_lost() || (was.ready && !at.seen.ready)
            };
            let within = |at: &&At<'a, PodSeen>| at.at_ns > self.began_ns && at.at_ns <= self.end_ns;
            if let Some(at) = all.iter().filter(within).find(gone) {
                lost.insert(*uid, *at);
            }
        }
        lost
    }

    /// Pods of the workloads that came since the fault, each with all that was told of it.
    #[must_use]
    pub fn new_pods(&self) -> Vec<&[At<'a, PodSeen>]> {
        let ours = |at: &At<PodSeen>| self.workloads.contains(&at.seen.workload);
        let since = |at: &At<PodSeen>| at.at_ns >= self.began_ns && at.at_ns <= self.end_ns;
        let new = |all: &&Vec<At<PodSeen>>| all.first().is_some_and(|at| ours(at) && since(at));
        self.watched.pods.values().filter(new).map(Vec::as_slice).collect()
    }
}

fn cluster_of<'a>(plan: &'a Plan, target: &str) -> Option<&'a PlannedCluster> {
    plan.clusters.iter().find(|cluster| cluster.found.contains_key(target))
}

fn population<'a>(planned: &'a PlannedCluster, name: &str) -> Option<&'a Candidate> {
    planned.population.iter().find(|candidate| candidate.name.0 == name)
}

fn candidates<'a>(
    planned: &'a PlannedCluster,
    target: &str,
) -> impl Iterator<Item = &'a Candidate> {
    let names = planned.found.get(target).map_or(&[][..], Vec::as_slice);
    names.iter().filter_map(|name| population(planned, &name.0))
}

fn resource(candidate: &Candidate) -> Option<Resource> {
    candidate.object.as_ref().map(|object| object.resource)
}

/// The workloads of pods, and of the pods on nodes.
fn workloads(planned: &PlannedCluster, found: &[&Candidate]) -> BTreeSet<String> {
    let mut workloads = BTreeSet::new();
    for candidate in found {
        match resource(candidate) {
            Some(Resource::Node) => {
                let on = |c: &&Candidate| {
                    c.host.name == candidate.host.name && resource(c) == Some(Resource::Pod)
                };
                workloads.extend(planned.population.iter().filter(on).map(|c| c.service.clone()));
            }
            Some(Resource::ConfigMap | Resource::Secret) | None => {}
            Some(_) => drop(workloads.insert(candidate.service.clone())),
        }
    }
    workloads
}

fn lease(selector: &Selector) -> Option<String> {
    let Selector::Pods(pods) = selector else { return None };
    pods.lease_holder.as_ref().map(|lease| format!("{}/{lease}", pods.namespace))
}
