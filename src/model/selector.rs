//! How targets are found: in a lab by service, in a cluster by what its API server knows of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cluster::Resource;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Selector {
    /// Instances of a lab's service.
    Lab(LabSelector),
    /// Pods of a cluster.
    Pods(Box<PodSelector>),
    /// Nodes of a cluster.
    Nodes(NodeSelector),
    /// One workload as a whole.
    Workload(WorkloadSelector),
    /// One `ConfigMap` or Secret.
    Object(ObjectSelector),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabSelector {
    pub service: String,
    /// Only the instance that has this role when it is bound.
    #[serde(default)]
    pub role: Option<String>,
    /// Only instances on these hosts.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// Pods that meet everything that is said. At least one condition beside the namespace.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodSelector {
    /// The context of the kubeconfig. Left out: the cluster of the experiment's lab; the current
    /// context is never meant.
    #[serde(default)]
    pub context: Option<String>,
    pub namespace: String,
    /// A label selector as Kubernetes writes it: `app=web,tier notin (cache)`.
    #[serde(default)]
    pub selector: Option<String>,
    /// A field selector as Kubernetes writes it: `spec.serviceAccountName=web`.
    #[serde(default)]
    pub fields: Option<String>,
    /// Annotations that must be there with these values.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// A regular expression that the whole name must match.
    #[serde(default)]
    pub name: Option<String>,
    /// The workload that the pods belong to.
    #[serde(default)]
    pub owner: Option<Owner>,
    /// Only on these nodes.
    #[serde(default)]
    pub nodes: Vec<String>,
    /// Only in these zones (`topology.kubernetes.io/zone` of the node).
    #[serde(default)]
    pub zones: Vec<String>,
    #[serde(default)]
    pub phase: Option<Phase>,
    /// Only those that are ready, or only those that are not.
    #[serde(default)]
    pub ready: Option<bool>,
    /// Only those that back this Service at the moment of injection, by its `EndpointSlices`.
    #[serde(default)]
    pub service: Option<String>,
    /// Only the one that holds this Lease at the moment of injection.
    #[serde(default)]
    pub lease_holder: Option<String>,
    /// Only those whose label has that value at the moment of injection.
    #[serde(default)]
    pub role: Option<LabelRole>,
}

/// A workload, by kind and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Owner {
    pub kind: WorkloadKind,
    pub name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WorkloadKind {
    Deployment,
    StatefulSet,
    DaemonSet,
    ReplicaSet,
    Job,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    Pending,
    Running,
    Succeeded,
    Failed,
    Unknown,
}

/// What a pod is now, as its own label says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabelRole {
    /// The label's key: `role`.
    pub label: String,
    /// Its value: `primary`.
    pub is: String,
}

/// Nodes that meet everything that is said. At least one condition.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeSelector {
    /// As for pods.
    #[serde(default)]
    pub context: Option<String>,
    /// Only these.
    #[serde(default)]
    pub names: Vec<String>,
    /// A label selector as Kubernetes writes it.
    #[serde(default)]
    pub selector: Option<String>,
    /// Only in these zones.
    #[serde(default)]
    pub zones: Vec<String>,
}

/// One workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkloadSelector {
    /// As for pods.
    #[serde(default)]
    pub context: Option<String>,
    pub namespace: String,
    pub kind: WorkloadKind,
    pub name: String,
}

/// One object that pods read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectSelector {
    /// As for pods.
    #[serde(default)]
    pub context: Option<String>,
    pub namespace: String,
    pub kind: ObjectKind,
    pub name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ObjectKind {
    ConfigMap,
    Secret,
}

/// Where a selector looks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Where<'a> {
    Lab,
    /// The cluster of the experiment's lab.
    LabCluster,
    /// A context of the kubeconfig.
    Context(&'a str),
}

impl Selector {
    /// Where it looks.
    #[must_use]
    pub fn place(&self) -> Where<'_> {
        let context = match self {
            Selector::Lab(_) => return Where::Lab,
            Selector::Pods(pods) => &pods.context,
            Selector::Nodes(nodes) => &nodes.context,
            Selector::Workload(workload) => &workload.context,
            Selector::Object(object) => &object.context,
        };
        context.as_deref().map_or(Where::LabCluster, Where::Context)
    }

    /// The namespace of what it selects; None: that has none, or is a lab's.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        match self {
            Selector::Lab(_) | Selector::Nodes(_) => None,
            Selector::Pods(pods) => Some(&pods.namespace),
            Selector::Workload(workload) => Some(&workload.namespace),
            Selector::Object(object) => Some(&object.namespace),
        }
    }

    /// What kind of object of a cluster it selects; None: instances of a lab.
    #[must_use]
    pub fn resource(&self) -> Option<Resource> {
        match self {
            Selector::Lab(_) => None,
            Selector::Pods(_) => Some(Resource::Pod),
            Selector::Nodes(_) => Some(Resource::Node),
            Selector::Workload(workload) => Some(workload.kind.resource()),
            Selector::Object(object) => Some(object.kind.resource()),
        }
    }

    /// Is it known only at injection who is meant?
    #[must_use]
    pub fn binds_late(&self) -> bool {
        match self {
            Selector::Lab(lab) => lab.role.is_some(),
            Selector::Pods(pods) => {
                pods.role.is_some() || pods.service.is_some() || pods.lease_holder.is_some()
            }
            Selector::Nodes(_) | Selector::Workload(_) | Selector::Object(_) => false,
        }
    }

    /// As [`Selector::lab`], to be changed.
    pub fn lab_mut(&mut self) -> Option<&mut LabSelector> {
        match self {
            Selector::Lab(lab) => Some(lab),
            _ => None,
        }
    }

    /// The part of it that instances are told by, where it is a lab's.
    #[must_use]
    pub fn lab(&self) -> Option<&LabSelector> {
        match self {
            Selector::Lab(lab) => Some(lab),
            _ => None,
        }
    }
}

impl WorkloadKind {
    #[must_use]
    pub fn resource(self) -> Resource {
        match self {
            WorkloadKind::Deployment => Resource::Deployment,
            WorkloadKind::StatefulSet => Resource::StatefulSet,
            WorkloadKind::DaemonSet => Resource::DaemonSet,
            WorkloadKind::ReplicaSet => Resource::ReplicaSet,
            WorkloadKind::Job => Resource::Job,
        }
    }
}

impl ObjectKind {
    #[must_use]
    pub fn resource(self) -> Resource {
        match self {
            ObjectKind::ConfigMap => Resource::ConfigMap,
            ObjectKind::Secret => Resource::Secret,
        }
    }
}
