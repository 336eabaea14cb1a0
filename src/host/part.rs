//! What a part of squall is before it runs: this same binary, executed again, with a whitelist of
//! descriptors and nothing else of its parent's.
//!
//! A plain fork would keep every descriptor: ends of files would never come, and owned tables would
//! outlive their owner.

use std::fmt;
use std::os::fd::OwnedFd;

use serde::{Deserialize, Serialize};

use crate::model::identity::ProcessIdentity;

/// A part to be started: `squall part NAME ARGS…`.
#[derive(Debug)]
pub struct PartSpec {
    pub name: &'static str,
    /// Everybody may read these; a secret goes through a descriptor.
    pub args: Vec<String>,
    /// The part finds them at 3, 4, … in this order. Nothing else is open but 0, 1 and 2.
    pub fds: Vec<OwnedFd>,
    /// The lab to be born in; None: where we are.
    pub enter: Option<Entry>,
    /// Ask for `SCHED_FIFO` before any namespace is entered, where it would be refused. Where it is
    /// refused anyway the part runs like any other. Threads and children of the part inherit it.
    pub realtime: bool,
    pub manner: Manner,
    /// Where the standard error of a detached part goes, opened to append; None: nowhere.
    pub log: Option<OwnedFd>,
}

/// The lab that a part is born in: all namespaces of its init but the network of its hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// By its number in our PID namespace.
    pub init: ProcessIdentity,
}

/// How a part stands to its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Manner {
    /// Dies when the thread that started it ends; in a session of its own, so that Ctrl-C does not
    /// reach it.
    #[default]
    Tied,
    /// Like `Tied`, and the first process of new user, PID, mount, network, IPC and UTS
    /// namespaces: its end is the end of everything in them.
    Founder,
    /// Like `Founder`, but root stays the machine's own root: no user namespace. For what the
    /// kernel grants to nobody else, such as control groups and devices.
    RootFounder,
    /// Outlives its parent.
    Detached,
    /// Dies with its parent, and has the parent's terminal, standard input and output.
    Foreground,
}

impl Manner {
    /// Is it the first of new namespaces?
    #[must_use]
    pub fn founds(self) -> bool {
        matches!(self, Manner::Founder | Manner::RootFounder)
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum End {
    Exit(i32),
    Signal(i32),
}

impl PartSpec {
    /// A part that is tied to us, where we are, with no descriptors.
    #[must_use]
    pub fn new(name: &'static str) -> PartSpec {
        PartSpec {
            name,
            args: Vec::new(),
            fds: Vec::new(),
            enter: None,
            realtime: false,
            manner: Manner::default(),
            log: None,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Exit(status) => write!(f, "exit status {status}"),
            End::Signal(signal) => match nix::sys::signal::Signal::try_from(*signal) {
                Ok(known) => f.write_str(known.as_str()),
                Err(_) => write!(f, "signal {signal}"),
            },
        }
    }
}
