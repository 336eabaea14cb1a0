//! What is done once to make a cluster ready: images imported, nodes seen ready, manifests applied,
//! workloads rolled out. Each is a program that is run until it succeeds or its time is up.

use serde::{Deserialize, Serialize};

use super::PROGRAMS;
use super::files::Shown;
use crate::model::kubernetes::{CONTROL_PLANE, Component, KubernetesSpec, Workload};
use crate::model::units::Span;

/// The administrator's kubeconfig, for errands in the lab.
pub const ADMIN: &str = "/run/lab/cp/apiserver/admin.kubeconfig";

/// Fails while a node is closed to pods: it is opened a moment after it was seen ready, and what is
/// scheduled in between would stand on the first node that was open.
const OPEN: &str = "{{range .items}}{{range .spec.taints}}\
    {{if eq .key \"node.kubernetes.io/not-ready\"}}{{template \"a node is not open yet\"}}{{end}}\
    {{end}}{{end}}";

/// One thing to be done on one host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Errand {
    /// `images on n1`.
    pub name: String,
    pub host: String,
    /// Others wait for all of one stage.
    pub stage: Stage,
    /// Services that must be ready first.
    pub after: Vec<String>,
    /// Programs with their arguments, one after the other.
    pub steps: Vec<Vec<String>>,
    /// From the first start of the first step.
    pub within: Span,
}

/// In this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    Images,
    Nodes,
    Manifests,
    Workloads,
}

pub fn of(spec: &KubernetesSpec, images: &[Shown], manifests: &[Shown]) -> Vec<Errand> {
    let within = spec.ready_within;
    let on_control_plane = |name: String, stage: Stage, steps: Vec<Vec<String>>| Errand {
        name,
        host: CONTROL_PLANE.to_owned(),
        stage,
        after: Component::ALL.iter().map(|c| c.service().to_owned()).collect(),
        steps,
        within,
    };
    let mut errands: Vec<Errand> = Vec::new();
    for node in &spec.nodes {
        errands.push(Errand {
            name: format!("images on {}", node.name),
            host: node.name.clone(),
            stage: Stage::Images,
            after: vec![Component::Containerd.service().to_owned()],
            steps: images.iter().map(|image| import(&node.name, image)).collect(),
            within,
        });
    }
    let mut ready = vec!["wait".to_owned(), "--for=condition=Ready".to_owned()];
    ready.push(format!("--timeout={}s", within.seconds().ceil()));
    ready.extend(spec.nodes.iter().map(|node| format!("node/{}", node.name)));
    let open = ["get", "nodes", "--output=go-template", "--template", OPEN].map(str::to_owned);
    let steps = vec![kubectl(ready), kubectl(open.to_vec())];
    errands.push(on_control_plane("nodes".to_owned(), Stage::Nodes, steps));
    if !manifests.is_empty() {
        let apply = |file: &Shown| kubectl(vec!["apply".into(), "-f".into(), file.bind.to.clone()]);
        let steps = manifests.iter().map(apply).collect();
        errands.push(on_control_plane("manifests".to_owned(), Stage::Manifests, steps));
    }
    for workload in &spec.ready {
        let steps = vec![rollout(workload, within)];
        let Workload { namespace, kind, name } = workload;
        let name = format!("{} {name} of {namespace}", kind.word());
        errands.push(on_control_plane(name, Stage::Workloads, steps));
    }
    errands
}

fn import(node: &str, image: &Shown) -> Vec<String> {
    let words = [
        &format!("{PROGRAMS}/ctr"),
        &format!("--address=/run/lab/{node}/containerd/containerd.sock"),
        "--namespace=k8s.io",
        "images",
        "import",
        "--base-name",
        &format!("docker.io/lab/{}", image.name),
        &image.bind.to,
    ];
    words.map(str::to_owned).to_vec()
}

fn rollout(workload: &Workload, within: Span) -> Vec<String> {
    kubectl(vec![
        "rollout".to_owned(),
        "status".to_owned(),
        format!("{}/{}", workload.kind.word(), workload.name),
        format!("--namespace={}", workload.namespace),
        format!("--timeout={}s", within.seconds().ceil()),
    ])
}

fn kubectl(words: Vec<String>) -> Vec<String> {
    let program = [format!("{PROGRAMS}/kubectl"), format!("--kubeconfig={ADMIN}")];
    program.into_iter().chain(words).collect()
}
