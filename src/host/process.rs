//! What can be asked of processes: who they are, how they are, and to take a signal.

use std::time::Duration;

use super::HostError;
use crate::model::identity::ProcessIdentity;

/// How a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    Running,
    /// Stopped by a signal: every thread stands still.
    Stopped,
    /// No such process, a zombie, or another one with its number.
    Gone,
}

/// Signals and states by identity, never by number alone: a pidfd is opened first, then the start
/// time is compared, then the signal goes through the pidfd. Whoever is named by a number of
/// another PID namespace is `Denied` in every question: it may be alive where that counts.
pub trait Processes {
    /// Fixes who `pid` is now. Errors: `Gone`.
    fn identify(&self, pid: i32) -> Result<ProcessIdentity, HostError>;

    fn state(&self, who: &ProcessIdentity) -> Result<RunState, HostError>;

    /// `root` and all its descendants, parents first. Errors: `Gone` when the root is.
    fn tree(&self, root: &ProcessIdentity) -> Result<Vec<ProcessIdentity>, HostError>;

    /// Sends a signal by its number (`libc::SIGKILL`). Errors: `Gone`, `Denied`.
    fn signal(&self, who: &ProcessIdentity, signal: i32) -> Result<(), HostError>;

    /// Waits until it is in that state, at most `within`; the `CLOCK_MONOTONIC` nanosecond at which
    /// it was seen, or None when it never was.
    fn wait(
        &self,
        who: &ProcessIdentity,
        state: RunState,
        within: Duration,
    ) -> Result<Option<u64>, HostError>;
}
