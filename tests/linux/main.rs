//! Against the kernel itself: real namespaces, real processes, real services.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests"
)]

mod fixture;
mod lab;
mod lab_failover;
mod lab_use;
mod network;
mod part;
mod slow;
