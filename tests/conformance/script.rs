//! What the harness, its conductor and its eye in the lab say to each other.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use squall::model::binding::Order;
use squall::model::id::DrillId;
use squall::model::identity::{LabIdentity, NetnsIdentity, ProcessIdentity};
use squall::model::message::FromInjector;

/// What a conductor is started with, as its one argument.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Script {
    pub drill: DrillId,
    pub journals: PathBuf,
    pub lab: LabIdentity,
    pub namespaces: Vec<NetnsIdentity>,
    pub order: Order,
    /// Hold the fault until told; else revert as soon as it is in force.
    pub hold: bool,
    pub prober: bool,
    pub disk: Disk,
}

/// What is wrong with the disk under the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Disk {
    Fine,
    ReadOnly,
    /// Too small for the first record.
    Full,
    /// Takes the first record and not all of the second.
    NearlyFull,
    /// `fsync` fails from the start: the name of the journal is not durable.
    NoNames,
    /// `fdatasync` fails once the journal is open: no record is durable.
    NoRecords,
}

/// The conductor to the harness.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Said {
    /// By its number where the harness is.
    Born {
        part: String,
        pid: i32,
    },
    /// It could not begin.
    Unfit(String),
    Heard(Box<FromInjector>),
    Lost(String),
    /// All parts have ended.
    Ended,
}

/// The harness to the conductor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tell {
    /// At once, everything.
    Revert,
    /// As planned: its hold is over.
    EndHold,
}

/// The harness to its eye.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Ask {
    Look,
    /// Only processes, which is quicker.
    Processes,
    Signal {
        who: ProcessIdentity,
        signal: i32,
    },
    /// Start a stranger that has this number.
    TakeNumber(i32),
    /// Recover from a journal of these bytes.
    Recover(Vec<u8>),
    /// Let another namespace have this host's name, or give the name back.
    ReplaceNamespace(String),
    RestoreNamespace(String),
    /// Change the nft rules of that host, as somebody else.
    ChangeRules(NetnsIdentity),
}

/// The eye's answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Answer {
    Scene(Scene),
    Done,
    Failed(String),
    Stranger(ProcessIdentity),
    Recovered(Vec<FromInjector>),
}

/// Everything in the lab that matters here.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Scene {
    /// Tables, sets and chains of any squall, with their namespace.
    pub kernel: Vec<String>,
    /// Every process that is not a zombie.
    pub processes: Vec<Seen>,
    /// Ways from host to host that a packet did not make promptly.
    pub blocked: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    pub who: ProcessIdentity,
    /// As in `/proc/PID/stat`.
    pub state: char,
    pub line: String,
}

impl Scene {
    /// Parts of drills; not the lab's own, and not the eye.
    pub fn parts(&self) -> Vec<&str> {
        let is_part = |seen: &&Seen| {
            ["injector", "guardian", "prober", "recovery"]
                .iter()
                .any(|name| seen.line.contains(&format!(" part {name} ")))
        };
        self.processes.iter().filter(is_part).map(|seen| seen.line.as_str()).collect()
    }

    pub fn stopped(&self) -> Vec<&ProcessIdentity> {
        self.processes.iter().filter(|seen| seen.state == 'T').map(|seen| &seen.who).collect()
    }

    pub fn is_stopped(&self, who: &ProcessIdentity) -> bool {
        self.stopped().contains(&who)
    }

    pub fn runs(&self, who: &ProcessIdentity) -> bool {
        self.processes.iter().any(|seen| seen.who == *who && seen.state != 'T')
    }

    /// What of a drill is still to be seen in the world; empty: nothing.
    pub fn of_ours(&self) -> Vec<String> {
        let mut left = self.kernel.clone();
        left.extend(self.stopped().iter().map(|who| format!("process {} is stopped", who.pid)));
        left.extend(self.blocked.iter().cloned());
        left
    }
}
