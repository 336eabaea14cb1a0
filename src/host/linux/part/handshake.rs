//! The parent's half of a part's birth: fork, map ids, give the word, read what became of it.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use super::child::{self, Report, Stage};
use super::{Prepared, raised};
use crate::host::HostError;
use crate::host::linux::namespace;

/// Nothing in a birth waits for anything but the kernel; longer than this it hangs.
const STEP_WITHIN: Duration = Duration::from_secs(10);

/// What is known of the children so far; whoever is not handed over is ended.
struct Birth {
    /// The first child, until it is reaped.
    first: Option<Pid>,
    /// The part itself.
    part: Option<Pid>,
    armed: bool,
}

/// Runs the birth to its end: the part's number, with the new program running.
pub(super) fn bring_up(prepared: &Prepared) -> Result<i32, HostError> {
    let io = |e| HostError::io("make a pair of sockets", e);
    let (mut ours, end) = UnixStream::pair().map_err(io)?;
    ours.set_read_timeout(Some(STEP_WITHIN)).map_err(io)?;
    let theirs = raised(end.as_fd(), prepared.clear)?;
    drop(end);
    let first = child::fork(prepared, &ours, &theirs)?;
    drop(theirs);
    let mut birth = Birth { first: Some(first), part: None, armed: false };
    if child::is_part_itself(prepared) {
        birth.part = birth.first.take();
    }
    while let Some(report) = read(&mut ours)? {
        birth.heed(report, &mut ours)?;
    }
    birth.finish()
}

impl Birth {
    fn heed(&mut self, report: Report, ours: &mut UnixStream) -> Result<(), HostError> {
        match report.stage {
            Stage::NeedsMap => {
                let first = self.first.map_or(0, Pid::as_raw);
                namespace::map_ids(first)?;
                say_go(ours)?;
            }
            Stage::Forked => {
                self.part = Some(Pid::from_raw(report.value));
                if let Some(first) = self.first.take() {
                    reap(first);
                }
            }
            Stage::Armed => self.armed = true,
            failed => return Err(failed.error(Errno::from_raw(report.value))),
        }
        // Both must be known: an armed part whose number has not come yet could not be handed over.
        if self.armed && self.part.is_some() {
            self.armed = false;
            say_go(ours)?;
        }
        Ok(())
    }

    /// The socket closed: the part runs the new program, or died without a word.
    fn finish(mut self) -> Result<i32, HostError> {
        let died = || {
            HostError::io(
                "start a part",
                std::io::Error::other("it died before it could execute the program"),
            )
        };
        if self.first.is_some() {
            return Err(died());
        }
        let part = self.part.take().ok_or_else(died)?;
        Ok(part.as_raw())
    }
}

impl Drop for Birth {
    fn drop(&mut self) {
        for pid in [self.part.take(), self.first.take()].into_iter().flatten() {
            let _ = kill(pid, Signal::SIGKILL);
            reap(pid);
        }
    }
}

fn reap(pid: Pid) {
    while waitpid(pid, None) == Err(Errno::EINTR) {}
}

fn say_go(ours: &mut UnixStream) -> Result<(), HostError> {
    ours.write_all(&[1]).map_err(|e| HostError::io("start a part", e))
}

/// None at the end of the file. A report is written in one call and never torn.
fn read(ours: &mut UnixStream) -> Result<Option<Report>, HostError> {
    let mut bytes = [0; Report::SIZE];
    match ours.read_exact(&mut bytes) {
        Ok(()) => Report::parse(bytes).map(Some).ok_or_else(|| {
            HostError::io("start a part", std::io::Error::from(ErrorKind::InvalidData))
        }),
        Err(e) if matches!(e.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
            Ok(None)
        }
        Err(e) => Err(HostError::io("start a part", e)),
    }
}
