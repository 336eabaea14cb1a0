//! What the parts of a drill say to each other: one JSON value a message, over inherited
//! stream sockets (see `host::channel`). A part acts on nothing else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::binding::Order;
use super::cluster::ClusterAccess;
use super::experiment::ProbeSpec;
use super::history::{Effective, Entry, Finding, Reverted};
use super::id::{DrillId, InjectionId};
use super::identity::{LabIdentity, NetnsIdentity};
use super::inventory::{InstanceName, Role, Target};
use super::lab::RoleReader;
use super::units::Span;

/// The conductor to the injector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ToInjector {
    Hello(InjectorHello),
    /// Arm, journal, guard, inject, verify.
    Inject(Box<Order>),
    Revert(InjectionId),
    RevertAll,
    /// The conductor lives; without it for a lease, everything is reverted.
    Beat,
    /// Read the world back and say what of ours is there.
    ReadBack,
    /// Nothing more will come: close the journal and go.
    Goodbye,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InjectorHello {
    pub drill: DrillId,
    pub lease: Span,
    pub beat: Span,
    pub lab: Option<LabIdentity>,
    /// Every namespace that this drill may touch.
    pub namespaces: Vec<NetnsIdentity>,
    /// Every cluster that it may touch.
    pub clusters: Vec<ClusterAccess>,
}

/// The injector, or the guardian in its place, to the conductor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum FromInjector {
    Ready {
        carriers: BTreeMap<String, String>,
    },
    /// It is in force, and seen to be.
    Effective(Effective),
    /// It could not be put in force; whatever was done is undone (or follows as `Stuck`).
    Failed {
        injection: InjectionId,
        why: String,
        /// The journal did not take its undo: nothing was touched.
        unwritten: bool,
    },
    /// What a fault met on its way; each is told once.
    Found {
        injection: InjectionId,
        finding: Finding,
    },
    Reverted(Reverted),
    Void {
        injection: InjectionId,
        why: String,
    },
    Stuck {
        injection: InjectionId,
        why: String,
    },
    Disturbed {
        injection: Option<InjectionId>,
        why: String,
    },
    /// All injections are closed.
    AllReverted,
    /// The other part was lost; what is in force is being undone.
    PartLost {
        part: String,
        why: String,
    },
    Residue(Vec<String>),
    Beat,
}

/// The injector to the guardian.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ToGuardian {
    Hello {
        drill: DrillId,
        lease: Span,
        beat: Span,
        lab: Option<LabIdentity>,
        clusters: Vec<ClusterAccess>,
    },
    /// Sent, and answered, before the fault is applied.
    Guard(Box<Recipe>),
    /// It is reverted and seen to be gone.
    Forget(InjectionId),
    Beat,
    /// The injector could not undo something and ends itself; try what remains.
    TakeOver,
    /// The drill is over.
    Goodbye,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum FromGuardian {
    Ready,
    Guarded(InjectionId),
    Beat,
}

/// Enough to undo one injection without its injector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recipe {
    pub injection: InjectionId,
    pub kind: String,
    pub target: Target,
    pub undo: Value,
    /// `CLOCK_MONOTONIC` nanoseconds by which it must be gone.
    pub deadline_ns: u64,
}

/// The conductor to the prober.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum ToProber {
    Hello(ProberHello),
    /// Begin slots at this time.
    Start {
        at_ns: u64,
    },
    /// Ask every role reader now and answer with `Roles`.
    ReadRoles,
    /// Read all ledgers back; `round` is 1 or 2.
    ReadLedgers {
        round: u8,
    },
    Beat,
    /// End the slots, wait for those under way, say `Finished`.
    Stop,
    Goodbye,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProberHello {
    pub drill: DrillId,
    pub probes: BTreeMap<String, ProbeSpec>,
    pub watches: Vec<RoleWatch>,
    /// The namespace whose network the probes use; None: the one it was born in.
    pub netns: Option<NetnsIdentity>,
    /// The namespaces of the hosts that some probes look from instead, by name.
    #[serde(default)]
    pub hosts: BTreeMap<String, NetnsIdentity>,
    /// Values of the variables that probes refer to by name. Never logged, never in an argument.
    pub secrets: BTreeMap<String, String>,
    /// The clusters that probes may ask.
    #[serde(default)]
    pub clusters: Vec<ClusterAccess>,
    pub seed: u64,
}

/// Prints the names of the secrets only.
impl std::fmt::Debug for ProberHello {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProberHello")
            .field("drill", &self.drill)
            .field("probes", &self.probes)
            .field("watches", &self.watches)
            .field("netns", &self.netns)
            .field("hosts", &self.hosts)
            .field("secrets", &self.secrets.keys())
            .field("clusters", &self.clusters)
            .field("seed", &self.seed)
            .finish()
    }
}

/// One instance whose role is asked again and again, from within its own namespace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleWatch {
    pub instance: InstanceName,
    pub address: std::net::IpAddr,
    pub port: u16,
    pub netns: NetnsIdentity,
    pub reader: RoleReader,
}

/// The prober to the conductor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum FromProber {
    /// Every probe could be built. `scheduling` is `fifo` or `other`.
    Ready {
        scheduling: String,
    },
    /// A probe or reader could not be built: the drill cannot begin.
    Unfit {
        probe: String,
        why: String,
    },
    /// Goes into the history as it is: slots, roles, lag, ledger reads.
    Saw {
        at_ns: u64,
        entry: Box<Entry>,
    },
    Roles(BTreeMap<InstanceName, Option<Role>>),
    /// All ledgers were read for this round; their `Saw` lines came before.
    LedgersRead {
        round: u8,
    },
    Finished,
    /// By then every slot that was due had been begun, and whatever a standstill of the prober held
    /// up is told: a slot that is long past its deadline at that time has no answer.
    Awake {
        at_ns: u64,
    },
    Beat,
}
