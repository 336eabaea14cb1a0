//! The system under test: a lab, clusters, or a lab and the cluster in it.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::kubernetes::{ClusterSite, Watching};
use super::{Backend, Happened, LabBackend, Seen};
use crate::host::HostError;
use crate::host::linux::part::{self, Part};
use crate::host::part::PartSpec;
use crate::lab::{Lab, LabError};
use crate::model::cluster::ClusterAccess;
use crate::model::identity::{LabIdentity, NetnsIdentity};
use crate::model::inventory::Host;
use crate::model::message::RoleWatch;

/// Without a lab its parts live on this machine, and touch nothing of it.
pub struct System {
    lab: Option<LabBackend>,
    clusters: Vec<ClusterSite>,
    /// Told since somebody took the events.
    watching: Vec<Watching>,
}

impl System {
    #[must_use]
    pub fn new(lab: Option<LabBackend>, clusters: Vec<ClusterSite>) -> System {
        System { lab, clusters, watching: Vec::new() }
    }

    /// Removes the lab, or lets it go if we only attached to it. Every part in it must have ended.
    pub async fn down(self) -> Result<(), LabError> {
        match self.lab {
            Some(lab) => lab.down().await,
            None => Ok(()),
        }
    }

    /// Hands the lab back as it is, for another drill. Every part in it must have ended.
    pub async fn release(self) -> Option<Lab> {
        self.lab?.release().await
    }
}

impl Backend for System {
    fn lab(&self) -> Option<LabIdentity> {
        self.lab.as_ref().map(|lab| lab.identity().clone())
    }

    fn hosts(&self) -> Vec<(Host, NetnsIdentity)> {
        self.lab.as_ref().map(LabBackend::hosts).unwrap_or_default()
    }

    fn client(&self) -> Option<NetnsIdentity> {
        self.lab.as_ref().and_then(LabBackend::client)
    }

    fn clusters(&self) -> Vec<ClusterAccess> {
        self.clusters.iter().map(|site| site.access().clone()).collect()
    }

    async fn look(&mut self) -> Result<Seen, HostError> {
        let mut seen = Seen::default();
        if let Some(lab) = &mut self.lab {
            seen.targets = lab.targets().await?;
        }
        for site in &self.clusters {
            site.look(&mut seen).await?;
        }
        Ok(seen)
    }

    fn watches(&self) -> Vec<RoleWatch> {
        self.lab.as_ref().map(LabBackend::watches).unwrap_or_default()
    }

    fn spawn(&self, part: PartSpec) -> Result<Part, HostError> {
        match &self.lab {
            Some(lab) => lab.spawn(part),
            None => part::spawn(part),
        }
    }

    fn events(&mut self) -> UnboundedReceiver<Happened> {
        let lab = self.lab.as_mut().map(LabBackend::events);
        let (out, events) = unbounded_channel();
        match lab {
            Some(lab) if self.clusters.is_empty() => return lab,
            Some(lab) => drop(tokio::spawn(pass_on(lab, out.clone()))),
            None => {}
        }
        self.watching = self.clusters.iter().map(|site| site.watch(out.clone())).collect();
        events
    }
}

async fn pass_on(mut from: UnboundedReceiver<Happened>, to: UnboundedSender<Happened>) {
    while let Some(happened) = from.recv().await {
        if to.send(happened).is_err() {
            return;
        }
    }
}
