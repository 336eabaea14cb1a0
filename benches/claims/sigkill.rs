//! From SIGKILL of everything (conductor, injector, guardian) to nothing left: what only the
//! kernel can do, since nobody else is alive to do it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use squall::host::linux::clock::monotonic_ns;
use squall::host::linux::netns;
use squall::host::linux::network::LinuxNetwork;
use squall::host::linux::timing::sleep_until;
use squall::host::network::Network;
use squall::model::id::DrillId;

use crate::Bench;
use crate::rig::Rig;
use crate::sample::Sample;
use crate::stream::{Pace, Stream};
use crate::table::{Goal, Row};
use crate::world::{World, server};

const GOAL_MS: f64 = 50.0;
/// What is not gone by then is counted as never gone.
const GIVE_UP_NS: u64 = 2_000_000_000;

/// The conductor that will be killed: puts a fault in force, says who is to die, and waits.
pub fn hold(words: &[String]) {
    let [server, client, folder] = words else { panic!("hold SERVER CLIENT FOLDER") };
    let (server, client) = (netns::identify(server).unwrap(), netns::identify(client).unwrap());
    let mut rig = Rig::start(&server, &client, Path::new(folder));
    for (kind, params) in [
        ("networkLatency", json!({"target": "server", "delay": "10ms"})),
        ("networkPartition", json!({"isolate": "server"})),
    ] {
        let order = rig.order(kind, params, false);
        rig.inject(order);
    }
    let [injector, guardian] = rig.pids();
    println!("{injector} {guardian} {}", rig.drill);
    // Whoever started us kills us; its end is the end of our input.
    let mut line = String::new();
    let _end = std::io::stdin().read_line(&mut line);
}

pub fn run(bench: &Bench) -> Vec<Row> {
    let world = World::new();
    let (mut packet, mut listing) = (Sample::default(), Sample::default());
    for _ in 0..bench.repeats(60) {
        let (arrived, listed) = one(bench, &world);
        packet.push(arrived);
        listing.push(listed);
    }
    let row = |metric: &str, sample: &Sample| {
        Row::of_times(metric, sample, Goal::at_most("max", sample.max(), GOAL_MS))
    };
    let note = "a delay and a partition together. No peer: what toxiproxy, tc and nft did stays \
                when who did it is dead, or takes the road itself with it";
    vec![
        row("SIGKILL of all to gone, by packet", &packet),
        Row { note: Some(note.to_owned()), ..row("SIGKILL of all to gone, by listing", &listing) },
    ]
}

/// Milliseconds until a packet arrives and until nothing is listed.
fn one(bench: &Bench, world: &World) -> (f64, f64) {
    let own = std::env::current_exe().unwrap();
    let spaces = [world.server.ns.path.as_str(), world.client.ns.path.as_str()];
    let mut command = Command::new(own);
    let command = command.arg("hold").args(spaces).arg(bench.folder());
    let mut conductor = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(conductor.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let words: Vec<&str> = said.split_whitespace().collect();
    let drill = DrillId::parse(words[2]).unwrap();
    let parts = words[..2].iter().map(|pid| Pid::from_raw(pid.parse().unwrap()));
    let conductor_pid = Pid::from_raw(i32::try_from(conductor.id()).unwrap());
    let all: Vec<Pid> = [conductor_pid].into_iter().chain(parts).collect();

    let stream = Stream::udp(&world.server, &world.client, server(7000), Pace::FAST);
    sleep_until(monotonic_ns() + 20_000_000);
    assert_eq!(stream.first_arrival(0), None, "the fault is not in force");
    let network = LinuxNetwork::new(drill.clone());
    let began_ns = monotonic_ns();
    for pid in all {
        kill(pid, Signal::SIGKILL).unwrap();
    }
    let until_ns = began_ns + GIVE_UP_NS;
    let (mut arrived, mut listed) = (None, None);
    while (arrived.is_none() || listed.is_none()) && monotonic_ns() < until_ns {
        if listed.is_none() && network.ours(&world.server.ns, Some(&drill)).unwrap().is_empty() {
            listed = Some(monotonic_ns());
        }
        arrived = stream.first_arrival(began_ns);
        sleep_until(monotonic_ns() + 500_000);
    }
    conductor.wait().unwrap();
    let ms = |at: Option<u64>| {
        at.map_or(f64::INFINITY, |at| crate::sample::millis(at.saturating_sub(began_ns)))
    };
    (ms(arrived), ms(listed))
}
