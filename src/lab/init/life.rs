//! The lives of one instance: started, ready, ended, started again.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::host::HostError;
use crate::host::linux::clock::monotonic_ns;
use crate::host::linux::program::Program;
use crate::lab::blueprint::Instance;
use crate::lab::message::{Endpoint, LabEvent};
use crate::lab::readiness::{Run, Watch, watch};
use crate::model::identity::{NetnsIdentity, ProcessIdentity};
use crate::model::inventory::Target;
use crate::model::lab::Restart;

/// What an instance has of the lab around it.
pub struct Place {
    pub number: usize,
    pub netns: NetnsIdentity,
    pub log: File,
    /// Where watchers of its readiness report.
    pub reports: UnixDatagram,
}

pub struct Life {
    pub plan: Instance,
    place: Place,
    process: Option<ProcessIdentity>,
    /// Counts starts; 0: never started.
    run: u64,
    ready: bool,
    first_start_ns: u64,
    restart_at: Option<u64>,
    /// Tells this run's watcher that nobody waits any more.
    cancelled: Arc<AtomicBool>,
}

impl Life {
    pub fn new(plan: Instance, place: Place) -> Life {
        Life {
            plan,
            place,
            process: None,
            run: 0,
            ready: false,
            first_start_ns: 0,
            restart_at: None,
            cancelled: Arc::default(),
        }
    }

    pub fn ready(&self) -> bool {
        self.ready
    }

    /// When it is to be started again, nanoseconds of `CLOCK_MONOTONIC`.
    pub fn restart_at(&self) -> Option<u64> {
        self.restart_at
    }

    pub fn has_process(&self, pid: i32) -> bool {
        self.process.as_ref().is_some_and(|p| p.pid == pid)
    }

    /// Is that run the present one, and still without an answer?
    pub fn is_run(&self, number: u64) -> bool {
        self.run == number && self.process.is_some() && !self.ready
    }

    pub fn set_ready(&mut self) {
        self.ready = true;
    }

    /// The first start waits for other services, later ones only for their time.
    pub fn may_start(&self, waiting: &BTreeSet<&str>, now: u64) -> bool {
        match self.restart_at {
            Some(at) => now >= at,
            None => self.run == 0 && !self.plan.after.iter().any(|a| waiting.contains(a.as_str())),
        }
    }

    /// Starts it and the watch over its readiness; what there is to tell.
    pub fn start(&mut self) -> Result<Vec<LabEvent>, HostError> {
        self.run += 1;
        if self.run == 1 {
            self.first_start_ns = monotonic_ns();
        }
        // Should the start fail, the next try is due after the same delay.
        self.restart_at = self.next_start(monotonic_ns());
        let program = Program {
            argv: &self.plan.argv,
            env: &self.plan.env,
            folder: Path::new(&self.plan.folder),
            log: &self.place.log,
            netns: &self.place.netns,
        };
        let process = program.start()?;
        let at_ns = monotonic_ns();
        self.restart_at = None;
        self.process = Some(process.clone());
        self.cancelled = Arc::default();
        let instance = self.plan.name.clone();
        let mut events = vec![LabEvent::Started { at_ns, instance: instance.clone(), process }];
        if self.plan.ready.is_empty() {
            self.ready = true;
            events.push(LabEvent::Ready { at_ns, instance });
        } else {
            self.watch(at_ns)?;
        }
        Ok(events)
    }

    fn watch(&self, from_ns: u64) -> Result<(), HostError> {
        let reports =
            self.place.reports.try_clone().map_err(|e| HostError::io("copy a socket", e))?;
        let watched = Watch {
            run: Run { instance: self.place.number, number: self.run },
            netns: self.place.netns.clone(),
            at: Endpoint { address: self.plan.host.ipv4, port: self.plan.port },
            checks: self.plan.ready.clone(),
            deadline_ns: from_ns.saturating_add(self.plan.ready_within.nanos()),
            cancelled: Arc::clone(&self.cancelled),
        };
        watch(watched, reports)
    }

    /// Its process ended. True: the lab cannot come up without it.
    pub fn end(&mut self, at_ns: u64, up: bool) -> bool {
        self.process = None;
        self.ready = false;
        self.cancelled.store(true, Ordering::Relaxed);
        self.restart_at = self.next_start(at_ns);
        let late = at_ns > self.first_start_ns.saturating_add(self.plan.ready_within.nanos());
        !up && (self.restart_at.is_none() || late)
    }

    pub fn target(&self) -> Target {
        Target {
            name: self.plan.name.clone(),
            service: self.plan.service.clone(),
            host: self.plan.host.clone(),
            port: self.plan.port,
            process: self.process.clone(),
            netns: Some(self.place.netns.clone()),
            object: None,
        }
    }

    fn next_start(&self, from_ns: u64) -> Option<u64> {
        match self.plan.restart {
            Restart::Never => None,
            Restart::Always { after } => Some(from_ns.saturating_add(after.nanos())),
        }
    }
}
