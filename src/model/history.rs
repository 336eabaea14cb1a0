//! What was observed during a drill, in order. It may lose its tail; the journal may not.
//!
//! On disk: `history.jsonl`, one [`Record`] a line, the first being [`Entry::Opened`].

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::cluster_seen::ClusterSeen;
use super::id::{DrillId, InjectionId};
use super::inventory::{InstanceName, Role};
use super::observation::{LedgerRead, Observation};
use super::outcome::AbortCause;
use super::plan::Plan;

/// The version of this format.
pub const HISTORY_VERSION: u32 = 1;

/// One line of a history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Record {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub at_ns: u64,
    pub entry: Entry,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Entry {
    /// The first line: who, when, with what plan.
    Opened(Box<Opened>),
    Phase(Phase),
    /// Completed slots of one probe, in the order of completion.
    Slots {
        probe: String,
        slots: Vec<Observation>,
    },
    /// The steady state was not reached, and nothing was injected.
    Unsteady {
        why: String,
    },
    /// A role target became a name.
    Bound {
        target: String,
        instances: Vec<InstanceName>,
    },
    /// A fault is in force, seen by its own means.
    Effective(Effective),
    /// A fault is gone, seen by its own means.
    Reverted(Reverted),
    /// Its target is gone or replaced: nothing to undo, nothing was undone.
    Void {
        injection: InjectionId,
        why: String,
    },
    /// It could not be undone, or not be seen to be gone.
    Stuck {
        injection: InjectionId,
        why: String,
    },
    /// Somebody else changed what a fault stands on; figures in between are doubtful.
    Disturbed {
        injection: Option<InjectionId>,
        why: String,
    },
    /// A fault met what there is to learn: no failure of ours, and no doubt about its hold.
    Finding {
        injection: InjectionId,
        finding: Finding,
    },
    /// An instance said what it is. Written on change, and once at the start.
    RoleSeen {
        instance: InstanceName,
        role: Option<Role>,
        asked_every_ns: u64,
    },
    /// A process of the lab ended or began, as the lab's init saw it.
    ProcessSeen {
        instance: InstanceName,
        running: bool,
    },
    /// A watch of a cluster told something.
    Cluster(Box<ClusterSeen>),
    Ledger {
        probe: String,
        read: LedgerRead,
    },
    /// The prober's own lag since the last such line.
    Lag(Lag),
    /// A part of squall died or hung.
    PartLost {
        part: String,
        why: String,
    },
    Aborted(AbortCause),
    /// A stop condition ended the hold.
    Stopped {
        condition: usize,
        why: String,
    },
    /// What of ours was still in the world at the end, after read-back.
    Residue(Vec<String>),
    /// Something a person should read.
    Note(String),
    /// The last line of a complete history.
    Closed,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Opened {
    pub version: u32,
    pub drill: DrillId,
    pub squall: String,
    /// RFC 3339 with offset: the wall clock at `at_ns`.
    pub wall: String,
    pub plan: Plan,
    /// Paths of the policies, as they were given.
    #[serde(default)]
    pub policy_files: Vec<String>,
    /// All machinery, no fault.
    pub null: bool,
    pub environment: Environment,
}

/// The machine, as far as it bears on the figures.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Environment {
    pub kernel: String,
    pub cores: usize,
    /// Load average over one minute when the drill began.
    pub load: f64,
    /// `root` or `user`.
    pub privilege: String,
    /// How the prober's thread is scheduled: `fifo` or `other`.
    pub prober_scheduling: String,
    /// Which carriers were found by probing: `queue: xt NFQUEUE`.
    pub carriers: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// The lab comes up, the parts shake hands.
    Prepare,
    /// Every probe must be good.
    Steady,
    /// Steps are injected and held.
    Method,
    /// Everything is undone and seen to be gone.
    Revert,
    /// Until steady again.
    Recover,
    /// The ledgers are read back, and what of ours is still in the world.
    Settle,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Effective {
    pub injection: InjectionId,
    /// Index of the plan's step.
    pub step: usize,
    pub instance: InstanceName,
    pub kind: String,
    /// Just before the call that put it in force.
    pub began_ns: u64,
    /// When it was certainly in force.
    pub effective_ns: u64,
    /// What was seen: `process 7 is gone`, `12 of 12 canaries from r2 lost`.
    pub evidence: String,
}

/// What a fault met on its way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Finding {
    /// A `PodDisruptionBudget` did not let a pod go. `pod` is `NAMESPACE/NAME`; `why` is the
    /// server's own word, and names the budget.
    EvictionRefused { pod: String, why: String },
}

impl Finding {
    /// What it is about: the same is not found twice.
    #[must_use]
    pub fn about(&self) -> &str {
        match self {
            Finding::EvictionRefused { pod, .. } => pod,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::EvictionRefused { pod, why } => {
                write!(f, "the eviction of {pod} was refused: {why}")
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reverted {
    pub injection: InjectionId,
    /// When it was certainly gone.
    pub gone_ns: u64,
    /// Who did it: `injector`, `guardian`, `recovery`, `the kernel`.
    pub by: String,
    pub evidence: String,
}

/// How late our own clockwork was, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lag {
    pub slots: u64,
    pub p50_ns: u64,
    pub p99_ns: u64,
    pub max_ns: u64,
    /// Time in which the prober did not run at all.
    pub stalled_ns: u64,
}
