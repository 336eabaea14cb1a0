//! Every fault on an object of a cluster, on a real one that is raised once for all: injected,
//! looked at, undone, and the object compared with what it was; killed at every crash point and
//! restored by `squall undo --cluster` from another machine's state; and what others did meanwhile
//! still there.
//!
//! The same binary is the harness and the conductor that is killed. Root and the programs of
//! `make kube-programs kube-images` are needed: where they are missing, every test is named as
//! skipped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod access;
mod cases;
mod conductor;
mod crashes;
mod drill;
mod others;
mod refusals;
mod stage;
mod suite;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let word = |number: usize| args.get(number).map(String::as_str);
    match (word(1), word(2)) {
        // The parts: this file is what a conductor of ours executes.
        (Some("part"), _) => match squall::cli::Cli::parse().run() {
            Ok(code) => ExitCode::from(code),
            Err(failure) => {
                eprintln!("{failure}");
                ExitCode::FAILURE
            }
        },
        (Some("conductor"), Some(script)) => conductor::run(script),
        _ => suite::run(&args[1..]),
    }
}
