//! Runs one program by its argument vector and says how it ended.
//!
//! It gets a process group of its own. When it has ended, or its time is up, whatever is left of
//! the group is killed *before* the leader is reaped: until then its number belongs to nobody else.
//! It dies with the thread that started it. No shell, ever.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::{AccessFlags, Pid, access};
use rustix::process::{PidfdFlags, pidfd_open};
use tokio::io::AsyncReadExt;
use tokio::io::unix::AsyncFd;
use tokio::net::unix::pipe::Receiver;

use super::clock::monotonic_ns;
use crate::host::HostError;

/// What is kept of the standard output.
const OUTPUT_KEPT: usize = 64 << 10;

/// A program to run.
pub struct Program {
    /// The first word is looked up in `PATH`.
    pub argv: Vec<String>,
    /// On top of `PATH` and `LANG=C`; nothing else is inherited.
    pub env: BTreeMap<String, String>,
    /// After this it is killed.
    pub within: Duration,
}

/// How it ended.
#[derive(Debug)]
pub struct Ended {
    pub how: Ending,
    /// When, nanoseconds of `CLOCK_MONOTONIC`.
    pub at_ns: u64,
    /// The first 64 KiB of its standard output, as far as it is text.
    pub output: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Exited(i32),
    Signalled(i32),
    /// Its time was up and it was killed.
    TimedOut,
}

impl Program {
    /// The file that its first word stands for when it is run. None: there is none that could be.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        let runs = |file: &PathBuf| file.is_file() && access(file, AccessFlags::X_OK).is_ok();
        let word = self.argv.first()?;
        if word.contains('/') {
            return Some(PathBuf::from(word)).filter(runs);
        }
        let given = self.env.get("PATH").map(OsString::from);
        let path = given.or_else(|| std::env::var_os("PATH"))?;
        std::env::split_paths(&path).map(|folder| folder.join(word)).find(runs)
    }
}

/// A started program; dropped in mid-run it is killed with its group.
struct Running {
    child: Child,
    reaped: bool,
}

/// Runs it to its end. Errors: it could not be started. Must be called on a thread that outlives
/// the program, within a tokio runtime.
pub async fn run(program: &Program) -> Result<Ended, HostError> {
    let name = program.argv.first().map_or("", String::as_str);
    let failed = |e: std::io::Error| HostError::io(format!("run {name}"), e);
    let mut running = start(program).map_err(failed)?;
    let mut output = running.output().map_err(failed)?;
    let gone = running.watch().map_err(failed)?;
    let mut kept = Vec::new();
    let ending = async {
        tokio::select! {
            biased;
            ended = gone.readable() => drop(ended),
            never = swallow(&mut output, &mut kept) => match never {},
        }
    };
    let in_time = tokio::time::timeout(program.within, ending).await.is_ok();
    let at_ns = monotonic_ns();
    drain(&output, &mut kept);
    let status = running.finish().map_err(failed)?;
    let how = match (in_time, status.code(), status.signal()) {
        (false, ..) => Ending::TimedOut,
        (true, Some(code), _) => Ending::Exited(code),
        (true, None, signal) => Ending::Signalled(signal.unwrap_or(0)),
    };
    Ok(Ended { how, at_ns, output: String::from_utf8_lossy(&kept).into_owned() })
}

#[expect(unsafe_code, reason = "std has no safe way to ask for a signal at the parent's death")]
fn start(program: &Program) -> std::io::Result<Running> {
    let (name, arguments) = program
        .argv
        .split_first()
        .ok_or_else(|| std::io::Error::other("its argument vector is empty"))?;
    let mut command = Command::new(name);
    command.args(arguments).env_clear().env("LANG", "C").envs(&program.env);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.stdin(Stdio::null()).stderr(Stdio::null()).stdout(Stdio::piped());
    command.process_group(0);
    // SAFETY: prctl is a bare system call, so it may be called between fork and exec.
    unsafe {
        command.pre_exec(|| Ok(nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?));
    }
    Ok(Running { child: command.spawn()?, reaped: false })
}

impl Running {
    fn output(&mut self) -> std::io::Result<Receiver> {
        let pipe = self.child.stdout.take();
        let pipe = pipe.ok_or_else(|| std::io::Error::other("its output has no pipe"))?;
        Receiver::from_owned_fd(OwnedFd::from(pipe))
    }

    /// Readable once it has ended; it stays a zombie, and its number its own, until reaped.
    #[expect(unsafe_code, reason = "tokio asks for a promise about the descriptor")]
    fn watch(&self) -> std::io::Result<AsyncFd<OwnedFd>> {
        let pid = rustix::process::Pid::from_child(&self.child);
        let pidfd = pidfd_open(pid, PidfdFlags::NONBLOCK)?;
        // SAFETY: an `OwnedFd` names one open descriptor for as long as it lives.
        Ok(unsafe { AsyncFd::register(pidfd) }?)
    }

    fn finish(&mut self) -> std::io::Result<std::process::ExitStatus> {
        self.kill_group();
        self.reaped = true;
        self.child.wait()
    }

    fn kill_group(&self) {
        if let Ok(pid) = i32::try_from(self.child.id()) {
            // ESRCH only says that nobody is left, which is what is wanted.
            let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.reaped {
            self.kill_group();
            let _ = self.child.wait();
        }
    }
}

/// Reads all the output and keeps its beginning; a closed pipe is not yet the end of the program.
async fn swallow(output: &mut Receiver, kept: &mut Vec<u8>) -> std::convert::Infallible {
    let mut piece = [0; 4096];
    while let Ok(length) = output.read(&mut piece).await {
        if length == 0 {
            break;
        }
        keep(kept, &piece[..length]);
    }
    std::future::pending().await
}

/// What was written before the end and not read yet. A grandchild may hold the pipe open, so this
/// never waits; it asks the kernel itself, whatever the runtime has heard so far.
fn drain(output: &Receiver, kept: &mut Vec<u8>) {
    let mut piece = [0; 4096];
    while kept.len() < OUTPUT_KEPT {
        match nix::unistd::read(output, &mut piece) {
            Ok(0) => break,
            Ok(length) => keep(kept, &piece[..length]),
            Err(nix::errno::Errno::EINTR) => {}
            Err(_) => break,
        }
    }
}

fn keep(kept: &mut Vec<u8>, piece: &[u8]) {
    let room = OUTPUT_KEPT.saturating_sub(kept.len()).min(piece.len());
    kept.extend_from_slice(&piece[..room]);
}
