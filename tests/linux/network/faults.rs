//! The network faults of the catalogue by their four verbs, on real packets.

use std::time::Duration;

use serde_json::{Value, json};
use squall::fault::{self, Expect, Fault, FaultError};
use squall::host::cluster::ApiRequest;
use squall::host::linux::clock::monotonic_ns;
use squall::host::linux::network::LinuxNetwork;
use squall::host::network::{Canary, CanaryReport, Network, Took};
use squall::host::process::RunState;
use squall::host::{Clusters, Host, HostError, Processes};
use squall::model::binding::{Order, PeerHost, PeerSet};
use squall::model::cluster::ClusterIdentity;
use squall::model::history::Finding;
use squall::model::id::{DrillId, InjectionId};
use squall::model::identity::{NetnsIdentity, ProcessIdentity};
use squall::model::inventory::{self, InstanceName, Target};
use squall::model::network::Impairment;
use squall::model::units::Span;

use super::world::{Family, MS, Space, World, address, injection, network};

/// A host whose network is real and that has no processes.
struct NetworkOnly(LinuxNetwork);

impl Host for NetworkOnly {
    fn now_ns(&self) -> u64 {
        monotonic_ns()
    }

    fn wall(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    fn pause(&self, length: std::time::Duration) {
        let nanos = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        squall::host::linux::timing::sleep_until(self.now_ns().saturating_add(nanos));
    }

    fn carriers(&self) -> std::collections::BTreeMap<String, String> {
        self.0.carriers()
    }
}

/// It reaches no cluster.
impl Clusters for NetworkOnly {
    fn ask(&mut self, cluster: &ClusterIdentity, _: &ApiRequest) -> Result<Value, HostError> {
        Err(HostError::Gone(format!("cluster {}", cluster.context)))
    }

    fn find(&mut self, _: Finding) {}

    fn found(&mut self) -> Vec<Finding> {
        Vec::new()
    }
}

fn no_process<T>() -> Result<T, HostError> {
    Err(HostError::Gone("every process".to_owned()))
}

impl Processes for NetworkOnly {
    fn identify(&self, _: i32) -> Result<ProcessIdentity, HostError> {
        no_process()
    }
    fn state(&self, _: &ProcessIdentity) -> Result<RunState, HostError> {
        no_process()
    }
    fn tree(&self, _: &ProcessIdentity) -> Result<Vec<ProcessIdentity>, HostError> {
        no_process()
    }
    fn signal(&self, _: &ProcessIdentity, _: i32) -> Result<(), HostError> {
        no_process()
    }
    fn wait(
        &self,
        _: &ProcessIdentity,
        _: RunState,
        _: Duration,
    ) -> Result<Option<u64>, HostError> {
        no_process()
    }
}

impl Network for NetworkOnly {
    fn identify_netns(&self, path: &str) -> Result<NetnsIdentity, HostError> {
        self.0.identify_netns(path)
    }
    fn impair(
        &mut self,
        ns: &NetnsIdentity,
        impairment: &Impairment,
        deadline: Duration,
    ) -> Result<Took, HostError> {
        self.0.impair(ns, impairment, deadline)
    }
    fn relieve(&mut self, ns: &NetnsIdentity, id: &InjectionId) -> Result<Took, HostError> {
        self.0.relieve(ns, id)
    }
    fn ours(&self, ns: &NetnsIdentity, drill: Option<&DrillId>) -> Result<Vec<String>, HostError> {
        self.0.ours(ns, drill)
    }
    fn in_the_way(&self, ns: &NetnsIdentity) -> Result<Vec<String>, HostError> {
        self.0.in_the_way(ns)
    }
    fn disturbed(&mut self) -> Result<Vec<(NetnsIdentity, String)>, HostError> {
        self.0.disturbed()
    }
    fn canary(&self, canary: &Canary) -> Result<CanaryReport, HostError> {
        self.0.canary(canary)
    }
}

fn host_of(name: &str, link: u8, end: u8) -> inventory::Host {
    inventory::Host {
        name: name.to_owned(),
        ipv4: address(Family::V4, link, end),
        ipv6: address(Family::V6, link, end),
    }
}

/// The server's end of the first link is the target, the client at its other end the peer.
fn order(world: &World, id: InjectionId, kind: &str, params: Value) -> Order {
    let server: &Space = &world.server;
    Order {
        injection: id,
        step: 0,
        kind: kind.to_owned(),
        params,
        target: Target {
            name: InstanceName("redis@server".to_owned()),
            service: "redis".to_owned(),
            host: host_of("server", 0, 1),
            port: None,
            process: None,
            netns: Some(server.ns.clone()),
            object: None,
        },
        peers: PeerSet {
            blocks: Vec::new(),
            hosts: vec![PeerHost { host: host_of("client", 0, 2), netns: world.client.ns.clone() }],
        },
        seed: 7,
        deadline: Span::secs(60),
    }
}

fn entry(kind: &str) -> &'static dyn Fault {
    fault::find(kind).unwrap()
}

fn kinds() -> Vec<(&'static str, Value)> {
    vec![
        ("networkPartition", json!({"isolate": "server"})),
        ("networkPartition", json!({"isolate": "server", "direction": "in"})),
        ("networkPartition", json!({"isolate": "server", "direction": "out"})),
        ("networkPartition", json!({"isolate": "server", "protocol": "tcp", "ports": [6379]})),
        ("networkLatency", json!({"target": "server", "delay": "30ms", "jitter": "5ms"})),
        ("networkLatency", json!({"target": "server", "delay": "30ms", "protocol": "udp"})),
        ("networkLoss", json!({"target": "server", "percent": "20%"})),
    ]
}

#[test]
fn every_kind_is_seen_to_come_and_to_go() {
    let world = World::new();
    let (network, drill) = network();
    let mut host = NetworkOnly(network);
    for (number, (kind, params)) in kinds().into_iter().enumerate() {
        let fault = entry(kind);
        let id = injection(&drill, u16::try_from(number).unwrap());
        let order = order(&world, id, kind, params.clone());
        let undo = fault.arm(&mut host, &order).unwrap();
        assert_eq!(
            host.ours(order.target.netns.as_ref().unwrap(), None).unwrap(),
            [""; 0],
            "arming only reads"
        );
        let early = fault.verify(&mut host, &order.target, &undo, Expect::InForce);
        assert!(matches!(early, Err(FaultError::Unexpected(_))), "{kind}: {early:?}");

        let took = fault.inject(&mut host, &order, &undo).unwrap();
        assert!(took.began_ns < took.effective_ns);
        let seen = fault.verify(&mut host, &order.target, &undo, Expect::InForce).unwrap();
        println!("{kind} {params}: {seen}");
        assert!(seen.contains("canar") && !seen.contains("no canary"), "{seen}");
        let still = fault.verify(&mut host, &order.target, &undo, Expect::Gone);
        assert!(matches!(still, Err(FaultError::Unexpected(_))), "{kind}: {still:?}");
        fault.glance(&mut host, &order.target, &undo).unwrap();
        let lasted = fault.lasted(&mut host, &order.target, &undo).unwrap();
        assert!(lasted.contains("canar") && !lasted.contains("no canary"), "{lasted}");

        fault.revert(&mut host, &order.target, &undo).unwrap();
        let gone = fault.verify(&mut host, &order.target, &undo, Expect::Gone).unwrap();
        println!("{kind} {params}: {gone}");
        assert!(gone.contains("arrive") && !gone.contains("list alone"), "{gone}");
        fault.revert(&mut host, &order.target, &undo).unwrap();
    }
}

#[test]
fn a_fault_that_is_listed_and_does_nothing_is_found_out() {
    let world = World::new();
    let (network, drill) = network();
    let mut host = NetworkOnly(network);
    for (number, (kind, params)) in kinds().into_iter().enumerate() {
        let fault = entry(kind);
        let id = injection(&drill, u16::try_from(number).unwrap());
        let mut order = order(&world, id, kind, params);
        // The gate closes at once; rules and sets stay.
        order.deadline = Span::millis(1);
        let undo = fault.arm(&mut host, &order).unwrap();
        fault.inject(&mut host, &order, &undo).unwrap();
        let limit = monotonic_ns() + 5_000 * MS;
        let found = loop {
            let found = fault.verify(&mut host, &order.target, &undo, Expect::InForce);
            if found.is_err() || monotonic_ns() > limit {
                break found;
            }
        };
        assert!(matches!(found, Err(FaultError::Unexpected(_))), "{kind}: {found:?}");
        assert!(
            !host.ours(order.target.netns.as_ref().unwrap(), None).unwrap().is_empty(),
            "listed all the same"
        );
        let lasted = fault.lasted(&mut host, &order.target, &undo);
        assert!(matches!(lasted, Err(FaultError::Unexpected(_))), "{kind}: {lasted:?}");
        fault.revert(&mut host, &order.target, &undo).unwrap();
    }
}

#[test]
fn overlapping_faults_are_verified_without_lying() {
    let world = World::new();
    let (network, drill) = network();
    let mut host = NetworkOnly(network);
    let slow = order(
        &world,
        injection(&drill, 1),
        "networkLatency",
        json!({"target": "server", "delay": "20ms"}),
    );
    let off = order(&world, injection(&drill, 2), "networkPartition", json!({"isolate": "server"}));
    let (latency, partition) = (entry("networkLatency"), entry("networkPartition"));
    let slow_undo = latency.arm(&mut host, &slow).unwrap();
    let off_undo = partition.arm(&mut host, &off).unwrap();
    latency.inject(&mut host, &slow, &slow_undo).unwrap();
    partition.inject(&mut host, &off, &off_undo).unwrap();
    let seen = latency.verify(&mut host, &slow.target, &slow_undo, Expect::InForce).unwrap();
    assert!(seen.contains("another injection"), "{seen}");
    partition.verify(&mut host, &off.target, &off_undo, Expect::InForce).unwrap();

    latency.revert(&mut host, &slow.target, &slow_undo).unwrap();
    let gone = latency.verify(&mut host, &slow.target, &slow_undo, Expect::Gone).unwrap();
    assert!(gone.contains("another injection") && gone.contains("list alone"), "{gone}");
    partition.verify(&mut host, &off.target, &off_undo, Expect::InForce).unwrap();

    partition.revert(&mut host, &off.target, &off_undo).unwrap();
    let gone = partition.verify(&mut host, &off.target, &off_undo, Expect::Gone).unwrap();
    assert!(!gone.contains("list alone"), "{gone}");
}

#[test]
fn another_process_sees_that_it_is_there_and_that_it_is_gone() {
    let world = World::new();
    let (network, drill) = network();
    let mut holder = NetworkOnly(network);
    let mut guardian = NetworkOnly(LinuxNetwork::new(drill.clone()));
    let fault = entry("networkPartition");
    let order = order(
        &world,
        injection(&drill, 1),
        "networkPartition",
        json!({"isolate": "server", "direction": "in"}),
    );
    let undo = fault.arm(&mut holder, &order).unwrap();
    fault.inject(&mut holder, &order, &undo).unwrap();
    fault.revert(&mut guardian, &order.target, &undo).unwrap();
    let still = fault.verify(&mut guardian, &order.target, &undo, Expect::Gone);
    assert!(matches!(still, Err(FaultError::Unexpected(_))), "{still:?}");
    drop(holder);
    fault.revert(&mut guardian, &order.target, &undo).unwrap();
    fault.verify(&mut guardian, &order.target, &undo, Expect::Gone).unwrap();
}

#[test]
fn a_replaced_namespace_is_void_in_every_verb() {
    let world = World::new();
    let (network, drill) = network();
    let mut host = NetworkOnly(network);
    for (kind, params) in kinds() {
        let fault = entry(kind);
        let mut order = order(&world, injection(&drill, 1), kind, params);
        let undo = fault.arm(&mut host, &order).unwrap();
        let mut replaced = undo.clone();
        let cookie = replaced["netns"]["cookie"].as_u64().unwrap();
        replaced["netns"]["cookie"] = (cookie + 1).into();
        let void = |result: Result<String, FaultError>| {
            assert!(matches!(result, Err(FaultError::Void(_))), "{kind}: {result:?}");
        };
        order.target.netns.as_mut().unwrap().cookie += 1;
        void(fault.arm(&mut host, &order).map(|_| String::new()));
        void(fault.inject(&mut host, &order, &replaced).map(|_| String::new()));
        void(fault.revert(&mut host, &order.target, &replaced).map(|()| String::new()));
        for expect in [Expect::InForce, Expect::Gone] {
            void(fault.verify(&mut host, &order.target, &replaced, expect));
        }
        void(fault.lasted(&mut host, &order.target, &replaced));
        void(fault.glance(&mut host, &order.target, &replaced).map(|()| String::new()));
    }
}

#[test]
fn naming_only_oneself_or_nobody_never_means_everyone() {
    let world = World::new();
    let (network, drill) = network();
    let mut host = NetworkOnly(network);
    let params = json!({"isolate": "server", "from": ["sentinels"]});
    let mut order = order(&world, injection(&drill, 1), "networkPartition", params);
    for blocks in [vec![], vec!["10.77.0.1", "fd77:0::1"]] {
        order.peers.blocks = blocks.iter().map(|block| block.parse().unwrap()).collect();
        let refused = entry("networkPartition").arm(&mut host, &order);
        assert!(matches!(refused, Err(FaultError::Foreign(_))), "{refused:?}");
    }
}

#[test]
fn what_is_in_the_way_refuses_before_anything_is_done() {
    let world = World::new();
    let (other, other_drill) = network();
    let mut other = NetworkOnly(other);
    let first = order(
        &world,
        injection(&other_drill, 1),
        "networkLatency",
        json!({"target": "server", "delay": "1ms"}),
    );
    let undo = entry("networkLatency").arm(&mut other, &first).unwrap();
    entry("networkLatency").inject(&mut other, &first, &undo).unwrap();
    let (network, drill) = network();
    let mut host = NetworkOnly(network);
    let second = Order { injection: injection(&drill, 1), ..first };
    let refused = entry("networkLatency").arm(&mut host, &second);
    assert!(matches!(refused, Err(FaultError::Foreign(_))), "{refused:?}");
}
