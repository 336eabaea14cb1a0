//! How long the verbs take, printed; the bounds are wide, for machines that are busy. The figures
//! proper come from the benches.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};
use squall::host::linux::clock::monotonic_ns;
use squall::host::linux::network::LinuxNetwork;
use squall::host::linux::timing::sleep_until;
use squall::host::network::{Canary, CanaryReport, Network};
use squall::model::id::DrillId;
use squall::model::network::{Direction, PacketFilter};

use super::world::{
    Family, LONG, MS, World, address, arrived, cut, delay, injection, meet, network,
};

#[test]
fn a_hundred_injections_come_and_go_quickly() {
    let world = World::new();
    let (mut network, drill) = network();
    let canary = world.to_server(Family::V4, &world.client);
    meet(&network, &canary);
    network.carriers();
    let began = monotonic_ns();
    for number in 0..100 {
        let id = injection(&drill, number);
        let impairment = if number % 10 == 0 {
            delay(id, 10, 0)
        } else {
            cut(id, Direction::Both, PacketFilter::default())
        };
        let took = network.impair(&world.server.ns, &impairment, LONG).unwrap();
        if number < 2 {
            println!("number {number} took {} us", (took.effective_ns - took.began_ns) / 1000);
        }
    }
    let came = monotonic_ns();
    assert_eq!(arrived(&network, &canary), 0);
    let began_to_go = monotonic_ns();
    for number in 0..100 {
        network.relieve(&world.server.ns, &injection(&drill, number)).unwrap();
    }
    let gone = monotonic_ns();
    assert_eq!(network.ours(&world.server.ns, None).unwrap(), [""; 0]);
    assert_eq!(arrived(&network, &canary), 5);
    println!("100 came in {} us", (came - began) / 1000);
    println!("100 went in {} us", (gone - began_to_go) / 1000);
    assert!(gone - began_to_go < 1000 * MS);
}

/// Gathered ones go together and no other goes with them; those of a whole carrier go with it, and
/// what was delayed meanwhile comes out and is not lost.
#[test]
fn gathered_impairments_end_together_and_disturb_no_other() {
    let world = World::new();
    let (mut network, drill) = network();
    let ns = &world.server.ns;
    meet(&network, &world.to_server(Family::V4, &world.client));
    let canary = world.to_server(Family::V4, &world.client);
    for number in 1..=3 {
        let all = cut(injection(&drill, number), Direction::Both, PacketFilter::default());
        network.impair(ns, &all, LONG).unwrap();
    }
    network.impair(ns, &delay(injection(&drill, 4), 50, 0), LONG).unwrap();
    let of = |network: &LinuxNetwork, number: u16| {
        let tag = format!(" of {}", injection(&drill, number));
        network.ours(ns, Some(&drill)).unwrap().iter().any(|line| line.ends_with(&tag))
    };
    network.gather();
    for number in [3, 1, 2] {
        network.relieve(ns, &injection(&drill, number)).unwrap();
    }
    assert!((1..=4).all(|number| of(&network, number)), "they only wait for the word");
    network.relieve_gathered().unwrap();
    assert!((1..=3).all(|number| !of(&network, number)));
    assert!(of(&network, 4));
    let report = network.canary(&Canary { patience: Duration::from_secs(1), ..canary.clone() });
    assert!(report.unwrap().delays_ns.iter().all(|ns| *ns >= 50 * MS), "the delay stays");

    let late = std::thread::scope(|scope| {
        let flight = Canary { count: 20, patience: Duration::from_secs(1), ..canary.clone() };
        let flying = scope.spawn(|| strangers_flight(&drill, flight));
        // Once they are on their way: the delay holds them when it ends.
        sleep_until(monotonic_ns() + 25 * MS);
        network.gather();
        network.relieve(ns, &injection(&drill, 4)).unwrap();
        network.relieve_gathered().unwrap();
        flying.join().unwrap()
    });
    assert_eq!(late.delays_ns.len(), late.sent as usize, "what was held is not lost");
    assert_eq!(network.ours(ns, None).unwrap(), [""; 0]);

    for number in 5..=6 {
        let all = cut(injection(&drill, number), Direction::Both, PacketFilter::default());
        network.impair(ns, &all, LONG).unwrap();
    }
    network.gather();
    for number in [5, 6] {
        network.relieve(ns, &injection(&drill, number)).unwrap();
    }
    network.relieve_gathered().unwrap();
    assert_eq!(network.ours(ns, None).unwrap(), [""; 0]);
    assert_eq!(arrived(&network, &canary), 5);
    // Nothing is gathered any more: one that ends, ends at once.
    network
        .impair(ns, &cut(injection(&drill, 7), Direction::Both, PacketFilter::default()), LONG)
        .unwrap();
    network.relieve(ns, &injection(&drill, 7)).unwrap();
    assert_eq!(network.ours(ns, None).unwrap(), [""; 0]);
}

/// A flight by somebody else than who holds the carrier.
fn strangers_flight(drill: &DrillId, canary: Canary) -> CanaryReport {
    LinuxNetwork::new(drill.clone()).canary(&canary).unwrap()
}

#[test]
fn probing_finds_what_these_tests_stand_on() {
    let found = squall::host::linux::network::probe_carriers().unwrap();
    println!("{found:?}");
    assert_eq!(found["owner"], "yes");
    assert_eq!(found["egress"], "netdev");
    assert!(found["queue"] == "nft queue" || found["queue"] == "xt NFQUEUE target");
}

#[test]
fn a_delayed_bulk_stream_keeps_its_speed_and_its_bytes() {
    const BYTES: usize = 32 << 20;
    let world = World::new();
    let (mut network, drill) = network();
    let server = SocketAddr::new(address(Family::V4, 0, 1), 7000);
    let listener = world.server.inside(|| TcpListener::bind(server).unwrap());
    meet(&network, &world.to_server(Family::V4, &world.client));
    network.impair(&world.server.ns, &delay(injection(&drill, 1), 20, 0), LONG).unwrap();
    let sent: Vec<u8> = (0..BYTES).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let began = monotonic_ns();
    let received = std::thread::scope(|scope| {
        let receiver = scope.spawn(move || {
            let mut bytes = Vec::with_capacity(BYTES);
            listener.accept().unwrap().0.read_to_end(&mut bytes).unwrap();
            bytes
        });
        let mut stream = world.client.inside(|| TcpStream::connect(server).unwrap());
        // The machine's own default need not be what other machines have; everybody has this.
        setsockopt(&stream, sockopt::TcpCongestion, &OsString::from("reno")).unwrap();
        stream.write_all(&sent).unwrap();
        drop(stream);
        receiver.join().unwrap()
    });
    let took = monotonic_ns() - began;
    assert!(received == sent);
    let megabits = u64::try_from(BYTES).unwrap() * 8 * 1000 / took;
    println!("{megabits} Mbit/s at 20 ms");
    assert!(megabits > 20);
}
