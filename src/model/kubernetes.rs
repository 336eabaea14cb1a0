//! The `kubernetes` section of a lab: a real cluster, from the machine's own programs.
//!
//! It is a shorthand: [`expand`] writes it out as ordinary services on ordinary hosts, so that
//! whatever knows a lab knows a cluster too. What is left in the section after that is what only
//! raising it needs: images, manifests, and what must be ready.

mod components;
pub mod expand;
mod node;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lab::Restart;
use super::units::Span;

pub use expand::{expand, service_names};
pub use node::PLUGINS;

/// The host that the control plane runs on.
pub const CONTROL_PLANE: &str = "cp";

/// Where the API server listens.
pub const API_PORT: u16 = 6443;

/// The addresses of Services; the first is the API server's own.
pub const SERVICE_NETWORK: &str = "10.96.0.0/16";
pub const SERVICE_OF_API: &str = "10.96.0.1";

/// The addresses of pods: `10.244.N.0/24` is the N-th node's.
pub const POD_NETWORK: &str = "10.244.0.0/16";

/// More nodes than addresses of pods: `10.244.N`.
pub const NODES_MAX: usize = 100;

/// A cluster: its nodes are hosts of the lab, its programs are services. Root only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubernetesSpec {
    /// The worker nodes, each a host of the lab. The control plane is on the host `cp`.
    pub nodes: Vec<Node>,
    /// Folders where the programs of Kubernetes are looked for, before PATH; relative to this file.
    #[serde(default)]
    pub programs: Vec<String>,
    /// Image archives (`NAME.tar`, an OCI layout with the tag `latest`), or folders of them;
    /// relative to this file. Each becomes `docker.io/lab/NAME:latest` on every node. One must be
    /// `pause`.
    pub images: Vec<String>,
    /// YAML files, or folders of them, that are applied in this order (a folder's by name);
    /// relative to this file.
    #[serde(default)]
    pub manifests: Vec<String>,
    /// What is changed of the programs' settings.
    #[serde(default)]
    pub components: BTreeMap<Component, Settings>,
    /// What must be rolled out before the lab counts as up, beside every node.
    #[serde(default)]
    pub ready: Vec<Workload>,
    /// How long images, nodes, manifests and workloads may each take.
    #[serde(default = "default_ready_within")]
    pub ready_within: Span,
}

/// One worker node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Node {
    /// The node's name, and its host's.
    pub name: String,
    /// Its label `topology.kubernetes.io/zone`.
    #[serde(default)]
    pub zone: Option<String>,
}

/// A program of the cluster.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Component {
    Etcd,
    ApiServer,
    ControllerManager,
    Scheduler,
    Containerd,
    Kubelet,
    KubeProxy,
}

/// What is changed of one program's settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// Flags without their dashes: `node-monitor-grace-period: 8s`. They come over ours; nothing
    /// (`null`) takes one of ours away. Values are templates, as a service's command is.
    #[serde(default)]
    pub flags: BTreeMap<String, Option<String>>,
    /// Fields of a `KubeletConfiguration`, for `kubelet` alone; they come over ours.
    #[serde(default)]
    pub config: BTreeMap<String, Value>,
    /// What happens when the process ends by itself or is killed.
    #[serde(default)]
    pub restart: Restart,
}

/// A workload whose rollout must be complete.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Workload {
    #[serde(default = "default_namespace")]
    pub namespace: String,
    pub kind: WorkloadKind,
    pub name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WorkloadKind {
    Deployment,
    StatefulSet,
    DaemonSet,
}

impl Component {
    pub const ALL: [Component; 7] = [
        Component::Etcd,
        Component::ApiServer,
        Component::ControllerManager,
        Component::Scheduler,
        Component::Containerd,
        Component::Kubelet,
        Component::KubeProxy,
    ];

    /// The service that it becomes.
    #[must_use]
    pub fn service(self) -> &'static str {
        match self {
            Component::Etcd => "etcd",
            Component::ApiServer => "apiserver",
            Component::ControllerManager => "controller-manager",
            Component::Scheduler => "scheduler",
            Component::Containerd => "containerd",
            Component::Kubelet => "kubelet",
            Component::KubeProxy => "kube-proxy",
        }
    }

    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Component::Etcd => "etcd",
            Component::ApiServer => "kube-apiserver",
            Component::ControllerManager => "kube-controller-manager",
            Component::Scheduler => "kube-scheduler",
            Component::Containerd => "containerd",
            Component::Kubelet => "kubelet",
            Component::KubeProxy => "kube-proxy",
        }
    }

    /// The Debian package, where there is one; `make kube-programs` builds the others.
    #[must_use]
    pub fn package(self) -> Option<&'static str> {
        match self {
            Component::Etcd => Some("etcd-server"),
            Component::Containerd => Some("containerd"),
            _ => None,
        }
    }
}

impl WorkloadKind {
    /// As kubectl has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            WorkloadKind::Deployment => "deployment",
            WorkloadKind::StatefulSet => "statefulset",
            WorkloadKind::DaemonSet => "daemonset",
        }
    }
}

impl KubernetesSpec {
    #[must_use]
    pub fn settings(&self, of: Component) -> Settings {
        self.components.get(&of).cloned().unwrap_or_default()
    }

    /// The zone of each node that has one.
    #[must_use]
    pub fn zones(&self) -> BTreeMap<String, String> {
        let zone = |node: &Node| Some((node.name.clone(), node.zone.clone()?));
        self.nodes.iter().filter_map(zone).collect()
    }

    /// The pods' addresses of each node, by its name.
    #[must_use]
    pub fn pod_networks(&self) -> BTreeMap<String, String> {
        let numbered = self.nodes.iter().zip(1..);
        numbered.map(|(node, n)| (node.name.clone(), format!("10.244.{n}.0/24"))).collect()
    }
}

fn default_ready_within() -> Span {
    Span::secs(90)
}

fn default_namespace() -> String {
    "default".to_owned()
}
