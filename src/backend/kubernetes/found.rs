//! One look at a cluster: what each selector means now, and what stands beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use super::around::Around;
use super::things::{Node, Pod, Thing, service};
use super::{late, pods};
use crate::host::cluster::ApiRequest;
use crate::host::kube::{ApiClient, ApiError};
use crate::model::cluster::{ClusterIdentity, Everything, ObjectIdentity, Resource};
use crate::model::inventory::{Candidate, Host, InstanceName};
use crate::model::selector::{NodeSelector, PodSelector, Selector};

/// What nodes are counted by.
pub const NODE: &str = "node";

/// How to look.
pub struct Look<'a> {
    pub client: &'a ApiClient,
    pub cluster: &'a ClusterIdentity,
    /// Zones by node; empty where nodes may not be listed.
    pub zones: BTreeMap<String, String>,
    pub nodes: BTreeMap<String, Host>,
    /// Nodes that work, and nodes that work is not kept from.
    pub ready_nodes: usize,
    pub workers: usize,
    /// Every node, as the plan knows it.
    pub all_nodes: Vec<Node>,
    /// For each request.
    pub within: Duration,
    /// Names bear the context where a plan has several clusters.
    pub prefix: bool,
}

/// What one selector means.
pub struct Found {
    /// Who may be hit, at any moment.
    pub candidates: Vec<Candidate>,
    /// Who of them fits at this moment.
    pub now: Vec<InstanceName>,
    /// What the blast radius has to know beside them.
    pub beside: Vec<Candidate>,
    /// Is that all there is?
    pub everything: Option<Everything>,
}

impl<'a> Look<'a> {
    /// Reads the nodes first. Errors: where they may not be read and `zones` are asked for.
    pub async fn at(
        client: &'a ApiClient,
        cluster: &'a ClusterIdentity,
        within: Duration,
    ) -> Result<Look<'a>, ApiError> {
        let listed = client.list::<Node>(&ApiRequest::get(Resource::Node.path(None)), within).await;
        let listed = match listed {
            // A user of one namespace may not: who is where stays unknown.
            Err(ApiError::Forbidden { .. }) => Vec::new(),
            listed => listed?,
        };
        let zones = listed
            .iter()
            .filter_map(|node| Some((node.metadata.name.clone(), node.zone()?.clone())))
            .collect();
        let nodes = listed.iter().map(|node| (node.metadata.name.clone(), host(node))).collect();
        let ready_nodes = listed.iter().filter(|node| node.is_ready()).count();
        let workers = listed.iter().filter(|node| !node.is_control_plane()).count();
        let all_nodes = listed;
        let prefix = false;
        Ok(Look { client, cluster, zones, nodes, ready_nodes, workers, all_nodes, within, prefix })
    }

    /// What the selector means. `around`: with everything that the blast radius has to know, of
    /// these pods.
    pub async fn find(
        &self,
        selector: &Selector,
        around: Option<&Around>,
    ) -> Result<Found, ApiError> {
        match selector {
            Selector::Lab(_) => Ok(Found::of(Vec::new())),
            Selector::Pods(wanted) => self.pods(wanted, around).await,
            Selector::Nodes(wanted) => self.nodes(wanted, around).await,
            Selector::Workload(one) => {
                let resource = one.kind.resource();
                let found = self.one(resource, &one.namespace, &one.name).await?;
                let of = service(resource.kind(), &one.namespace, &one.name);
                let its = around.map(|around| around.of_workload(&of));
                let beside = its.into_iter().flatten().map(|pod| self.pod(pod)).collect();
                Ok(Found { beside, ..found })
            }
            Selector::Object(one) => self.one(one.kind.resource(), &one.namespace, &one.name).await,
        }
    }

    async fn pods(&self, wanted: &PodSelector, around: Option<&Around>) -> Result<Found, ApiError> {
        if !wanted.zones.is_empty() && self.zones.is_empty() {
            let what = "tell the zones of nodes".to_owned();
            let why = "no node has one, or this user may not list nodes".to_owned();
            return Err(ApiError::Forbidden { what, why });
        }
        let meant = pods::meant(self, wanted, around).await?;
        let candidates: Vec<Candidate> = meant.iter().map(|pod| self.pod(pod)).collect();
        let now = late::narrow(self, wanted, meant).await?;
        let now = now.iter().map(|pod| self.name_of(pod)).collect();
        let Some(around) = around else { return Ok(Found { now, ..Found::of(candidates) }) };
        let workloads: BTreeSet<&str> = candidates.iter().map(|c| c.service.as_str()).collect();
        let beside = workloads.iter().flat_map(|workload| around.of_workload(workload));
        let beside = beside.filter(|pod| !pod.is_over()).map(|pod| self.pod(pod)).collect();
        let all = around.in_namespace(&wanted.namespace).filter(|pod| !pod.is_over()).count();
        let everything = (all > 1 && all == candidates.len()).then(|| Everything {
            of: format!("pods of namespace {}", wanted.namespace),
            workloads: workloads.into_iter().map(str::to_owned).collect(),
            named: false,
        });
        Ok(Found { candidates, now, beside, everything })
    }

    /// Without labels they were listed as the look began, unless that was not allowed.
    async fn labelled(&self, labels: Option<&str>) -> Result<Vec<Node>, ApiError> {
        let request = ApiRequest::get(Resource::Node.path(None));
        let request = match labels {
            Some(labels) => request.with("labelSelector", labels),
            None if !self.all_nodes.is_empty() => return Ok(self.all_nodes.clone()),
            None => request,
        };
        self.client.list(&request, self.within).await
    }

    async fn nodes(
        &self,
        wanted: &NodeSelector,
        around: Option<&Around>,
    ) -> Result<Found, ApiError> {
        let mut nodes = self.labelled(wanted.selector.as_deref()).await?;
        nodes.retain(|node| {
            let named = wanted.names.contains(&node.metadata.name);
            (named || (wanted.names.is_empty() && !node.is_control_plane()))
                && (wanted.zones.is_empty()
                    || node.zone().is_some_and(|zone| wanted.zones.contains(zone)))
        });
        let found = Found::of(nodes.iter().map(|node| self.node(node)).collect());
        let Some(around) = around else { return Ok(found) };
        let names = nodes.iter().map(|node| node.metadata.name.as_str());
        let beside = names.flat_map(|node| around.on_node(node)).map(|pod| self.pod(pod));
        let others = self.all_nodes.iter().map(|node| self.node(node));
        let workers = nodes.iter().filter(|node| !node.is_control_plane()).count();
        let everything = (workers > 0 && workers == self.workers).then(|| Everything {
            of: "nodes".to_owned(),
            workloads: Vec::new(),
            named: !wanted.names.is_empty(),
        });
        Ok(Found { beside: beside.chain(others).collect(), everything, ..found })
    }

    /// Every node, and every pod on it.
    pub fn hosts(&self, around: &Around) -> Vec<Candidate> {
        let nodes = self.all_nodes.iter().map(|node| self.node(node));
        let names = self.all_nodes.iter().map(|node| node.metadata.name.as_str());
        let on = names.flat_map(|node| around.on_node(node)).map(|pod| self.pod(pod));
        nodes.chain(on).collect()
    }

    /// One object by its name, if it is there.
    async fn one(
        &self,
        resource: Resource,
        namespace: &str,
        name: &str,
    ) -> Result<Found, ApiError> {
        let path = format!("{}/{name}", resource.path(Some(namespace)));
        let thing = match self.client.typed::<Thing>(&ApiRequest::get(path), self.within).await {
            Err(ApiError::NotFound { .. }) => return Ok(Found::of(Vec::new())),
            thing => thing?,
        };
        let kind = resource.kind().to_lowercase();
        let candidate = Candidate {
            name: self.named(format!("{kind}/{namespace}/{name}")),
            service: service(resource.kind(), namespace, name),
            host: Host::nowhere(),
            port: None,
            repair: "squall puts it back".to_owned(),
            zone: None,
            created: thing.metadata.creation_timestamp,
            opted_in: false,
            object: Some(ObjectIdentity {
                cluster: self.cluster.clone(),
                resource,
                namespace: Some(namespace.to_owned()),
                name: name.to_owned(),
                uid: thing.metadata.uid,
            }),
        };
        Ok(Found::of(vec![candidate]))
    }

    fn named(&self, name: String) -> InstanceName {
        InstanceName(if self.prefix { format!("{}:{name}", self.cluster.context) } else { name })
    }

    fn name_of(&self, pod: &Pod) -> InstanceName {
        self.named(format!("{}/{}", pod.metadata.namespace, pod.name()))
    }

    fn pod(&self, pod: &Pod) -> Candidate {
        let node = &pod.spec.node_name;
        let unknown = || Host { name: node.clone(), ..Host::nowhere() };
        Candidate {
            name: self.name_of(pod),
            service: pod.service(),
            host: self.nodes.get(node).cloned().unwrap_or_else(unknown),
            port: None,
            repair: pod.repair(),
            zone: self.zones.get(node).cloned(),
            created: pod.metadata.creation_timestamp.clone(),
            opted_in: pod.opted_in(),
            object: Some(ObjectIdentity {
                cluster: self.cluster.clone(),
                resource: Resource::Pod,
                namespace: Some(pod.metadata.namespace.clone()),
                name: pod.name().to_owned(),
                uid: pod.metadata.uid.clone(),
            }),
        }
    }

    fn node(&self, node: &Node) -> Candidate {
        let metadata = &node.metadata;
        Candidate {
            name: self.named(format!("node/{}", metadata.name)),
            service: NODE.to_owned(),
            host: host(node),
            port: None,
            repair: "squall lets it be used again".to_owned(),
            zone: node.zone().cloned(),
            created: metadata.creation_timestamp.clone(),
            opted_in: false,
            object: Some(ObjectIdentity {
                cluster: self.cluster.clone(),
                resource: Resource::Node,
                namespace: None,
                name: metadata.name.clone(),
                uid: metadata.uid.clone(),
            }),
        }
    }
}

impl Found {
    /// What does not change from one moment to the next.
    fn of(candidates: Vec<Candidate>) -> Found {
        let now = candidates.iter().map(|candidate| candidate.name.clone()).collect();
        Found { candidates, now, beside: Vec::new(), everything: None }
    }
}

fn host(node: &Node) -> Host {
    let internal = node.status.addresses.iter().filter(|a| a.kind == "InternalIP");
    let addresses: Vec<IpAddr> = internal.filter_map(|a| a.address.parse().ok()).collect();
    let nowhere = Host::nowhere();
    Host {
        name: node.metadata.name.clone(),
        ipv4: addresses.iter().copied().find(IpAddr::is_ipv4).unwrap_or(nowhere.ipv4),
        ipv6: addresses.iter().copied().find(IpAddr::is_ipv6).unwrap_or(nowhere.ipv6),
    }
}
