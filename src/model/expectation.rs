//! What the mechanism under test should do, and by when, worked out from its own timers before
//! anything is broken.

use serde::{Deserialize, Serialize};

use super::units::Span;

/// What a fault does to what a cluster looks after, for those who know no kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Impact {
    /// Nothing that a cluster counts seconds of.
    #[default]
    Uncounted,
    /// Nothing passes between a host and its far end.
    Silences,
    /// A process does no work while the fault is held.
    Freezes,
    /// A process ends.
    Stops,
    /// Pods are told to end. None: each within its own grace period.
    Ends { grace: Option<Span>, forced: bool },
    /// The pods of a workload are replaced, a few at a time.
    Rolls,
}

/// What happens, in the order in which it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Milestone {
    NodeNotReady,
    EndpointDropped,
    PodEvicted,
    PodGone,
    RolloutComplete,
}

/// By when something should happen, counted from the moment at which its step took effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expectation {
    /// Index into the experiment's method.
    pub step: usize,
    pub milestone: Milestone,
    /// To whom: `node n1`, `deployment shop/web`.
    pub subjects: Vec<String>,
    pub earliest: Span,
    /// None: it may take for ever.
    pub latest: Option<Span>,
    /// The timers that make it so: `lease 4s renewed every 1s, grace 8s`.
    pub because: String,
    /// Timers that could not be read: what Kubernetes has where nothing is told was taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<String>,
}

impl Impact {
    #[must_use]
    pub fn is_uncounted(&self) -> bool {
        *self == Impact::Uncounted
    }
}

impl Milestone {
    /// `NotReady`, as one would say `expect NotReady after 7s`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Milestone::NodeNotReady => "NotReady",
            Milestone::EndpointDropped => "endpoints dropped",
            Milestone::PodEvicted => "eviction",
            Milestone::PodGone => "pod gone",
            Milestone::RolloutComplete => "rollout complete",
        }
    }
}

impl Expectation {
    /// `7s-10s`, `at least 7s`.
    #[must_use]
    pub fn range(&self) -> String {
        match self.latest {
            None => format!("at least {}", self.earliest),
            Some(latest) if latest == self.earliest => latest.to_string(),
            Some(latest) if self.earliest == Span::ZERO => format!("at most {latest}"),
            Some(latest) => format!("{}-{latest}", self.earliest),
        }
    }
}
