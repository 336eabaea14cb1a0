//! How long the verbs take, printed; the bounds are wide, for machines that are busy. The figures
//! proper come from the benches.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use nix::sys::socket::{setsockopt, sockopt};
use squall::host::linux::clock::monotonic_ns;
use squall::host::network::Network;
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
