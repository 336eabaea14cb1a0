//! Starts a part and holds it by its pidfd.
//!
//! Into a lab (or into new namespaces) it goes in two forks. The first child enters the namespaces;
//! only *its* child is in the new PID namespace, and is made our direct child by `CLONE_PARENT`.
//! Its last act before the exec is to ask for SIGKILL at our death, then to tell us, then to wait
//! for our word: had we died before, that word would never come, and it ends.
//!
//! That SIGKILL comes when the *thread* that called `spawn` ends: call it from the main thread.

mod child;
mod handshake;

use std::ffi::CString;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use rustix::process::{Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::clock::monotonic_ns;
use super::process::{LinuxProcesses, await_end, pidfd_of};
use crate::host::HostError;
use crate::host::part::{End, Manner, PartSpec};
use crate::model::identity::ProcessIdentity;

/// What a part sees of our environment, where it is set.
const ENVIRONMENT: &[&str] = &["PATH", "HOME", "LANG", "TERM", "RUST_BACKTRACE"];
/// Which crash point to stop at, for the crash matrix.
#[cfg(feature = "crash-points")]
const CRASH_PREFIX: &str = "SQUALL_CRASH_";

/// How long a dropped part may take to be gone before we stop looking.
const DROP_WITHIN: Duration = Duration::from_secs(2);

/// The file that parts are executed from.
static BINARY: OnceLock<File> = OnceLock::new();

/// One spawn at a time: the short-lived children of one would hold the pipes of another open.
static SPAWNING: Mutex<()> = Mutex::new(());

/// A started part. Dropping it kills it, unless it was detached.
#[derive(Debug)]
pub struct Part {
    identity: ProcessIdentity,
    pidfd: OwnedFd,
    end: Option<End>,
    detached: bool,
}

/// Executes parts from that file instead of from this process's own. For programs that are not
/// squall: its tests. The first call counts.
pub fn use_binary(path: &Path) -> Result<(), HostError> {
    let file =
        File::open(path).map_err(|e| HostError::io(format!("open {}", path.display()), e))?;
    let _ = BINARY.set(file);
    Ok(())
}

/// Starts a part; it runs the new program when this returns. Errors: `Gone` when the lab to enter
/// is, `Denied` where namespaces are forbidden.
pub fn spawn(spec: PartSpec) -> Result<Part, HostError> {
    let _alone = SPAWNING.lock().unwrap_or_else(PoisonError::into_inner);
    let detached = spec.manner == Manner::Detached;
    let prepared = Prepared::of(spec)?;
    let pid = handshake::bring_up(&prepared)?;
    let pidfd = pidfd_of(pid)?;
    let identity = LinuxProcesses::new()?.identify_child(pid)?;
    Ok(Part { identity, pidfd, end: None, detached })
}

/// The descriptors that this part was given, from 3 on; they no longer reach its own children. To
/// be called once, before anything else is opened.
pub fn inherited() -> Result<Vec<OwnedFd>, HostError> {
    let mut fds = Vec::new();
    for number in 3.. {
        let Some(fd) = child::given(number) else { break };
        fcntl(&fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))
            .map_err(|e| HostError::io(format!("take descriptor {number}"), e))?;
        fds.push(fd);
    }
    Ok(fds)
}

impl Part {
    /// By its number in our PID namespace.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.identity.pid
    }

    #[must_use]
    pub fn identity(&self) -> &ProcessIdentity {
        &self.identity
    }

    /// Readable when the part has ended.
    #[must_use]
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Sends SIGKILL; to a part that has ended it does nothing.
    pub fn kill(&self) -> Result<(), HostError> {
        match pidfd_send_signal(&self.pidfd, Signal::KILL) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(e) => Err(HostError::io(format!("kill part {}", self.pid()), e)),
        }
    }

    /// How it ended, if it has; reaps it.
    pub fn exited(&mut self) -> Result<Option<End>, HostError> {
        if self.end.is_none() {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
            let status = waitid(WaitId::PidFd(self.pidfd.as_fd()), options)
                .map_err(|e| HostError::io(format!("reap part {}", self.pid()), e))?;
            self.end = status.map(|s| match (s.exit_status(), s.terminating_signal()) {
                (Some(code), _) => End::Exit(code),
                (None, signal) => End::Signal(signal.unwrap_or_default()),
            });
        }
        Ok(self.end)
    }

    /// Waits for its end at most that long; None: it lives.
    ///
    /// A lab's init ends only after every process in its PID namespace was reaped, parts of ours
    /// too: drop or reap those first.
    pub fn wait(&mut self, within: Duration) -> Result<Option<End>, HostError> {
        if self.end.is_none() {
            let span = u64::try_from(within.as_nanos()).unwrap_or(u64::MAX);
            await_end(&self.pidfd, monotonic_ns().saturating_add(span))?;
        }
        self.exited()
    }

    /// Waits for its end without blocking the thread. Safe to give up.
    pub async fn ended(&mut self) -> Result<End, HostError> {
        if self.exited()?.is_none() {
            readable(self.pidfd.as_fd()).await?;
        }
        self.exited()?.ok_or_else(|| {
            HostError::io("wait for a part", std::io::Error::other("it ended, and yet lives"))
        })
    }
}

/// Waits until a descriptor has something to read: a pidfd, that its process has ended.
#[expect(unsafe_code, reason = "registering a descriptor with tokio has no safe form")]
pub async fn readable(fd: BorrowedFd<'_>) -> Result<(), HostError> {
    let failed = |e| HostError::io("watch a descriptor", e);
    // SAFETY: the borrow keeps the descriptor open for longer than the registration lives.
    let watched = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }
        .map_err(|e| failed(std::io::Error::from(e)))?;
    watched.readable().await.map(|_| ()).map_err(failed)
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.detached && self.end.is_none() && self.kill().is_ok() {
            let _ = self.wait(DROP_WITHIN);
        }
    }
}

/// All that the children need, made before the first fork: they must not allocate.
struct Prepared {
    argv: Vec<CString>,
    env: Vec<CString>,
    binary: OwnedFd,
    null: OwnedFd,
    /// The standard error of a detached part.
    log: OwnedFd,
    /// In the order in which the part finds them, from 3 on.
    fds: Vec<OwnedFd>,
    /// The init whose namespaces are entered.
    enter: Option<OwnedFd>,
    /// Which of them.
    namespaces: i32,
    realtime: bool,
    manner: Manner,
    /// Every descriptor above lies at or over this number, clear of those that the part gets.
    clear: i32,
}

impl Prepared {
    fn of(spec: PartSpec) -> Result<Prepared, HostError> {
        let enter = match &spec.enter {
            Some(entry) => Some(LinuxProcesses::new()?.open(&entry.init)?),
            None => None,
        };
        let namespaces = spec.enter.as_ref().map_or(0, |entry| joined(entry.init.pid));
        let clear = 3 + i32::try_from(spec.fds.len()).unwrap_or(i32::MAX - 3);
        let null = open("/dev/null")?;
        let mut words = vec!["squall".to_owned(), "part".to_owned(), spec.name.to_owned()];
        words.extend(spec.args);
        Ok(Prepared {
            argv: words.into_iter().map(c_string).collect::<Result<_, _>>()?,
            env: environment()?,
            binary: raised(binary()?.as_fd(), clear)?,
            null: raised(null.as_fd(), clear)?,
            log: raised(spec.log.as_ref().map_or(null.as_fd(), AsFd::as_fd), clear)?,
            fds: spec.fds.iter().map(|f| raised(f.as_fd(), clear)).collect::<Result<_, _>>()?,
            enter,
            namespaces,
            realtime: spec.realtime,
            manner: spec.manner,
            clear,
        })
    }
}

/// The namespaces of a lab that we are not in already: the kernel lets nobody into the user
/// namespace that they stand in, and a lab of root's has ours.
fn joined(init: i32) -> i32 {
    let user = |who: &str| std::fs::read_link(format!("/proc/{who}/ns/user")).ok();
    let shared = user("self").is_some_and(|ours| user(&init.to_string()) == Some(ours));
    if shared { child::LAB_NAMESPACES & !libc::CLONE_NEWUSER } else { child::LAB_NAMESPACES }
}

/// Ourselves, by a descriptor: in another mount namespace the path may name nothing.
fn binary() -> Result<&'static File, HostError> {
    if let Some(file) = BINARY.get() {
        return Ok(file);
    }
    let own = open("/proc/self/exe")?;
    Ok(BINARY.get_or_init(|| own))
}

fn open(path: &str) -> Result<File, HostError> {
    let mut options = File::options();
    let options = options.read(true).write(path == "/dev/null");
    options.open(path).map_err(|e| HostError::io(format!("open {path}"), e))
}

/// A copy of a descriptor with a number of at least `clear`, closed at exec.
fn raised(fd: BorrowedFd<'_>, clear: i32) -> Result<OwnedFd, HostError> {
    let number = fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(clear))
        .map_err(|e| HostError::io(format!("copy descriptor {}", fd.as_raw_fd()), e))?;
    Ok(child::owned(number))
}

fn environment() -> Result<Vec<CString>, HostError> {
    let named = ENVIRONMENT.iter().filter_map(|name| {
        std::env::var(name).ok().map(|value| c_string(format!("{name}={value}")))
    });
    #[cfg(feature = "crash-points")]
    let named = named.chain(
        std::env::vars()
            .filter(|(name, _)| name.starts_with(CRASH_PREFIX))
            .map(|(name, value)| c_string(format!("{name}={value}"))),
    );
    named.collect()
}

fn c_string(text: String) -> Result<CString, HostError> {
    CString::new(text).map_err(|e| {
        HostError::io("pass an argument to a part", std::io::Error::other(e.to_string()))
    })
}
