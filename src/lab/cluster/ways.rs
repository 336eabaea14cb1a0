//! The ways of a cluster's packets: pods are behind their nodes, Services are nowhere and
//! everywhere.

use serde::{Deserialize, Serialize};

use super::v4;
use crate::host::linux::route::Route;
use crate::model::kubernetes::{KubernetesSpec, SERVICE_NETWORK};
use crate::model::layout::Layout;
use crate::model::network::Cidr;

/// One route of one host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Way {
    /// None: the bridge's own namespace, where parts of a drill are born.
    pub host: Option<String>,
    pub to: Cidr,
    pub via: std::net::IpAddr,
}

impl Way {
    #[must_use]
    pub fn route(&self) -> Route {
        Route { to: self.to, via: self.via }
    }
}

/// Every node knows the others' pods, and sends the rest to the bridge, which goes nowhere: without
/// a way no packet to a Service would come as far as the rules that turn it. Who is no node gets to
/// pods by their nodes and to Services by the first one, which answers in its own name.
pub fn of(spec: &KubernetesSpec, layout: &Layout) -> Vec<Way> {
    let networks = spec.pod_networks();
    let behind = |name: &String| {
        Some((name.clone(), networks.get(name)?.parse().ok()?, layout.host(name)?.ipv4))
    };
    let pods: Vec<(String, Cidr, std::net::IpAddr)> =
        spec.nodes.iter().filter_map(|node| behind(&node.name)).collect();
    let everything = Cidr { address: v4("0.0.0.0"), prefix: 0 };
    let services: Option<Cidr> = SERVICE_NETWORK.parse().ok();
    let mut ways = Vec::new();
    let hosts = layout.hosts.iter().map(|host| Some(host.name.as_str()));
    for host in hosts.chain([None]) {
        let mut add = |to: Cidr, via: std::net::IpAddr| {
            ways.push(Way { host: host.map(str::to_owned), to, via });
        };
        let own = |node: &str| Some(node) == host;
        let is_node = pods.iter().any(|(node, ..)| own(node));
        for (_, block, via) in pods.iter().filter(|(node, ..)| !own(node)) {
            add(*block, *via);
        }
        if is_node {
            add(everything, layout.gateway.0.into());
        } else if let (Some(services), Some((_, _, first))) = (services, pods.first()) {
            add(services, *first);
        }
    }
    ways
}
