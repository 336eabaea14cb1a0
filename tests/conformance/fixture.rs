//! The one standing lab: raised once, used by every case, and the evidence of each.

use std::fs;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use squall::host::channel::Channel;
use squall::host::linux::clock::monotonic_ns;
use squall::host::linux::part::{self, Part};
use squall::host::part::PartSpec;
use squall::host::process::RunState;
use squall::injection::journal::{JournalRecord, record, store};
use squall::injection::recovery;
use squall::lab::{Lab, LabPlace};
use squall::model::id::DrillId;
use squall::model::identity::{NetnsIdentity, ProcessIdentity};
use squall::model::inventory::{Host, Target};
use squall::model::lab::LabSpec;
use tokio::runtime::Runtime;

use crate::drill::{Drill, nanos};
use crate::script::{Answer, Ask, Scene};

/// Three targets that come back, so that one is always there; one that stays dead; and two
/// processes of one that no polite signal ends.
const LAB: &str = "
title: what every fault is tried on
services:
  victim: {hosts: [a, b, c], command: [sleep, '600.1'], restart: {always: {after: 100ms}}}
  once: {hosts: [a], command: [sleep, '600.2']}
  deaf: {hosts: [b], command: [sh, -c, \"trap '' TERM; sleep 600.3; exit\"]}
";

/// How long the eye may take to answer anything.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);
/// How long a target that was killed may take to be there again.
const BACK_WITHIN: Duration = Duration::from_secs(5);
/// How long a drill may take to end when nothing is in its way.
const CLOSED_WITHIN: Duration = Duration::from_secs(5);

pub struct Fixture {
    /// Before the lab, whose init ends only after every part in it was waited for.
    _observer: Part,
    eye: Channel,
    lab: Lab,
    runtime: Runtime,
    state: tempfile::TempDir,
    drills: u64,
    turn: usize,
}

impl Fixture {
    pub fn new() -> Fixture {
        let state = tempfile::Builder::new().prefix("squall-conformance-").tempdir().unwrap();
        fs::create_dir_all(state.path().join("squall/journal")).unwrap();
        let spec: LabSpec = serde_saphyr::from_str(LAB).unwrap();
        let place = LabPlace { logs: state.path().join("logs") };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let lab = runtime.block_on(Lab::up("conformance", &spec, &place, |_| {})).unwrap();
        let (mut eye, end) = Channel::pair().unwrap();
        let fds = vec![end.into_fd()];
        let enter = Some(lab.entry());
        let observer = part::spawn(PartSpec { fds, enter, ..PartSpec::new("observer") }).unwrap();
        eye.send(&lab.hosts()).unwrap();
        let bits = (u64::from(std::process::id()) << 20) | 1;
        Fixture { _observer: observer, eye, lab, runtime, state, drills: bits, turn: 0 }
    }

    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    pub fn journals(&self) -> PathBuf {
        self.state.path().join("squall/journal")
    }

    pub fn next_drill(&mut self) -> DrillId {
        self.drills += 1;
        DrillId::from_bits(self.drills)
    }

    pub fn targets(&mut self) -> Vec<Target> {
        self.runtime.block_on(self.lab.targets()).unwrap()
    }

    pub fn target(&mut self, name: &str) -> Target {
        self.targets().into_iter().find(|t| t.name.0 == name).unwrap()
    }

    /// The victims take turns, so that one that was killed has time to come back.
    pub fn next_target(&mut self) -> Target {
        let name = ["victim@a", "victim@b", "victim@c"][self.turn % 3];
        self.turn += 1;
        self.until_runs(name, None)
    }

    /// The target once it runs, and is not that process any more: now, or when it has come back.
    pub fn until_runs(&mut self, name: &str, not: Option<&ProcessIdentity>) -> Target {
        let limit = monotonic_ns() + nanos(BACK_WITHIN);
        loop {
            let target = self.target(name);
            let scene = self.processes();
            let is_new = target.process.as_ref() != not;
            if is_new && target.process.as_ref().is_some_and(|who| scene.runs(who)) {
                return target;
            }
            assert!(monotonic_ns() < limit, "{name} does not come back: {target:?}");
        }
    }

    /// The drill ends by itself: no part, no open record, its conductor gone.
    pub fn until_closed(&mut self, drill: &mut Drill) {
        let limit = monotonic_ns() + nanos(CLOSED_WITHIN);
        loop {
            drill.keep_going();
            let scene = self.processes();
            let (parts, open) = (scene.parts(), self.open(&drill.script.drill));
            if parts.is_empty() && open == 0 && drill.is_over() {
                return;
            }
            let said = &drill.said;
            assert!(monotonic_ns() < limit, "parts {parts:?}, {open} open; said: {said:?}");
        }
    }

    /// Every other host that is one of the targets'.
    pub fn others(&self, target: &Target) -> Vec<(Host, NetnsIdentity)> {
        let other = |(host, _): &&(Host, NetnsIdentity)| {
            host.name != target.host.name && host.name != squall::model::layout::CLIENT
        };
        self.lab.hosts().iter().filter(other).cloned().collect()
    }

    pub fn ask(&mut self, ask: &Ask) -> Answer {
        self.eye.send(ask).unwrap();
        let timeout = PollTimeout::try_from(ANSWERS_WITHIN).unwrap();
        let mut fds = [PollFd::new(self.eye.as_fd(), PollFlags::POLLIN)];
        assert_eq!(poll(&mut fds, timeout), Ok(1), "the eye does not answer {ask:?}");
        self.eye.receive().unwrap().expect("the eye is gone")
    }

    pub fn look(&mut self) -> Scene {
        self.scene(&Ask::Look)
    }

    /// Only who runs, and how.
    pub fn processes(&mut self) -> Scene {
        self.scene(&Ask::Processes)
    }

    fn scene(&mut self, ask: &Ask) -> Scene {
        match self.ask(ask) {
            Answer::Scene(scene) => scene,
            other => panic!("{other:?}"),
        }
    }

    /// From somebody else, not from squall.
    pub fn signal(&mut self, who: &ProcessIdentity, signal: i32) {
        let answer = self.ask(&Ask::Signal { who: who.clone(), signal });
        assert!(matches!(answer, Answer::Done), "signal {signal}: {answer:?}");
    }

    /// SIGSTOP from somebody else; when it returns, the process stands still.
    pub fn stop(&mut self, who: &ProcessIdentity) {
        self.signal(who, libc::SIGSTOP);
        let limit = monotonic_ns() + nanos(ANSWERS_WITHIN);
        while !self.processes().is_stopped(who) {
            assert!(monotonic_ns() < limit, "process {} does not stop", who.pid);
        }
    }

    pub fn state_of(&mut self, who: &ProcessIdentity) -> RunState {
        let scene = self.processes();
        if scene.is_stopped(who) {
            RunState::Stopped
        } else if scene.runs(who) {
            RunState::Running
        } else {
            RunState::Gone
        }
    }

    /// The target is the process it was, and nothing of ours is in the world.
    pub fn assert_untouched(&mut self, drill: &Drill) {
        let scene = self.look();
        assert_eq!(scene.of_ours(), [""; 0]);
        let target = &drill.script.order.target;
        assert!(scene.runs(target.process.as_ref().unwrap()), "{} was touched", target.name);
    }

    /// Every record of the drill's journal that can be read; none when it has no journal.
    pub fn records(&self, drill: &DrillId) -> Vec<JournalRecord> {
        let bytes = fs::read(self.journals().join(drill.as_str())).unwrap_or_default();
        record::decode(&bytes).0
    }

    /// What the journal says is still to be undone.
    pub fn open(&self, drill: &DrillId) -> usize {
        store::peek(&self.journals().join(drill.as_str())).map_or(0, |c| c.open().len())
    }

    /// As the next `squall run` would: a closed journal goes, and no other may be there.
    pub fn forget(&mut self, drill: &Drill) {
        let id = &drill.script.drill;
        let limit = monotonic_ns() + nanos(CLOSED_WITHIN);
        loop {
            let found = recovery::find(&self.journals()).unwrap();
            assert!(found.leftovers.is_empty() && found.refused.is_empty(), "{id}: {found:?}");
            // A process that is ending holds the lock a moment longer than its other descriptors.
            if found.live.is_empty() {
                return;
            }
            assert!(monotonic_ns() < limit, "{id}: a part still holds the journal");
        }
    }

    /// `squall undo --all`: exit code and what it printed.
    pub fn undo(&self) -> (i32, String) {
        self.squall(&["undo", "--all"])
    }

    pub fn squall(&self, args: &[&str]) -> (i32, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_squall"))
            .args(args)
            .env("XDG_STATE_HOME", self.state.path())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
    }
}
