//! How a cluster that stands in a lab is spoken to.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The two roads to a lab's API server. Both kubeconfigs hold an administrator's key, so neither is
/// ever shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabCluster {
    /// For whoever is on this machine: by a port of its loopback. Everything is embedded, and the
    /// context has the lab's name.
    pub kubeconfig_outside: String,
    /// For parts that are born in the lab: by the control plane's own address.
    pub kubeconfig_inside: String,
    /// The zone of each node that has one.
    pub zones: BTreeMap<String, String>,
}

impl fmt::Debug for LabCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LabCluster").field("zones", &self.zones).finish_non_exhaustive()
    }
}
