//! The part of a drill that looks: `squall part prober`.
//!
//! Three threads. The *metronome* sleeps until slots are due and hands them over; the *slots*
//! thread runs the probes and grades what they saw; the *session* thread speaks with the conductor
//! and asks instances for their roles. So neither a long message nor a slow role reader makes a
//! slot late. All of them live in the network namespace that the conductor named. Probes that look
//! from another host have a metronome and a slots thread of their own there, a pair for each host.
//!
//! Invariants: a slot is due at `start + i / rate` whatever happened before, is never skipped, and
//! is answered for exactly once. What is doubtful because *we* were late or stood still is
//! `invalid`, never good and never held against the system.

mod gather;
mod grade;
mod lag;
mod lane;
mod metronome;
mod schedule;
mod session;
mod slots;
mod stand;
mod watch;

use std::os::fd::OwnedFd;

/// Main of the part. `channel` is the conductor's; the process must have one thread only. Returns
/// the exit status: 0 after `Goodbye`, 1 when the conductor was lost or the part could not work.
#[must_use]
pub fn run(channel: OwnedFd) -> i32 {
    match session::run(channel) {
        Ok(session::End::Goodbye) => 0,
        Ok(session::End::ConductorLost | session::End::BrokenDown) | Err(_) => 1,
    }
}
