//! One errand of a cluster under way: its steps run one after the other, each again until it
//! succeeds or the errand's time is up.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use crate::host::HostError;
use crate::host::linux::clock::monotonic_ns;
use crate::host::linux::process::LinuxProcesses;
use crate::host::linux::program::Program;
use crate::host::part::End;
use crate::host::process::Processes;
use crate::lab::cluster::{Errand, Stage};
use crate::model::identity::{NetnsIdentity, ProcessIdentity};

/// Between two tries: what an errand waits for sends no event to us.
const AGAIN_AFTER_NS: u64 = 200_000_000;

/// How much longer than its errand a step may take before it is killed.
const SLACK_NS: u64 = 2_000_000_000;

/// Where errands start, and their HOME.
const FOLDER: &str = "/run/lab";

pub struct Duty {
    pub errand: Errand,
    netns: NetnsIdentity,
    log: File,
    step: usize,
    /// The process of the present step.
    process: Option<ProcessIdentity>,
    first_start_ns: Option<u64>,
    again_at: Option<u64>,
}

/// What the end of a step means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Another step, or the same one again.
    GoesOn,
    Done,
    Failed(String),
}

/// Every errand, all with one log.
pub fn all(
    errands: &[Errand],
    log: &File,
    space: impl Fn(&str) -> Result<NetnsIdentity, HostError>,
) -> Result<Vec<Duty>, HostError> {
    let duty = |errand: &Errand| {
        Ok(Duty {
            errand: errand.clone(),
            netns: space(&errand.host)?,
            log: log.try_clone().map_err(|e| HostError::io("copy a log", e))?,
            step: 0,
            process: None,
            first_start_ns: None,
            again_at: None,
        })
    };
    errands.iter().map(duty).collect()
}

impl Duty {
    pub fn done(&self) -> bool {
        self.step >= self.errand.steps.len()
    }

    pub fn has_process(&self, pid: i32) -> bool {
        self.process.as_ref().is_some_and(|process| process.pid == pid)
    }

    /// When something is to be done about it: its step tried again, or ended because its time is
    /// up. Nanoseconds of `CLOCK_MONOTONIC`.
    pub fn due_at(&self) -> Option<u64> {
        self.again_at.or_else(|| self.process.as_ref().map(|_| self.deadline_ns()))
    }

    /// Ends a step whose time is up: it may wait for what never comes.
    pub fn end_late(&self, now: u64) -> Result<(), HostError> {
        let Some(process) = self.process.as_ref().filter(|_| now >= self.deadline_ns()) else {
            return Ok(());
        };
        match LinuxProcesses::new()?.signal(process, libc::SIGKILL) {
            // It has just ended by itself.
            Ok(()) | Err(HostError::Gone(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Programs that have a limit of their own say more than one that is killed: they come first.
    fn deadline_ns(&self) -> u64 {
        let span = self.errand.within.nanos().saturating_add(SLACK_NS);
        self.first_start_ns.unwrap_or(u64::MAX).saturating_add(span)
    }

    /// `waiting`: does a service of that name wait still? `open`: the first stage that is not over.
    pub fn may_start(&self, waiting: impl Fn(&str) -> bool, open: Stage, now: u64) -> bool {
        self.process.is_none()
            && !self.done()
            && self.errand.stage <= open
            && self.again_at.is_none_or(|at| now >= at)
            && !self.errand.after.iter().any(|service| waiting(service))
    }

    pub fn start(&mut self) -> Result<(), HostError> {
        let Some(argv) = self.errand.steps.get(self.step) else { return Ok(()) };
        let program = Program {
            argv,
            env: &BTreeMap::new(),
            folder: Path::new(FOLDER),
            log: &self.log,
            netns: &self.netns,
        };
        self.process = Some(program.start()?);
        self.first_start_ns.get_or_insert_with(monotonic_ns);
        self.again_at = None;
        Ok(())
    }

    /// Its process ended.
    pub fn end(&mut self, at_ns: u64, how: End) -> Next {
        self.process = None;
        if how == End::Exit(0) {
            self.step += 1;
            return if self.done() { Next::Done } else { Next::GoesOn };
        }
        let began = self.first_start_ns.unwrap_or(at_ns);
        if at_ns >= began.saturating_add(self.errand.within.nanos()) {
            let (name, within) = (&self.errand.name, self.errand.within);
            return Next::Failed(format!("{name}: not done within {within}: {how}"));
        }
        self.again_at = Some(at_ns.saturating_add(AGAIN_AFTER_NS));
        Next::GoesOn
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::linux::clock::boot;
    use crate::model::units::Span;

    fn duty(steps: &[&[&str]]) -> Duty {
        let errand = Errand {
            name: "images on n1".to_owned(),
            host: "n1".to_owned(),
            stage: Stage::Nodes,
            after: vec!["kubelet".to_owned()],
            steps: steps.iter().map(|s| s.iter().map(|w| (*w).to_owned()).collect()).collect(),
            within: Span::secs(1),
        };
        let log = tempfile::tempfile().unwrap();
        let netns = NetnsIdentity {
            path: "/proc/self/ns/net".to_owned(),
            cookie: 0,
            boot: boot().unwrap(),
        };
        all(&[errand], &log, |_| Ok(netns.clone())).unwrap().remove(0)
    }

    #[test]
    fn it_waits_for_its_services_and_for_the_stages_before_it() {
        let duty = duty(&[&["true"]]);
        assert!(duty.may_start(|_| false, Stage::Nodes, 0));
        assert!(!duty.may_start(|service| service == "kubelet", Stage::Nodes, 0));
        assert!(!duty.may_start(|_| false, Stage::Images, 0));
    }

    #[test]
    fn a_step_is_tried_again_until_its_time_is_up() {
        let mut duty = duty(&[&["one"], &["two"]]);
        duty.first_start_ns = Some(0);
        assert_eq!(duty.end(1, End::Exit(1)), Next::GoesOn);
        assert!(!duty.may_start(|_| false, Stage::Nodes, 2));
        assert!(duty.may_start(|_| false, Stage::Nodes, 1 + AGAIN_AFTER_NS));
        assert_eq!(duty.due_at(), Some(1 + AGAIN_AFTER_NS));
        duty.again_at = None;
        assert_eq!(duty.end(2, End::Exit(0)), Next::GoesOn);
        assert!(!duty.done());
        assert_eq!(duty.end(3, End::Exit(0)), Next::Done);
        assert!(duty.done() && !duty.may_start(|_| false, Stage::Workloads, 4));
        let mut late = super::tests::duty(&[&["one"]]);
        late.first_start_ns = Some(0);
        let Next::Failed(why) = late.end(1_000_000_000, End::Exit(7)) else { panic!() };
        assert_eq!(why, "images on n1: not done within 1s: exit status 7");
    }
}
