//! The programs of a lab: found before anything starts, started each in its host's network
//! namespace, reaped by the init.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{WaitOptions, WaitStatus};

use super::namespace::PRIVATE;
use super::process::LinuxProcesses;
use crate::host::HostError;
use crate::host::part::End;
use crate::model::identity::{NetnsIdentity, ProcessIdentity};

/// Where daemons live; ordinary users do not have these in PATH.
const DAEMONS: &[&str] = &["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// What every program sees as its PATH.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// One program, with everything that it gets: nothing else is inherited.
#[derive(Debug)]
pub struct Program<'a> {
    /// The first word is a path.
    pub argv: &'a [String],
    pub env: &'a BTreeMap<String, String>,
    /// Where it starts, and its HOME.
    pub folder: &'a Path,
    /// Standard output and error.
    pub log: &'a File,
    pub netns: &'a NetnsIdentity,
}

/// The file that a program's name stands for: in PATH and in the folders of daemons. None when
/// there is none, or only one that a lab cannot see.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    let hidden = |path: &PathBuf| PRIVATE.iter().any(|hidden| path.starts_with(hidden));
    let runs = |path: &PathBuf| is_program(path) && !hidden(path);
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(runs);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(DAEMONS.iter().map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(runs)
}

/// Can that file be executed by somebody?
#[must_use]
pub fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

impl Program<'_> {
    /// Starts it in its namespace, in a session of its own. It is our child: reap it with [`reap`].
    #[expect(unsafe_code, reason = "what runs between fork and exec has no safe form")]
    pub fn start(&self) -> Result<ProcessIdentity, HostError> {
        let word = self.argv.first().map_or("", String::as_str);
        let what = || format!("start {word}");
        let path = &self.netns.path;
        let netns = File::open(path).map_err(|e| HostError::io(format!("open {path}"), e))?;
        let copy = || self.log.try_clone().map_err(|e| HostError::io("copy a log", e));
        let mut command = Command::new(word);
        command
            .args(self.argv.get(1..).unwrap_or_default())
            .env_clear()
            .env("PATH", PATH)
            .env("HOME", self.folder)
            .envs(self.env)
            .current_dir(self.folder)
            .stdin(Stdio::null())
            .stdout(copy()?)
            .stderr(copy()?);
        // SAFETY: two system calls, no allocation; the descriptor lives until `spawn` returns.
        unsafe {
            command.pre_exec(move || {
                if libc::setns(netns.as_raw_fd(), libc::CLONE_NEWNET) < 0 || libc::setsid() < 0 {
                    return Err(io::Error::last_os_error());
                }
                Ok(())
            });
        }
        let child = command.spawn().map_err(|e| HostError::io(what(), e))?;
        // Nobody else reaps our children, so even one that died already has kept its number.
        let pid = i32::try_from(child.id()).unwrap_or(0);
        LinuxProcesses::new()?.identify_child(pid)
    }
}

/// Becomes that program, in the network namespace of that name. Returns only an error.
pub fn become_program(netns: &str, argv: &[String]) -> HostError {
    let enter = || {
        let file = File::open(netns).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => HostError::Gone(format!("network namespace {netns}")),
            _ => HostError::io(format!("open {netns}"), e),
        })?;
        nix::sched::setns(file, nix::sched::CloneFlags::CLONE_NEWNET)
            .map_err(|e| HostError::io(format!("enter {netns}"), e))
    };
    if let Err(error) = enter() {
        return error;
    }
    let word = argv.first().map_or("", String::as_str);
    let file = find(word).unwrap_or_else(|| PathBuf::from(word));
    let arguments = argv.get(1..).unwrap_or_default();
    let error = Command::new(file).arg0(word).args(arguments).env("PATH", PATH).exec();
    HostError::io(format!("start {word}"), error)
}

/// The next child of ours that has ended, and how; None when none has. An init gets everybody's
/// orphans here.
pub fn reap() -> Result<Option<(i32, End)>, HostError> {
    match rustix::process::wait(WaitOptions::NOHANG) {
        Ok(Some((pid, status))) => Ok(Some((pid.as_raw_nonzero().get(), end_of(status)))),
        Ok(None) | Err(rustix::io::Errno::CHILD) => Ok(None),
        Err(e) => Err(HostError::io("reap a process", e)),
    }
}

fn end_of(status: WaitStatus) -> End {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => End::Exit(code),
        (None, signal) => End::Signal(signal.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_where_a_lab_can_see_it() {
        assert!(find("sh").is_some());
        assert!(find("/bin/sh").is_some());
        assert_eq!(find("no-such-program-anywhere"), None);
        assert_eq!(find("/etc/passwd"), None, "not executable");
        assert_eq!(find("/etc"), None, "a folder");
        let hidden = tempfile::Builder::new().tempdir_in("/tmp").unwrap();
        let file = hidden.path().join("tool");
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(find(file.to_str().unwrap()), None, "a lab has its own /tmp");
    }
}
