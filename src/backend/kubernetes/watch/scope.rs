//! What bears on the targets of one cluster: their workloads, wherever those are told of.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::cluster::{PlannedCluster, Resource};
use crate::model::inventory::{Candidate, InstanceName};
use crate::model::selector::Selector;

/// Kinds of workloads that say how far they are.
const TELLING: [Resource; 4] =
    [Resource::Deployment, Resource::StatefulSet, Resource::DaemonSet, Resource::ReplicaSet];

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    pub context: String,
    /// `deployment shop/web`
    pub workloads: BTreeSet<String>,
    pub namespaces: BTreeSet<String>,
    /// Kinds of workloads to be watched, with their namespaces.
    pub kinds: BTreeSet<(Resource, String)>,
    /// Namespace and name of Leases whose holder is a target.
    pub leases: BTreeSet<(String, String)>,
}

impl Scope {
    /// `selectors` are those of the targets in this cluster.
    #[must_use]
    pub fn of(planned: &PlannedCluster, selectors: &BTreeMap<String, Selector>) -> Scope {
        let mut scope = Scope { context: planned.cluster.context.clone(), ..Scope::default() };
        let by_name: BTreeMap<&InstanceName, &Candidate> =
            planned.population.iter().map(|candidate| (&candidate.name, candidate)).collect();
        for candidate in planned.found.values().flatten().filter_map(|name| by_name.get(name)) {
            match candidate.object.as_ref().map(|object| object.resource) {
                Some(Resource::Node) => {
                    let on = planned.population.iter().filter(|c| {
                        c.host.name == candidate.host.name
                            && c.object.as_ref().is_some_and(|o| o.resource == Resource::Pod)
                    });
                    on.for_each(|pod| scope.workload(&pod.service));
                }
                Some(Resource::ConfigMap | Resource::Secret) | None => {}
                Some(_) => scope.workload(&candidate.service),
            }
        }
        for selector in selectors.values() {
            if let Selector::Pods(pods) = selector {
                scope.namespaces.insert(pods.namespace.clone());
                let lease = pods.lease_holder.clone();
                scope.leases.extend(lease.map(|lease| (pods.namespace.clone(), lease)));
            }
        }
        scope
    }

    fn workload(&mut self, service: &str) {
        self.workloads.insert(service.to_owned());
        let Some((kind, place)) = service.split_once(' ') else { return };
        let Some((namespace, _)) = place.split_once('/') else { return };
        self.namespaces.insert(namespace.to_owned());
        let resource = TELLING.into_iter().find(|r| r.kind().to_lowercase() == kind);
        self.kinds.extend(resource.map(|resource| (resource, namespace.to_owned())));
    }

    /// Is that a pod of a target's workload, by its name alone?
    #[must_use]
    pub fn names_pod(&self, namespace: &str, pod: &str) -> bool {
        self.named(namespace).any(|(kind, name)| {
            let rest = pod.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with('-') || (kind == "pod" && rest.is_empty()))
        })
    }

    /// Is that a workload of the targets, or a `ReplicaSet` of one?
    #[must_use]
    pub fn names(&self, kind: &str, namespace: &str, name: &str) -> bool {
        let mut named = self.named(namespace);
        named.any(|(of, own)| of == kind.to_lowercase() && own == name)
            || (kind == "ReplicaSet" && self.names_pod(namespace, name))
    }

    /// Kind and name of the workloads of a namespace.
    fn named<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let workloads = self.workloads.iter().filter_map(|workload| workload.split_once(' '));
        workloads.filter_map(move |(kind, place)| {
            place.split_once('/').filter(|(of, _)| *of == namespace).map(|(_, name)| (kind, name))
        })
    }
}
