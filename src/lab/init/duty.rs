//! One errand of a cluster under way: its steps run one after the other, each again until it
//! succeeds or the errand's time is up.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use crate::host::HostError;
use crate::host::linux::clock::monotonic_ns;
use crate::host::linux::program::Program;
use crate::host::part::End;
use crate::lab::cluster::{Errand, Stage};
use crate::model::identity::NetnsIdentity;

/// Between two tries: what an errand waits for sends no event to us.
const AGAIN_AFTER_NS: u64 = 200_000_000;

/// Where errands start, and their HOME.
const FOLDER: &str = "/run/lab";

pub struct Duty {
    pub errand: Errand,
    netns: NetnsIdentity,
    log: File,
    step: usize,
    /// The process of the present step.
    pid: Option<i32>,
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
            pid: None,
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
        self.pid == Some(pid)
    }

    /// When its step is to be tried again, nanoseconds of `CLOCK_MONOTONIC`.
    pub fn again_at(&self) -> Option<u64> {
        self.again_at
    }

    /// `waiting`: does a service of that name wait still? `open`: the first stage that is not over.
    pub fn may_start(&self, waiting: impl Fn(&str) -> bool, open: Stage, now: u64) -> bool {
        self.pid.is_none()
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
        self.pid = Some(program.start()?.pid);
        self.first_start_ns.get_or_insert_with(monotonic_ns);
        self.again_at = None;
        Ok(())
    }

    /// Its process ended.
    pub fn end(&mut self, at_ns: u64, how: End) -> Next {
        self.pid = None;
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
