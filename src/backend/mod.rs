//! Where targets live. One backend so far: a lab. A drill knows only this trait.

pub mod lab;

use std::collections::BTreeMap;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::host::HostError;
use crate::host::linux::part::Part;
use crate::host::part::PartSpec;
use crate::model::history::Entry;
use crate::model::identity::{LabIdentity, NetnsIdentity};
use crate::model::inventory::{Host, Target};
use crate::model::message::RoleWatch;

pub use lab::LabBackend;

/// What happened where the targets live.
#[derive(Debug, Clone, PartialEq)]
pub enum Happened {
    /// Goes into the history.
    Seen { at_ns: u64, entry: Box<Entry> },
    /// The place itself is gone, and everything in it.
    Lost { why: String },
}

/// Where targets live, standing and ready.
pub trait Backend {
    /// None: the targets are on this machine itself.
    fn lab(&self) -> Option<LabIdentity>;

    /// Every host with its namespace, the prober's own first where there is one.
    fn hosts(&self) -> Vec<(Host, NetnsIdentity)>;

    /// The namespace that probes look from; None: the one they are born in.
    fn client(&self) -> Option<NetnsIdentity>;

    /// Everything that runs now, by instance.
    fn targets(&mut self) -> impl Future<Output = Result<BTreeMap<String, Target>, HostError>>;

    /// Whose role can be asked, and how.
    fn watches(&self) -> Vec<RoleWatch>;

    /// Starts a part where the targets live. Call it from the main thread.
    fn spawn(&self, part: PartSpec) -> Result<Part, HostError>;

    /// What happens from now on. Can be taken once.
    fn events(&mut self) -> UnboundedReceiver<Happened>;
}
