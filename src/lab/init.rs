//! PID 1 of a lab: builds the network, starts the services, reaps everything, restarts what its
//! document says, and ends when its parent does. Its end is the end of the lab.
//!
//! Descriptors: 3 is the channel to the keeper, from 4 on come the log files of the instances, in
//! the order of the blueprint; for a cluster the log of its errands and its door's listener follow.

mod duty;
mod life;
mod site;

use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;

use duty::{Duty, Next};
use life::Life;

use super::cluster::errands;
use super::message::{FromLab, LabEvent, ToLab};
use super::readiness::Finding;
use crate::host::HostError;
use crate::host::channel::Channel;
use crate::host::linux::clock::monotonic_ns;
use crate::host::linux::program;
use crate::host::linux::wake::{ChildSignal, wait_any};
use crate::host::part::End;
use crate::model::inventory::InstanceName;

/// The largest finding: a reason in words.
const FINDING: usize = 64 << 10;

struct Init {
    channel: Channel,
    children: ChildSignal,
    /// Threads that watch readiness write to its other end.
    findings: UnixDatagram,
    lives: Vec<Life>,
    /// What makes a cluster ready, once.
    duties: Vec<Duty>,
    /// Everything was ready once: from then on a failure does not end the lab.
    up: bool,
}

/// Runs until the parent is gone. The descriptors are those from 3 on.
pub fn run(mut fds: Vec<OwnedFd>) -> Result<(), HostError> {
    if fds.is_empty() {
        let why = "it is started by squall, not by hand";
        return Err(HostError::io("begin a lab", std::io::Error::other(why)));
    }
    let mut channel = Channel::from_fd(fds.remove(0));
    let Some(ToLab::Raise(blueprint)) = channel.receive()? else { return Ok(()) };
    let children = ChildSignal::take()?;
    let failed = |instance, why| FromLab::Failed { instance, why };
    let (findings, reports) = match UnixDatagram::pair() {
        Ok(pair) => pair,
        Err(e) => return channel.send(&failed(None, e.to_string())),
    };
    match site::build(&blueprint, fds, &reports) {
        Ok(site) => {
            channel.send(&FromLab::Wired { hosts: site.hosts })?;
            let (lives, duties) = (site.lives, site.duties);
            Init { channel, children, findings, lives, duties, up: false }.live()
        }
        Err(error) => channel.send(&failed(None, error.to_string())),
    }
}

impl Init {
    /// Returns when the parent is gone or the lab cannot be raised.
    fn live(mut self) -> Result<(), HostError> {
        loop {
            if !self.start_due()? {
                return Ok(());
            }
            let restarts = self.lives.iter().filter_map(Life::restart_at);
            let next = restarts.chain(self.duties.iter().filter_map(Duty::due_at)).min();
            let fds = [self.channel.as_fd(), self.children.as_fd(), self.findings.as_fd()];
            let [asked, children, findings] = wait_any(fds, next)?;
            if children && !self.reap()? {
                return Ok(());
            }
            if findings && !self.hear()? {
                return Ok(());
            }
            if asked && !self.answer()? {
                return Ok(());
            }
        }
    }

    /// Starts whatever may start now. False: the lab cannot be raised.
    fn start_due(&mut self) -> Result<bool, HostError> {
        // One that is ready at its start lets others start: as long as there is one.
        while let Some(number) = self.next_due() {
            match self.lives[number].start() {
                Ok(events) => {
                    for event in events {
                        self.channel.send(&FromLab::Event(event))?;
                    }
                }
                Err(error) => {
                    let name = self.lives[number].plan.name.clone();
                    if !self.trouble(name, error.to_string())? {
                        return Ok(false);
                    }
                }
            }
        }
        if !self.up && !self.start_duties()? {
            return Ok(false);
        }
        if !self.up && self.lives.iter().all(Life::ready) && self.duties.iter().all(Duty::done) {
            self.up = true;
            self.channel.send(&FromLab::Up)?;
        }
        Ok(true)
    }

    /// Starts whatever errand may begin now. False: the lab cannot be raised.
    fn start_duties(&mut self) -> Result<bool, HostError> {
        let open = self.duties.iter().filter(|d| !d.done()).map(|d| d.errand.stage).min();
        let Some(open) = open else { return Ok(true) };
        let now = monotonic_ns();
        let lives = &self.lives;
        let waiting = |service: &str| lives.iter().any(|l| l.plan.service == service && !l.ready());
        for duty in &mut self.duties {
            duty.end_late(now)?;
            if !duty.may_start(waiting, open, now) {
                continue;
            }
            if let Err(error) = duty.start() {
                return self.trouble(errands(), error.to_string());
            }
        }
        Ok(true)
    }

    /// An errand's process ended. False: the lab cannot be raised.
    fn end_duty(&mut self, number: usize, how: End) -> Result<bool, HostError> {
        let at_ns = monotonic_ns();
        match self.duties[number].end(at_ns, how) {
            Next::GoesOn => Ok(true),
            Next::Failed(why) => self.trouble(errands(), why),
            Next::Done => {
                let what = self.duties[number].errand.name.clone();
                self.channel.send(&FromLab::Event(LabEvent::Prepared { at_ns, what }))?;
                Ok(true)
            }
        }
    }

    fn next_due(&self) -> Option<usize> {
        let waiting: BTreeSet<&str> =
            self.lives.iter().filter(|l| !l.ready()).map(|l| l.plan.service.as_str()).collect();
        let now = monotonic_ns();
        self.lives.iter().position(|life| life.may_start(&waiting, now))
    }

    fn reap(&mut self) -> Result<bool, HostError> {
        self.children.drain()?;
        while let Some((pid, how)) = program::reap()? {
            let at_ns = monotonic_ns();
            if let Some(number) = self.duties.iter().position(|d| d.has_process(pid)) {
                if !self.end_duty(number, how)? {
                    return Ok(false);
                }
                continue;
            }
            // Others are orphans of instances or of parts: reaped, and nothing more.
            let Some(life) = self.lives.iter_mut().find(|l| l.has_process(pid)) else { continue };
            let over = life.end(at_ns, self.up);
            let instance = life.plan.name.clone();
            let event = LabEvent::Ended { at_ns, instance: instance.clone(), how };
            self.channel.send(&FromLab::Event(event))?;
            if over && !self.trouble(instance, ended(how))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn hear(&mut self) -> Result<bool, HostError> {
        let mut bytes = vec![0; FINDING];
        let length =
            self.findings.recv(&mut bytes).map_err(|e| HostError::io("hear a watcher", e))?;
        let Ok(finding) = serde_json::from_slice::<Finding>(&bytes[..length]) else {
            return Ok(true);
        };
        let Some(life) = self.lives.get_mut(finding.run.instance) else { return Ok(true) };
        let instance = life.plan.name.clone();
        if !life.is_run(finding.run.number) {
            return Ok(true);
        }
        if let Some(why) = finding.why {
            return self.trouble(instance, why);
        }
        life.set_ready();
        let event = LabEvent::Ready { at_ns: monotonic_ns(), instance };
        self.channel.send(&FromLab::Event(event))?;
        Ok(true)
    }

    /// False: the parent is gone.
    fn answer(&mut self) -> Result<bool, HostError> {
        match self.channel.receive()? {
            Some(ToLab::Targets { serial }) => {
                // What ended before the question is told before the answer.
                if !self.reap()? {
                    return Ok(false);
                }
                let targets = self.lives.iter().map(Life::target).collect();
                self.channel.send(&FromLab::Targets { serial, targets })?;
                Ok(true)
            }
            Some(ToLab::Raise(_) | ToLab::Attach { .. }) => Ok(true),
            Some(ToLab::Down { .. }) | None => Ok(false),
        }
    }

    /// Tells what is wrong with an instance. False: the lab was not up yet, and ends.
    fn trouble(&mut self, instance: InstanceName, why: String) -> Result<bool, HostError> {
        if !self.up {
            self.channel.send(&FromLab::Failed { instance: Some(instance), why })?;
            return Ok(false);
        }
        let event = LabEvent::Failing { at_ns: monotonic_ns(), instance, why };
        self.channel.send(&FromLab::Event(event))?;
        Ok(true)
    }
}

fn ended(how: End) -> String {
    format!("its process ended: {how}")
}
