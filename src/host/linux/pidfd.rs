//! Process descriptors: the one handle on a process that cannot come to mean another.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Opens a descriptor of the process that has this number now (Linux 5.3).
pub fn open(pid: i32) -> io::Result<OwnedFd> {
    let pid = Pid::from_raw(pid).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    Ok(pidfd_open(pid, PidfdFlags::empty())?)
}

/// Sends SIGKILL. A process that is gone already is an error, `ESRCH`.
pub fn kill(process: BorrowedFd<'_>) -> io::Result<()> {
    Ok(pidfd_send_signal(process, Signal::KILL)?)
}

/// Takes the exit status of a child that has ended, so that no zombie stays. Not our child:
/// nothing.
pub fn reap(process: BorrowedFd<'_>) {
    use nix::sys::wait::{Id, WaitPidFlag, waitid};
    let _not_ours = waitid(Id::PIDFd(process), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG);
}
