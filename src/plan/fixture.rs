//! A lab, a cluster and an experiment for the tests of this folder and of `guard`.

use std::collections::BTreeMap;

use serde_json::json;

use crate::model::cluster::{ClusterIdentity, ObjectIdentity, PlannedCluster, Resource};
use crate::model::expectation::{Expectation, Impact, Milestone};
use crate::model::experiment::{
    Bind, Claim, Defence, Experiment, Footprint, LabSelector, Peers, Pick, Restore, Selector, Step,
    StepFacts, TargetSpec,
};
use crate::model::inventory::{Candidate, Host, InstanceName};
use crate::model::lab::LabSpec;
use crate::model::plan::{Plan, PlannedLab, Source};
use crate::model::selector::{NodeSelector, Owner, PodSelector, WorkloadKind};
use crate::model::units::Span;

use super::{PlanInput, plan};

/// Three redis on r1 to r3, three sentinels on s1 to s3, and two nginx that share r1 and r2.
pub fn lab() -> PlannedLab {
    let service = |hosts: &[&str], restart: serde_json::Value| json!({"hosts": hosts, "command": ["server"], "port": 6379, "restart": restart});
    let mut redis = service(&["r1", "r2", "r3"], json!("never"));
    redis["timers"] = json!({"downAfter": "1s"});
    let spec: LabSpec = serde_json::from_value(json!({
        "title": "three and three",
        "services": {
            "redis": redis,
            "sentinel": service(&["s1", "s2", "s3"], json!({"always": {"after": "1s"}})),
            "nginx": service(&["r1", "r2"], json!({"always": {"after": "2s"}})),
        },
    }))
    .unwrap();
    super::lab("trio", "labs/trio.yaml", "1ab", &spec).unwrap()
}

pub fn target(service: &str, role: Option<&str>, pick: Pick) -> TargetSpec {
    let selector = Selector::Lab(LabSelector {
        service: service.into(),
        role: role.map(Into::into),
        hosts: Vec::new(),
    });
    TargetSpec { selector, pick, bind: Bind::Inject, follow: false }
}

/// A step of a kind that has these facts.
pub fn step(at: u64, hold: u64, target: &str, restore: Restore) -> Step {
    let defence = match restore {
        Restore::None => vec![Defence::ReadBack],
        Restore::Undo => vec![Defence::Guardian, Defence::Journal, Defence::ReadBack],
        Restore::Kernel => {
            vec![Defence::Kernel, Defence::Guardian, Defence::Journal, Defence::ReadBack]
        }
    };
    Step {
        at: Span::secs(at),
        hold: Span::secs(hold),
        kind: "someFault".into(),
        params: json!({"target": target}),
        facts: StepFacts {
            subjects: vec![target.into()],
            peers: Peers::None,
            restore,
            defence,
            footprint: Footprint::Process,
            summary: "harm to {target}".into(),
        },
        impact: Impact::Uncounted,
    }
}

pub fn experiment(targets: &[(&str, TargetSpec)], method: Vec<Step>) -> Experiment {
    Experiment {
        name: "trial".into(),
        title: "It holds".into(),
        labels: BTreeMap::new(),
        owner: None,
        change: None,
        environment: None,
        lab: Some("labs/trio.yaml".into()),
        targets: targets.iter().map(|(name, spec)| ((*name).into(), spec.clone())).collect(),
        probes: BTreeMap::new(),
        steady_for: Span::secs(2),
        steady_within: Span::secs(30),
        method,
        hypothesis: vec![Claim {
            check: "downtime".into(),
            params: json!({"probe": "writes", "atMost": "6s"}),
            probe: Some("writes".into()),
            target: None,
            line: 9,
        }],
        stop_conditions: Vec::new(),
        recovery_watch: Span::secs(10),
    }
}

pub fn input(experiment: &Experiment) -> PlanInput<'_> {
    PlanInput {
        experiment,
        source: Source { path: "trial.yaml".into(), sha256: "e1".into() },
        lab: Some(lab()),
        clusters: Vec::new(),
        seed: 42,
        policies: BTreeMap::from([("default".into(), "d1".into())]),
        warnings: Vec::new(),
    }
}

pub fn planned(experiment: &Experiment) -> Plan {
    plan(input(experiment)).unwrap()
}

/// The primary of redis is killed.
pub fn primary_loss() -> Experiment {
    experiment(
        &[("primary", target("redis", Some("primary"), Pick::One))],
        vec![step(0, 8, "primary", Restore::None)],
    )
}

/// `web/NAME`, a pod of `deployment web/WORKLOAD`.
pub fn pod(name: &str, workload: &str, node: &str, zone: Option<&str>) -> Candidate {
    let host = Host { name: node.into(), ..Host::nowhere() };
    Candidate {
        name: InstanceName(format!("web/{name}")),
        service: format!("deployment web/{workload}"),
        repair: format!("Deployment {workload} puts another in its place"),
        object: Some(object(Resource::Pod, Some("web"), name)),
        zone: zone.map(Into::into),
        created: Some("2026-06-16T10:00:00Z".into()),
        ..bare(host)
    }
}

/// `node/NAME`.
pub fn node(name: &str, zone: Option<&str>) -> Candidate {
    Candidate {
        name: InstanceName(format!("node/{name}")),
        service: "node".into(),
        repair: "squall lets it be used again".into(),
        object: Some(object(Resource::Node, None, name)),
        zone: zone.map(Into::into),
        ..bare(Host { name: name.into(), ..Host::nowhere() })
    }
}

/// The Deployment itself.
pub fn workload(name: &str) -> Candidate {
    Candidate {
        name: InstanceName(format!("deployment/web/{name}")),
        service: format!("deployment web/{name}"),
        repair: "squall puts it back".into(),
        object: Some(object(Resource::Deployment, Some("web"), name)),
        ..bare(Host::nowhere())
    }
}

fn bare(host: Host) -> Candidate {
    Candidate {
        name: InstanceName(String::new()),
        service: String::new(),
        host,
        port: None,
        repair: String::new(),
        zone: None,
        object: None,
        created: None,
        opted_in: false,
    }
}

fn object(resource: Resource, namespace: Option<&str>, name: &str) -> ObjectIdentity {
    ObjectIdentity {
        cluster: identity(),
        resource,
        namespace: namespace.map(Into::into),
        name: name.into(),
        uid: format!("uid-of-{name}"),
    }
}

fn identity() -> ClusterIdentity {
    ClusterIdentity { context: "staging".into(), uid: "0123abcd-0000".into() }
}

/// Web in three replicas on n1 to n3, each a zone; a cart on n1 and n2; an agent on every node.
pub fn cluster(found: &[(&str, &[&str])]) -> PlannedCluster {
    let nodes = [("n1", "z1"), ("n2", "z2"), ("n3", "z3")];
    let mut population = vec![
        pod("cart-a", "cart", "n1", Some("z1")),
        pod("cart-b", "cart", "n2", Some("z2")),
        workload("web"),
    ];
    for (number, (name, zone)) in nodes.into_iter().enumerate() {
        population.push(node(name, Some(zone)));
        population.push(pod(&format!("web-{}", number + 1), "web", name, Some(zone)));
        population.push(pod(&format!("agent-{name}"), "agent", name, Some(zone)));
    }
    population.sort_by(|a, b| a.name.cmp(&b.name));
    let names = |names: &[&str]| names.iter().map(|n| InstanceName((*n).to_owned())).collect();
    PlannedCluster {
        cluster: identity(),
        kubeconfig: "kubeconfig.yaml".into(),
        lab: false,
        version: "v1.34.4".into(),
        found: found.iter().map(|(target, of)| ((*target).to_owned(), names(of))).collect(),
        population,
        environments: BTreeMap::from([("namespace web".into(), Some("staging".into()))]),
        timers: BTreeMap::new(),
        everything: BTreeMap::new(),
        ready: BTreeMap::new(),
    }
}

pub fn pods_of(workload: &str, pick: Pick) -> TargetSpec {
    let owner = Owner { kind: WorkloadKind::Deployment, name: workload.into() };
    let selector = PodSelector {
        context: Some("staging".into()),
        namespace: "web".into(),
        owner: Some(owner),
        ..PodSelector::default()
    };
    let selector = Selector::Pods(Box::new(selector));
    TargetSpec { selector, pick, bind: Bind::Inject, follow: false }
}

pub fn nodes_of(zones: &[&str], pick: Pick) -> TargetSpec {
    let selector = NodeSelector {
        context: Some("staging".into()),
        zones: zones.iter().map(|zone| (*zone).to_owned()).collect(),
        ..NodeSelector::default()
    };
    TargetSpec { selector: Selector::Nodes(selector), pick, bind: Bind::Inject, follow: false }
}

/// What an experiment hits in the cluster, without a lab.
pub fn in_cluster(experiment: &Experiment, cluster: PlannedCluster) -> PlanInput<'_> {
    PlanInput { lab: None, clusters: vec![cluster], ..input(experiment) }
}

/// A node is expected to be `NotReady` so many seconds after the first step.
pub fn not_ready(earliest: u64, latest: u64) -> Expectation {
    Expectation {
        step: 0,
        milestone: Milestone::NodeNotReady,
        subjects: vec!["node n1".into()],
        earliest: Span::secs(earliest),
        latest: Some(Span::secs(latest)),
        because: "lease 4s renewed every 1s".into(),
        assumed: Vec::new(),
    }
}
