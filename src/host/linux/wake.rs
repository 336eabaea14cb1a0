//! Waiting for several things at once without a runtime: what an init needs.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::time::TimeSpec;

use super::clock::monotonic_ns;
use crate::host::HostError;

/// Readable when a child has ended.
#[derive(Debug)]
pub struct ChildSignal(SignalFd);

impl ChildSignal {
    /// Blocks SIGCHLD for this thread and those it starts: call it before there are any.
    pub fn take() -> Result<ChildSignal, HostError> {
        let mut mask = SigSet::empty();
        mask.add(Signal::SIGCHLD);
        mask.thread_block()
            .and_then(|()| {
                SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
            })
            .map(ChildSignal)
            .map_err(|e| HostError::io("watch for ended children", e))
    }

    /// Forgets the signals so far; the children are to be reaped *after* this.
    pub fn drain(&self) -> Result<(), HostError> {
        while self
            .0
            .read_signal()
            .map_err(|e| HostError::io("watch for ended children", e))?
            .is_some()
        {}
        Ok(())
    }
}

impl AsFd for ChildSignal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Waits until one of them is readable or closed, or until the deadline (nanoseconds of
/// `CLOCK_MONOTONIC`); which ones are.
pub fn wait_any<const N: usize>(
    fds: [BorrowedFd<'_>; N],
    deadline_ns: Option<u64>,
) -> Result<[bool; N], HostError> {
    let mut polled = fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN));
    loop {
        let left = deadline_ns.map(|at| {
            TimeSpec::from_duration(Duration::from_nanos(at.saturating_sub(monotonic_ns())))
        });
        match ppoll(&mut polled, left, None) {
            Ok(_) => return Ok(polled.map(|fd| fd.any().unwrap_or(true))),
            Err(Errno::EINTR) => {}
            Err(e) => return Err(HostError::io("wait for events", e)),
        }
    }
}
