//! Targets in a lab, raised by us or attached to. A task owns the lab: it answers who runs, and
//! passes on what happens.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use super::Happened;
use crate::host::HostError;
use crate::host::linux::part::{self, Part};
use crate::host::part::{Entry as Door, PartSpec};
use crate::lab::{Lab, LabError, LabEvent};
use crate::model::history::Entry;
use crate::model::identity::{LabIdentity, NetnsIdentity};
use crate::model::inventory::{Host, Target};
use crate::model::lab::{Check, LabSpec};
use crate::model::layout::CLIENT;
use crate::model::message::RoleWatch;

/// How long a lab may take to say who runs: one that stands still has to be removed all the same.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

pub struct LabBackend {
    identity: LabIdentity,
    door: Door,
    hosts: Vec<(Host, NetnsIdentity)>,
    watches: Vec<RoleWatch>,
    orders: UnboundedSender<Order>,
    events: Option<UnboundedReceiver<Happened>>,
}

enum Order {
    Targets(oneshot::Sender<Result<Vec<Target>, LabError>>),
    Down(oneshot::Sender<Result<(), LabError>>),
    Release(oneshot::Sender<Box<Lab>>),
}

impl LabBackend {
    /// Takes a lab that is up.
    #[must_use]
    pub fn new(lab: Lab, spec: &LabSpec) -> LabBackend {
        let (orders, inbox) = unbounded_channel();
        let (sender, events) = unbounded_channel();
        let backend = LabBackend {
            identity: lab.identity().clone(),
            door: lab.entry(),
            hosts: lab.hosts().to_vec(),
            watches: watches(&lab, spec),
            orders,
            events: Some(events),
        };
        tokio::spawn(keep(lab, inbox, sender));
        backend
    }

    /// Removes the lab, or lets it go if we only attached to it. Every part in it must have ended.
    pub async fn down(self) -> Result<(), LabError> {
        let (answer, gone) = oneshot::channel();
        if self.orders.send(Order::Down(answer)).is_err() {
            return Ok(());
        }
        gone.await.unwrap_or(Ok(()))
    }

    /// Hands the lab back as it is, for another drill. None: it is gone.
    pub async fn release(self) -> Option<Lab> {
        let (answer, lab) = oneshot::channel();
        self.orders.send(Order::Release(answer)).ok()?;
        lab.await.ok().map(|lab| *lab)
    }
}

impl LabBackend {
    #[must_use]
    pub fn identity(&self) -> &LabIdentity {
        &self.identity
    }

    #[must_use]
    pub fn hosts(&self) -> Vec<(Host, NetnsIdentity)> {
        self.hosts.clone()
    }

    #[must_use]
    pub fn client(&self) -> Option<NetnsIdentity> {
        self.hosts.iter().find(|(host, _)| host.name == CLIENT).map(|(_, ns)| ns.clone())
    }

    /// Everything that runs now, by instance.
    pub async fn targets(&mut self) -> Result<BTreeMap<String, Target>, HostError> {
        let failed =
            |why: String| HostError::io("ask the lab who runs", std::io::Error::other(why));
        let (answer, targets) = oneshot::channel();
        let gone = || failed("it is gone".to_owned());
        self.orders.send(Order::Targets(answer)).map_err(|_| gone())?;
        let targets = targets.await.map_err(|_| gone())?.map_err(|e| failed(e.to_string()))?;
        Ok(targets.into_iter().map(|t| (t.name.0.clone(), t)).collect())
    }

    #[must_use]
    pub fn watches(&self) -> Vec<RoleWatch> {
        self.watches.clone()
    }

    /// Starts a part in the lab.
    pub fn spawn(&self, part: PartSpec) -> Result<Part, HostError> {
        part::spawn(PartSpec { enter: Some(self.door.clone()), ..part })
    }

    pub fn events(&mut self) -> UnboundedReceiver<Happened> {
        self.events.take().unwrap_or_else(|| unbounded_channel().1)
    }
}

async fn keep(
    mut lab: Lab,
    mut orders: UnboundedReceiver<Order>,
    events: UnboundedSender<Happened>,
) {
    let mut over = false;
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Targets(answer)) => {
                    let name = &lab.identity().name;
                    let silent = LabError::Silent { name: name.clone(), within: ANSWERS_WITHIN };
                    let told = tokio::time::timeout(ANSWERS_WITHIN, lab.targets()).await;
                    let _unasked = answer.send(told.unwrap_or(Err(silent)));
                }
                Some(Order::Down(answer)) => {
                    let _unasked = answer.send(lab.down().await);
                    return;
                }
                Some(Order::Release(answer)) => {
                    // Who no longer waits for it has dropped it: a lab of ours goes with that.
                    let _dropped = answer.send(Box::new(lab));
                    return;
                }
                None => return,
            },
            event = lab.next_event(), if !over => if let Some(happened) = event.and_then(happened) {
                over = matches!(happened, Happened::Lost { .. });
                // Nobody listens before the drill begins and after it ended.
                let _unheard = events.send(happened);
            },
        }
    }
}

/// What belongs into a history.
fn happened(event: LabEvent) -> Option<Happened> {
    let seen = |at_ns, entry| Some(Happened::Seen { at_ns, entry: Box::new(entry) });
    match event {
        LabEvent::Started { at_ns, instance, .. } => {
            seen(at_ns, Entry::ProcessSeen { instance, running: true })
        }
        LabEvent::Ended { at_ns, instance, .. } => {
            seen(at_ns, Entry::ProcessSeen { instance, running: false })
        }
        LabEvent::Failing { at_ns, instance, why } => {
            seen(at_ns, Entry::Note(format!("{instance}: {why}")))
        }
        LabEvent::Died { why, .. } => Some(Happened::Lost { why }),
        LabEvent::Wired { .. } | LabEvent::Ready { .. } | LabEvent::Prepared { .. } => None,
    }
}

/// Every instance of a service that tells its role, asked at its own address.
fn watches(lab: &Lab, spec: &LabSpec) -> Vec<RoleWatch> {
    let watch = |candidate: &crate::model::inventory::Candidate| {
        let reader = spec.services.get(&candidate.service)?.role.clone()?;
        let asked = match &reader.ask {
            Check::Tcp(tcp) => tcp.port,
            Check::Http(http) => http.port,
        };
        let (_, netns) = lab.hosts().iter().find(|(h, _)| h.name == candidate.host.name)?;
        Some(RoleWatch {
            instance: candidate.name.clone(),
            address: candidate.host.ipv4,
            port: asked.or(candidate.port)?,
            netns: netns.clone(),
            reader,
        })
    };
    lab.layout().candidates.iter().filter_map(watch).collect()
}
