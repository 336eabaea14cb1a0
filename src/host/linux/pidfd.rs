//! Process descriptors: the one handle on a process that cannot come to mean another.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::process::{Signal, pidfd_send_signal};

/// Sends SIGKILL. A process that is gone already is an error, `ESRCH`.
pub fn kill(process: BorrowedFd<'_>) -> io::Result<()> {
    Ok(pidfd_send_signal(process, Signal::KILL)?)
}
