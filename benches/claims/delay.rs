//! How exact a delay is: one-way times of a calm stream through it, against what was asked. The
//! way without any fault is part of the error, ours and the peer's.

use serde_json::json;
use squall::host::linux::clock::monotonic_ns;
use squall::host::linux::timing::sleep_until;

use crate::Bench;
use crate::peer::toxiproxy::{PROXY, Toxiproxy};
use crate::rig::Rig;
use crate::sample::{Sample, millis};
use crate::stream::{Pace, Stream};
use crate::table::{Goal, Peer, Row};
use crate::world::{World, server};

const DELAYS_MS: [u64; 6] = [1, 5, 20, 50, 100, 200];
/// How long each is looked at.
const LOOK_NS: u64 = 1_000_000_000;

pub fn run(bench: &Bench) -> Vec<Row> {
    let world = World::new();
    let mut rig = Rig::start(&world.server.ns, &world.client.ns, bench.folder());
    let way = bare(&world);
    let mut all = Sample::default();
    let mut rows = Vec::new();
    for ms in DELAYS_MS {
        let (mut ours, mut proxied) = (Sample::default(), Sample::default());
        for _ in 0..bench.repeats(3) {
            through_us(&world, &mut rig, ms, &mut ours);
            through_toxiproxy(&world, ms, &mut proxied);
        }
        all.extend(&ours);
        rows.push(row(&format!("delay of {ms} ms: error"), &ours, &proxied));
    }
    rig.end();
    let mut total = row("delays of 1-200 ms: error", &all, &Sample::default());
    total.goals = vec![Goal::at_most("p50", all.p50(), 0.15), Goal::at_most("p99", all.p99(), 0.5)];
    total.note = Some(format!(
        "UDP through the queue, toxiproxy's by TCP on loopback; the bare way, receiver's wake-up \
         included, is {:.3} ms (p99 {:.3}) and stands in every figure",
        way.p50(),
        way.p99()
    ));
    rows.insert(0, total);
    rows
}

fn row(metric: &str, ours: &Sample, proxied: &Sample) -> Row {
    let peer = Peer { name: "toxiproxy", p50: proxied.p50(), p99: Some(proxied.p99()) };
    Row {
        metric: metric.to_owned(),
        unit: "ms",
        p50: ours.p50(),
        p99: Some(ours.p99()),
        repeats: ours.len(),
        goals: Vec::new(),
        peer: (!proxied.is_empty()).then_some(peer),
        note: None,
    }
}

/// The same stream without a fault.
fn bare(world: &World) -> Sample {
    let stream = Stream::udp(&world.server, &world.client, server(7000), Pace::CALM);
    stream.flows();
    let mut way = Sample::default();
    look(&stream, 0, &mut way);
    way
}

fn through_us(world: &World, rig: &mut Rig, ms: u64, errors: &mut Sample) {
    let params = json!({"target": "server", "delay": format!("{ms}ms")});
    let order = rig.order("networkLatency", params, false);
    let injection = order.injection.clone();
    rig.inject(order);
    {
        let stream = Stream::udp(&world.server, &world.client, server(7000), Pace::CALM);
        stream.flows();
        look(&stream, ms, errors);
    }
    rig.revert(injection);
}

/// One of its own each time: it does not give up a delay that a connection ended in.
fn through_toxiproxy(world: &World, ms: u64, errors: &mut Sample) {
    let Some(mut toxiproxy) = Toxiproxy::start(&world.server) else { return };
    toxiproxy.delay(ms);
    let stream = Stream::tcp(&toxiproxy.service, &world.server, PROXY.into(), Pace::CALM);
    stream.flows();
    look(&stream, ms, errors);
}

fn look(stream: &Stream, ms: u64, errors: &mut Sample) {
    let from = monotonic_ns();
    let to = from + LOOK_NS;
    sleep_until(to + ms * 2_000_000 + 50_000_000);
    assert_eq!(stream.lost(from, to), 0, "lost in a delay of {ms} ms");
    let delays = stream.delays(from, to);
    assert!(!delays.is_empty(), "nothing arrived through a delay of {ms} ms");
    for delay in delays {
        errors.push((millis(delay) - ms as f64).abs());
    }
}
