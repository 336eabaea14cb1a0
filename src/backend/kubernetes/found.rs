//! One look at a cluster: what each selector means now, and what stands beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use super::things::{Node, Pod, Thing, service};
use super::{late, pods};
use crate::host::cluster::ApiRequest;
use crate::host::kube::{ApiClient, ApiError};
use crate::model::cluster::{ClusterIdentity, ObjectIdentity, Resource};
use crate::model::inventory::{Candidate, Host, InstanceName};
use crate::model::selector::{NodeSelector, PodSelector, Selector};

/// How to look.
pub struct Look<'a> {
    pub client: &'a ApiClient,
    pub cluster: &'a ClusterIdentity,
    /// Zones by node; empty where nodes may not be listed.
    pub zones: BTreeMap<String, String>,
    pub nodes: BTreeMap<String, Host>,
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
        Ok(Look { client, cluster, zones, nodes, within, prefix: false })
    }

    /// What the selector means; `wide`: with everything that the blast radius has to know.
    pub async fn find(&self, selector: &Selector, wide: bool) -> Result<Found, ApiError> {
        match selector {
            Selector::Lab(_) => Ok(Found::of(Vec::new())),
            Selector::Pods(wanted) => self.pods(wanted, wide).await,
            Selector::Nodes(wanted) => self.nodes(wanted, wide).await,
            Selector::Workload(one) => {
                let resource = one.kind.resource();
                let found = self.one(resource, &one.namespace, &one.name).await?;
                let kind = resource.kind();
                let of = service(kind, &one.namespace, &one.name);
                let mut beside = Vec::new();
                if wide && !found.candidates.is_empty() {
                    let all = pods::all(self, &one.namespace, self.within).await?;
                    let its = all.iter().filter(|p| p.service() == of && !p.has_ended());
                    beside = its.map(|pod| self.pod(pod)).collect();
                }
                Ok(Found { beside, ..found })
            }
            Selector::Object(one) => self.one(one.kind.resource(), &one.namespace, &one.name).await,
        }
    }

    async fn pods(&self, wanted: &PodSelector, wide: bool) -> Result<Found, ApiError> {
        if !wanted.zones.is_empty() && self.zones.is_empty() {
            let what = "tell the zones of nodes".to_owned();
            let why = "no node has one, or this user may not list nodes".to_owned();
            return Err(ApiError::Forbidden { what, why });
        }
        let meant = pods::meant(self, wanted).await?;
        let candidates: Vec<Candidate> = meant.iter().map(|pod| self.pod(pod)).collect();
        let now = late::narrow(self, wanted, meant).await?;
        let now = now.iter().map(|pod| self.name_of(pod)).collect();
        let mut beside = Vec::new();
        if wide {
            let workloads: BTreeSet<&str> = candidates.iter().map(|c| c.service.as_str()).collect();
            let all = pods::all(self, &wanted.namespace, self.within).await?;
            let same = all.iter().filter(|pod| !pod.has_ended() && !pod.is_over());
            let same = same.filter(|pod| workloads.contains(pod.service().as_str()));
            beside = same.map(|pod| self.pod(pod)).collect();
        }
        Ok(Found { candidates, now, beside })
    }

    async fn nodes(&self, wanted: &NodeSelector, wide: bool) -> Result<Found, ApiError> {
        let mut request = ApiRequest::get(Resource::Node.path(None));
        if let Some(labels) = &wanted.selector {
            request = request.with("labelSelector", labels);
        }
        let mut nodes: Vec<Node> = self.client.list(&request, self.within).await?;
        nodes.retain(|node| {
            let named = wanted.names.contains(&node.metadata.name);
            (named || (wanted.names.is_empty() && !node.is_control_plane()))
                && (wanted.zones.is_empty()
                    || node.zone().is_some_and(|zone| wanted.zones.contains(zone)))
        });
        let mut beside = Vec::new();
        if wide {
            for node in &nodes {
                let on = pods::on_node(self, &node.metadata.name).await?;
                beside.extend(on.iter().filter(|pod| !pod.has_ended()).map(|pod| self.pod(pod)));
            }
        }
        Ok(Found { beside, ..Found::of(nodes.iter().map(|node| self.node(node)).collect()) })
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
            service: "node".to_owned(),
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
        Found { candidates, now, beside: Vec::new() }
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
