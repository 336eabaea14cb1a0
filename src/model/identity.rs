//! What makes a target *that* target, so that nothing is ever undone on a stranger.
//!
//! Process numbers are reused, and so are inode numbers of namespaces (measured: at once). What is
//! not reused: a process's start time within one boot, and the kernel's cookie of a network
//! namespace (`SO_NETNS_COOKIE`).

use serde::{Deserialize, Serialize};

/// One boot of one machine: `/proc/sys/kernel/random/boot_id`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BootId(pub String);

/// A process. `pid` counts in the PID namespace of whoever names it (inside a lab: the lab's).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProcessIdentity {
    pub pid: i32,
    /// Clock ticks from boot to its start: field 22 of `/proc/PID/stat`, the same in every
    /// PID namespace.
    pub start_ticks: u64,
    pub boot: BootId,
    /// The PID namespace that `pid` counts in: the inode of `/proc/self/ns/pid` of whoever named
    /// it. A folder of journals may be shared with a container, where the same number is another
    /// process. 0: not known, as in records of before this field.
    #[serde(default)]
    pub pid_namespace: u64,
}

/// A network namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetnsIdentity {
    /// A file that names it, as the injector sees the file system: `/run/netns/r1`,
    /// `/proc/7/ns/net`.
    pub path: String,
    /// `SO_NETNS_COOKIE`: unique since boot.
    pub cookie: u64,
    pub boot: BootId,
}

/// The lab that a journal belongs to, so that recovery can find its way back in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabIdentity {
    pub name: String,
    /// The lab's init, by its number in the PID namespace of the conductor.
    pub init: ProcessIdentity,
}
