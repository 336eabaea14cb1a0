//! From the abort to nothing left of a hundred injections: by packet, and by a listing that does
//! not ask the injector.

use serde_json::json;
use squall::host::linux::clock::monotonic_ns;
use squall::host::linux::network::LinuxNetwork;
use squall::host::linux::timing::sleep_until;
use squall::host::network::Network;

use crate::Bench;
use crate::peer::toxiproxy::Toxiproxy;
use crate::rig::Rig;
use crate::sample::Sample;
use crate::stream::{Pace, Stream};
use crate::table::{Goal, Peer, Row};
use crate::world::{World, server};

const INJECTIONS: u16 = 100;
/// Nothing took longer in any run that was looked at.
const GIVE_UP_NS: u64 = 10_000_000_000;

#[derive(Default)]
struct Times {
    packet: Sample,
    listing: Sample,
    proven: Sample,
}

pub fn run(bench: &Bench) -> Vec<Row> {
    let world = World::new();
    let mut rig = Rig::start(&world.server.ns, &world.client.ns, bench.folder());
    let mut toxiproxy = Toxiproxy::start(&world.server);
    if let Some(toxiproxy) = &mut toxiproxy {
        (0..INJECTIONS).for_each(|n| toxiproxy.proxy(&format!("p{n}"), 7200 + n));
    }
    let mut times = Times::default();
    let mut reset = Sample::default();
    for _ in 0..bench.repeats(30) {
        one(&world, &mut rig, &mut times);
        if let Some(toxiproxy) = &mut toxiproxy {
            (0..INJECTIONS).for_each(|n| {
                toxiproxy.cut(&format!("p{n}"));
            });
            let began_ns = toxiproxy.reset();
            reset.push_ns_as_ms(monotonic_ns() - began_ns);
        }
    }
    rig.end();
    let peer = Peer { name: "toxiproxy reset", p50: reset.p50(), p99: Some(reset.p99()) };
    let row = |metric: &str, sample: &Sample| Row {
        peer: (!reset.is_empty()).then(|| peer.clone()),
        ..Row::of_times(metric, sample, Goal::at_most("p99", sample.p99(), 20.0))
    };
    let note = "looked at each one, written to the journal and reported; no goal was set for it. \
                Toxiproxy's time is that of its answer, which proves nothing of packets";
    vec![
        row("abort of 100, by packet", &times.packet),
        row("abort of 100, by listing", &times.listing),
        Row {
            goals: Vec::new(),
            note: Some(note.to_owned()),
            ..row("abort of 100, proven and journalled", &times.proven)
        },
    ]
}

/// Every injection drops everything: a packet that arrives proves that all are gone.
fn one(world: &World, rig: &mut Rig, times: &mut Times) {
    for _ in 0..INJECTIONS {
        let order = rig.order("networkPartition", json!({"isolate": "server"}), false);
        rig.inject(order);
    }
    let stream = Stream::udp(&world.server, &world.client, server(7000), Pace::FAST);
    sleep_until(monotonic_ns() + 20_000_000);
    let network = LinuxNetwork::new(rig.drill.clone());
    let began_ns = monotonic_ns();
    assert_eq!(stream.first_arrival(0), None, "a packet came through a hundred partitions");
    rig.abort();
    let listed_ns = loop {
        if network.ours(&world.server.ns, Some(&rig.drill)).unwrap().is_empty() {
            break monotonic_ns();
        }
        assert!(monotonic_ns() < began_ns + GIVE_UP_NS, "still listed");
        sleep_until(monotonic_ns() + 500_000);
    };
    rig.wait_all_reverted();
    let proven_ns = monotonic_ns();
    stream.flows();
    let arrived_ns = stream.first_arrival(began_ns).unwrap();
    times.packet.push_ns_as_ms(arrived_ns - began_ns);
    times.listing.push_ns_as_ms(listed_ns - began_ns);
    times.proven.push_ns_as_ms(proven_ns - began_ns);
}
