//! Writes a `kubernetes` section out as services. A pure function of the document: plans, selectors
//! and faults see `kubelet@n1` as they see `redis@r1`.

use std::collections::BTreeMap;

use super::{CONTROL_PLANE, Component, KubernetesSpec, components, node};
use crate::model::lab::{Check, HttpExchange, LabSpec, Service, TcpExchange};
use crate::model::units::Span;

/// A cold start on a machine that is busy.
const READY_WITHIN: Span = Span::secs(60);

/// One program as we run it, before the document's own settings.
pub(super) struct Draft {
    pub flags: Vec<(&'static str, String)>,
    pub files: BTreeMap<String, String>,
    pub port: u16,
    pub ready: Check,
    pub after: Vec<&'static str>,
    pub timers: BTreeMap<String, Span>,
}

/// Adds the services of the section to those that the document declares itself. One that has the
/// name of ours stays as it was declared: reading the document finds that.
pub fn expand(spec: &mut LabSpec) {
    let Some(kubernetes) = &spec.kubernetes else { return };
    let nodes: Vec<String> = kubernetes.nodes.iter().map(|node| node.name.clone()).collect();
    for component in Component::ALL {
        let hosts =
            if on_nodes(component) { nodes.clone() } else { vec![CONTROL_PLANE.to_owned()] };
        let service = service(component, kubernetes, hosts);
        spec.services.entry(component.service().to_owned()).or_insert(service);
    }
}

/// The services that a section becomes.
pub fn service_names() -> impl Iterator<Item = &'static str> {
    Component::ALL.into_iter().map(Component::service)
}

fn on_nodes(component: Component) -> bool {
    matches!(component, Component::Containerd | Component::Kubelet | Component::KubeProxy)
}

fn service(component: Component, of: &KubernetesSpec, hosts: Vec<String>) -> Service {
    let settings = of.settings(component);
    let draft = match component {
        Component::Etcd => components::etcd(),
        Component::ApiServer => components::api_server(),
        Component::ControllerManager => components::controllers(&settings),
        Component::Scheduler => components::scheduler(),
        Component::Containerd => node::containerd(),
        Component::Kubelet => node::kubelet(of, &settings),
        Component::KubeProxy => node::kube_proxy(),
    };
    let mut flags: BTreeMap<&str, Option<&str>> =
        draft.flags.iter().map(|(name, value)| (*name, Some(value.as_str()))).collect();
    flags.extend(settings.flags.iter().map(|(name, value)| (name.as_str(), value.as_deref())));
    let flags = flags.into_iter().filter_map(|(name, value)| Some(format!("--{name}={}", value?)));
    Service {
        hosts,
        command: [component.program().to_owned()].into_iter().chain(flags).collect(),
        package: component.package().map(str::to_owned),
        env: BTreeMap::new(),
        files: draft.files,
        port: Some(draft.port),
        ready: vec![draft.ready],
        ready_within: READY_WITHIN,
        role: None,
        restart: settings.restart,
        after: draft.after.into_iter().map(str::to_owned).collect(),
        timers: draft.timers,
    }
}

/// Answers that path with 200.
pub(super) fn healthy(port: u16, path: &str) -> Check {
    Check::Http(HttpExchange {
        port: Some(port),
        method: "GET".to_owned(),
        path: path.to_owned(),
        body: None,
        status: 200,
        expect: None,
    })
}

/// Listens.
pub(super) fn listening() -> Check {
    Check::Tcp(TcpExchange { port: None, send: None, expect: None })
}

#[cfg(test)]
mod tests;
