//! Processes by identity: a pidfd first, then the start time, then the signal through the pidfd.
//!
//! A number alone may be worn by another process at any moment. A pidfd cannot; and when the start
//! time read *after* opening it is the one we know, the pidfd is of the process we mean.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_nanosleep};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::clock::{boot, monotonic_ns};
use crate::host::HostError;
use crate::host::process::{Processes, RunState};
use crate::model::identity::{BootId, ProcessIdentity};

/// Between two looks at a state that sends no event.
const LOOK_EVERY: Duration = Duration::from_micros(200);

/// The processes of this machine, as numbered in our PID namespace.
#[derive(Debug, Clone)]
pub struct LinuxProcesses {
    boot: BootId,
    /// Inode of our PID namespace; 0: it cannot be read.
    namespace: u64,
}

/// What `/proc/PID/stat` says that matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    state: char,
    parent: i32,
    start_ticks: u64,
}

impl LinuxProcesses {
    /// Errors: this boot has no name to be read.
    pub fn new() -> Result<LinuxProcesses, HostError> {
        let namespace = fs::metadata("/proc/self/ns/pid").map_or(0, |meta| meta.ino());
        Ok(LinuxProcesses { boot: boot()?, namespace })
    }

    /// Fixes who a child of ours is that we have not reaped, dead or alive. Errors: `Gone`.
    pub fn identify_child(&self, pid: i32) -> Result<ProcessIdentity, HostError> {
        let stat = stat_of(pid)?.ok_or_else(|| HostError::Gone(format!("process {pid}")))?;
        Ok(self.named(pid, &stat))
    }

    fn named(&self, pid: i32, stat: &Stat) -> ProcessIdentity {
        ProcessIdentity {
            pid,
            start_ticks: stat.start_ticks,
            boot: self.boot.clone(),
            pid_namespace: self.namespace,
        }
    }

    /// Is it of this boot? Errors: `Denied`, when its number counts elsewhere. It may well be alive
    /// there, so it is not `Gone`.
    fn is_of_here(&self, who: &ProcessIdentity) -> Result<bool, HostError> {
        if who.boot != self.boot {
            return Ok(false);
        }
        let known = who.pid_namespace != 0 && self.namespace != 0;
        if known && who.pid_namespace != self.namespace {
            return Err(HostError::Denied {
                what: format!("process {} by its number in another PID namespace", who.pid),
                remedy: "run this where the drill was run, out of or in the same container"
                    .to_owned(),
            });
        }
        Ok(true)
    }

    /// A descriptor of exactly that process. Errors: `Gone`, also for another boot's; `Denied` for
    /// one that counts in another PID namespace.
    pub fn open(&self, who: &ProcessIdentity) -> Result<OwnedFd, HostError> {
        let gone = || HostError::Gone(format!("process {}", who.pid));
        if !self.is_of_here(who)? {
            return Err(gone());
        }
        let pidfd = pidfd_of(who.pid)?;
        let stat = stat_of(who.pid)?.ok_or_else(gone)?;
        if stat.start_ticks == who.start_ticks { Ok(pidfd) } else { Err(gone()) }
    }
}

impl Processes for LinuxProcesses {
    fn identify(&self, pid: i32) -> Result<ProcessIdentity, HostError> {
        let gone = || HostError::Gone(format!("process {pid}"));
        let stat = stat_of(pid)?.filter(|s| !is_dead(s.state)).ok_or_else(gone)?;
        Ok(self.named(pid, &stat))
    }

    fn state(&self, who: &ProcessIdentity) -> Result<RunState, HostError> {
        if !self.is_of_here(who)? {
            return Ok(RunState::Gone);
        }
        match stat_of(who.pid)? {
            Some(stat) if stat.start_ticks == who.start_ticks => threads(who.pid),
            _ => Ok(RunState::Gone),
        }
    }

    fn tree(&self, root: &ProcessIdentity) -> Result<Vec<ProcessIdentity>, HostError> {
        self.open(root)?;
        let all = everyone()?;
        let mut members = vec![root.clone()];
        let mut next = 0;
        while next < members.len() {
            let parent = members[next].pid;
            let children = all.iter().filter(|(_, stat)| stat.parent == parent);
            members.extend(children.map(|(pid, stat)| self.named(*pid, stat)));
            next += 1;
        }
        Ok(members)
    }

    fn signal(&self, who: &ProcessIdentity, signal: i32) -> Result<(), HostError> {
        let pidfd = self.open(who)?;
        let what = format!("signal {signal} to process {}", who.pid);
        let signal = Signal::from_named_raw(signal)
            .ok_or_else(|| HostError::io(format!("send {what}"), Errno::EINVAL))?;
        pidfd_send_signal(&pidfd, signal).map_err(|e| match e {
            rustix::io::Errno::SRCH => HostError::Gone(format!("process {}", who.pid)),
            rustix::io::Errno::PERM => HostError::Denied {
                what,
                remedy: "run as the owner of that process, or as root".to_owned(),
            },
            other => HostError::io(format!("send {what}"), other),
        })
    }

    fn wait(
        &self,
        who: &ProcessIdentity,
        state: RunState,
        within: Duration,
    ) -> Result<Option<u64>, HostError> {
        let deadline = monotonic_ns().saturating_add(nanos(within));
        if state == RunState::Gone {
            return match self.open(who) {
                Ok(pidfd) => await_end(&pidfd, deadline),
                Err(HostError::Gone(_)) => Ok(Some(monotonic_ns())),
                Err(other) => Err(other),
            };
        }
        // Only a parent is told when a process stops or continues, and we seldom are its parent:
        // this is a bounded look, not a wait for readiness.
        loop {
            match self.state(who)? {
                now if now == state => return Ok(Some(monotonic_ns())),
                RunState::Gone => return Ok(None),
                _ if monotonic_ns() >= deadline => return Ok(None),
                _ => sleep_until(monotonic_ns() + nanos(LOOK_EVERY)),
            }
        }
    }
}

/// How a process of that number here is numbered in its own PID namespace.
#[must_use]
pub fn innermost_number(pid: i32) -> Option<i32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    numbers.split_ascii_whitespace().last()?.parse().ok()
}

/// A descriptor of whoever has that number now. Errors: `Gone`.
pub fn pidfd_of(pid: i32) -> Result<OwnedFd, HostError> {
    let gone = || HostError::Gone(format!("process {pid}"));
    let number = Some(pid).filter(|n| *n > 0).and_then(Pid::from_raw).ok_or_else(gone)?;
    pidfd_open(number, PidfdFlags::empty()).map_err(|e| match e {
        rustix::io::Errno::SRCH => gone(),
        other => HostError::io(format!("open a descriptor of process {pid}"), other),
    })
}

/// The time at which the process had ended, or None when it lives at the deadline
/// (nanoseconds of `CLOCK_MONOTONIC`). A zombie has ended.
pub fn await_end(pidfd: &OwnedFd, deadline: u64) -> Result<Option<u64>, HostError> {
    loop {
        let left = Duration::from_nanos(deadline.saturating_sub(monotonic_ns()));
        let mut fds = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
        match ppoll(&mut fds, Some(TimeSpec::from_duration(left)), None) {
            Ok(0) if monotonic_ns() >= deadline => return Ok(None),
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(Some(monotonic_ns())),
            Err(e) => return Err(HostError::io("wait for a process to end", e)),
        }
    }
}

fn sleep_until(at_ns: u64) {
    let at = TimeSpec::from_duration(Duration::from_nanos(at_ns));
    while clock_nanosleep(ClockId::CLOCK_MONOTONIC, ClockNanosleepFlags::TIMER_ABSTIME, &at)
        == Err(Errno::EINTR)
    {}
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

fn is_dead(state: char) -> bool {
    matches!(state, 'Z' | 'X' | 'x')
}

/// The state of a whole process: its leader may be dead while other threads go on.
fn threads(pid: i32) -> Result<RunState, HostError> {
    let folder = format!("/proc/{pid}/task");
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(e) if is_gone(&e) => return Ok(RunState::Gone),
        Err(e) => return Err(HostError::io(format!("read {folder}"), e)),
    };
    let mut state = RunState::Gone;
    for entry in entries.flatten() {
        match read_stat(&entry.path().join("stat"))? {
            Some(stat) if is_dead(stat.state) => {}
            Some(stat) if stat.state == 'T' => state = RunState::Stopped,
            Some(_) => return Ok(RunState::Running),
            None => {}
        }
    }
    Ok(state)
}

/// Every living process of our PID namespace.
fn everyone() -> Result<Vec<(i32, Stat)>, HostError> {
    let entries = fs::read_dir("/proc").map_err(|e| HostError::io("read /proc", e))?;
    let mut all = Vec::new();
    for entry in entries.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else { continue };
        all.extend(stat_of(pid)?.filter(|s| !is_dead(s.state)).map(|stat| (pid, stat)));
    }
    Ok(all)
}

fn stat_of(pid: i32) -> Result<Option<Stat>, HostError> {
    read_stat(std::path::Path::new(&format!("/proc/{pid}/stat")))
}

/// None when the process is gone.
fn read_stat(path: &std::path::Path) -> Result<Option<Stat>, HostError> {
    // A process may name itself in any bytes.
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if is_gone(&e) => return Ok(None),
        Err(e) => return Err(HostError::io(format!("read {}", path.display()), e)),
    };
    match parse_stat(&String::from_utf8_lossy(&bytes)) {
        Some(stat) => Ok(Some(stat)),
        None => Err(HostError::io(
            format!("read {}", path.display()),
            std::io::Error::from(std::io::ErrorKind::InvalidData),
        )),
    }
}

fn is_gone(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH)
}

/// Fields count from 1: 2 is the name in parentheses, which may itself hold `") "`, 3 the state,
/// 4 the parent, 22 the start time.
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, after_name) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = after_name.split_ascii_whitespace().collect();
    Some(Stat {
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        start_ticks: fields.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests;
