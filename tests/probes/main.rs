//! Probes against real servers and hostile ones, and the prober as the process that it is.
//!
//! Everything here listens on loopback or in a network namespace of its own, in scratch folders,
//! and is ended by its own handle.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test says what went wrong by stopping there"
)]

mod command;
mod dns;
mod engine;
mod grpc;
mod http;
mod namespaces;
mod outages;
mod prometheus;
mod redis;
mod roles;
mod sentinel;
mod support;
mod tcp;
