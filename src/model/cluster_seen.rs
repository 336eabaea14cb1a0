//! What a watch of a cluster told during a drill. Written on change, and once for everything that
//! was there when the watch began.
//!
//! The time of a record is when the news reached us, by our own clock. Where the server has a time
//! of its own it is kept beside it: a wall clock's, in whole seconds, so it only compares.

use serde::{Deserialize, Serialize};

/// One piece of news.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterSeen {
    /// The cluster, as the plan names it.
    pub context: String,
    /// So long the news may have been under way, nanoseconds: how long the server took for its
    /// last answer, or has been taking for the next.
    pub late_ns: u64,
    /// It was found by listing: it came about at some time before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub listed: bool,
    pub fact: ClusterFact,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum ClusterFact {
    /// From here on every change is told.
    Watched,
    /// What happens is not told, and has not been since then; until the next `Watched`.
    Unwatched {
        from_ns: u64,
        why: String,
    },
    /// This is never told: the user may not ask for it, or the server does not know it.
    Unreadable {
        /// `nodes`, `endpointslices of shop`.
        what: String,
        why: String,
    },
    Pod(PodSeen),
    Node(NodeSeen),
    Endpoint(EndpointSeen),
    Workload(WorkloadSeen),
    Budget(BudgetSeen),
    Lease(LeaseSeen),
    /// What a component of the cluster said of it.
    Event(EventSeen),
}

/// One pod, as it is from now on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodSeen {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    /// `deployment shop/web`; the pod itself where nobody owns it.
    pub workload: String,
    pub phase: String,
    /// None: it is not bound to a node.
    pub node: Option<String>,
    pub ready: bool,
    /// It was told to end.
    pub deleting: bool,
    /// The server does not have it any more.
    pub gone: bool,
    /// Restarts of its containers, all together.
    pub restarts: u32,
    /// Why it is ended by the cluster: `EvictionByEvictionAPI`, `DeletionByTaintManager`.
    pub disrupted: Option<String>,
    /// Why it does not run, as the scheduler or its node says.
    pub why: Option<String>,
    /// The server's time of the change of `ready`.
    pub ready_since: Option<String>,
    /// The server's time at which it was bound.
    pub bound_since: Option<String>,
}

/// One node, as it is from now on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeSeen {
    pub name: String,
    /// `True`, `False`, and `Unknown` where it no longer says.
    pub ready: String,
    pub unschedulable: bool,
    /// Taints that drive pods away: `node.kubernetes.io/unreachable`.
    pub evicting: Vec<String>,
    pub gone: bool,
    /// The server's time of the change of `ready`.
    pub ready_since: Option<String>,
}

/// One pod behind one Service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EndpointSeen {
    /// `shop/web`
    pub service: String,
    /// Name of the `EndpointSlice`.
    pub slice: String,
    pub pod: String,
    pub uid: String,
    /// Does it get new traffic?
    pub ready: bool,
    pub terminating: bool,
    /// It is not in the slice any more.
    pub gone: bool,
}

/// How far a workload is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkloadSeen {
    /// `deployment shop/web`
    pub workload: String,
    pub desired: u32,
    /// Pods that it has, of any template.
    pub replicas: u32,
    /// Of its newest template.
    pub updated: u32,
    pub ready: u32,
    pub available: u32,
    pub generation: u64,
    pub observed_generation: u64,
    /// Why it makes no progress: `ProgressDeadlineExceeded`.
    pub stuck: Option<String>,
    pub gone: bool,
}

/// A `PodDisruptionBudget`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BudgetSeen {
    /// `shop/web`
    pub budget: String,
    /// Workloads whose pods it covers.
    pub workloads: Vec<String>,
    /// Pods that must stay healthy.
    pub wanted: u32,
    pub healthy: u32,
    /// Evictions that it would allow now.
    pub allowed: u32,
    pub gone: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeaseSeen {
    /// `kube-system/kube-scheduler`
    pub lease: String,
    /// Empty: nobody.
    pub holder: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventSeen {
    /// `pod shop/web-1`, `node n1`.
    pub about: String,
    /// `FailedScheduling`, `TaintManagerEviction`.
    pub reason: String,
    pub message: String,
    /// Who says so: `default-scheduler`.
    pub by: String,
    pub warning: bool,
    /// The server's time of its last occurrence.
    pub at: Option<String>,
}

impl WorkloadSeen {
    /// Is its newest template rolled out, with every pod available?
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.observed_generation >= self.generation
            && self.updated == self.desired
            && self.replicas == self.desired
            && self.available == self.desired
    }
}

impl PodSeen {
    /// Does it count as one of its workload's ready pods?
    #[must_use]
    pub fn serves(&self) -> bool {
        self.ready && !self.is_lost()
    }

    /// It is going or gone, and does not come back under this UID.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.deleting || self.gone || matches!(self.phase.as_str(), "Failed" | "Succeeded")
    }
}
