//! What was told already, so that only changes are told.
//!
//! One list with its watch is a *feed*; what a feed no longer lists is gone.

use std::collections::{BTreeMap, BTreeSet};

use super::endpoints::{self, Endpoints};
use super::facts;
use super::objects::{Budget, Event, Object, Pod};
use super::scope::Scope;
use crate::model::cluster_seen::ClusterFact;

#[derive(Default)]
pub struct State {
    scope: Scope,
    /// The last fact of each object, by feed and by a name that is its own there.
    told: BTreeMap<usize, BTreeMap<String, ClusterFact>>,
    /// UIDs of all pods of the targets' workloads that were ever heard of.
    pods: BTreeSet<String>,
    /// Labels of a workload's pods.
    labels: BTreeMap<String, BTreeMap<String, String>>,
    endpoints: Endpoints,
    /// With the feed that each came by.
    budgets: BTreeMap<String, (usize, Budget)>,
}

impl State {
    #[must_use]
    pub fn of(scope: Scope) -> State {
        State { scope, ..State::default() }
    }

    /// All that a feed has now. `first`: events of before the watch are known and not told.
    pub fn listed(&mut self, feed: usize, objects: Vec<Object>, first: bool) -> Vec<ClusterFact> {
        let mut facts = Vec::new();
        let mut there = BTreeSet::new();
        for object in objects {
            there.insert(key(&object));
            facts.extend(self.is(feed, object));
        }
        let known = self.told.get(&feed).into_iter().flat_map(BTreeMap::keys);
        let lost: Vec<String> = known.filter(|key| !there.contains(*key)).cloned().collect();
        facts.extend(lost.iter().filter_map(|key| self.went(feed, key)));
        facts.extend(self.endpoints.only(feed, &there).into_iter().map(ClusterFact::Endpoint));
        facts.retain(|fact| !first || !matches!(fact, ClusterFact::Event(_)));
        facts
    }

    /// An object is so now.
    pub fn is(&mut self, feed: usize, object: Object) -> Vec<ClusterFact> {
        let key = key(&object);
        let fact = match object {
            Object::Pod(pod) => return self.pod(feed, &pod),
            Object::Slice(slice) => {
                let news = self.endpoints.is(feed, &slice, &self.pods);
                return news.into_iter().map(ClusterFact::Endpoint).collect();
            }
            Object::Budget(budget) => {
                self.budgets.insert(key, (feed, budget));
                return self.tell_budgets();
            }
            Object::Node(node) => Some(ClusterFact::Node(facts::node(&node))),
            Object::Workload(kind, workload) => {
                let seen = facts::workload(kind, &workload);
                let ours = self.scope.workloads.contains(&seen.workload);
                ours.then_some(ClusterFact::Workload(seen))
            }
            Object::Lease(lease) => Some(ClusterFact::Lease(facts::lease(&lease))),
            Object::Event(event) => {
                self.concerns(&event).then(|| ClusterFact::Event(facts::event(&event)))
            }
        };
        fact.and_then(|fact| self.tell(feed, key, fact)).into_iter().collect()
    }

    /// An object is there no more. What it was at last is told before that.
    pub fn gone(&mut self, feed: usize, object: Object) -> Vec<ClusterFact> {
        let key = key(&object);
        if let Object::Slice(_) = object {
            let news = self.endpoints.gone(feed, &key);
            return news.into_iter().map(ClusterFact::Endpoint).collect();
        }
        let mut facts = self.is(feed, object);
        facts.extend(self.went(feed, &key));
        facts
    }

    fn tell(&mut self, feed: usize, key: String, fact: ClusterFact) -> Option<ClusterFact> {
        let told = self.told.entry(feed).or_default();
        if told.get(&key) == Some(&fact) {
            return None;
        }
        told.insert(key, fact.clone());
        Some(fact)
    }

    fn went(&mut self, feed: usize, key: &str) -> Option<ClusterFact> {
        let mut fact = self.told.get_mut(&feed)?.remove(key)?;
        match &mut fact {
            ClusterFact::Pod(pod) => (pod.gone, pod.ready) = (true, false),
            ClusterFact::Node(node) => node.gone = true,
            ClusterFact::Workload(workload) => workload.gone = true,
            ClusterFact::Budget(budget) => {
                self.budgets.remove(key);
                budget.gone = true;
            }
            ClusterFact::Lease(lease) => lease.holder.clear(),
            // Events expire, and that is no news.
            _ => return None,
        }
        Some(fact)
    }

    fn pod(&mut self, feed: usize, pod: &Pod) -> Vec<ClusterFact> {
        let seen = facts::pod(pod);
        if !self.scope.workloads.contains(&seen.workload) {
            return Vec::new();
        }
        let (uid, workload) = (seen.uid.clone(), seen.workload.clone());
        let fact = self.tell(feed, uid.clone(), ClusterFact::Pod(seen));
        let mut facts: Vec<ClusterFact> = fact.into_iter().collect();
        if self.pods.insert(uid.clone()) {
            facts.extend(self.endpoints.of(&uid).into_iter().map(ClusterFact::Endpoint));
            let before = self.labels.insert(workload, pod.metadata.labels.clone());
            if before.as_ref() != Some(&pod.metadata.labels) {
                facts.extend(self.tell_budgets());
            }
        }
        facts
    }

    /// What is new of any budget: itself, or whom it covers.
    fn tell_budgets(&mut self) -> Vec<ClusterFact> {
        let covered = |budget: &Budget| -> Vec<String> {
            let namespace = format!(" {}/", budget.metadata.namespace);
            let selects = |labels| budget.spec.selector.as_ref().is_some_and(|s| s.selects(labels));
            let ours =
                self.labels.iter().filter(|(w, labels)| w.contains(&namespace) && selects(labels));
            ours.map(|(workload, _)| workload.clone()).collect()
        };
        let seen: Vec<_> = self
            .budgets
            .iter()
            .map(|(key, (feed, b))| (*feed, key.clone(), facts::budget(b, covered(b))))
            .filter(|(_, _, seen)| !seen.workloads.is_empty())
            .collect();
        let tell = |(feed, key, seen)| self.tell(feed, key, ClusterFact::Budget(seen));
        seen.into_iter().filter_map(tell).collect()
    }

    /// Nodes, pods of the targets' workloads, and the workloads themselves.
    fn concerns(&self, event: &Event) -> bool {
        let of = &event.involved_object;
        match of.kind.as_str() {
            "Node" => true,
            "Pod" => self.pods.contains(&of.uid) || self.scope.names_pod(&of.namespace, &of.name),
            kind => self.scope.names(kind, &of.namespace, &of.name),
        }
    }
}

/// A name that is the object's own in its feed. A pod's name is used again, its UID is not.
fn key(object: &Object) -> String {
    match object {
        Object::Pod(pod) => pod.metadata.uid.clone(),
        Object::Slice(slice) => endpoints::name(slice),
        Object::Event(event) => event.metadata.uid.clone(),
        Object::Node(node) => node.metadata.name.clone(),
        Object::Workload(_, workload) => workload.metadata.name.clone(),
        Object::Budget(b) => format!("{}/{}", b.metadata.namespace, b.metadata.name),
        Object::Lease(l) => format!("{}/{}", l.metadata.namespace, l.metadata.name),
    }
}
