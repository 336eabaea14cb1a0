//! What a section becomes, as plans and selectors see it.

use serde_json::{Value, json};

use super::*;
use crate::model::layout::Layout;

fn lab(components: Value) -> LabSpec {
    let mut spec: LabSpec = serde_json::from_value(json!({
        "title": "a cluster",
        "kubernetes": {
            "nodes": [{"name": "n2", "zone": "zb"}, {"name": "n1", "zone": "za"}, {"name": "n3"}],
            "images": ["images"],
            "components": components,
        },
        "services": {"front": {"hosts": ["front"], "command": ["haproxy"]}},
    }))
    .unwrap();
    expand(&mut spec);
    spec
}

fn flags(spec: &LabSpec, service: &str) -> Vec<String> {
    spec.services[service].command[1..].to_vec()
}

#[test]
fn nodes_and_control_plane_are_hosts_with_services() {
    let layout = Layout::of(&lab(json!({}))).unwrap();
    let hosts: Vec<&str> = layout.hosts.iter().map(|h| h.name.as_str()).collect();
    assert_eq!(hosts, ["client", "cp", "n2", "n1", "n3", "front"]);
    let names: Vec<&str> = layout.candidates.iter().map(|c| c.name.0.as_str()).collect();
    for name in ["apiserver@cp", "etcd@cp", "controller-manager@cp", "scheduler@cp"] {
        assert!(names.contains(&name), "{names:?}");
    }
    for service in ["containerd", "kubelet", "kube-proxy"] {
        for host in ["n1", "n2", "n3"] {
            assert!(names.contains(&format!("{service}@{host}").as_str()), "{names:?}");
        }
    }
    assert_eq!(names.len(), 4 + 9 + 1);
    assert_eq!(layout.lookup("apiserver").as_deref(), Some("10.66.0.11:6443"));
    let zones: Vec<(&str, &str)> =
        layout.zones.iter().map(|(node, zone)| (node.as_str(), zone.as_str())).collect();
    assert_eq!(zones, [("n1", "za"), ("n2", "zb")]);
}

#[test]
fn what_the_document_says_comes_over_ours() {
    let spec = lab(json!({
        "apiServer": {"flags": {"authorization-mode": "RBAC", "v": "4"}},
        "controllerManager": {"flags": {"leader-elect": null}},
        "kubelet": {"config": {"syncFrequency": "2s", "failSwapOn": true}},
    }));
    let api = flags(&spec, "apiserver");
    assert!(api.contains(&"--authorization-mode=RBAC".to_owned()), "{api:?}");
    assert!(api.contains(&"--v=4".to_owned()), "{api:?}");
    assert!(api.contains(&"--secure-port=6443".to_owned()), "{api:?}");
    assert_eq!(api.iter().filter(|f| f.contains("authorization-mode")).count(), 1);
    let controllers = flags(&spec, "controller-manager");
    assert!(!controllers.iter().any(|f| f.contains("leader-elect")), "{controllers:?}");
    let config: Value =
        serde_json::from_str(&spec.services["kubelet"].files["kubelet.json"]).unwrap();
    assert_eq!(config["syncFrequency"], "2s");
    assert_eq!(config["failSwapOn"], true);
    assert_eq!(config["cgroupDriver"], "cgroupfs");
}

/// A plan reckons with them: they are those of the programs where the document is silent.
#[test]
fn timers_are_those_that_the_programs_go_by() {
    let told = lab(json!({
        "controllerManager": {"flags": {"node-monitor-grace-period": "8s"}},
        "kubelet": {"config": {"nodeLeaseDurationSeconds": 4, "nodeStatusUpdateFrequency": "1s"}},
    }));
    let timers = Layout::of(&told).unwrap().timers;
    assert_eq!(timers["controller-manager.nodeMonitorGracePeriod"], Span::secs(8));
    assert_eq!(timers["controller-manager.nodeMonitorPeriod"], Span::secs(5));
    assert_eq!(timers["kubelet.leaseDuration"], Span::secs(4));
    assert_eq!(timers["kubelet.nodeStatusUpdateFrequency"], Span::secs(1));
    let left = Layout::of(&lab(json!({}))).unwrap().timers;
    assert_eq!(left["controller-manager.nodeMonitorGracePeriod"], Span::secs(50));
    assert_eq!(left["kubelet.leaseDuration"], Span::secs(40));
    assert_eq!(left["kubelet.nodeStatusUpdateFrequency"], Span::secs(10));
}

#[test]
fn a_component_comes_back_only_where_the_document_says_so() {
    use crate::model::lab::Restart;
    let spec = lab(json!({"kubelet": {"restart": {"always": {"after": "1s"}}}}));
    assert_eq!(spec.services["kubelet"].restart, Restart::Always { after: Span::secs(1) });
    assert_eq!(spec.services["scheduler"].restart, Restart::Never);
}

/// A record of a standing lab is written out already.
#[test]
fn what_is_written_out_stays_as_it_is() {
    let once = lab(json!({}));
    let mut twice = once.clone();
    expand(&mut twice);
    assert_eq!(once, twice);
    let mut read: LabSpec = serde_json::from_value(serde_json::to_value(&once).unwrap()).unwrap();
    assert_eq!(read, once);
    read.kubernetes = None;
    expand(&mut read);
    assert_eq!(read.services, once.services);
}
