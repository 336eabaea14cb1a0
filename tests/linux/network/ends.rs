//! Every way in which a fault ends without being told to: its deadline, the death of its process.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use squall::host::linux::clock::monotonic_ns;
use squall::host::network::Network;
use squall::model::id::DrillId;
use squall::model::identity::NetnsIdentity;
use squall::model::network::{Direction, PacketFilter};

use super::world::{
    Family, LONG, MS, World, arrived, cut, delay, fly, injection, lose, meet, network,
};

#[test]
fn the_deadline_in_the_kernel_ends_it_alone() {
    let world = World::new();
    let (mut network, drill) = network();
    let canary = world.to_server(Family::V4, &world.client);
    meet(&network, &canary);
    let deadline = Duration::from_millis(500);
    let everyone = PacketFilter::default;
    let [off, slow] = [1, 2].map(|number| injection(&drill, number));
    network.impair(&world.server.ns, &cut(off, Direction::Both, everyone()), deadline).unwrap();
    network.impair(&world.server.ns, &delay(slow, 400, 0), deadline).unwrap();
    let began = monotonic_ns();
    assert_eq!(arrived(&network, &canary), 0);
    meet(&network, &canary);
    let ended = monotonic_ns() - began;
    assert!((300 * MS..1500 * MS).contains(&ended), "{ended}");
    let report = fly(&network, &canary);
    assert_eq!(report.delays_ns.len(), 5);
    assert!(report.delays_ns.iter().all(|d| *d < 400 * MS));
}

/// The process that is killed: it holds three impairments and says so, then waits for its end.
fn hold(ns: &str) {
    let ns: NetnsIdentity = serde_json::from_str(ns).unwrap();
    let drill = DrillId::parse(&std::env::var("HOLD_AS").unwrap()).unwrap();
    let mut network = squall::host::linux::network::LinuxNetwork::new(drill.clone());
    network.impair(&ns, &delay(injection(&drill, 1), 100, 0), LONG).unwrap();
    network.impair(&ns, &lose(injection(&drill, 2), 10.0), LONG).unwrap();
    let everyone = PacketFilter::default();
    network.impair(&ns, &cut(injection(&drill, 3), Direction::Both, everyone), LONG).unwrap();
    println!("\nholding");
    std::io::stdin().lock().read_until(0, &mut Vec::new()).unwrap();
}

/// Runs itself once more, and there it is the holder.
#[test]
fn sigkill_of_the_holder_leaves_nothing_within_a_second() {
    if let Ok(ns) = std::env::var("HOLD_IN") {
        return hold(&ns);
    }
    let world = World::new();
    let (network, drill) = network();
    let canary = world.to_server(Family::V4, &world.client);
    meet(&network, &canary);
    let own = std::thread::current().name().unwrap().to_owned();
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &own, "--nocapture"])
        .env("HOLD_IN", serde_json::to_string(&world.server.ns).unwrap())
        .env("HOLD_AS", drill.as_str())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(holder.stdout.take().unwrap());
    assert!(said.lines().any(|line| line.unwrap() == "holding"));
    assert_eq!(arrived(&network, &canary), 0);
    assert!(!network.ours(&world.server.ns, Some(&drill)).unwrap().is_empty());

    holder.kill().unwrap();
    let killed = monotonic_ns();
    while !network.ours(&world.server.ns, None).unwrap().is_empty() {
        assert!(monotonic_ns() - killed < 1000 * MS, "still listed");
    }
    println!("gone from the list after {} us", (monotonic_ns() - killed) / 1000);
    meet(&network, &canary);
    assert!(monotonic_ns() - killed < 1000 * MS);
    assert!(fly(&network, &canary).delays_ns.iter().all(|d| *d < 100 * MS));
    holder.wait().unwrap();
}

#[test]
fn dropping_the_network_ends_everything() {
    let world = World::new();
    let (looker, _) = network();
    let (mut holder, drill) = network();
    holder.impair(&world.server.ns, &delay(injection(&drill, 1), 100, 0), LONG).unwrap();
    assert!(!looker.ours(&world.server.ns, None).unwrap().is_empty());
    drop(holder);
    let began = monotonic_ns();
    while !looker.ours(&world.server.ns, None).unwrap().is_empty() {
        assert!(monotonic_ns() - began < 1000 * MS, "still listed");
    }
}

#[test]
fn ending_is_idempotent_and_anybody_may_ask() {
    let world = World::new();
    let (mut holder, drill) = network();
    let id = injection(&drill, 1);
    holder.relieve(&world.server.ns, &id).unwrap();
    holder.impair(&world.server.ns, &delay(id.clone(), 1, 0), LONG).unwrap();
    let mut stranger = squall::host::linux::network::LinuxNetwork::new(drill.clone());
    stranger.relieve(&world.server.ns, &id).unwrap();
    let lines = stranger.ours(&world.server.ns, Some(&drill)).unwrap();
    assert!(!lines.is_empty(), "a stranger removes nothing that a live process holds");
    holder.relieve(&world.server.ns, &id).unwrap();
    holder.relieve(&world.server.ns, &id).unwrap();
    assert_eq!(holder.ours(&world.server.ns, None).unwrap(), [""; 0]);
}

#[test]
fn a_namespace_that_was_replaced_is_gone() {
    let world = World::new();
    let (mut network, drill) = network();
    let mut replaced = world.server.ns.clone();
    replaced.cookie += 1;
    let id = injection(&drill, 1);
    let error = network.impair(&replaced, &delay(id.clone(), 1, 0), LONG).unwrap_err();
    assert!(matches!(error, squall::host::HostError::Gone(_)), "{error}");
    let error = network.relieve(&replaced, &id).unwrap_err();
    assert!(matches!(error, squall::host::HostError::Gone(_)), "{error}");
}
