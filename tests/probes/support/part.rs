//! The prober as a process, and this test as its conductor.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use squall::host::channel::Channel;
use squall::host::linux::clock::monotonic_ns;
use squall::model::experiment::ProbeSpec;
use squall::model::history::{Entry, Lag};
use squall::model::id::DrillId;
use squall::model::message::{FromProber, ProberHello, ToProber};
use squall::model::observation::{LedgerRead, Observation};

use super::MS;

pub struct Part {
    pub child: Child,
    /// Shared with the thread that beats; None once the conductor is dead.
    to: Arc<Mutex<Option<Channel>>>,
    from: Receiver<FromProber>,
    /// Everything that was seen so far.
    pub seen: Vec<(u64, Entry)>,
}

pub fn hello(probes: &[(&str, Value)]) -> ProberHello {
    let spec = |value: &Value| serde_json::from_value::<ProbeSpec>(value.clone()).unwrap();
    ProberHello {
        drill: DrillId::from_bits(7),
        probes: probes.iter().map(|(name, p)| ((*name).to_owned(), spec(p))).collect(),
        watches: Vec::new(),
        netns: None,
        hosts: BTreeMap::new(),
        secrets: BTreeMap::new(),
        clusters: Vec::new(),
        seed: 1,
    }
}

/// `rate` as text; deadline 250 ms.
pub fn spec(kind: &str, params: &Value, rate: &str) -> Value {
    json!({"kind": kind, "params": params, "rate": rate, "deadline": "250ms", "steady": true,
           "slo": null})
}

impl Part {
    pub fn spawn(hello: ProberHello) -> Part {
        Part::spawn_with(hello, 4096)
    }

    /// `descriptors`: the hard limit of the process.
    pub fn spawn_with(hello: ProberHello, descriptors: u64) -> Part {
        let (ours, theirs) = Channel::pair().unwrap();
        let ours = ours.into_fd();
        let mut ear = Channel::from_fd(ours.try_clone().unwrap());
        let part = start(&theirs.into_fd(), descriptors);
        let (heard, from) = channel();
        std::thread::spawn(move || {
            while let Ok(Some(message)) = ear.receive::<FromProber>() {
                if heard.send(message).is_err() {
                    return;
                }
            }
        });
        let to = Arc::new(Mutex::new(Some(Channel::from_fd(ours))));
        let mut part = Part { child: part, to, from, seen: Vec::new() };
        part.send(&ToProber::Hello(hello));
        part
    }

    /// Beats every 200 ms until the conductor dies.
    pub fn keep_beating(&self) {
        let to = Arc::clone(&self.to);
        std::thread::spawn(move || {
            while to.lock().unwrap().as_mut().is_some_and(|to| to.send(&ToProber::Beat).is_ok()) {
                super::let_pass(200);
            }
        });
    }

    /// Spawns, beats, and waits until it is ready.
    pub fn ready(hello: ProberHello) -> Part {
        let mut part = Part::spawn(hello);
        part.keep_beating();
        part.wait_ready();
        part
    }

    pub fn wait_ready(&mut self) -> String {
        self.wait("Ready", 10, |message| match message {
            FromProber::Ready { scheduling } => Some(scheduling.clone()),
            FromProber::Unfit { probe, why } => panic!("{probe} is unfit: {why}"),
            _ => None,
        })
    }

    pub fn send(&mut self, message: &ToProber) {
        self.to.lock().unwrap().as_mut().unwrap().send(message).unwrap();
    }

    /// Slots begin 20 ms from now; when exactly.
    pub fn start(&mut self) -> u64 {
        let at_ns = monotonic_ns() + 20 * MS;
        self.send(&ToProber::Start { at_ns });
        at_ns
    }

    /// Reads on until a message is the one.
    pub fn wait<T>(
        &mut self,
        what: &str,
        seconds: u64,
        mut is: impl FnMut(&FromProber) -> Option<T>,
    ) -> T {
        let until = monotonic_ns() + seconds * 1_000 * MS;
        loop {
            let left = Duration::from_nanos(until.saturating_sub(monotonic_ns()));
            match self.from.recv_timeout(left) {
                Ok(message) => {
                    let found = is(&message);
                    if let FromProber::Saw { at_ns, entry } = message {
                        self.seen.push((at_ns, *entry));
                    }
                    if let Some(found) = found {
                        return found;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("waited {seconds} s for {what}"),
                Err(RecvTimeoutError::Disconnected) => panic!("it died before {what}"),
            }
        }
    }

    /// Stops the slots; all of that probe's, by number.
    pub fn finish(&mut self, probe: &str) -> Vec<Observation> {
        self.send(&ToProber::Stop);
        self.wait("Finished", 10, |m| matches!(m, FromProber::Finished).then_some(()));
        self.slots(probe)
    }

    pub fn slots(&self, of: &str) -> Vec<Observation> {
        let mut all: Vec<Observation> = Vec::new();
        for (_, entry) in &self.seen {
            if let Entry::Slots { probe, slots } = entry
                && probe == of
            {
                all.extend(slots.iter().cloned());
            }
        }
        all.sort_by_key(|slot| slot.slot);
        all
    }

    pub fn lags(&self) -> Vec<Lag> {
        let lag = |(_, entry): &(u64, Entry)| match entry {
            Entry::Lag(lag) => Some(*lag),
            _ => None,
        };
        self.seen.iter().filter_map(lag).collect()
    }

    pub fn read_ledger(&mut self, round: u8) -> LedgerRead {
        self.send(&ToProber::ReadLedgers { round });
        self.wait("LedgersRead", 20, |message| match message {
            FromProber::LedgersRead { round: read } => (*read == round).then_some(()),
            _ => None,
        });
        let ledger = |(_, entry): &(u64, Entry)| match entry {
            Entry::Ledger { read, .. } if read.round == round => Some(read.clone()),
            _ => None,
        };
        self.seen.iter().rev().find_map(ledger).expect("a ledger before LedgersRead")
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// Closes the conductor's end, as its death does.
    pub fn die(&mut self) {
        let channel = self.to.lock().unwrap().take();
        // The reading thread holds a copy of the descriptor: only a shutdown ends both.
        nix::sys::socket::shutdown(
            channel.unwrap().as_fd().as_raw_fd(),
            nix::sys::socket::Shutdown::Both,
        )
        .unwrap();
    }

    /// Nanoseconds until it is gone, and its exit status.
    pub fn wait_gone(&mut self, seconds: u64) -> (u64, Option<i32>) {
        let began = monotonic_ns();
        let status =
            super::wait_for("the prober to end", seconds, || self.child.try_wait().unwrap());
        (monotonic_ns() - began, status.code())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.to.lock().unwrap().take();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(unsafe_code, reason = "std cannot place a descriptor at a number of our choice")]
fn start(channel: &OwnedFd, descriptors: u64) -> Child {
    let number = channel.as_raw_fd();
    let mut command = Command::new(env!("CARGO_BIN_EXE_squall"));
    command.args(["part", "prober"]);
    // SAFETY: only bare system calls between fork and exec.
    unsafe {
        command.pre_exec(move || {
            let limit = libc::rlimit { rlim_cur: descriptors, rlim_max: descriptors };
            if libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) != 0 {
                return Err(std::io::Error::last_os_error());
            }
            // dup2 onto itself would leave it close-on-exec.
            let placed =
                if number == 3 { libc::fcntl(3, libc::F_SETFD, 0) } else { libc::dup2(number, 3) };
            if placed < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
        });
    }
    command.spawn().unwrap()
}
