//! One drill as the harness holds it: a conductor of its own, the pidfds of all parts, the socket
//! at which parts wait at crash points, and everything that was said.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::process::{Signal, pidfd_send_signal};
use squall::fault::Fault;
use squall::host::channel::Channel;
use squall::host::linux::clock::monotonic_ns;
use squall::host::linux::process::{await_end, pidfd_of};
use squall::model::inventory::Target;
use squall::model::message::FromInjector;
use squall::model::units::Span;

use crate::conductor::CRASH_FD;
use crate::fixture::Fixture;
use crate::order::order;
use crate::script::{Disk, Said, Script, Tell};

/// How long anything that must come may take before that is a failure.
const COMES_WITHIN: Duration = Duration::from_secs(15);

/// A drill that is being prepared.
pub struct Setup {
    script: Script,
    points: String,
}

/// A drill under way. Dropping it kills whatever is left of it.
pub struct Drill {
    pub script: Script,
    conductor: Child,
    report: Option<Channel>,
    crash: Option<UnixStream>,
    /// Of a line that is not whole yet.
    line: String,
    processes: BTreeMap<String, OwnedFd>,
    pub said: Vec<Said>,
}

enum Event {
    /// Something was said, or somebody's end was seen.
    Said,
    /// A part waits at that point.
    Stopped(String),
    Nothing,
}

impl Drill {
    /// That fault on the next target of the fixture, all others at the far end.
    pub fn of(fixture: &mut Fixture, fault: &dyn Fault) -> Setup {
        let target = fixture.next_target();
        let others = fixture.others(&target);
        let drill = fixture.next_drill();
        let script = Script {
            order: order(fault, &drill, target, &others),
            drill,
            journals: fixture.journals(),
            lab: fixture.lab().identity().clone(),
            namespaces: fixture.lab().hosts().iter().map(|(_, ns)| ns.clone()).collect(),
            hold: false,
            prober: false,
            disk: Disk::Fine,
        };
        Setup { script, points: String::new() }
    }

    /// Waits until a part stands at that point, and at no other before.
    pub fn wait_at(&mut self, point: &str) {
        let limit = monotonic_ns() + nanos(COMES_WITHIN);
        while monotonic_ns() < limit {
            if let Event::Stopped(at) = self.next(limit) {
                assert_eq!(at, point, "said before: {:?}", self.said);
                // It may be there before its conductor has said that it was born.
                let part = point.split(':').next().unwrap();
                self.wait_for(
                    "its birth",
                    |s| matches!(s, Said::Born { part: p, .. } if p == part),
                );
                return;
            }
        }
        panic!("nobody came to `{point}`; said: {:?}", self.said);
    }

    pub fn wait_for(&mut self, what: &str, fits: impl Fn(&Said) -> bool) -> Said {
        let limit = monotonic_ns() + nanos(COMES_WITHIN);
        let mut seen = 0;
        loop {
            if let Some(found) = self.said[seen..].iter().find(|said| fits(said)) {
                return found.clone();
            }
            seen = self.said.len();
            assert!(monotonic_ns() < limit, "{what} never came; said: {:?}", self.said);
            if let Event::Stopped(at) = self.next(limit) {
                panic!("waited for {what}, and a part came to `{at}`");
            }
        }
    }

    pub fn wait_in_force(&mut self) {
        self.wait_for("the fault", |said| is(said, |m| matches!(m, FromInjector::Effective(_))));
    }

    /// Takes what came meanwhile; whoever stands at a crash point may go on.
    pub fn keep_going(&mut self) {
        loop {
            match self.next(0) {
                Event::Said => {}
                Event::Stopped(_) => self.release(),
                Event::Nothing => return,
            }
        }
    }

    /// How often the injector has shown that it lives.
    pub fn beats(&self) -> usize {
        self.said.iter().filter(|said| is(said, |m| *m == FromInjector::Beat)).count()
    }

    /// Takes in what comes next.
    pub fn listen(&mut self) {
        let limit = monotonic_ns() + nanos(COMES_WITHIN);
        assert!(!matches!(self.next(limit), Event::Nothing), "nothing came: {:?}", self.said);
    }

    pub fn listen_until(&mut self, until_ns: u64) {
        while monotonic_ns() < until_ns {
            if let Event::Stopped(_) = self.next(until_ns) {
                self.release();
            }
        }
    }

    /// Lets the part that stands at a point go on. It must be alive, or its byte would release the
    /// next one.
    pub fn release(&mut self) {
        let _all_gone = self.crash.as_mut().unwrap().write_all(b".");
    }

    /// Its conductor has ended.
    pub fn is_over(&self) -> bool {
        self.report.is_none()
    }

    pub fn tell(&mut self, tell: Tell) {
        self.report.as_mut().unwrap().send(&tell).unwrap();
    }

    /// SIGKILL to each that lives, as if at once: nobody acts on another's death before its own.
    /// When, in nanoseconds; when it returns, they are dead.
    pub fn kill(&mut self, parts: &[&str]) -> u64 {
        let at = monotonic_ns();
        for signal in [Signal::STOP, Signal::KILL] {
            for part in parts {
                self.signal(part, signal);
            }
        }
        for process in parts.iter().filter_map(|part| self.processes.get(*part)) {
            let ended = await_end(process, at + nanos(COMES_WITHIN)).unwrap();
            assert!(ended.is_some(), "one of {parts:?} survives SIGKILL");
        }
        at
    }

    /// A part that was never born, or has ended, gets none.
    pub fn signal(&self, part: &str, signal: Signal) {
        if let Some(process) = self.processes.get(part) {
            let _ended = pidfd_send_signal(process, signal);
        }
    }

    fn next(&mut self, until_ns: u64) -> Event {
        let left = until_ns.saturating_sub(monotonic_ns()).div_ceil(1_000_000).min(60_000);
        let timeout = PollTimeout::try_from(left).unwrap();
        let report = self.report.as_ref().map(AsFd::as_fd);
        let crash = self.crash.as_ref().map(AsFd::as_fd);
        let open: Vec<_> = report.iter().chain(crash.iter()).copied().collect();
        let mut fds: Vec<_> = open.iter().map(|fd| PollFd::new(*fd, PollFlags::POLLIN)).collect();
        poll(&mut fds, timeout).unwrap();
        let ready: Vec<bool> = fds.iter().map(|fd| fd.any().unwrap()).collect();
        if report.is_some() && ready[0] {
            return self.hear();
        }
        if crash.is_some() && *ready.last().unwrap() {
            return self.stopped();
        }
        Event::Nothing
    }

    fn hear(&mut self) -> Event {
        let Ok(Some(said)) = self.report.as_mut().unwrap().receive::<Said>() else {
            self.report = None;
            return Event::Said;
        };
        if let Said::Born { part, pid } = &said {
            // Its conductor has not waited for it, so the number is still its own; or that
            // conductor is dead, and so is what was tied to it.
            if let Ok(process) = pidfd_of(*pid) {
                self.processes.insert(part.clone(), process);
            }
        }
        self.said.push(said);
        Event::Said
    }

    fn stopped(&mut self) -> Event {
        let mut bytes = [0; 200];
        let count = self.crash.as_mut().unwrap().read(&mut bytes).unwrap_or(0);
        if count == 0 {
            self.crash = None;
            return Event::Said;
        }
        self.line.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        let Some(line) = self.line.strip_suffix('\n') else {
            return Event::Said;
        };
        let (_, point) = line.split_once(' ').unwrap();
        let point = point.to_owned();
        self.line.clear();
        Event::Stopped(point)
    }
}

impl Setup {
    pub fn on(mut self, disk: Disk) -> Setup {
        self.script.disk = disk;
        self
    }

    /// Keeps the fault in force until told.
    pub fn hold(mut self) -> Setup {
        self.script.hold = true;
        self
    }

    pub fn on_target(mut self, target: Target) -> Setup {
        self.script.order.target = target;
        self
    }

    /// Instead of what the fault's example has.
    pub fn param(mut self, name: &str, value: &str) -> Setup {
        self.script.order.params[name] = value.into();
        self
    }

    pub fn deadline(mut self, deadline: Span) -> Setup {
        self.script.order.deadline = deadline;
        self
    }

    pub fn with_prober(mut self, prober: bool) -> Setup {
        self.script.prober = prober;
        self
    }

    pub fn stopping_at(mut self, points: &[&str]) -> Setup {
        self.points = points.join(";");
        self
    }

    pub fn start(self) -> Drill {
        let (crash, crash_end) = UnixStream::pair().unwrap();
        let (report, report_end) = Channel::pair().unwrap();
        let conductor = Command::new("/proc/self/exe")
            .arg("conductor")
            .arg(serde_json::to_string(&self.script).unwrap())
            .env("SQUALL_CRASH_POINT", &self.points)
            .env("SQUALL_CRASH_FD", CRASH_FD.to_string())
            .stdin(Stdio::from(OwnedFd::from(crash_end)))
            .stdout(Stdio::from(report_end.into_fd()))
            .spawn()
            .unwrap();
        let pid = i32::try_from(conductor.id()).unwrap();
        Drill {
            script: self.script,
            conductor,
            report: Some(report),
            crash: Some(crash),
            line: String::new(),
            processes: BTreeMap::from([("conductor".to_owned(), pidfd_of(pid).unwrap())]),
            said: Vec::new(),
        }
    }
}

impl Drop for Drill {
    fn drop(&mut self) {
        for process in self.processes.values() {
            let _ended = pidfd_send_signal(process, Signal::KILL);
        }
        let _status = self.conductor.wait();
    }
}

/// Is it that message of the injector, or of whoever speaks in its place?
pub fn is(said: &Said, fits: impl Fn(&FromInjector) -> bool) -> bool {
    matches!(said, Said::Heard(message) if fits(message))
}

pub fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap()
}
