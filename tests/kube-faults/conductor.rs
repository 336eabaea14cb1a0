//! A conductor that drives injector and guardian, or a recovery, the way the real one does, and is
//! small enough to be killed. What it hears it prints, a line of JSON each.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::ExitCode;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::{Deserialize, Serialize};
use squall::drill::run::{BEAT, LEASE};
use squall::host::channel::Channel;
use squall::host::linux::clock::{boot, monotonic_ns};
use squall::host::linux::part::{self, Part};
use squall::host::part::{Manner, PartSpec};
use squall::injection::journal::{JOURNAL_VERSION, Journal, JournalError, Opened};
use squall::model::binding::Order;
use squall::model::cluster::ClusterAccess;
use squall::model::message::{FromInjector, InjectorHello, ToInjector};
use squall::model::units::Span;

/// The number at which every part finds the harness.
pub const CRASH_FD: usize = 7;
/// How long killed processes may hold a journal.
const RELEASED_WITHIN: Span = Span::secs(5);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Script {
    pub order: Order,
    pub journals: PathBuf,
    pub access: ClusterAccess,
    /// From in force to the order to undo.
    pub hold: Span,
    /// Only recovers what the journal has open.
    pub recover: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Said {
    Born { part: String, pid: i32 },
    Heard(Box<FromInjector>),
}

struct Conductor {
    script: Script,
    crash: OwnedFd,
    parts: BTreeMap<&'static str, Part>,
}

pub fn run(script: &str) -> ExitCode {
    let script: Script = serde_json::from_str(script).unwrap();
    let crash = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
    let mut conductor = Conductor { script, crash, parts: BTreeMap::new() };
    if conductor.script.recover {
        conductor.recover();
    } else {
        conductor.drill();
    }
    ExitCode::SUCCESS
}

impl Conductor {
    fn recover(&mut self) {
        let path = self.script.journals.join(self.script.order.injection.drill.as_str());
        let limit = monotonic_ns() + RELEASED_WITHIN.nanos();
        let journal = loop {
            match Journal::reopen(&path) {
                Ok((journal, _)) => break journal,
                // Those who were killed are on their way out.
                Err(JournalError::Live { .. }) if monotonic_ns() < limit => {
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
                Err(error) => panic!("{error}"),
            }
        };
        let (mut ours, theirs) = Channel::pair().unwrap();
        self.bear("recovery", vec![theirs.into_fd(), journal.share().unwrap()]);
        while let Ok(Some(message)) = ours.receive::<FromInjector>() {
            say(&Said::Heard(Box::new(message)));
        }
    }

    fn drill(&mut self) {
        let drill = self.script.order.injection.drill.clone();
        let opened = Opened {
            version: JOURNAL_VERSION,
            drill: drill.clone(),
            boot: boot().unwrap(),
            lab: None,
            namespaces: Vec::new(),
            clusters: vec![self.script.access.clone()],
            places: [].into(),
        };
        let journal = Journal::create(&self.script.journals, opened).unwrap();
        let (mut injector, injector_end) = Channel::pair().unwrap();
        let (mut guardian, guardian_end) = Channel::pair().unwrap();
        let (injector_side, guardian_side) = Channel::pair().unwrap();
        let fds = vec![injector_end.into_fd(), injector_side.into_fd(), journal.share().unwrap()];
        let watched = self.bear("injector", fds);
        let fds = vec![
            guardian_end.into_fd(),
            guardian_side.into_fd(),
            watched,
            journal.share().unwrap(),
        ];
        self.bear("guardian", fds);
        let hello = InjectorHello {
            drill,
            lease: LEASE,
            beat: BEAT,
            lab: None,
            namespaces: Vec::new(),
            clusters: vec![self.script.access.clone()],
        };
        let _gone = injector.send(&ToInjector::Hello(hello));
        let _gone = injector.send(&ToInjector::Inject(Box::new(self.script.order.clone())));
        self.listen(&mut injector, &mut guardian);
        let _gone = injector.send(&ToInjector::Goodbye);
    }

    /// Until everything is undone, by whom ever.
    fn listen(&mut self, injector: &mut Channel, guardian: &mut Channel) {
        let (mut beat_ns, mut over_ns, mut alive) = (0, u64::MAX, [true, true]);
        loop {
            let now = monotonic_ns();
            if now >= beat_ns {
                beat_ns = now + BEAT.nanos();
                let _gone = injector.send(&ToInjector::Beat);
            }
            if now >= over_ns {
                over_ns = u64::MAX;
                let revert = ToInjector::Revert(self.script.order.injection.clone());
                let _gone = injector.send(&revert);
                let _gone = injector.send(&ToInjector::RevertAll);
            }
            let ready = {
                let mut fds = [
                    PollFd::new(injector.as_fd(), PollFlags::POLLIN),
                    PollFd::new(guardian.as_fd(), PollFlags::POLLIN),
                ];
                let _woken = poll(&mut fds, PollTimeout::from(20u16));
                [fds[0].any().unwrap_or(false), fds[1].any().unwrap_or(false)]
            };
            for (number, channel) in [&mut *injector, &mut *guardian].into_iter().enumerate() {
                if !alive[number] || !ready[number] {
                    continue;
                }
                match channel.receive::<FromInjector>() {
                    Ok(Some(FromInjector::Beat)) => {}
                    Ok(Some(message)) => {
                        if matches!(message, FromInjector::Effective(_)) {
                            over_ns = monotonic_ns() + self.script.hold.nanos();
                        }
                        let over = matches!(
                            message,
                            FromInjector::AllReverted | FromInjector::Failed { .. }
                        );
                        say(&Said::Heard(Box::new(message)));
                        if over {
                            return;
                        }
                    }
                    Ok(None) | Err(_) => alive[number] = false,
                }
            }
            if alive == [false, false] {
                return;
            }
        }
    }

    fn bear(&mut self, name: &'static str, mut fds: Vec<OwnedFd>) -> OwnedFd {
        fds.resize_with(CRASH_FD - 3, || std::fs::File::open("/dev/null").unwrap().into());
        fds.push(self.crash.try_clone().unwrap());
        let spec = PartSpec { fds, manner: Manner::Detached, ..PartSpec::new(name) };
        let part = part::spawn(spec).unwrap();
        say(&Said::Born { part: name.to_owned(), pid: part.pid() });
        let pidfd = part.pidfd().try_clone_to_owned().unwrap();
        self.parts.insert(name, part);
        pidfd
    }
}

/// Nobody may be listening any more: our parts go on.
fn say(said: &Said) {
    let line = serde_json::to_string(said).unwrap();
    let _deaf = writeln!(std::io::stdout(), "{line}");
}
