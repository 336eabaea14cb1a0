//! Outages that were scripted, against what prober and judge say of them.
//!
//! Two kinds. *Refused*: the server closes its listening socket and opens it again. *Blackholed*:
//! packets are dropped. Both are stamped with the clock that the prober reads. Every slot is a new
//! connection, 1000 a second.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde_json::json;
use squall::host::linux::clock::monotonic_ns;
use squall::host::linux::network::LinuxNetwork;
use squall::host::linux::timing::{quicken, sleep_until};
use squall::host::network::Network;
use squall::judge::measure::outage::{Beat, outages};
use squall::judge::measure::window::Frame;
use squall::model::id::{DrillId, InjectionId};
use squall::model::network::{Direction, Effect, Impairment, PacketFilter};
use squall::model::observation::Observation;

use crate::Bench;
use crate::prober::Prober;
use crate::sample::{Sample, millis};
use crate::table::{Goal, Row};
use crate::world::{World, server};

const PORT: u16 = 7300;
const RATE: &str = "1000/s";
const BEAT: Beat = Beat { interval_ns: 1e6, deadline_ns: 250_000_000 };
/// Milliseconds, and how often each.
const REFUSED: [(u64, usize); 5] = [(300, 14), (1000, 10), (3000, 5), (10_000, 2), (30_000, 1)];
const BLACKHOLED: [(u64, usize); 3] = [(300, 10), (1000, 5), (3000, 2)];
/// Of good service between two outages.
const BETWEEN_NS: u64 = 700_000_000;

/// A server that gets no processor would be an outage that no script knows of.
const PRIORITY: u32 = 5;

/// From when until when the service was away.
type Truth = (u64, u64);

pub fn run(bench: &Bench) -> Vec<Row> {
    vec![
        measure("outage length, refused", &lengths(bench, &REFUSED), refuse),
        measure("outage length, blackholed", &lengths(bench, &BLACKHOLED), blackhole),
    ]
}

fn lengths(bench: &Bench, script: &[(u64, usize)]) -> Vec<u64> {
    let most = bench.repeats(30);
    let each = |(ms, often): &(u64, usize)| std::iter::repeat_n(*ms, (*often).min(most));
    script.iter().flat_map(each).filter(|ms| most >= 30 || *ms <= 1000).collect()
}

fn measure(metric: &str, lengths: &[u64], script: fn(&World, &[u64]) -> Vec<Truth>) -> Row {
    let world = World::new();
    let params = json!({"address": server(PORT).to_string(), "expect": "here"});
    let (mut prober, _) = Prober::start(&world.client.ns, "tcp", params, RATE);
    let truths = std::thread::scope(|scope| {
        let scripted = scope.spawn(|| script(&world, lengths));
        prober.begin();
        while !scripted.is_finished() {
            prober.beat_until(monotonic_ns() + 100_000_000);
        }
        scripted.join().unwrap()
    });
    // The server goes with the script; what comes after it is no outage of it.
    let end_ns = truths.iter().map(|(_, to)| to + BETWEEN_NS / 2).max().unwrap_or(0);
    let mut slots = prober.finish();
    slots.retain(|slot| slot.due_ns < end_ns);
    let found = judged(&slots);
    let mut error = Sample::default();
    let mut stated = Sample::default();
    let mut worst = (0.0_f64, 0.0_f64);
    for (from, to) in &truths {
        let near = |(begun, _, _): &&(u64, f64, f64)| begun.abs_diff(*from) < 200_000_000;
        let Some((_, length_ms, error_ms)) = found.iter().find(near) else {
            error.push(f64::INFINITY);
            continue;
        };
        let off_ms = length_ms - millis(to - from);
        if off_ms.abs() > worst.0.abs() {
            worst = (off_ms, millis(to - from));
        }
        error.push(off_ms.abs());
        stated.push(*error_ms);
    }
    let note = format!(
        "{} scripted, {} reported; the report itself states an error of {:.1} ms; the worst \
         was {:+.1} ms at {:.0} ms",
        truths.len(),
        found.len(),
        stated.p50(),
        worst.0,
        worst.1
    );
    Row {
        metric: format!("{metric}: error"),
        unit: "ms",
        p50: error.p50(),
        p99: Some(error.p99()),
        repeats: error.len(),
        goals: vec![Goal::at_most("max", error.max(), 3.0)],
        peer: None,
        note: Some(note),
    }
}

/// Beginning (ns), length and stated error (ms) of each outage that the judge sees.
fn judged(slots: &[Observation]) -> Vec<(u64, f64, f64)> {
    // The first slots are those of a server that may not be up yet.
    let slots: Vec<&Observation> = slots.iter().skip(500).collect();
    let (first, last) = (slots[0], slots[slots.len() - 1]);
    let frame = Frame {
        zero_ns: first.due_ns,
        began_ns: first.due_ns,
        lifted_ns: last.due_ns,
        end_ns: last.done_ns,
        seen_from_ns: first.due_ns,
        seen_to_ns: last.done_ns,
        complete: true,
        in_force: true,
    };
    let found = outages(&slots, BEAT, &frame).into_iter();
    let of = |outage: squall::model::verdict::Outage| {
        let from_ns = first.due_ns as f64 + outage.from_seconds * 1e9;
        (from_ns as u64, outage.length_seconds * 1e3, outage.error_seconds * 1e3)
    };
    found.map(|found| of(found.outage)).collect()
}

/// Nobody listens. From just before the socket is closed until just after it listens again.
fn refuse(world: &World, lengths: &[u64]) -> Vec<Truth> {
    world.server.inside(|| {
        let _scheduling = quicken(PRIORITY);
        let mut listener = listen();
        let mut truths = Vec::new();
        serve(&listener, monotonic_ns() + 2 * BETWEEN_NS);
        for length in lengths {
            let from = monotonic_ns();
            drop(listener);
            sleep_until(from + length * 1_000_000);
            listener = listen();
            truths.push((from, monotonic_ns()));
            serve(&listener, monotonic_ns() + BETWEEN_NS);
        }
        truths
    })
}

/// Packets are dropped. Between the stamps of the two calls.
fn blackhole(world: &World, lengths: &[u64]) -> Vec<Truth> {
    let _scheduling = quicken(PRIORITY);
    let drill = DrillId::from_bits(monotonic_ns());
    let mut network = LinuxNetwork::new(drill.clone());
    network.carriers();
    let listener = world.server.inside(listen);
    let mut truths = Vec::new();
    serve(&listener, monotonic_ns() + 2 * BETWEEN_NS);
    for (number, length) in (1..).zip(lengths) {
        let id = InjectionId { drill: drill.clone(), number };
        let impairment = Impairment {
            id: id.clone(),
            direction: Direction::Both,
            filter: PacketFilter::default(),
            effect: Effect::Drop,
        };
        let ns = &world.server.ns;
        let cut = network.impair(ns, &impairment, Duration::from_mins(1)).unwrap();
        serve(&listener, cut.effective_ns + length * 1_000_000);
        let back = network.relieve(ns, &id).unwrap();
        truths.push((cut.effective_ns, back.effective_ns));
        serve(&listener, monotonic_ns() + BETWEEN_NS);
    }
    truths
}

fn listen() -> TcpListener {
    let listener = TcpListener::bind(SocketAddr::new([0, 0, 0, 0].into(), PORT)).unwrap();
    listener.set_nonblocking(true).unwrap();
    listener
}

/// Answers whoever comes, until then.
fn serve(listener: &TcpListener, until_ns: u64) {
    while monotonic_ns() < until_ns {
        let left = (until_ns.saturating_sub(monotonic_ns()) / 1_000_000).min(50);
        let mut fds = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
        let _woken = poll(&mut fds, PollTimeout::try_from(left).unwrap());
        while let Ok((mut stream, _)) = listener.accept() {
            let _gone = stream.write_all(b"here");
        }
    }
}
