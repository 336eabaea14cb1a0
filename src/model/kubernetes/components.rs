//! The control plane: the flags that each program is started with. Keys and kubeconfigs are files
//! in the instance's own folder, made when the lab is raised.

use std::collections::BTreeMap;

use super::expand::{Draft, healthy, listening};
use super::{API_PORT, Component, POD_NETWORK, SERVICE_NETWORK, Settings};
use crate::model::units::Span;

/// What Kubernetes 1.34 takes where nothing is told.
const GRACE_PERIOD: Span = Span::secs(50);
const MONITOR_PERIOD: Span = Span::secs(5);

/// Health of etcd, apart from its clients' port, which is on the loopback alone.
const ETCD_HEALTH: u16 = 2381;

pub(super) fn etcd() -> Draft {
    let clients = "http://127.0.0.1:2379".to_owned();
    Draft {
        flags: vec![
            ("data-dir", "{{dir}}/data".to_owned()),
            ("listen-client-urls", clients.clone()),
            ("advertise-client-urls", clients),
            ("listen-peer-urls", "http://127.0.0.1:2380".to_owned()),
            ("listen-metrics-urls", format!("http://{{{{host.ipv4}}}}:{ETCD_HEALTH}")),
            // Its disk is memory, and gone with the lab.
            ("unsafe-no-fsync", "true".to_owned()),
        ],
        files: BTreeMap::new(),
        port: ETCD_HEALTH,
        ready: healthy(ETCD_HEALTH, "/health"),
        after: Vec::new(),
        timers: BTreeMap::new(),
    }
}

pub(super) fn api_server() -> Draft {
    let file = |name: &str| format!("{{{{dir}}}}/{name}");
    let flags = vec![
        ("etcd-servers", "http://127.0.0.1:2379".to_owned()),
        ("advertise-address", "{{host.ipv4}}".to_owned()),
        ("secure-port", API_PORT.to_string()),
        ("service-cluster-ip-range", SERVICE_NETWORK.to_owned()),
        ("allow-privileged", "true".to_owned()),
        ("authorization-mode", "Node,RBAC".to_owned()),
        ("enable-admission-plugins", "NodeRestriction".to_owned()),
        ("cert-dir", file("certificates")),
        ("client-ca-file", file("ca.crt")),
        ("tls-cert-file", file("api.crt")),
        ("tls-private-key-file", file("api.key")),
        ("service-account-key-file", file("sa.pub")),
        ("service-account-signing-key-file", file("sa.key")),
        ("service-account-issuer", "https://kubernetes.default.svc".to_owned()),
        ("kubelet-client-certificate", file("admin.crt")),
        ("kubelet-client-key", file("admin.key")),
        // Nodes' names stand in no DNS.
        ("kubelet-preferred-address-types", "InternalIP".to_owned()),
        // There is no kube-proxy here: pods behind the aggregator are spoken to themselves.
        ("enable-aggregator-routing", "true".to_owned()),
        ("requestheader-client-ca-file", file("ca.crt")),
        ("requestheader-allowed-names", "front-proxy".to_owned()),
        ("requestheader-extra-headers-prefix", "X-Remote-Extra-".to_owned()),
        ("requestheader-group-headers", "X-Remote-Group".to_owned()),
        ("requestheader-username-headers", "X-Remote-User".to_owned()),
        ("proxy-client-cert-file", file("front.crt")),
        ("proxy-client-key-file", file("front.key")),
    ];
    Draft {
        flags,
        files: BTreeMap::new(),
        port: API_PORT,
        ready: listening(),
        after: vec![Component::Etcd.service()],
        timers: BTreeMap::new(),
    }
}

pub(super) fn controllers(settings: &Settings) -> Draft {
    let file = |name: &str| format!("{{{{dir}}}}/{name}");
    let timer = |flag: &str, unless: Span| {
        let told = settings.flags.get(flag).and_then(Option::as_deref);
        told.and_then(|text| text.parse().ok()).unwrap_or(unless)
    };
    Draft {
        flags: vec![
            ("kubeconfig", file("kubeconfig")),
            // There is one, so nothing is to be elected; a drill of leaders turns it on.
            ("leader-elect", "false".to_owned()),
            ("use-service-account-credentials", "true".to_owned()),
            ("service-account-private-key-file", file("sa.key")),
            ("root-ca-file", file("ca.crt")),
            ("cert-dir", file("certificates")),
            ("flex-volume-plugin-dir", file("volumes")),
            ("allocate-node-cidrs", "false".to_owned()),
            ("cluster-cidr", POD_NETWORK.to_owned()),
        ],
        files: BTreeMap::new(),
        port: 10257,
        ready: listening(),
        after: vec![Component::ApiServer.service()],
        timers: BTreeMap::from([
            ("nodeMonitorGracePeriod".to_owned(), timer("node-monitor-grace-period", GRACE_PERIOD)),
            ("nodeMonitorPeriod".to_owned(), timer("node-monitor-period", MONITOR_PERIOD)),
        ]),
    }
}

pub(super) fn scheduler() -> Draft {
    Draft {
        flags: vec![
            ("kubeconfig", "{{dir}}/kubeconfig".to_owned()),
            ("leader-elect", "false".to_owned()),
            ("cert-dir", "{{dir}}/certificates".to_owned()),
        ],
        files: BTreeMap::new(),
        port: 10259,
        ready: listening(),
        after: vec![Component::ApiServer.service()],
        timers: BTreeMap::new(),
    }
}
