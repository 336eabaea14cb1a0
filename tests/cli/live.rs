//! A command that is running: what it says as it says it, its parts, and a bound on its time.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};

use super::stand::{PATIENCE, Ran, cmdline, pids, signal, stat, until};

pub struct Live {
    child: Child,
    out: Receiver<Vec<u8>>,
    err: Receiver<Vec<u8>>,
    said: String,
}

impl Live {
    pub fn start(mut command: Command) -> Live {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = listen(child.stdout.take().unwrap());
        let err = listen(child.stderr.take().unwrap());
        Live { child, out, err, said: String::new() }
    }

    /// The same, but the output is somebody else's to read or to close.
    pub fn start_unheard(mut command: Command) -> (Live, ChildStdout) {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let err = listen(child.stderr.take().unwrap());
        (Live { child, out: channel().1, err, said: String::new() }, stdout)
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    pub fn signal(&self, number: i32) {
        signal(self.pid(), number);
    }

    /// Returns once it has said that.
    pub fn says(&mut self, what: &str) -> &mut Live {
        let limit = Instant::now() + PATIENCE;
        while !self.said.contains(what) {
            let left = limit.saturating_duration_since(Instant::now());
            let Ok(bytes) = self.out.recv_timeout(left) else {
                let errors: Vec<u8> = self.err.try_iter().flatten().collect();
                panic!(
                    "it never said `{what}`:\n{}\n{}",
                    self.said,
                    String::from_utf8_lossy(&errors)
                );
            };
            self.said += &String::from_utf8_lossy(&bytes);
        }
        self
    }

    /// Everything that descends from it, with start times: numbers are used again.
    pub fn family(&self) -> Vec<(i32, u64)> {
        let mut family = vec![self.pid()];
        let all: Vec<(i32, i32, u64)> = pids()
            .into_iter()
            .filter_map(|p| stat(p).map(|(parent, _, start)| (p, parent, start)))
            .collect();
        loop {
            let more: Vec<i32> = all
                .iter()
                .filter(|(pid, parent, _)| family.contains(parent) && !family.contains(pid))
                .map(|(pid, ..)| *pid)
                .collect();
            if more.is_empty() {
                break;
            }
            family.extend(more);
        }
        all.iter().filter(|(pid, ..)| family.contains(pid)).map(|(p, _, s)| (*p, *s)).collect()
    }

    /// One of its parts, by name.
    pub fn part(&self, name: &str) -> i32 {
        let wanted = format!("part {name}");
        let found = self.family().into_iter().find(|(pid, _)| cmdline(*pid).contains(&wanted));
        found.unwrap_or_else(|| panic!("there is no {wanted}")).0
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Its end, within bounds; what it said and how it exited.
    pub fn finish(mut self) -> Ran {
        let limit = Instant::now() + PATIENCE;
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < limit, "it does not end:\n{}", self.said);
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let code = self.child.wait().unwrap().code();
        // Parts that outlive it for a moment do not hold its output open.
        let rest: Vec<u8> = self.out.iter().flatten().collect();
        let err: Vec<u8> = self.err.iter().flatten().collect();
        let out = std::mem::take(&mut self.said) + &String::from_utf8_lossy(&rest);
        Ran { code, out, err: String::from_utf8_lossy(&err).into_owned() }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Fails unless all of them end within the patience of [`until`].
pub fn assert_gone(family: &[(i32, u64)]) {
    until("every process of the drill is gone", || {
        family.iter().all(|(pid, start)| {
            !matches!(stat(*pid), Some((_, state, began)) if began == *start && state != 'Z')
        })
    });
}

fn listen(mut from: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver): (Sender<Vec<u8>>, _) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            if sender.send(buffer[..read].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// A command that has a terminal. To drop the terminal is to close its window.
pub struct Terminal {
    pub live: Live,
    master: File,
}

impl Terminal {
    pub fn start(mut command: Command) -> Terminal {
        // Closed on exec: a child that has the master open would keep its own window open.
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let master = posix_openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let mut options = File::options();
        options.read(true).write(true).custom_flags(libc::O_NOCTTY);
        let slave = options.open(ptsname_r(&master).unwrap()).unwrap();
        let end = || Stdio::from(slave.try_clone().unwrap());
        command.stdin(end()).stdout(end()).stderr(end());
        let child = command.spawn().unwrap();
        drop((command, slave));
        let master = File::from(OwnedFd::from(master));
        let live = Live { child, out: channel().1, err: channel().1, said: String::new() };
        Terminal { live, master }
    }

    /// Reads on until it has said that.
    pub fn says(&mut self, what: &str) {
        let mut buffer = [0; 4096];
        while !self.live.said.contains(what) {
            let read = self.master.read(&mut buffer);
            let Ok(read @ 1..) = read else { panic!("it never said `{what}`: {}", self.live.said) };
            self.live.said += &String::from_utf8_lossy(&buffer[..read]);
        }
    }

    /// Closes the window.
    pub fn close(self) -> Live {
        self.live
    }

    /// Reads to the end.
    pub fn finish(mut self) -> Ran {
        let mut buffer = [0; 4096];
        // A terminal that nobody has open any more ends with an error.
        while let Ok(read @ 1..) = self.master.read(&mut buffer) {
            self.live.said += &String::from_utf8_lossy(&buffer[..read]);
        }
        self.live.finish()
    }
}
