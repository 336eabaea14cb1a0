//! What the caller found out before it asked. A value: rules look nothing up.
//!
//! Every fact is an `Option`, and None is "nobody looked": a rule that needs it refuses.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::inventory::InstanceName;

/// The world at the moment of asking.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    pub now: Option<Timestamp>,
    /// Who starts the drill: a login name, or the identity of a pipeline.
    pub runner: Option<String>,
    /// Did squall itself start everything that may be hit?
    pub is_lab: Option<bool>,
    /// What the owners of the targets have set; empty for a lab.
    pub markers: Option<Vec<Marker>>,
    pub approvals: Option<Vec<ApprovalRecord>>,
    /// Drills under way that this one could meet.
    pub running: Option<Vec<Running>>,
    /// The network namespaces, or the lab, that this drill would touch, by name.
    pub places: Option<BTreeSet<String>>,
    /// Healthy instances now, by service.
    pub healthy: Option<BTreeMap<String, usize>>,
    /// Instances whose owner has agreed to be hit.
    pub opted_in: Option<BTreeSet<InstanceName>>,
}

/// The environment that an owner declares: the namespace label `squall.dev/environment`, or the
/// file `/etc/squall/environment` of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// `host r1`, `namespace shop`.
    pub owner: String,
    /// None: the owner has set none.
    pub environment: Option<String>,
}

/// A drill under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    pub drill: String,
    /// What it touches, named as in [`Facts::places`].
    pub places: BTreeSet<String>,
}

/// A person's consent to an intent, as kept in a file: `{by, intentDigest, at, until}`. What makes
/// it trustworthy is where the file comes from, a reviewed repository or the daemon's store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApprovalRecord {
    /// Who approves; not the one who runs.
    pub by: String,
    /// The `intent` line of `squall plan`.
    pub intent_digest: String,
    /// When, RFC 3339.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// It counts for nothing from then on, RFC 3339.
    #[schemars(with = "String")]
    pub until: Timestamp,
    /// Why, for whoever reads it later.
    #[serde(default)]
    pub note: Option<String>,
}
