//! Where a leftover's targets are, and how to undo there.

use std::time::Duration;

use crate::drill::run::LEASE;
use crate::host::channel::Channel;
use crate::host::linux::LinuxHost;
use crate::host::linux::part;
use crate::host::linux::process::LinuxProcesses;
use crate::host::part::{Entry, Manner, PartSpec};
use crate::host::process::RunState;
use crate::host::{HostError, Processes};
use crate::injection::journal::{Journal, JournalRecord};
use crate::injection::recovery::{self, Leftover};
use crate::model::message::FromInjector;

use super::failure::Failure;

/// How long the kernel may take to remove a lab whose init was killed.
const DIES_WITHIN: Duration = Duration::from_secs(5);
/// How long a recovery may be silent: it shows that it lives before each try, and a try is shorter
/// than a lease. The rest is for its disk.
const SILENT_FOR: Duration = Duration::from_secs(3 * LEASE.0.as_secs());
const LAB_GONE: &str = "its lab is gone";

/// Where to go.
pub enum Place {
    /// This machine.
    Here,
    /// A lab that still stands.
    Lab(Entry),
    /// A lab that is gone, with everything that was in it.
    Gone(String),
}

impl Place {
    /// Errors: the journal's first record is damaged, so nobody knows.
    pub fn of(leftover: &Leftover) -> Result<Place, Failure> {
        let Some(opened) = &leftover.contents.opened else {
            let why = format!("the journal of {} has lost its first record", leftover.drill);
            return Err(Failure::internal(why));
        };
        let Some(lab) = &opened.lab else { return Ok(Place::Here) };
        match LinuxProcesses::new()?.state(&lab.init)? {
            RunState::Gone => Ok(Place::Gone(lab.name.clone())),
            RunState::Running | RunState::Stopped => {
                Ok(Place::Lab(Entry { init: lab.init.clone() }))
            }
        }
    }

    /// Ends everything that the leftover has open.
    pub fn recover(self, leftover: Leftover) -> Result<Vec<FromInjector>, Failure> {
        match self {
            Place::Here => {
                let Leftover { drill, mut journal, contents, .. } = leftover;
                let clusters = contents.opened.as_ref().map(|opened| opened.clusters.clone());
                let mut host = LinuxHost::new(drill)?.reaching(clusters.unwrap_or_default());
                Ok(recovery::recover(&mut host, &mut journal, &contents))
            }
            Place::Lab(door) => {
                let mut ended = Vec::new();
                let Err(failure) = inside(door.clone(), &leftover, &mut ended) else {
                    return Ok(ended);
                };
                // A lab takes a while to die, and lets nobody in meanwhile: it may have been at it.
                let gone = LinuxProcesses::new()?.wait(&door.init, RunState::Gone, DIES_WITHIN)?;
                if gone.is_none() {
                    return Err(failure);
                }
                // Read again: whoever was inside may have closed some.
                let (journal, contents) = Journal::inherit(leftover.journal.share()?)?;
                let rest = void(Leftover { journal, contents, ..leftover }, LAB_GONE)?;
                Ok(ended.into_iter().chain(rest).collect())
            }
            Place::Gone(name) => void(leftover, &format!("lab {name} is gone")),
        }
    }
}

fn inside(door: Entry, leftover: &Leftover, ended: &mut Vec<FromInjector>) -> Result<(), Failure> {
    let (mut ours, theirs) = Channel::pair()?;
    ours.limit_silence(SILENT_FOR)?;
    let spec = PartSpec {
        fds: vec![theirs.into_fd(), leftover.journal.share()?],
        enter: Some(door),
        manner: Manner::Tied,
        ..PartSpec::new("recovery")
    };
    // Killed when it is given up: nobody undoes behind the back of whoever tries next.
    let _part = part::spawn(spec)?;
    loop {
        match ours.receive()? {
            Some(FromInjector::AllReverted) => return Ok(()),
            Some(FromInjector::Beat) => {}
            Some(message) => ended.push(message),
            None => {
                let why = std::io::Error::other("it ended before it was done");
                return Err(HostError::io("recover inside the lab", why).into());
            }
        }
    }
}

/// The targets died with their place: nothing is undone on whoever has their numbers now.
fn void(mut leftover: Leftover, why: &str) -> Result<Vec<FromInjector>, Failure> {
    let mut ended = Vec::new();
    for recipe in leftover.contents.open() {
        let (injection, why) = (recipe.injection, why.to_owned());
        leftover
            .journal
            .append(&JournalRecord::Void { injection: injection.clone(), why: why.clone() })?;
        ended.push(FromInjector::Void { injection, why });
    }
    Ok(ended)
}
