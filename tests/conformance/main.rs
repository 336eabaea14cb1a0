//! Whatever moment it is killed, every fault is undone: every fault of the catalogue at every crash
//! point with every choice of who dies, on one standing lab that outlives all of it; then parts
//! that hang, targets that change under a fault, and journals that cannot be written or read.
//!
//! The same binary is the harness, the conductor that is killed, and the eye inside the lab.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests"
)]

mod churn;
mod conductor;
mod cut;
mod disk;
mod drill;
mod fixture;
mod hang;
mod lasting;
mod matrix;
mod observer;
mod order;
mod script;
#[path = "../linux/slow.rs"]
mod slow;
mod stuck;
mod suite;
mod table;
mod who;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let word = |number: usize| args.get(number).map(String::as_str);
    match (word(1), word(2)) {
        (Some("part"), Some("observer")) => observer::run(),
        // The lab's init: this file is what a lab that we raise executes.
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
