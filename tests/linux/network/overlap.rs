//! Several impairments on one target, and other people's rules beside them.

use std::time::Duration;

use squall::host::linux::clock::monotonic_ns;
use squall::host::network::{Canary, Network};
use squall::model::network::{Direction, PacketFilter, Protocol};

use crate::slow::unless_slow;

use super::world::{
    Family, LONG, MS, Space, World, arrived, cut, delay, fly, injection, lose, meet, network,
    on_port,
};

#[test]
fn three_on_one_target_end_one_by_one_without_disturbing_the_others() {
    let world = World::new();
    let (mut network, drill) = network();
    let canary = world.to_server(Family::V4, &world.client);
    let port = |port| on_port(canary.clone(), Protocol::Tcp, port);
    meet(&network, &canary);
    let [slow, lossy, off] = [1, 2, 3].map(|number| injection(&drill, number));
    let mut all = lose(lossy.clone(), 100.0);
    all.filter =
        PacketFilter { protocol: Some(Protocol::Tcp), ports: vec![1], ..PacketFilter::default() };
    let ports =
        PacketFilter { protocol: Some(Protocol::Tcp), ports: vec![2], ..PacketFilter::default() };
    network.impair(&world.server.ns, &delay(slow.clone(), 20, 0), LONG).unwrap();
    network.impair(&world.server.ns, &all, LONG).unwrap();
    network.impair(&world.server.ns, &cut(off.clone(), Direction::In, ports), LONG).unwrap();
    let late = |canary: &Canary| {
        let report = fly(&network, canary);
        report.delays_ns.len() == 5 && report.delays_ns.iter().all(|d| *d >= 20 * MS)
    };
    assert!(late(&canary));
    assert_eq!((arrived(&network, &port(1)), arrived(&network, &port(2))), (0, 0));

    network.relieve(&world.server.ns, &lossy).unwrap();
    let late = |canary: &Canary| fly(&network, canary).delays_ns.iter().all(|d| *d >= 20 * MS);
    assert!(late(&canary));
    assert_eq!((arrived(&network, &port(1)), arrived(&network, &port(2))), (5, 0));
    let lines = network.ours(&world.server.ns, Some(&drill)).unwrap();
    assert!(!lines.iter().any(|line| line.ends_with(&format!(" of {lossy}"))), "{lines:?}");
    assert!(lines.iter().any(|line| line.ends_with(&format!(" of {slow}"))), "{lines:?}");

    network.relieve(&world.server.ns, &slow).unwrap();
    assert!(fly(&network, &canary).delays_ns.iter().all(|d| *d < 20 * MS));
    assert_eq!((arrived(&network, &port(1)), arrived(&network, &port(2))), (5, 0));

    network.relieve(&world.server.ns, &off).unwrap();
    assert_eq!((arrived(&network, &port(1)), arrived(&network, &port(2))), (5, 5));
    assert_eq!(network.ours(&world.server.ns, None).unwrap(), [""; 0]);
}

#[test]
fn a_delayed_stream_loses_nothing_while_others_come_and_go() {
    let world = World::new();
    let (mut network, drill) = network();
    let canary = Canary {
        count: 1500,
        patience: unless_slow(
            Duration::from_secs(2),
            Duration::from_secs(20),
            "the wait for a stream of canaries",
        ),
        ..world.to_server(Family::V4, &world.client)
    };
    meet(&network, &canary);
    let slow = injection(&drill, 1);
    network.impair(&world.server.ns, &delay(slow, 200, 0), LONG).unwrap();
    let flight = std::thread::spawn(move || {
        let (flyer, _) = super::world::network();
        fly(&flyer, &canary)
    });
    // On another port, so that only the machinery is shared.
    let elsewhere =
        PacketFilter { protocol: Some(Protocol::Udp), ports: vec![9], ..PacketFilter::default() };
    let mut rounds = 0;
    while !flight.is_finished() {
        for number in 2..5 {
            let id = injection(&drill, number);
            let mut other = match number {
                2 => delay(id, 10, 0),
                3 => lose(id, 50.0),
                _ => cut(id, Direction::Both, PacketFilter::default()),
            };
            other.filter = elsewhere.clone();
            network.impair(&world.server.ns, &other, LONG).unwrap();
        }
        for number in 2..5 {
            network.relieve(&world.server.ns, &injection(&drill, number)).unwrap();
        }
        rounds += 1;
    }
    let report = flight.join().unwrap();
    let enough = unless_slow(20, 5, "the rounds that a stream must outlast");
    assert!(rounds > enough, "{rounds}");
    assert_eq!(report.delays_ns.len(), 1500);
    let early = report.delays_ns.iter().filter(|d| **d < 200 * MS).count();
    assert_eq!(early, 0);
}

/// How many packets came to the queue of that namespace so far.
fn queued(space: &Space) -> u64 {
    let queues = "/proc/thread-self/net/netfilter/nfnetlink_queue";
    let text = space.inside(|| std::fs::read_to_string(queues).unwrap());
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    words.get(7).map_or(0, |sequence| sequence.parse().unwrap())
}

#[test]
fn what_a_delay_still_holds_is_delivered_when_it_ends() {
    let world = World::new();
    let (mut network, drill) = network();
    let canary = Canary {
        count: 100,
        patience: Duration::from_secs(5),
        ..world.to_server(Family::V4, &world.client)
    };
    meet(&network, &canary);
    let slow = injection(&drill, 1);
    network.impair(&world.server.ns, &delay(slow.clone(), 3000, 0), LONG).unwrap();
    let flight = std::thread::spawn(move || fly(&super::world::network().0, &canary));
    let limit = monotonic_ns() + 5_000 * MS;
    while queued(&world.server) < 100 {
        assert!(monotonic_ns() < limit, "the canaries do not come to the queue");
    }
    network.relieve(&world.server.ns, &slow).unwrap();
    let report = flight.join().unwrap();
    assert_eq!(report.delays_ns.len(), 100);
    assert!(report.delays_ns.iter().all(|d| *d < 1000 * MS));
    assert!(report.delays_ns[0] > report.delays_ns[99], "the first waited longest");
}

#[test]
fn more_delays_than_bits_are_refused_with_a_reason() {
    let world = World::new();
    let (mut network, drill) = network();
    for number in 0..16 {
        let id = injection(&drill, number);
        network.impair(&world.server.ns, &delay(id, 1, 0), LONG).unwrap();
    }
    let error = network.impair(&world.server.ns, &delay(injection(&drill, 16), 1, 0), LONG);
    let text = error.unwrap_err().to_string();
    assert!(text.contains("more than 16"), "{text}");
    network.relieve(&world.server.ns, &injection(&drill, 7)).unwrap();
    network.impair(&world.server.ns, &delay(injection(&drill, 16), 1, 0), LONG).unwrap();
}

#[test]
fn rules_of_others_are_untouched_and_their_changes_seen() {
    let world = World::new();
    let (mut network, drill) = network();
    let nft = |line: &str| world.server.program(&["nft", line]);
    nft("add table inet theirs");
    nft("add chain inet theirs c { type filter hook prerouting priority 0; }");
    nft("add rule inet theirs c counter");
    let before = nft("list table inet theirs");
    let canary = world.to_server(Family::V4, &world.client);
    assert_eq!(network.in_the_way(&world.server.ns).unwrap(), [""; 0], "a table is no obstacle");

    let id = injection(&drill, 1);
    let everyone = PacketFilter::default();
    network.impair(&world.server.ns, &cut(id.clone(), Direction::In, everyone), LONG).unwrap();
    assert_eq!(network.disturbed().unwrap(), []);
    network.impair(&world.server.ns, &delay(injection(&drill, 2), 1, 0), LONG).unwrap();
    assert_eq!(network.disturbed().unwrap(), [], "our own changes are no disturbance");
    nft("flush ruleset");
    let seen = network.disturbed().unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].0, world.server.ns);
    assert_eq!(network.disturbed().unwrap(), [], "each change is told once");
    assert_eq!(arrived(&network, &canary), 0, "the fault survives it");

    nft("add table inet theirs");
    network.relieve(&world.server.ns, &id).unwrap();
    network.relieve(&world.server.ns, &injection(&drill, 2)).unwrap();
    meet(&network, &canary);
    assert!(nft("list ruleset").contains("theirs"));
    assert!(before.contains("theirs"));
    assert_eq!(network.ours(&world.server.ns, None).unwrap(), [""; 0]);
}

#[test]
fn another_drill_in_the_namespace_is_in_the_way() {
    let world = World::new();
    let (mut first, drill) = network();
    let (second, _) = network();
    first.impair(&world.server.ns, &delay(injection(&drill, 1), 1, 0), LONG).unwrap();
    let found = second.in_the_way(&world.server.ns).unwrap();
    assert!(found.iter().any(|line| line.contains(&drill.table())), "{found:?}");
    assert!(found.iter().any(|line| line.contains("packet queue")), "{found:?}");
    assert_eq!(first.in_the_way(&world.server.ns).unwrap(), [""; 0]);
}
