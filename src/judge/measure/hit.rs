//! A target in a cluster as claims speak of it: its workloads, the fault that they count from, and
//! the pods that were lost since.

use std::collections::{BTreeMap, BTreeSet};

use super::axis::seconds;
use super::timeline::Timeline;
use super::watched::{At, Clusters, Watched, last};
use super::window::Frame;
use crate::judge::claim::Figure;
use crate::judge::words;
use crate::model::cluster::{PlannedCluster, Resource};
use crate::model::cluster_seen::PodSeen;
use crate::model::history::{Effective, Finding};
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
    /// UIDs of pods that a fault was on by name.
    pub named: BTreeSet<&'a str>,
    /// The same, and those on whose node one was.
    pub struck: BTreeSet<&'a str>,
    /// Evictions of its pods that a budget refused: when, and in the server's words.
    pub refused: Vec<(u64, &'a str)>,
    /// The fault that figures count from: just before it, and when it was certainly in force.
    pub began_ns: u64,
    pub zero_ns: u64,
    pub end_ns: u64,
}

/// A figure, and the moment up to which it rests on the watch.
#[derive(Debug, Clone)]
pub struct Drawn {
    pub figure: Figure,
    pub to_ns: u64,
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
            named: BTreeSet::new(),
            struck: BTreeSet::new(),
            refused: Vec::new(),
            began_ns,
            zero_ns,
            end_ns: self.frame.end_ns,
        };
        hit.named = self.named(&hit);
        hit.struck = hit.named.union(&on_nodes(&hit)).copied().collect();
        hit.refused = self.refused(&hit);
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

    /// Pods of the target's workloads that a fault was on by name.
    fn named(&self, hit: &Hit<'a>) -> BTreeSet<&'a str> {
        let named = |pod: &&PodSeen| {
            let name = format!("{}/{}", pod.namespace, pod.name);
            self.timeline.effective.iter().any(|e| is_named(&e.instance.0, &name))
        };
        let there = hit.watched.pods_at(&hit.workloads, hit.began_ns);
        there.filter(named).map(|pod| pod.uid.as_str()).collect()
    }

    /// Pods of the workloads that a budget did not let go.
    fn refused(&self, hit: &Hit<'a>) -> Vec<(u64, &'a str)> {
        let ours = |pod: &str| {
            let mut all = hit.watched.pods.values().flatten().map(|at| at.seen);
            all.any(|p| {
                hit.workloads.contains(&p.workload) && pod == format!("{}/{}", p.namespace, p.name)
            })
        };
        let refused = self.timeline.findings.iter().map(|(at_ns, _, finding)| match finding {
            Finding::EvictionRefused { pod, why } => (*at_ns, pod, why.as_str()),
        });
        refused.filter(|(_, pod, _)| ours(pod)).map(|(at_ns, _, why)| (at_ns, why)).collect()
    }
}

/// Pods of the target's workloads on nodes that a fault was on.
fn on_nodes<'a>(hit: &Hit<'a>) -> BTreeSet<&'a str> {
    let on = |pod: &&PodSeen| pod.node.as_ref().is_some_and(|n| hit.nodes.contains(n));
    let there = hit.watched.pods_at(&hit.workloads, hit.began_ns);
    there.filter(on).map(|pod| pod.uid.as_str()).collect()
}

/// Where a plan has several clusters, instances bear the context before their names.
fn is_named(instance: &str, name: &str) -> bool {
    instance == name || instance.strip_suffix(name).is_some_and(|rest| rest.ends_with(':'))
}

impl<'a> Hit<'a> {
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

    /// Each pod of the workloads that was there when the fault came and ended in the window, as
    /// it was when it began to.
    #[must_use]
    pub fn lost(&self) -> BTreeMap<&'a str, At<'a, PodSeen>> {
        let mut lost = BTreeMap::new();
        for (uid, all) in &self.watched.pods {
            let was = last(all, self.began_ns).filter(|pod| !pod.is_lost());
            if was.is_some_and(|pod| self.workloads.contains(&pod.workload)) {
                let within = |at: &&At<'a, PodSeen>| self.holds(at.at_ns);
                let ends = all.iter().filter(within).find(|at| at.seen.is_lost());
                lost.extend(ends.map(|at| (*uid, *at)));
            }
        }
        lost
    }

    /// Those lost, and those that a fault was on.
    #[must_use]
    pub fn affected(&self) -> BTreeSet<&'a str> {
        self.lost().into_keys().chain(self.struck.iter().copied()).collect()
    }

    /// Who took the place of the pod that this fault was on: `repaired by deployment shop/web: pod
    /// web-2 was ready after 1.310 s`.
    #[must_use]
    pub fn replaced(&self, effective: &Effective) -> Option<String> {
        let hit = self.watched.pods_at(&self.workloads, effective.began_ns).find(|pod| {
            is_named(&effective.instance.0, &format!("{}/{}", pod.namespace, pod.name))
        })?;
        let since = |all: &&Vec<At<PodSeen>>| {
            all.first().is_some_and(|at| {
                at.at_ns >= effective.began_ns && at.seen.workload == hit.workload
            })
        };
        let ready = |all: &Vec<At<'a, PodSeen>>| all.iter().find(|at| at.seen.serves()).copied();
        let new = self.watched.pods.values().filter(since).filter_map(ready);
        let at = new.filter(|at| at.at_ns <= self.end_ns).min_by_key(|at| at.at_ns)?;
        let after = seconds(at.at_ns.saturating_sub(effective.effective_ns));
        let (workload, pod) = (&hit.workload, &at.seen.name);
        Some(format!("repaired by {workload}: pod {pod} was ready after {after:.3} s"))
    }

    /// The length of time from the fault to that moment of the watch, with its error, and in words.
    #[must_use]
    pub fn span<T>(&self, at: &At<T>) -> (f64, f64, String) {
        let (after, error) = (self.after(at.at_ns), seconds(at.late_ns) + self.zero_error());
        let figure = words::seconds_with_error(after, error);
        (after, error, format!("{figure} (watch, our arrival time)"))
    }

    /// It had not come about when the watch ended.
    #[must_use]
    pub fn not_yet(&self, finding: String, what: &str) -> Drawn {
        let watched = self.after(self.end_ns);
        let bound = format!("the watch ended after {watched:.2} s, before {what}");
        let error = self.zero_error();
        let figure = Figure { measured: watched, error, finding, bound: Some(bound) };
        Drawn { figure, to_ns: self.end_ns }
    }

    /// Is that in the window, from just before the fault on?
    #[must_use]
    pub fn holds(&self, at_ns: u64) -> bool {
        (self.began_ns..=self.end_ns).contains(&at_ns)
    }

    /// Pods of the workloads that came since the fault, each with all that was told of it.
    #[must_use]
    pub fn new_pods(&self) -> Vec<&[At<'a, PodSeen>]> {
        let ours = |at: &At<PodSeen>| self.workloads.contains(&at.seen.workload);
        let since = |at: &At<PodSeen>| self.holds(at.at_ns);
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
