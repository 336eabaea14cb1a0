//! The ledger's check on one core: operations a second, and bytes for each.

use std::io::Read;
use std::process::{Command, Stdio};

use squall::host::linux::clock::monotonic_ns;
use squall::judge::ledger::{Write, check};
use squall::model::observation::{LedgerRead, WriteFate};

use crate::Bench;
use crate::sample::Sample;
use crate::table::{Goal, Row};

const OPERATIONS: u64 = 4_000_000;
/// One of so many acknowledged writes is lost.
const LOST: u64 = 100_003;

pub fn run(bench: &Bench) -> Vec<Row> {
    let (mut speed, mut checking, mut whole) =
        (Sample::default(), Sample::default(), Sample::default());
    for _ in 0..bench.repeats(30) {
        // A process of its own: its peak of memory is that of this check.
        let own = std::env::current_exe().unwrap();
        let mut child = Command::new(own).arg("check").stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(child.wait().unwrap().success());
        let figures: Vec<f64> = said.split_whitespace().map(|f| f.parse().unwrap()).collect();
        speed.push(figures[0]);
        checking.push(figures[1]);
        whole.push(figures[2]);
    }
    let row = |metric: &str, unit, sample: &Sample, goal| Row {
        metric: metric.to_owned(),
        unit,
        p50: sample.p50(),
        p99: None,
        repeats: sample.len(),
        goals: vec![goal],
        peer: None,
        note: None,
    };
    let note = format!(
        "{OPERATIONS} writes, two reads, one in {LOST} lost; writes and both reads as they lie in \
         memory are counted, of which the check itself adds {:.2} bytes. No peer: Elle and Knossos \
         check more than a set",
        checking.p50()
    );
    vec![
        row("ledger check", "M ops/s", &speed, Goal::at_least("", speed.p50(), 1.0)),
        Row {
            note: Some(note),
            ..row("ledger check, memory", "bytes/op", &whole, Goal::at_most("", whole.p50(), 64.0))
        },
    ]
}

/// Checks once and prints M ops/s, bytes an operation of the check, and with its input.
pub fn check_here() {
    let before_all = resident();
    let writes: Vec<Write> = (0..OPERATIONS)
        .map(|seq| Write {
            seq,
            fate: match seq % 1000 {
                0 => WriteFate::Indeterminate,
                1 => WriteFate::Failed,
                _ => WriteFate::Acknowledged,
            },
            done_ns: seq * 1000,
        })
        .collect();
    let found = || -> Vec<u64> {
        let kept = |write: &&Write| write.fate == WriteFate::Acknowledged && write.seq % LOST != 7;
        let mut found = Vec::with_capacity(writes.len());
        found.extend(writes.iter().filter(kept).map(|write| write.seq));
        found
    };
    let read = |round| LedgerRead {
        round,
        at_ns: 0,
        source: "bench".to_owned(),
        found: found(),
        foreign: 0,
        error: None,
    };
    let (first, second) = (read(1), read(2));
    let before = resident();
    let began_ns = monotonic_ns();
    let report = check(writes.iter().copied(), [Some(&first), Some(&second)], 0);
    let took_ns = monotonic_ns() - began_ns;
    let planted = (0..OPERATIONS).filter(|seq| seq % LOST == 7 && seq % 1000 > 1).count() as u64;
    assert_eq!((report.lost, report.duplicate, report.phantom), (planted, 0, 0));
    let operations = OPERATIONS as f64;
    println!(
        "{} {} {}",
        operations * 1e3 / took_ns as f64,
        (peak() - before) / operations,
        (peak() - before_all) / operations
    );
}

fn resident() -> f64 {
    status("VmRSS:")
}

fn peak() -> f64 {
    status("VmHWM:")
}

/// Bytes.
fn status(key: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with(key)).unwrap();
    let kilobytes: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes * 1024.0
}
