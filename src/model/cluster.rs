//! Kubernetes clusters and their objects: what makes one *that* one, and how it is reached.
//!
//! A context is a name in somebody's file, and a name of an object is used again. What is not used
//! again: the UID of a cluster's namespace `kube-system`, and the UID of an object.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::inventory::{Candidate, InstanceName};
use super::units::Span;

/// One cluster, as the plan names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterIdentity {
    /// The context of the kubeconfig; the lab's name for a lab's own cluster.
    pub context: String,
    /// The UID of its namespace `kube-system`.
    pub uid: String,
}

/// How a part of a drill reaches a cluster. Only the way to the credentials travels, never they
/// themselves: the part reads the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterAccess {
    pub cluster: ClusterIdentity,
    /// Path of the kubeconfig, as whoever reads it sees the file system.
    pub kubeconfig: String,
}

/// The two roads to a lab's API server. Both kubeconfigs hold an administrator's key, so neither is
/// ever shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabCluster {
    /// For whoever is on this machine: by a port of its loopback. Everything is embedded, and the
    /// context has the lab's name.
    pub kubeconfig_outside: String,
    /// For parts that are born in the lab: by the control plane's own address.
    pub kubeconfig_inside: String,
    /// The zone of each node that has one.
    pub zones: BTreeMap<String, String>,
}

impl fmt::Debug for LabCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LabCluster").field("zones", &self.zones).finish_non_exhaustive()
    }
}

/// One object of a cluster. Whoever has its name and another UID is a stranger.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectIdentity {
    pub cluster: ClusterIdentity,
    pub resource: Resource,
    /// None: the resource has no namespaces.
    pub namespace: Option<String>,
    pub name: String,
    pub uid: String,
}

/// What kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Resource {
    Pod,
    Node,
    Deployment,
    StatefulSet,
    DaemonSet,
    ReplicaSet,
    Job,
    ConfigMap,
    Secret,
}

/// A cluster as it was found when the plan was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedCluster {
    pub cluster: ClusterIdentity,
    /// Where the context was found.
    pub kubeconfig: String,
    /// Is it the lab's own?
    pub lab: bool,
    /// The API server's version, `v1.34.4`.
    pub version: String,
    /// What each target of this cluster found, by the target's name.
    pub found: BTreeMap<String, Vec<InstanceName>>,
    /// Everything that was found, and beside it what the blast radius has to know: the other pods
    /// of the same workloads, the pods on nodes that may be hit, and the other nodes. In the order
    /// of their names.
    pub population: Vec<Candidate>,
    /// What the owners of the namespaces set as `squall.dev/environment`.
    pub environments: BTreeMap<String, Option<String>>,
    /// The cluster's own timers, as far as they can be read: `node.lease`.
    pub timers: BTreeMap<String, Span>,
    /// Targets that find everything there is of their kind, by name: how much that is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub everything: BTreeMap<String, Everything>,
    /// Ready pods of each workload, and nodes, when it was looked at: for guards, which ask at each
    /// admission. In no digest, since it is another number the next second.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ready: BTreeMap<String, usize>,
}

/// A selector that leaves nothing out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Everything {
    /// Of what: `pods of namespace web`, `nodes`.
    pub of: String,
    /// The workloads that they are of.
    pub workloads: Vec<String>,
    /// Was each of them named?
    pub named: bool,
}

impl Resource {
    pub const ALL: [Resource; 9] = [
        Resource::Pod,
        Resource::Node,
        Resource::Deployment,
        Resource::StatefulSet,
        Resource::DaemonSet,
        Resource::ReplicaSet,
        Resource::Job,
        Resource::ConfigMap,
        Resource::Secret,
    ];

    /// As in `kind:` of a manifest.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Resource::Pod => "Pod",
            Resource::Node => "Node",
            Resource::Deployment => "Deployment",
            Resource::StatefulSet => "StatefulSet",
            Resource::DaemonSet => "DaemonSet",
            Resource::ReplicaSet => "ReplicaSet",
            Resource::Job => "Job",
            Resource::ConfigMap => "ConfigMap",
            Resource::Secret => "Secret",
        }
    }

    /// As in `apiVersion:` of a manifest.
    #[must_use]
    pub fn api_version(self) -> &'static str {
        match self {
            Resource::Pod | Resource::Node | Resource::ConfigMap | Resource::Secret => "v1",
            Resource::Deployment
            | Resource::StatefulSet
            | Resource::DaemonSet
            | Resource::ReplicaSet => "apps/v1",
            Resource::Job => "batch/v1",
        }
    }

    /// As in a path, and as roles name it: `deployments`.
    #[must_use]
    pub fn plural(self) -> String {
        format!("{}s", self.kind().to_lowercase())
    }

    /// The group as roles name it; empty for the core.
    #[must_use]
    pub fn group(self) -> &'static str {
        self.api_version().split_once('/').map_or("", |(group, _)| group)
    }

    #[must_use]
    pub fn of_kind(kind: &str) -> Option<Resource> {
        Resource::ALL.into_iter().find(|resource| resource.kind() == kind)
    }

    /// The path of all of them in a namespace, or in the cluster: `/api/v1/namespaces/shop/pods`.
    #[must_use]
    pub fn path(self, namespace: Option<&str>) -> String {
        let root = if self.group().is_empty() { "/api" } else { "/apis" };
        let place = namespace.map(|name| format!("/namespaces/{name}")).unwrap_or_default();
        format!("{root}/{}{place}/{}", self.api_version(), self.plural())
    }
}

impl ObjectIdentity {
    /// `/api/v1/namespaces/shop/pods/web-1`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/{}", self.resource.path(self.namespace.as_deref()), self.name)
    }

    /// As a person names it: `pod shop/web-1`, `node n1`.
    #[must_use]
    pub fn words(&self) -> String {
        let place = self.namespace.as_deref().map(|name| format!("{name}/")).unwrap_or_default();
        format!("{} {place}{}", self.resource.kind().to_lowercase(), self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_the_api_servers() {
        let path = |resource: Resource, namespace| resource.path(namespace);
        assert_eq!(path(Resource::Pod, Some("shop")), "/api/v1/namespaces/shop/pods");
        assert_eq!(path(Resource::Node, None), "/api/v1/nodes");
        let deployments = "/apis/apps/v1/namespaces/shop/deployments";
        assert_eq!(path(Resource::Deployment, Some("shop")), deployments);
        assert_eq!(path(Resource::Job, Some("shop")), "/apis/batch/v1/namespaces/shop/jobs");
        assert_eq!(path(Resource::ConfigMap, Some("a")), "/api/v1/namespaces/a/configmaps");
        assert_eq!(Resource::of_kind("StatefulSet"), Some(Resource::StatefulSet));
        assert_eq!(Resource::Job.group(), "batch");
    }
}
