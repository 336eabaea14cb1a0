//! Delay: how exact, in what order, in which families, and what it does to TCP.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use squall::host::linux::clock::monotonic_ns;
use squall::host::network::{Canary, Network};
use squall::model::network::{Direction, PacketFilter, Protocol};

use crate::slow::unless_slow;

use super::world::{
    FAMILIES, Family, LONG, MS, World, address, cut, delay, fly, injection, meet, network, on_port,
    peers,
};

/// A stream long enough for percentiles and short enough for a test.
fn stream(canary: Canary) -> Canary {
    Canary {
        count: 500,
        spacing: Duration::from_millis(1),
        patience: Duration::from_secs(2),
        ..canary
    }
}

fn percentile(sorted: &[u64], percent: usize) -> u64 {
    sorted[(sorted.len() - 1) * percent / 100]
}

#[test]
fn a_delay_is_exact_in_both_families() {
    let world = World::new();
    let (mut network, drill) = network();
    let delays = unless_slow([5, 50], [100, 400], "the delay in ms");
    let bound = unless_slow(MS, 20 * MS, "the bound of its median error in ns");
    for (number, ms) in delays.into_iter().enumerate() {
        let id = injection(&drill, u16::try_from(number).unwrap());
        network.impair(&world.server.ns, &delay(id.clone(), ms, 0), LONG).unwrap();
        for family in FAMILIES {
            meet(&network, &world.to_server(family, &world.client));
            let report = fly(&network, &stream(world.to_server(family, &world.client)));
            assert_eq!(report.delays_ns.len(), 500, "{family:?}");
            let mut late: Vec<u64> =
                report.delays_ns.iter().map(|d| d.checked_sub(ms * MS).unwrap()).collect();
            late.sort_unstable();
            println!(
                "{family:?} {ms} ms: late by p50 {} us, p99 {} us",
                percentile(&late, 50) / 1000,
                percentile(&late, 99) / 1000
            );
            assert!(percentile(&late, 50) < bound, "{family:?} {ms} ms");
            let back = fly(&network, &world.server_to(family, &world.client));
            assert!(back.delays_ns.iter().all(|d| *d < ms * MS), "only arrival is delayed");
        }
        network.relieve(&world.server.ns, &id).unwrap();
    }
}

#[test]
fn jitter_stays_within_its_ends() {
    let world = World::new();
    let (mut network, drill) = network();
    let canary = world.to_server(Family::V4, &world.client);
    meet(&network, &canary);
    network.impair(&world.server.ns, &delay(injection(&drill, 1), 30, 20), LONG).unwrap();
    let report = fly(&network, &stream(canary));
    assert_eq!(report.delays_ns.len(), 500);
    assert!(report.delays_ns.iter().all(|d| *d >= 10 * MS));
    let spread = report.delays_ns.iter().max().unwrap() - report.delays_ns.iter().min().unwrap();
    assert!(spread > 15 * MS, "{spread}");
}

#[test]
fn jitter_reorders_nothing() {
    let world = World::new();
    let (mut network, drill) = network();
    for family in FAMILIES {
        meet(&network, &world.to_server(family, &world.client));
    }
    network.impair(&world.server.ns, &delay(injection(&drill, 1), 30, 20), LONG).unwrap();
    for family in FAMILIES {
        let server = SocketAddr::new(address(family, 0, 1), 7001);
        let receiver = world.server.inside(|| UdpSocket::bind(server).unwrap());
        receiver.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let from = SocketAddr::new(address(family, 0, 2), 0);
        let sender = world.client.inside(|| UdpSocket::bind(from).unwrap());
        // All at once: without the rule every second one would overtake another.
        for number in 0..200_u32 {
            sender.send_to(&number.to_be_bytes(), server).unwrap();
        }
        for number in 0..200_u32 {
            let mut bytes = [0; 4];
            receiver.recv(&mut bytes).unwrap();
            assert_eq!(u32::from_be_bytes(bytes), number, "{family:?}");
        }
    }
}

#[test]
fn a_delay_is_for_its_peers_and_ports_only() {
    let world = World::new();
    let (mut network, drill) = network();
    let mut impairment = delay(injection(&drill, 1), 40, 0);
    impairment.filter = PacketFilter {
        protocol: Some(Protocol::Udp),
        ports: vec![5353],
        ..peers(&["10.77.0.2", "fd77:0::/64"])
    };
    network.impair(&world.server.ns, &impairment, LONG).unwrap();
    for family in FAMILIES {
        let from = |far| world.to_server(family, far);
        meet(&network, &from(&world.client));
        meet(&network, &from(&world.other));
        let least = |canary: Canary| *fly(&network, &canary).delays_ns.iter().min().unwrap();
        assert!(least(on_port(from(&world.client), Protocol::Udp, 5353)) >= 40 * MS);
        assert!(least(on_port(from(&world.client), Protocol::Udp, 5354)) < 40 * MS);
        assert!(least(on_port(from(&world.client), Protocol::Tcp, 5353)) < 40 * MS);
        assert!(least(on_port(from(&world.other), Protocol::Udp, 5353)) < 40 * MS);
    }
}

#[test]
fn a_mark_of_somebody_else_survives() {
    let world = World::new();
    let (mut network, drill) = network();
    // Somebody marks after us and counts what still has his mark when it is local.
    for line in [
        "add table ip theirs",
        "add chain ip theirs early { type filter hook prerouting priority -310; }",
        "add rule ip theirs early meta mark set 0x77",
        "add chain ip theirs late { type filter hook input priority 0; }",
        "add rule ip theirs late meta mark 0x77 counter",
    ] {
        world.server.program(&["nft", line]);
    }
    network.impair(&world.server.ns, &delay(injection(&drill, 1), 5, 0), LONG).unwrap();
    let canary = world.to_server(Family::V4, &world.client);
    meet(&network, &canary);
    let before = counted(&world);
    assert_eq!(fly(&network, &canary).delays_ns.len(), 5);
    assert_eq!(counted(&world) - before, 5);
}

fn counted(world: &World) -> u64 {
    let text = world.server.program(&["nft", "list", "chain", "ip", "theirs", "late"]);
    let words: Vec<&str> = text.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "packets").unwrap();
    words[at + 1].parse().unwrap()
}

#[test]
fn tcp_keeps_its_speed_under_delay_and_stalls_and_goes_on_under_a_cut() {
    let world = World::new();
    let (mut network, drill) = network();
    let server = SocketAddr::new(address(Family::V4, 0, 1), 7000);
    let listener = world.server.inside(|| TcpListener::bind(server).unwrap());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut byte = [0; 1];
            while stream.read_exact(&mut byte).is_ok() {
                stream.write_all(&byte).unwrap();
            }
        });
        let mut stream = world.client.inside(|| TcpStream::connect(server).unwrap());
        let mut turn = |patience| {
            let began = monotonic_ns();
            stream.set_read_timeout(Some(patience)).unwrap();
            stream.write_all(b"x").unwrap();
            stream.read_exact(&mut [0; 1]).map(|()| monotonic_ns() - began)
        };
        let patience = Duration::from_secs(10);
        turn(patience).unwrap();

        let slow = injection(&drill, 1);
        network.impair(&world.server.ns, &delay(slow.clone(), 30, 0), LONG).unwrap();
        let took = turn(patience).unwrap();
        assert!((30 * MS..90 * MS).contains(&took), "{took}");
        network.relieve(&world.server.ns, &slow).unwrap();

        let off = injection(&drill, 2);
        let everyone = PacketFilter::default();
        let impairment = cut(off.clone(), Direction::Both, everyone);
        network.impair(&world.server.ns, &impairment, LONG).unwrap();
        turn(Duration::from_millis(300)).unwrap_err();
        network.relieve(&world.server.ns, &off).unwrap();
        // The answer to the write that was cut off, after a retransmission.
        stream.set_read_timeout(Some(patience)).unwrap();
        stream.read_exact(&mut [0; 1]).unwrap();
    });
}
