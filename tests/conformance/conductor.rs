//! The least that conducts a drill: a journal, an injector, a guardian, one order. It has no plan
//! and no probes, and does with what its parts say what `drill` does: whoever is lost, everything
//! is reverted; with injector and guardian both dead, it starts the recovery.

use std::collections::BTreeMap;
use std::fs;
use std::io::{stdin, stdout};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use serde_json::Value;
use squall::drill::run::{BEAT, LEASE};
use squall::host::channel::Channel;
use squall::host::linux::clock::{boot, monotonic_ns};
use squall::host::linux::part;
use squall::host::part::{Entry, Manner, PartSpec};
use squall::injection::journal::{JOURNAL_VERSION, Journal, Opened};
use squall::model::message::{FromInjector, InjectorHello, ToInjector};

use crate::disk;
use crate::script::{Disk, Said, Script, Tell};

/// Where every part finds the harness; what it does not need of 3 to 6 is `/dev/null`.
pub const CRASH_FD: usize = 7;
/// How long parts may take to end by themselves.
const ENDS_WITHIN: Duration = Duration::from_secs(3);

struct Conductor {
    script: Script,
    harness: Channel,
    /// The crash points' end.
    crash: OwnedFd,
    journal: Journal,
    /// Who can still be heard.
    parts: BTreeMap<&'static str, Channel>,
    handles: Vec<part::Part>,
    reverting: bool,
    all_reverted: bool,
    /// A recovery has undone everything, and reads the world back now.
    recovered: bool,
}

/// Conducts the script of the argument. Standard input is the crash points' socket, standard
/// output the harness's channel.
pub fn run(script: &str) -> ExitCode {
    let crash = stdin().as_fd().try_clone_to_owned().unwrap();
    let mut harness = Channel::from_fd(stdout().as_fd().try_clone_to_owned().unwrap());
    let script: Script = serde_json::from_str(script).unwrap();
    part::use_binary(Path::new(env!("CARGO_BIN_EXE_squall"))).unwrap();
    match open_journal(&script) {
        Ok(journal) => {
            let mut conductor = Conductor {
                script,
                harness,
                crash,
                journal,
                parts: BTreeMap::new(),
                handles: Vec::new(),
                reverting: false,
                all_reverted: false,
                recovered: false,
            };
            conductor.begin();
            if conductor.work() {
                conductor.end();
            }
            ExitCode::SUCCESS
        }
        Err(why) => {
            harness.send(&Said::Unfit(why)).unwrap();
            ExitCode::FAILURE
        }
    }
}

fn open_journal(script: &Script) -> Result<Journal, String> {
    disk::spoil(script.disk, &script.journals);
    let mut namespaces = script.namespaces.clone();
    if matches!(script.disk, Disk::Full | Disk::NearlyFull) {
        // A page is the least that a small file system has: make the first record nearly fill it.
        let one = serde_json::to_vec(&namespaces[0]).unwrap().len() + 1;
        let room = if script.disk == Disk::Full { 4500 } else { 3600 };
        let more = (room - one * namespaces.len()) / one;
        namespaces.extend(vec![namespaces[0].clone(); more]);
    }
    let opened = Opened {
        version: JOURNAL_VERSION,
        drill: script.drill.clone(),
        boot: boot().unwrap(),
        lab: Some(script.lab.clone()),
        namespaces,
        clusters: Vec::new(),
        places: [].into(),
    };
    let journal = Journal::create(&script.journals, opened).map_err(|e| e.to_string())?;
    if script.disk == Disk::NoRecords {
        disk::refuse(libc::SYS_fdatasync);
    }
    Ok(journal)
}

impl Conductor {
    fn begin(&mut self) {
        let (injector, injector_end) = Channel::pair().unwrap();
        let (guardian, guardian_end) = Channel::pair().unwrap();
        let (injector_side, guardian_side) = Channel::pair().unwrap();
        let fds =
            vec![injector_end.into_fd(), injector_side.into_fd(), self.journal.share().unwrap()];
        let watched = self.spawn("injector", fds, Manner::Detached);
        let fds = vec![
            guardian_end.into_fd(),
            guardian_side.into_fd(),
            watched,
            self.journal.share().unwrap(),
        ];
        self.spawn("guardian", fds, Manner::Detached);
        self.parts.insert("injector", injector);
        self.parts.insert("guardian", guardian);
        if self.script.prober {
            let (prober, end) = Channel::pair().unwrap();
            self.spawn("prober", vec![end.into_fd()], Manner::Tied);
            self.parts.insert("prober", prober);
        }
        self.tell(&ToInjector::Hello(InjectorHello {
            drill: self.script.drill.clone(),
            lease: LEASE,
            beat: BEAT,
            lab: Some(self.script.lab.clone()),
            namespaces: self.script.namespaces.clone(),
            clusters: Vec::new(),
        }));
    }

    /// Starts a part inside the lab, with the harness at the number that every part knows.
    fn spawn(&mut self, name: &'static str, mut fds: Vec<OwnedFd>, manner: Manner) -> OwnedFd {
        fds.resize_with(CRASH_FD - 3, || fs::File::open("/dev/null").unwrap().into());
        fds.push(self.crash.try_clone().unwrap());
        let enter = Some(Entry { init: self.script.lab.init.clone() });
        let realtime = name == "injector" || name == "prober";
        let spec = PartSpec { fds, enter, realtime, manner, ..PartSpec::new(name) };
        let part = part::spawn(spec).unwrap();
        self.say(&Said::Born { part: name.to_owned(), pid: part.pid() });
        let pidfd = part.pidfd().try_clone_to_owned().unwrap();
        self.handles.push(part);
        pidfd
    }

    /// False: nobody watches any more. Our parts see our end, and revert.
    fn work(&mut self) -> bool {
        let mut beat_ns = monotonic_ns();
        while !self.all_reverted {
            let now = monotonic_ns();
            if now >= beat_ns {
                beat_ns = now + BEAT.nanos();
                self.tell(&ToInjector::Beat);
            }
            for who in self.ready(beat_ns.saturating_sub(now)) {
                if who == "harness" {
                    match self.harness.receive() {
                        Ok(Some(Tell::Revert)) => self.revert(),
                        Ok(Some(Tell::EndHold)) => {
                            let injection = self.script.order.injection.clone();
                            self.tell(&ToInjector::Revert(injection));
                        }
                        _ => return false,
                    }
                } else {
                    self.hear(who);
                }
            }
        }
        true
    }

    /// Who can be read, after at most that long.
    fn ready(&self, within_ns: u64) -> Vec<&'static str> {
        let mut names = vec!["harness"];
        let mut fds = vec![PollFd::new(self.harness.as_fd(), PollFlags::POLLIN)];
        for (name, channel) in &self.parts {
            names.push(name);
            fds.push(PollFd::new(channel.as_fd(), PollFlags::POLLIN));
        }
        let timeout = PollTimeout::try_from(within_ns.div_ceil(1_000_000)).unwrap();
        let _early = poll(&mut fds, timeout);
        let any = |fd: &PollFd<'_>| fd.any().unwrap_or(false);
        names.into_iter().zip(fds).filter(|(_, fd)| any(fd)).map(|(name, _)| name).collect()
    }

    fn hear(&mut self, who: &'static str) {
        let Some(channel) = self.parts.get_mut(who) else { return };
        let message = channel.receive::<Value>().ok().flatten();
        let Some(message) = message else {
            self.parts.remove(who);
            self.lost(who);
            return;
        };
        if who == "prober" {
            return;
        }
        let message: FromInjector = serde_json::from_value(message).unwrap();
        match &message {
            FromInjector::Ready { .. } => {
                let order = self.script.order.clone();
                self.tell(&ToInjector::Inject(Box::new(order)));
            }
            FromInjector::Effective(_) if !self.script.hold => self.revert(),
            FromInjector::Failed { .. } => self.revert(),
            FromInjector::AllReverted if who == "recovery" => self.recovered = true,
            FromInjector::AllReverted => self.all_reverted = true,
            _ => {}
        }
        self.say(&Said::Heard(Box::new(message)));
    }

    fn lost(&mut self, who: &'static str) {
        self.say(&Said::Lost(who.to_owned()));
        let heard = |part: &str| self.parts.contains_key(part);
        if who == "prober" {
            self.revert();
        } else if who == "recovery" && self.recovered {
            self.all_reverted = true;
        } else if !self.all_reverted && !heard("injector") && !heard("guardian") {
            self.recover();
        }
    }

    fn recover(&mut self) {
        let (ours, end) = Channel::pair().unwrap();
        let fds = vec![end.into_fd(), self.journal.share().unwrap()];
        self.spawn("recovery", fds, Manner::Detached);
        self.parts.insert("recovery", ours);
    }

    fn revert(&mut self) {
        if !std::mem::replace(&mut self.reverting, true) {
            self.tell(&ToInjector::RevertAll);
        }
    }

    fn end(&mut self) {
        self.tell(&ToInjector::Goodbye);
        self.parts.clear();
        for handle in &mut self.handles {
            assert!(handle.wait(ENDS_WITHIN).unwrap().is_some(), "a part does not end");
        }
        self.say(&Said::Ended);
    }

    /// One that is dead hears nothing; that is found out elsewhere.
    fn tell(&mut self, message: &ToInjector) {
        if let Some(injector) = self.parts.get_mut("injector") {
            let _dead = injector.send(message);
        }
    }

    fn say(&mut self, said: &Said) {
        let _nobody = self.harness.send(said);
    }
}

/// Mounts something over the folder, for this process and its children only.
pub fn mount_over(folder: &Path, options: &str, flags: MsFlags) {
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
    mount(Some("tmpfs"), folder, Some("tmpfs"), flags, Some(options)).unwrap();
}
