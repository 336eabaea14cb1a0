//! How much one TCP stream carries through a delay of 50 ms.

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

const DELAY_MS: u64 = 50;
/// The stream grows its window in the first second, which does not count.
const GROWS_NS: u64 = 1_000_000_000;
const LOOK_NS: u64 = 3_000_000_000;
/// What most systems have by default, first.
const CONTROLS: [&str; 2] = ["cubic", "reno"];

/// Bytes: more than a stream has under way here at any rate.
const WIDE: u64 = 1 << 29;

pub fn run(bench: &Bench) -> Vec<Row> {
    let usual =
        Buffers { most: largest_buffer("tcp_wmem").min(largest_buffer("tcp_rmem")), wide: false };
    let wide = Buffers { most: WIDE as f64 / 1e6, wide: true };
    vec![measure(bench, wide), measure(bench, usual)]
}

/// What a socket may grow to, megabytes.
#[derive(Clone, Copy)]
struct Buffers {
    most: f64,
    wide: bool,
}

fn measure(bench: &Bench, buffers: Buffers) -> Row {
    let world = World::new();
    if buffers.wide {
        world.server.inside(widen);
        world.client.inside(widen);
    }
    let mut rig = Rig::start(&world.server.ns, &world.client.ns, bench.folder());
    let listener = world.server.inside(|| TcpListener::bind(server(7400)).unwrap());
    let (mut ours, mut proxied) = (Sample::default(), Sample::default());
    let mut control = "";
    for _ in 0..bench.repeats(5) {
        let params = json!({"target": "server", "delay": format!("{DELAY_MS}ms")});
        let order = rig.order("networkLatency", params, false);
        let injection = order.injection.clone();
        rig.inject(order);
        let (rate, used) = stream(&world.client, server(7400), &listener);
        ours.push(rate);
        control = used;
        rig.revert(injection);
        // One of its own each time: it does not give up a delay that a connection ended in.
        if let Some(mut toxiproxy) = Toxiproxy::start(&world.server) {
            toxiproxy.delay(DELAY_MS);
            proxied.push(stream(&world.server, PROXY.into(), &toxiproxy.service).0);
        }
    }
    rig.end();
    row(&ours, &proxied, buffers, control)
}

fn row(ours: &Sample, proxied: &Sample, buffers: Buffers, control: &str) -> Row {
    let peer = Peer { name: "toxiproxy", p50: proxied.p50(), p99: None };
    let bound = buffers.most * 1e3 / DELAY_MS as f64;
    let note = if buffers.wide {
        format!(
            "congestion control {control}; sockets on both roads may buffer {:.0} MB, so that the \
             delay's own machinery is the bound and not the window",
            buffers.most
        )
    } else {
        format!(
            "the kernel's own limits. A stream has at most a buffer, {:.1} MB, under way, so over a \
             line of {DELAY_MS} ms no more than {bound:.0} MB/s, delayed by us or by copper, and \
             some five sixths of that: a waiting writer is woken when a third is free. \
             Toxiproxy ends the connection and holds its bytes in memory, so no window bounds it",
            buffers.most
        )
    };
    let which = if buffers.wide { "wide buffers" } else { "usual buffers" };
    let compared = !proxied.is_empty() && buffers.wide;
    Row {
        metric: format!("one TCP stream through {DELAY_MS} ms, {which}"),
        unit: "MB/s",
        p50: ours.p50(),
        p99: None,
        repeats: ours.len(),
        goals: compared
            .then(|| Goal::at_least("", ours.p50(), 2.0 * proxied.p50()))
            .into_iter()
            .collect(),
        peer: (!proxied.is_empty()).then_some(peer),
        note: Some(note),
    }
}

/// In the namespace that we are in.
fn widen() {
    for name in ["tcp_wmem", "tcp_rmem"] {
        let text = format!("4096 131072 {WIDE}");
        std::fs::write(format!("/proc/sys/net/ipv4/{name}"), text).unwrap();
    }
}

/// Megabytes that the kernel lets a socket grow to.
fn largest_buffer(name: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).unwrap();
    let bytes: f64 = text.split_whitespace().next_back().unwrap().parse().unwrap();
    bytes / 1e6
}

/// Megabytes a second, and the congestion control that was used.
fn stream(client: &Space, to: SocketAddr, listener: &TcpListener) -> (f64, &'static str) {
    let mut sender = client.inside(|| TcpStream::connect(to).unwrap());
    let control = CONTROLS
        .into_iter()
        .find(|name| setsockopt(&sender, sockopt::TcpCongestion, &OsString::from(name)).is_ok());
    let (mut receiver, _) = listener.accept().unwrap();
    let began_ns = monotonic_ns();
    let end_ns = began_ns + GROWS_NS + LOOK_NS;
    sender.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    receiver.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let taken = std::thread::scope(|scope| {
        scope.spawn(move || {
            let bytes = vec![7; 1 << 18];
            while monotonic_ns() < end_ns && sender.write(&bytes).is_ok() {}
        });
        let mut bytes = vec![0; 1 << 18];
        let mut total = 0_usize;
        while monotonic_ns() < end_ns {
            let got = receiver.read(&mut bytes).unwrap_or(0);
            if monotonic_ns() > began_ns + GROWS_NS {
                total += got;
            }
        }
        total
    });
    (taken as f64 / 1e6 / (LOOK_NS as f64 / 1e9), control.unwrap_or("the default"))
}
