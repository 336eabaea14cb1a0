//! Objects as far as targets are told by them. Everything else that the server sends is dropped
//! as it is read: ten thousand pods are ten thousand short records.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::units::Span;

/// The label of a node that names its zone.
pub const ZONE: &str = "topology.kubernetes.io/zone";
/// What an owner calls the environment of a namespace or node.
pub const ENVIRONMENT: &str = "squall.dev/environment";
/// The annotation by which the owner of a pod agrees to have it hit.
pub const OPT_IN: &str = "squall.dev/opt-in";
/// What says of a pod whose it is, and of ours that they are.
const NAME: (&str, &str) = ("app.kubernetes.io/name", "squall");
const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";
const MIRROR: &str = "kubernetes.io/config.mirror";
const TEMPLATE_HASH: &str = "pod-template-hash";

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    pub name: String,
    /// Empty for what has none.
    pub namespace: String,
    pub uid: String,
    /// Counts what was asked of it.
    pub generation: u64,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub owner_references: Vec<OwnerReference>,
    pub creation_timestamp: Option<String>,
    pub deletion_timestamp: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OwnerReference {
    pub kind: String,
    pub name: String,
    pub controller: bool,
}

/// Anything that is only told by its metadata.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Thing {
    pub metadata: Metadata,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Pod {
    pub metadata: Metadata,
    pub spec: PodSpec,
    pub status: PodStatus,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodSpec {
    pub node_name: String,
    pub termination_grace_period_seconds: Option<u64>,
    pub tolerations: Vec<Toleration>,
    pub containers: Vec<Container>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Toleration {
    pub key: String,
    pub toleration_seconds: Option<u64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Container {
    pub readiness_probe: Option<ReadinessProbe>,
}

/// What it does not say the server has filled in.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ReadinessProbe {
    pub initial_delay_seconds: u64,
    pub period_seconds: u64,
    pub timeout_seconds: u64,
    pub failure_threshold: u64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodStatus {
    pub phase: String,
    pub conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Condition {
    #[serde(rename = "type")]
    pub kind: String,
    pub status: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Node {
    pub metadata: Metadata,
    pub status: NodeStatus,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct NodeStatus {
    pub addresses: Vec<Address>,
    pub conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Address {
    #[serde(rename = "type")]
    pub kind: String,
    pub address: String,
}

impl Metadata {
    /// Kind and name of the workload that a pod belongs to. A `ReplicaSet` of a Deployment bears
    /// the hash of its template in its name and in the labels of its pods.
    pub fn workload(&self) -> Option<(&str, &str)> {
        let owner = self.owner_references.iter().find(|owner| owner.controller)?;
        let hash = self.labels.get(TEMPLATE_HASH);
        let deployment = hash
            .filter(|_| owner.kind == "ReplicaSet")
            .and_then(|hash| owner.name.strip_suffix(hash.as_str())?.strip_suffix('-'));
        Some(deployment.map_or((&owner.kind, &owner.name), |name| ("Deployment", name)))
    }

    /// Of a pod: `deployment shop/web`, or the pod itself.
    pub fn service(&self) -> String {
        let (kind, name) = self.workload().unwrap_or(("Pod", &self.name));
        service(kind, &self.namespace, name)
    }
}

impl Pod {
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    pub fn is_ready(&self) -> bool {
        self.status.conditions.iter().any(|c| c.kind == "Ready" && c.status == "True")
    }

    /// Is it a part of squall itself?
    pub fn is_ours(&self) -> bool {
        self.metadata.labels.get(NAME.0).is_some_and(|name| name == NAME.1)
    }

    /// It ends, has ended, or only mirrors what a node runs by itself: deleting it says nothing.
    pub fn is_over(&self) -> bool {
        self.metadata.deletion_timestamp.is_some() || self.metadata.annotations.contains_key(MIRROR)
    }

    pub fn has_ended(&self) -> bool {
        matches!(self.status.phase.as_str(), "Succeeded" | "Failed")
    }

    /// See [`Metadata::workload`].
    pub fn workload(&self) -> Option<(&str, &str)> {
        self.metadata.workload()
    }

    /// `deployment shop/web`, or the pod itself.
    pub fn service(&self) -> String {
        self.metadata.service()
    }

    pub fn opted_in(&self) -> bool {
        self.metadata.annotations.get(OPT_IN).is_some_and(|value| value == "true")
    }

    /// Who brings it back, in words.
    pub fn repair(&self) -> String {
        match self.workload() {
            Some(("StatefulSet", name)) => {
                format!("StatefulSet {name} starts it again by its name")
            }
            Some(("DaemonSet", name)) => format!("DaemonSet {name} starts another on its node"),
            Some((kind, name)) => format!("{kind} {name} puts another in its place"),
            None => format!("nobody: pod {} has no owner", self.name()),
        }
    }
}

/// What instances of a workload are counted by.
pub fn service(kind: &str, namespace: &str, name: &str) -> String {
    format!("{} {namespace}/{name}", kind.to_lowercase())
}

impl PodSpec {
    /// From the moment at which its containers answer no more until it is not ready, at most.
    pub fn readiness_fails_after(&self) -> Option<Span> {
        let probes = self.containers.iter().filter_map(|container| container.readiness_probe);
        let fails = |probe: ReadinessProbe| {
            probe.period_seconds * probe.failure_threshold + probe.timeout_seconds
        };
        probes.map(fails).min().map(Span::secs)
    }

    /// Seconds that each of its pods takes to be ready, at least.
    pub fn ready_after(&self) -> u64 {
        let probes = self.containers.iter().filter_map(|container| container.readiness_probe);
        probes.map(|probe| probe.initial_delay_seconds).max().unwrap_or_default()
    }
}

impl Node {
    pub fn is_ready(&self) -> bool {
        self.status.conditions.iter().any(|c| c.kind == "Ready" && c.status == "True")
    }

    pub fn zone(&self) -> Option<&String> {
        self.metadata.labels.get(ZONE)
    }

    pub fn is_control_plane(&self) -> bool {
        self.metadata.labels.contains_key(CONTROL_PLANE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(owner: &str, hash: &str) -> Pod {
        serde_json::from_value(serde_json::json!({
            "metadata": {
                "name": "web-5d-x", "namespace": "shop", "uid": "u",
                "labels": {"pod-template-hash": hash},
                "ownerReferences": [
                    {"kind": "Thing", "name": "not-me"},
                    {"kind": "ReplicaSet", "name": owner, "controller": true},
                ],
                "managedFields": [{"manager": "kubelet"}],
            },
            "spec": {"nodeName": "n1", "containers": [{"name": "web"}]},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
        }))
        .unwrap()
    }

    #[test]
    fn a_pod_of_a_replica_set_belongs_to_its_deployment() {
        assert_eq!(pod("web-5d", "5d").workload(), Some(("Deployment", "web")));
        assert_eq!(pod("web-5d", "5d").service(), "deployment shop/web");
        assert_eq!(pod("web", "5d").workload(), Some(("ReplicaSet", "web")), "its own");
        assert!(pod("web-5d", "5d").is_ready());
        assert!(!pod("web-5d", "5d").is_over());
    }
}
