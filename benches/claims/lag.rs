//! How late slots begin at 10 000 a second, with nothing at the other end: each connects to a port
//! that nobody listens on, and the kernel refuses at once.

use serde_json::json;
use squall::host::linux::clock::monotonic_ns;
use squall::model::observation::Grade;

use crate::Bench;
use crate::prober::Prober;
use crate::sample::Sample;
use crate::table::{Goal, Row};
use crate::world::World;

const RATE: &str = "10000/s";

pub fn run(bench: &Bench) -> Vec<Row> {
    let world = World::new();
    let params = json!({"address": "127.0.0.1:9"});
    let (mut prober, scheduling) = Prober::start(&world.client.ns, "tcp", params, RATE);
    prober.begin();
    let seconds = bench.repeats(30) as u64;
    prober.beat_until(monotonic_ns() + seconds * 1_000_000_000);
    let slots = prober.finish();
    let mut lag = Sample::default();
    // The first 100 ms are those of a process that warms up.
    for slot in slots.iter().skip(1000) {
        lag.push(slot.started_ns.saturating_sub(slot.due_ns) as f64 / 1e3);
    }
    let invalid = slots.iter().filter(|slot| slot.grade == Grade::Invalid).count();
    let note = format!(
        "every slot a new connection that is refused; scheduling `{scheduling}`; the largest lag \
         was {:.0} us; {invalid} of {} slots invalid",
        lag.max(),
        slots.len()
    );
    vec![Row {
        metric: format!("slot lag at {RATE}"),
        unit: "us",
        p50: lag.p50(),
        p99: Some(lag.p99()),
        repeats: lag.len(),
        goals: vec![Goal::at_most("p99", lag.p99(), 250.0)],
        peer: None,
        note: Some(note),
    }]
}
