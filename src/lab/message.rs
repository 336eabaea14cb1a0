//! What a lab's init, its keeper and those who use it say to each other.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::blueprint::Blueprint;
use crate::host::part::End;
use crate::model::identity::{NetnsIdentity, ProcessIdentity};
use crate::model::inventory::{Host, InstanceName, Target};

/// To the init, or to the keeper in its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum ToLab {
    /// To the init, first and once.
    Raise(Box<Blueprint>),
    /// Who runs now? Answered with the same number.
    Targets { serial: u64 },
    /// To a keeper: I drill here until this connection ends.
    Attach { holder: String },
    /// To a keeper: end the lab. Refused while somebody is attached, unless forced.
    Down { force: bool },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum FromLab {
    /// The network stands.
    Wired {
        hosts: Vec<(Host, NetnsIdentity)>,
    },
    Event(LabEvent),
    /// Every instance is ready.
    Up,
    /// The lab cannot be raised.
    Failed {
        instance: Option<InstanceName>,
        why: String,
    },
    Targets {
        serial: u64,
        targets: Vec<Target>,
    },
    /// A keeper to one who attaches.
    Attached,
    /// A keeper: somebody else is attached.
    Busy {
        holder: String,
    },
}

/// Something happened in a lab. Times are nanoseconds of `CLOCK_MONOTONIC`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum LabEvent {
    Wired {
        at_ns: u64,
        hosts: usize,
    },
    Started {
        at_ns: u64,
        instance: InstanceName,
        process: ProcessIdentity,
    },
    /// All its checks passed.
    Ready {
        at_ns: u64,
        instance: InstanceName,
    },
    /// Something that makes a cluster ready is done: `images on n1`.
    Prepared {
        at_ns: u64,
        what: String,
    },
    /// Its process ended, by itself or killed.
    Ended {
        at_ns: u64,
        instance: InstanceName,
        how: End,
    },
    /// It could not be started again, or did not become ready again.
    Failing {
        at_ns: u64,
        instance: InstanceName,
        why: String,
    },
    /// The lab is gone; nothing follows.
    Died {
        at_ns: u64,
        why: String,
    },
}

/// Where an instance's checks connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    pub address: IpAddr,
    /// The service's; a check may name another.
    pub port: Option<u16>,
}
