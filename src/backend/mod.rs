//! Where targets live: in a lab, in clusters, or in both. A drill knows only this trait.

pub mod kubernetes;
pub mod lab;
pub mod system;

use std::collections::BTreeMap;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::host::HostError;
use crate::host::linux::part::Part;
use crate::host::part::PartSpec;
use crate::model::cluster::ClusterAccess;
use crate::model::history::Entry;
use crate::model::identity::{LabIdentity, NetnsIdentity};
use crate::model::inventory::{Host, InstanceName, Target};
use crate::model::message::RoleWatch;

pub use lab::LabBackend;
pub use system::System;

/// What happened where the targets live.
#[derive(Debug, Clone, PartialEq)]
pub enum Happened {
    /// Goes into the history.
    Seen { at_ns: u64, entry: Box<Entry> },
    /// The place itself is gone, and everything in it.
    Lost { why: String },
}

/// What is there at one moment.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Everything that can be hit, by instance.
    pub targets: BTreeMap<String, Target>,
    /// Who fits the selector of a target now, by the target's name; of targets in clusters only.
    pub selected: BTreeMap<String, Vec<InstanceName>>,
}

/// Where targets live, standing and ready.
pub trait Backend {
    /// None: the targets are on this machine itself.
    fn lab(&self) -> Option<LabIdentity>;

    /// Every host with its namespace, the prober's own first where there is one.
    fn hosts(&self) -> Vec<(Host, NetnsIdentity)>;

    /// The namespace that probes look from; None: the one they are born in.
    fn client(&self) -> Option<NetnsIdentity>;

    /// Every cluster that targets are in, as the parts reach it.
    fn clusters(&self) -> Vec<ClusterAccess>;

    /// Everything that is there now.
    fn look(&mut self) -> impl Future<Output = Result<Seen, HostError>>;

    /// Whose role can be asked, and how.
    fn watches(&self) -> Vec<RoleWatch>;

    /// Starts a part where the targets live. Call it from the main thread.
    fn spawn(&self, part: PartSpec) -> Result<Part, HostError>;

    /// What happens from now on. Can be taken once.
    fn events(&mut self) -> UnboundedReceiver<Happened>;
}
