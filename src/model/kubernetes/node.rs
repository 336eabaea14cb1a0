//! A worker node: containerd, kubelet and kube-proxy, each with files of its own so that several
//! nodes stand on one machine.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::expand::{Draft, healthy, listening};
use super::{Component, KubernetesSpec, POD_NETWORK, Settings};
use crate::model::units::Span;

/// What Kubernetes 1.34 takes where nothing is told.
const STATUS_UPDATE: Span = Span::secs(10);
const LEASE_SECONDS: u64 = 40;

/// A port of containerd that tells that it lives; its own door is a file.
const CONTAINERD_METRICS: u16 = 1338;
const KUBELET_HEALTH: u16 = 10248;
const PROXY_HEALTH: u16 = 10256;

/// Where a lab has the network plug-ins of its pods.
pub const PLUGINS: &str = "/run/kube/cni";

const CONTAINERD_TOML: &str = r#"version = 2
root = "{{dir}}/root"
state = "{{dir}}/state"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.internal.v1.tracing",
]
[grpc]
  address = "{{dir}}/containerd.sock"
[metrics]
  address = "{{host.ipv4}}:{{service.port}}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/lab/pause:latest"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "PLUGINS"
    conf_dir = "{{dir}}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
"#;

/// Each pod has a wire of its own to its node: between pods of one bridge, answers would come back
/// unturned by the rules of Services.
const CONFLIST: &str = r#"{
  "cniVersion": "0.4.0",
  "name": "lab",
  "plugins": [
    {
      "type": "ptp",
      "ipMasq": false,
      "ipam": {
        "type": "host-local",
        "dataDir": "{{dir}}/addresses",
        "ranges": [[{"subnet": "10.244.{{index + 1}}.0/24"}]],
        "routes": [{"dst": "0.0.0.0/0"}]
      }
    }
  ]
}
"#;

pub(super) fn containerd() -> Draft {
    Draft {
        flags: vec![("config", "{{dir}}/containerd.toml".to_owned())],
        files: BTreeMap::from([
            ("containerd.toml".to_owned(), CONTAINERD_TOML.replace("PLUGINS", PLUGINS)),
            ("10-lab.conflist".to_owned(), CONFLIST.to_owned()),
        ]),
        port: CONTAINERD_METRICS,
        ready: healthy(CONTAINERD_METRICS, "/v1/metrics"),
        after: Vec::new(),
        timers: BTreeMap::new(),
    }
}

pub(super) fn kubelet(of: &KubernetesSpec, settings: &Settings) -> Draft {
    let mut labels = String::new();
    for (node, zone) in of.zones() {
        let which = if labels.is_empty() { "if" } else { "elif" };
        let label = format!("topology.kubernetes.io/zone={zone}");
        // Writing to a text cannot fail.
        let _ = write!(labels, "{{% {which} host.name == \"{node}\" %}}{label}");
    }
    if !labels.is_empty() {
        labels.push_str("{% endif %}");
    }
    let mut flags = vec![
        ("config", "{{dir}}/kubelet.json".to_owned()),
        ("kubeconfig", "{{dir}}/kubeconfig".to_owned()),
        ("root-dir", "{{dir}}/root".to_owned()),
        ("cert-dir", "{{dir}}/certificates".to_owned()),
        ("hostname-override", "{{host.name}}".to_owned()),
        ("node-ip", "{{host.ipv4}}".to_owned()),
    ];
    if !labels.is_empty() {
        flags.push(("node-labels", labels));
    }
    let config = Value::Object(kubelet_config(settings).into_iter().collect());
    let seconds = settings.config.get("nodeLeaseDurationSeconds").and_then(Value::as_u64);
    let lease = Span::secs(seconds.unwrap_or(LEASE_SECONDS));
    let told = settings.config.get("nodeStatusUpdateFrequency").and_then(Value::as_str);
    let update = told.and_then(|text| text.parse().ok()).unwrap_or(STATUS_UPDATE);
    Draft {
        flags,
        files: BTreeMap::from([("kubelet.json".to_owned(), format!("{config:#}\n"))]),
        port: 10250,
        ready: healthy(KUBELET_HEALTH, "/healthz"),
        after: vec![Component::ApiServer.service(), Component::Containerd.service()],
        timers: BTreeMap::from([
            ("leaseDuration".to_owned(), lease),
            ("nodeStatusUpdateFrequency".to_owned(), update),
        ]),
    }
}

/// Ours, and over it what the document says.
fn kubelet_config(settings: &Settings) -> BTreeMap<String, Value> {
    let ours = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": "unix:///run/lab/{{host.name}}/containerd/containerd.sock",
        "address": "{{host.ipv4}}",
        "healthzBindAddress": "{{host.ipv4}}",
        "healthzPort": KUBELET_HEALTH,
        "authentication": {
            "anonymous": {"enabled": false},
            "webhook": {"enabled": true},
            "x509": {"clientCAFile": "{{dir}}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "clusterDNS": ["10.96.0.10"],
        "clusterDomain": "cluster.local",
        "resolvConf": "",
        "podLogsDir": "{{dir}}/logs",
        "volumePluginDir": "{{dir}}/volumes",
        "cgroupDriver": "cgroupfs",
        "cgroupsPerQOS": true,
        "enforceNodeAllocatable": [],
        "failSwapOn": false,
        "failCgroupV1": false,
        "oomScoreAdj": 0,
        // The disk is the whole machine's, and its state is nothing that a lab should react to.
        "evictionHard": {},
        "imageGCHighThresholdPercent": 100,
        "localStorageCapacityIsolation": false,
        // What it would set on the machine, a lab shows as set (`host::linux::mounts`).
        "protectKernelDefaults": true,
    });
    let mut config: BTreeMap<String, Value> = match ours {
        Value::Object(map) => map.into_iter().collect(),
        _ => BTreeMap::new(),
    };
    config.extend(settings.config.clone());
    config
}

pub(super) fn kube_proxy() -> Draft {
    Draft {
        flags: vec![
            ("kubeconfig", "{{dir}}/kubeconfig".to_owned()),
            ("hostname-override", "{{host.name}}".to_owned()),
            ("proxy-mode", "nftables".to_owned()),
            ("cluster-cidr", POD_NETWORK.to_owned()),
            // The limits of connection tracking are the machine's.
            ("conntrack-max-per-core", "0".to_owned()),
            ("bind-address", "{{host.ipv4}}".to_owned()),
        ],
        files: BTreeMap::new(),
        port: PROXY_HEALTH,
        ready: listening(),
        after: vec![Component::ApiServer.service(), Component::Kubelet.service()],
        timers: BTreeMap::new(),
    }
}
