//! The measured claims, each beside its peer: `make bench`, or
//! `cargo bench --bench claims -- [--quick] [--write FILE] [NAME…]`.
//!
//! One program, one table. Ours and the peer's repeats alternate, so that a noisy minute hits both.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::missing_panics_doc,
    reason = "a program that measures, for engineers"
)]

mod abort;
mod checker;
mod delay;
mod effective;
mod lag;
mod outages;
mod page;
mod peer;
mod prober;
mod process;
mod rig;
mod sample;
mod sigkill;
mod stream;
mod table;
mod throughput;
mod world;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use squall::host::linux::clock::monotonic_ns;
use squall::host::linux::part;
use squall::host::linux::timing::quicken;
use table::Row;

/// The release binary that is measured.
const SQUALL: &str = env!("CARGO_BIN_EXE_squall");

type Measure = fn(&Bench) -> Vec<Row>;

/// By name, in the order of the table.
const ALL: [(&str, Measure); 9] = [
    ("effective", effective::run),
    ("abort", abort::run),
    ("sigkill", sigkill::run),
    ("outages", outages::run),
    ("lag", lag::run),
    ("delay", delay::run),
    ("throughput", throughput::run),
    ("checker", checker::run),
    ("process", process::run),
];

/// What every bench is told.
pub struct Bench {
    quick: bool,
    folder: tempfile::TempDir,
}

impl Bench {
    /// Scratch on the disk of the build: journals are synced for real.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How often; a quick run shows only that everything works.
    pub fn repeats(&self, proper: usize) -> usize {
        if self.quick { proper.div_ceil(10).min(5) } else { proper }
    }

    /// How long a write of a record's size takes until it is durable, nanoseconds.
    pub fn one_sync(&self) -> u64 {
        let path = self.folder().join("sync");
        let mut file = File::options().create(true).append(true).open(path).unwrap();
        let began_ns = monotonic_ns();
        file.write_all(&[7; 1000]).unwrap();
        file.sync_data().unwrap();
        monotonic_ns() - began_ns
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    part::use_binary(Path::new(SQUALL)).unwrap();
    match words.first().map(String::as_str) {
        Some("hold") => return sigkill::hold(&words[1..]),
        Some("check") => return checker::check_here(),
        _ => {}
    }
    // What looks at a world must not be later than what is looked at; our children are like others.
    let _scheduling = quicken(5);
    let write = words.iter().position(|word| word == "--write").map(|at| words[at + 1].clone());
    let named = |name: &str| {
        let chosen = |word: &&String| ALL.iter().any(|(known, _)| known == &word.as_str());
        let mut chosen = words.iter().filter(chosen).peekable();
        chosen.peek().is_none() || chosen.any(|word| word == name)
    };
    let bench = Bench {
        quick: words.iter().any(|word| word == "--quick"),
        folder: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
    };
    let load = page::load();
    page::warn(load);
    let mut rows = Vec::new();
    for (name, run) in ALL.iter().filter(|(name, _)| named(name)) {
        eprintln!("{name} …");
        let measured = run(&bench);
        println!("{}\n", table::render(&measured));
        rows.extend(measured);
    }
    page::warn(load);
    let table = page::section(&rows, load, bench.quick);
    println!("{table}");
    if let Some(file) = write {
        page::fill(&PathBuf::from(file), &table);
    }
}
