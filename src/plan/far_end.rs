//! Whom a network fault keeps one instance from, as hosts and blocks of addresses.
//!
//! Invariant: an empty list of blocks means everyone, so a far end that was named and came out
//! empty is an error and never a list.

use std::net::IpAddr;

use crate::model::experiment::Peers;
use crate::model::inventory::{Host, InstanceName};
use crate::model::network::Cidr;
use crate::model::plan::Plan;

use super::error::PlanError;
use super::ground::Ground;

/// The far end of one injection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FarEnd {
    /// Empty: everyone.
    pub blocks: Vec<Cidr>,
    /// Hosts of the lab among them, the subject's own left out: canaries fly from there.
    pub hosts: Vec<Host>,
}

/// The far end when step `step` of the experiment's method hits `subject`; None where the fault
/// has no far end.
pub fn far_end(
    plan: &Plan,
    step: usize,
    subject: &InstanceName,
) -> Result<Option<FarEnd>, PlanError> {
    let Some(declared) = plan.experiment.method.get(step) else {
        return Err(PlanError::NoSubject { step });
    };
    Ground::of(plan).far_end(step, &declared.facts.peers, subject)
}

impl Ground<'_> {
    pub(super) fn far_end(
        &self,
        step: usize,
        peers: &Peers,
        subject: &InstanceName,
    ) -> Result<Option<FarEnd>, PlanError> {
        let own = self.candidate(subject).map(|c| &c.host.name);
        let other = |host: &&Host| Some(&host.name) != own;
        let (targets, blocks) = match peers {
            Peers::None => return Ok(None),
            Peers::Everyone => {
                let hosts = self.hosts().iter().filter(other).cloned().collect();
                return Ok(Some(FarEnd { blocks: Vec::new(), hosts }));
            }
            Peers::Some { targets, blocks } => (targets, blocks),
        };
        let mut names: Vec<&str> = Vec::new();
        for peer in targets {
            match self.targets.get(peer) {
                Some(target) => names.extend(self.hosts_of(&target.candidates)),
                None if self.hosts().iter().any(|h| &h.name == peer) => names.push(peer),
                None => return Err(PlanError::UnknownPeer { step, peer: peer.clone() }),
            }
        }
        let within = |h: &Host| blocks.iter().any(|b| covers(b, h.ipv4) || covers(b, h.ipv6));
        let meant = |h: &&Host| names.contains(&h.name.as_str()) || within(h);
        let hosts: Vec<Host> = self.hosts().iter().filter(other).filter(meant).cloned().collect();
        let mut all = blocks.clone();
        for host in hosts.iter().filter(|h| names.contains(&h.name.as_str())) {
            all.extend([Cidr::host(host.ipv4), Cidr::host(host.ipv6)]);
        }
        all.sort();
        all.dedup();
        if all.is_empty() {
            return Err(PlanError::NoFarEnd { step, subject: subject.clone() });
        }
        Ok(Some(FarEnd { blocks: all, hosts }))
    }

    fn hosts_of(&self, instances: &[InstanceName]) -> Vec<&str> {
        let named = instances.iter().filter_map(|name| self.candidate(name));
        named.map(|c| c.host.name.as_str()).collect()
    }
}

/// Does the block hold that address?
fn covers(block: &Cidr, address: IpAddr) -> bool {
    match (block.address, address) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            same(u128::from(a.to_bits()), u128::from(b.to_bits()), 32 - block.prefix.min(32))
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            same(a.to_bits(), b.to_bits(), 128 - block.prefix.min(128))
        }
        _ => false,
    }
}

/// Are the two alike when the last `free` bits do not count?
fn same(a: u128, b: u128, free: u8) -> bool {
    (a ^ b).checked_shr(u32::from(free)).unwrap_or(0) == 0
}
