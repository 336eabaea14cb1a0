//! From the call to the first packet that is lost: arm, journal with its sync, guardian, inject,
//! through the real processes.

use serde_json::json;
use squall::host::linux::clock::monotonic_ns;
use squall::host::linux::timing::sleep_until;

use crate::Bench;
use crate::peer::programs;
use crate::peer::toxiproxy::{PROXY, Toxiproxy};
use crate::rig::Rig;
use crate::sample::Sample;
use crate::stream::{Pace, Stream};
use crate::table::{Goal, Peer, Row};
use crate::world::{Space, World, server};

/// So long after the call everything has happened.
const SETTLED_NS: u64 = 30_000_000;

pub fn run(bench: &Bench) -> Vec<Row> {
    let world = World::new();
    let mut rig = Rig::start(&world.server.ns, &world.client.ns, bench.folder());
    let mut toxiproxy = Toxiproxy::start(&world.server);
    let (mut ours, mut proxied) = (Sample::default(), Sample::default());
    let mut kernel = Sample::default();
    let (mut nft, mut tc, mut sync) = (Sample::default(), Sample::default(), Sample::default());
    for _ in 0..bench.repeats(100) {
        sync.push_ns_as_ms(bench.one_sync());
        {
            let stream = Stream::udp(&world.server, &world.client, server(7000), Pace::FAST);
            stream.flows();
            let (took_ns, kernel_ns) = one(&mut rig, &stream);
            ours.push_ns_as_ms(took_ns);
            kernel.push_ns_as_ms(kernel_ns);
            stream.flows();
            nft.push_ns_as_ms(program(&stream, &world.server, programs::nft));
            programs::nft_undo(&world.server).unwrap();
            stream.flows();
            tc.push_ns_as_ms(program(&stream, &world.client, programs::tc));
            programs::tc_undo(&world.client).unwrap();
        }
        if let Some(toxiproxy) = &mut toxiproxy {
            proxied.push_ns_as_ms(one_proxied(toxiproxy, &world.server));
        }
    }
    rig.end();
    let row = |metric: &str, peer: Option<Peer>| Row {
        metric: metric.to_owned(),
        unit: "ms",
        p50: ours.p50(),
        p99: Some(ours.p99()),
        repeats: ours.len(),
        goals: vec![Goal::at_most("p50", ours.p50(), 2.0), Goal::at_most("p99", ours.p99(), 10.0)],
        peer,
        note: None,
    };
    let peer = |name, sample: &Sample| {
        let peer = Peer { name, p50: sample.p50(), p99: Some(sample.p99()) };
        (!sample.is_empty()).then_some(peer)
    };
    let note = format!(
        "networkPartition with canaries, by the first lost packet of a 10 kHz stream; toxiproxy by \
         its first swallowed message. One synced write to this disk takes {:.2} ms (p99 {:.2}), and \
         ours waits for one; the peers keep no record of what they do. Tables, chains and rules \
         take {:.2} ms (p99 {:.2}); the rest is looking before (four canaries) and the guardian",
        sync.p50(),
        sync.p99(),
        kernel.p50(),
        kernel.p99()
    );
    vec![
        Row { note: Some(note), ..row("call to effective", peer("toxiproxy API", &proxied)) },
        row("call to effective, beside nft", peer("nft program", &nft)),
        row("call to effective, beside tc", peer("tc program", &tc)),
    ]
}

/// From the call to the first lost packet; and how much of it the kernel's own work took.
fn one(rig: &mut Rig, stream: &Stream) -> (u64, u64) {
    let order = rig.order("networkPartition", json!({"isolate": "server"}), true);
    let injection = order.injection.clone();
    let (sent_ns, effective) = rig.inject(order);
    sleep_until(sent_ns + SETTLED_NS);
    let lost_ns = stream.first_lost(sent_ns).expect("a lost packet");
    rig.revert(injection);
    (lost_ns - sent_ns, effective.effective_ns - effective.began_ns)
}

fn program(stream: &Stream, space: &Space, start: impl Fn(&Space) -> Result<u64, String>) -> u64 {
    let began_ns = start(space).unwrap();
    sleep_until(monotonic_ns().max(began_ns) + SETTLED_NS);
    stream.first_lost(began_ns).expect("a lost packet") - began_ns
}

fn one_proxied(toxiproxy: &mut Toxiproxy, server: &Space) -> u64 {
    let stream = Stream::tcp(&toxiproxy.service, server, PROXY.into(), Pace::FAST);
    stream.flows();
    let began_ns = toxiproxy.cut("stream");
    sleep_until(monotonic_ns() + SETTLED_NS);
    let lost_ns = stream.first_lost(began_ns).expect("a swallowed message");
    toxiproxy.remove();
    lost_ns - began_ns
}
