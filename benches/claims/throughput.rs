//! How much TCP carries through a delay: one stream and many, a long way and a short one.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};
use serde_json::json;
use squall::host::linux::clock::monotonic_ns;

use crate::Bench;
use crate::peer::toxiproxy::{PROXY, Toxiproxy};
use crate::rig::Rig;
use crate::sample::Sample;
use crate::table::{Goal, Peer, Row};
use crate::world::{Space, World, server};

/// Streams grow their windows in the first second, which does not count.
const GROWS_NS: u64 = 1_000_000_000;
const LOOK_NS: u64 = 3_000_000_000;
/// What most systems have by default, first.
const CONTROLS: [&str; 2] = ["cubic", "reno"];

/// What is sent through what.
#[derive(Clone, Copy)]
struct Case {
    delay_ms: u64,
    streams: usize,
}

/// The first is the one that a goal was set for. In the others no window keeps a packet's delay
/// from carrying what a proxy carries.
const CASES: [Case; 3] = [
    Case { delay_ms: 50, streams: 1 },
    Case { delay_ms: 1, streams: 1 },
    Case { delay_ms: 50, streams: 16 },
];

#[derive(Default)]
struct Rates {
    ours: Sample,
    proxied: Sample,
    control: &'static str,
}

pub fn run(bench: &Bench) -> Vec<Row> {
    let world = World::new();
    let mut rig = Rig::start(&world.server.ns, &world.client.ns, bench.folder());
    let listener = world.server.inside(|| TcpListener::bind(server(7400)).unwrap());
    let mut rates = CASES.map(|_| Rates::default());
    for _ in 0..bench.repeats(5) {
        for (case, rates) in CASES.iter().zip(&mut rates) {
            let params = json!({"target": "server", "delay": format!("{}ms", case.delay_ms)});
            let order = rig.order("networkLatency", params, false);
            let injection = order.injection.clone();
            rig.inject(order);
            let (rate, used) = carry(&world.client, server(7400), &listener, case.streams);
            rates.ours.push(rate);
            rates.control = used;
            rig.revert(injection);
            // One of its own each time: it does not give up a delay that a connection ended in.
            if let Some(mut toxiproxy) = Toxiproxy::start(&world.server) {
                toxiproxy.delay(case.delay_ms);
                let to = PROXY.into();
                let (rate, _) = carry(&world.server, to, &toxiproxy.service, case.streams);
                rates.proxied.push(rate);
            }
        }
    }
    rig.end();
    CASES.iter().zip(rates).enumerate().map(|(at, (case, rates))| row(at, case, rates)).collect()
}

fn row(at: usize, case: &Case, rates: Rates) -> Row {
    let Rates { ours, proxied, control } = rates;
    let peer = Peer { name: "toxiproxy", p50: proxied.p50(), p99: None };
    let compared = !proxied.is_empty();
    let goals = if at == 0 && compared {
        vec![Goal::at_least("", ours.p50(), 2.0 * proxied.p50())]
    } else {
        Vec::new()
    };
    let Case { delay_ms, streams } = *case;
    let many =
        if streams == 1 { "one TCP stream".to_owned() } else { format!("{streams} TCP streams") };
    let ratio = ours.p50() / proxied.p50();
    let [sending, receiving] = ["tcp_wmem", "tcp_rmem"].map(largest_buffer);
    let bound = sending.min(receiving) * 1e3 / delay_ms as f64 * streams as f64;
    let physics = format!(
        "congestion control {control}, largest buffers {sending:.1} MB to send and {receiving:.1} to \
         receive. Ours delays packets, so the stream carries at most a buffer a round trip, {bound:.0} \
         MB/s here, as on a real line of {delay_ms} ms; and a writer that waits is woken only when a \
         third of its buffer is free, which leaves about {:.0} (a sender's own statistics say \
         `sndbuf_limited`). Toxiproxy ends the connection and holds its bytes in memory, so no \
         window ever bounds it, nor does a delay reach the sender. Ours is {ratio:.2}x toxiproxy's",
        bound * 5.0 / 6.0
    );
    let beside = format!(
        "windows allow {bound:.0} MB/s, so the machine is the bound; no goal was set for it. Ours is \
         {ratio:.2}x toxiproxy's"
    );
    Row {
        metric: format!("{many} through {delay_ms} ms"),
        unit: "MB/s",
        p50: ours.p50(),
        p99: None,
        repeats: ours.len(),
        goals,
        peer: compared.then_some(peer),
        note: Some(if at == 0 { physics } else { beside }),
    }
}

/// Megabytes that the kernel lets a socket grow to.
fn largest_buffer(name: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).unwrap();
    let bytes: f64 = text.split_whitespace().next_back().unwrap().parse().unwrap();
    bytes / 1e6
}

/// Megabytes a second of all streams together, and the congestion control that was used.
fn carry(
    client: &Space,
    to: SocketAddr,
    listener: &TcpListener,
    streams: usize,
) -> (f64, &'static str) {
    let mut control = None;
    let mut pairs = Vec::new();
    for _ in 0..streams {
        let sender = client.inside(|| TcpStream::connect(to).unwrap());
        control = CONTROLS.into_iter().find(|name| {
            setsockopt(&sender, sockopt::TcpCongestion, &OsString::from(name)).is_ok()
        });
        pairs.push((sender, listener.accept().unwrap().0));
    }
    let began_ns = monotonic_ns();
    let taken: usize = std::thread::scope(|scope| {
        let take = |(sender, receiver)| {
            scope.spawn(move || send(sender, began_ns));
            scope.spawn(move || receive(receiver, began_ns))
        };
        let taking: Vec<_> = pairs.into_iter().map(take).collect();
        taking.into_iter().map(|receiver| receiver.join().unwrap()).sum()
    });
    (taken as f64 / 1e6 / (LOOK_NS as f64 / 1e9), control.unwrap_or("the default"))
}

fn send(mut sender: TcpStream, began_ns: u64) {
    sender.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let bytes = vec![7; 1 << 18];
    while monotonic_ns() < began_ns + GROWS_NS + LOOK_NS && sender.write(&bytes).is_ok() {}
}

/// Bytes that arrived after the streams had grown.
fn receive(mut receiver: TcpStream, began_ns: u64) -> usize {
    receiver.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut bytes = vec![0; 1 << 18];
    let mut total = 0;
    while monotonic_ns() < began_ns + GROWS_NS + LOOK_NS {
        let got = receiver.read(&mut bytes).unwrap_or(0);
        if monotonic_ns() > began_ns + GROWS_NS {
            total += got;
        }
    }
    total
}
