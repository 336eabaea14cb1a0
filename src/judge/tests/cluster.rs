//! Claims about what a cluster does: three pods behind a Service, and what a watch told of them.

mod budget;
mod claims;
mod gaps;
mod repair;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::judge::scripted::{Drill, Service, at_ns};
use crate::model::cluster::{ClusterIdentity, ObjectIdentity, PlannedCluster, Resource};
use crate::model::cluster_seen::{
    BudgetSeen, ClusterFact, ClusterSeen, EndpointSeen, EventSeen, LeaseSeen, NodeSeen, PodSeen,
    WorkloadSeen,
};
use crate::model::experiment::{Bind, Pick, Selector, TargetSpec};
use crate::model::history::{Entry, Record};
use crate::model::inventory::{Candidate, Host, InstanceName};
use crate::model::outcome::ClaimVerdict;
use crate::model::selector::PodSelector;
use crate::model::verdict::{ClaimReport, Report};

const WEB: &str = "deployment shop/web";
/// How late every piece of news may be.
const LATE_NS: u64 = 4_000_000;

/// A drill that deletes pod `a`, of which another ought to take the place.
#[derive(Clone)]
struct World {
    drill: Drill,
    /// Who was hit: `shop/a`, `node/n1`, `kubelet@n1`.
    hit: &'static str,
}

fn ready(name: &str, node: &str) -> PodSeen {
    PodSeen {
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        uid: name.to_owned(),
        workload: WEB.to_owned(),
        phase: "Running".to_owned(),
        node: Some(node.to_owned()),
        ready: true,
        ..PodSeen::default()
    }
}

fn deleting(name: &str, node: &str) -> PodSeen {
    PodSeen { deleting: true, ..ready(name, node) }
}

/// Created, and bound to no node.
fn pending(name: &str, why: &str) -> PodSeen {
    PodSeen {
        ready: false,
        node: None,
        phase: "Pending".to_owned(),
        why: Some(why.to_owned()).filter(|why| !why.is_empty()),
        ..ready(name, "")
    }
}

fn endpoint(pod: &str, ready: bool) -> EndpointSeen {
    EndpointSeen {
        service: "shop/web".to_owned(),
        slice: "shop/web-s".to_owned(),
        pod: pod.to_owned(),
        uid: pod.to_owned(),
        ready,
        ..EndpointSeen::default()
    }
}

fn rollout(updated: u32, available: u32) -> WorkloadSeen {
    WorkloadSeen {
        workload: WEB.to_owned(),
        desired: 3,
        replicas: 3,
        updated,
        ready: available,
        available,
        generation: 2,
        observed_generation: 2,
        ..WorkloadSeen::default()
    }
}

fn node(name: &str, ready: &str) -> NodeSeen {
    NodeSeen { name: name.to_owned(), ready: ready.to_owned(), ..NodeSeen::default() }
}

impl World {
    /// Steady: three ready pods on three nodes, watched since long before the fault.
    fn steady() -> World {
        let world = World { drill: Drill::of(Service::default()), hit: "shop/a" };
        let mut world = world.fact(-2400.0, ClusterFact::Workload(rollout(3, 3)));
        for (pod, at) in [("a", "n1"), ("b", "n2"), ("c", "n3")] {
            world = world.pod(-2400.0, ready(pod, at)).endpoint(-2400.0, endpoint(pod, true));
            world = world.fact(-2400.0, ClusterFact::Node(node(at, "True")));
        }
        let budget = BudgetSeen {
            budget: "shop/web".to_owned(),
            workloads: vec![WEB.to_owned()],
            wanted: 2,
            ..BudgetSeen::default()
        };
        let lease = LeaseSeen { lease: "shop/lead".to_owned(), holder: "a_1".to_owned() };
        world
            .fact(-2400.0, ClusterFact::Budget(budget))
            .fact(-2400.0, ClusterFact::Lease(lease))
            .fact(-2300.0, ClusterFact::Watched)
    }

    /// Pod `a` is lost at once, and `d` ready in its place after 1.5 s.
    fn repaired() -> World {
        World::steady()
            .pod(5.0, deleting("a", "n1"))
            .endpoint(40.0, endpoint("a", false))
            .pod(100.0, pending("d", ""))
            .pod(200.0, PodSeen { ready: false, ..ready("d", "n1") })
            .pod(1500.0, ready("d", "n1"))
            .pod(3000.0, PodSeen { gone: true, ready: false, ..deleting("a", "n1") })
    }

    fn fact(mut self, ms: f64, fact: ClusterFact) -> World {
        let (context, listed) = ("here".to_owned(), ms < -2300.0);
        let seen = ClusterSeen { context, late_ns: LATE_NS, listed, fact };
        self.drill = self.drill.entry(ms, Entry::Cluster(Box::new(seen)));
        self
    }

    fn pod(self, ms: f64, pod: PodSeen) -> World {
        self.fact(ms, ClusterFact::Pod(pod))
    }

    fn endpoint(self, ms: f64, endpoint: EndpointSeen) -> World {
        self.fact(ms, ClusterFact::Endpoint(endpoint))
    }

    fn says(self, ms: f64, about: &str, (reason, message): (&str, &str)) -> World {
        let event = EventSeen {
            about: about.to_owned(),
            reason: reason.to_owned(),
            message: message.to_owned(),
            ..EventSeen::default()
        };
        self.fact(ms, ClusterFact::Event(event))
    }

    /// Not watched from then to then.
    fn gap(self, from_ms: f64, to_ms: f64) -> World {
        let why = "connection refused".to_owned();
        let gap = ClusterFact::Unwatched { from_ns: at_ns(from_ms), why };
        self.fact(from_ms + 500.0, gap).fact(to_ms, ClusterFact::Watched)
    }

    fn without(mut self, drop: impl Fn(&ClusterFact) -> bool) -> World {
        self.drill.more.retain(|record| match &record.entry {
            Entry::Cluster(seen) => !drop(&seen.fact),
            _ => true,
        });
        self
    }

    fn null(mut self) -> World {
        self.drill.null = true;
        self
    }

    fn claim(self, check: &str, params: Value) -> ClaimReport {
        let world = World { drill: self.drill.claims(check, params), ..self };
        world.report().claims.remove(0)
    }

    fn report(&self) -> Report {
        crate::judge::judge(&self.records(), "the plan").unwrap()
    }

    fn records(&self) -> Vec<Record> {
        let mut records = self.drill.records();
        for record in &mut records {
            match &mut record.entry {
                Entry::Opened(opened) => {
                    opened.plan.clusters = vec![planned()];
                    for (name, lease) in [("web", None), ("leader", Some("lead"))] {
                        let pods = PodSelector {
                            namespace: "shop".to_owned(),
                            lease_holder: lease.map(str::to_owned),
                            ..PodSelector::default()
                        };
                        let selector = Selector::Pods(Box::new(pods));
                        let spec = TargetSpec {
                            selector,
                            pick: Pick::One,
                            bind: Bind::Inject,
                            follow: false,
                        };
                        opened.plan.experiment.targets.insert(name.to_owned(), spec);
                    }
                }
                Entry::Effective(effective) => {
                    effective.instance = InstanceName(self.hit.to_owned());
                }
                _ => {}
            }
        }
        records
    }
}

fn planned() -> PlannedCluster {
    let cluster = ClusterIdentity { context: "here".to_owned(), uid: "u".to_owned() };
    let pod = |name: &str, node: &str| Candidate {
        name: InstanceName(format!("shop/{name}")),
        service: WEB.to_owned(),
        host: Host { name: node.to_owned(), ..Host::nowhere() },
        port: None,
        repair: String::new(),
        zone: None,
        created: None,
        opted_in: false,
        object: Some(ObjectIdentity {
            cluster: ClusterIdentity { context: "here".to_owned(), uid: "u".to_owned() },
            resource: Resource::Pod,
            namespace: Some("shop".to_owned()),
            name: name.to_owned(),
            uid: name.to_owned(),
        }),
    };
    let population = vec![pod("a", "n1"), pod("b", "n2"), pod("c", "n3")];
    let names: Vec<InstanceName> = population.iter().map(|c| c.name.clone()).collect();
    PlannedCluster {
        cluster,
        kubeconfig: "k".to_owned(),
        lab: true,
        version: "v1.34.4".to_owned(),
        found: [("web".to_owned(), names.clone()), ("leader".to_owned(), names)].into(),
        population,
        environments: BTreeMap::new(),
        timers: BTreeMap::new(),
        everything: BTreeMap::new(),
        ready: BTreeMap::new(),
    }
}

/// Verdict and figure of a claim on `web` within that time.
fn within(world: World, check: &str, within: &str) -> (ClaimVerdict, Option<f64>, String) {
    let claim = world.claim(check, json!({"target": "web", "within": within}));
    (claim.verdict, claim.measured, claim.finding)
}
