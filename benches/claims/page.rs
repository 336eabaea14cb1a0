//! The page `docs/benchmarks.md`: what stands between its markers is written from a run.

use std::path::Path;
use std::process::Command;

use crate::table::{Row, render};

const BEGIN: &str = "<!-- measured: begin -->";
const END: &str = "<!-- measured: end -->";
/// Above this the figures are those of a busy machine.
const QUIET: f64 = 0.5;

/// The load average of the last minute.
pub fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

pub fn warn(load: f64) {
    if load > QUIET {
        eprintln!("WARNING: load average {load} at the start: these are figures of a busy machine");
    }
}

/// The table with what it was measured on.
pub fn section(rows: &[Row], load: f64, quick: bool) -> String {
    let day = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC");
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let busy = if load > QUIET { ", **a busy machine**" } else { "" };
    let quick = if quick { ", **a quick run: too few repeats to quote**" } else { "" };
    format!(
        "Commit {}, {day}, {cpus} CPUs, Linux {}, load average {load}{busy}{quick}.\n\n{}\n",
        commit(),
        kernel.trim(),
        render(rows)
    )
}

/// Puts the section between the markers.
pub fn fill(path: &Path, section: &str) {
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has its first marker");
    let (_, after) = rest.split_once(END).expect("the page has its second marker");
    std::fs::write(path, format!("{before}{BEGIN}\n{section}\n{END}{after}")).unwrap();
}

fn commit() -> String {
    let git = |argv: &[&str]| {
        let output = Command::new("git").args(argv).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let id = git(&["rev-parse", "--short", "HEAD"]).filter(|id| !id.is_empty());
    let changed = git(&["status", "--porcelain", "--", "src", "benches", "Cargo.lock"]);
    let mark = if changed.is_some_and(|list| !list.is_empty()) { " and changes" } else { "" };
    format!("{}{mark}", id.unwrap_or_else(|| "unknown".to_owned()))
}
