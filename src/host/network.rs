//! What can be asked of a network namespace: to drop, delay or lose packets for one injection, to
//! stop that, to say what of ours is in it, and to let a canary fly.
//!
//! All network faults of one drill in one namespace share one *carrier*: one netlink socket that
//! owns one table per family with all base chains and one queue, made before the first fault and
//! removed after the last. An injection is only rules and set elements, tagged with its id, and one
//! stage in the engine, in the fixed order partition, loss, delay.

use std::net::IpAddr;
use std::time::Duration;

use super::HostError;
use crate::model::id::{DrillId, InjectionId};
use crate::model::identity::NetnsIdentity;
use crate::model::network::{Impairment, Protocol};

/// When something took hold: somewhere between the two, nanoseconds of `CLOCK_MONOTONIC`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Took {
    /// Just before the call.
    pub began_ns: u64,
    /// Just after it: from here on, for certain.
    pub effective_ns: u64,
}

/// Packets sent through a fault to see what it does. They belong to nobody: IP protocol 253
/// (RFC 3692), or for a port a TCP RST of no connection, or a UDP datagram with a wrong checksum;
/// no program on either end ever sees them.
#[derive(Debug, Clone, PartialEq)]
pub struct Canary {
    pub from: NetnsIdentity,
    pub from_address: IpAddr,
    pub to: NetnsIdentity,
    pub to_address: IpAddr,
    /// None: IP protocol 253.
    pub port: Option<(Protocol, u16)>,
    pub count: u32,
    /// Between one and the next.
    pub spacing: Duration,
    /// How long to wait for the last one.
    pub patience: Duration,
}

/// What became of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CanaryReport {
    pub sent: u32,
    /// One-way delay of each that arrived, nanoseconds, in the order sent.
    pub delays_ns: Vec<u64>,
}

/// What was found before a fault.
#[derive(Debug)]
pub struct Survey {
    /// As [`Network::in_the_way`] says it.
    pub in_the_way: Result<Vec<String>, HostError>,
    /// As [`Network::canaries`] says it.
    pub flown: Vec<Result<CanaryReport, HostError>>,
}

/// One carrier per namespace and drill stands behind this.
pub trait Network {
    /// Fixes which namespace that file names now. Errors: `Gone`.
    fn identify_netns(&self, path: &str) -> Result<NetnsIdentity, HostError>;

    /// Puts an impairment in force. `deadline` goes into the kernel: without us it ends by then.
    /// Errors: `Gone` when the namespace was replaced, `Denied`, `Lacking`.
    fn impair(
        &mut self,
        ns: &NetnsIdentity,
        impairment: &Impairment,
        deadline: Duration,
    ) -> Result<Took, HostError>;

    /// Ends one impairment and disturbs no other; the carrier goes with the last. Ending what is
    /// not there is no error.
    fn relieve(&mut self, ns: &NetnsIdentity, id: &InjectionId) -> Result<Took, HostError>;

    /// From here on [`Network::relieve`] only notes what is to end, until
    /// [`Network::relieve_gathered`] ends it all, with as few requests to the kernel as it takes.
    /// Where nothing can be gathered each ends at once.
    fn gather(&mut self) {}

    /// Ends what was gathered. After an error some of it may still be in force.
    fn relieve_gathered(&mut self) -> Result<(), HostError> {
        Ok(())
    }

    /// Everything in the namespace whose name says that it is a squall's: `table ip squall_d1`,
    /// `set ip squall_d1 i3`. Read through a fresh socket, not from our own records. With a drill:
    /// only that drill's.
    fn ours(&self, ns: &NetnsIdentity, drill: Option<&DrillId>) -> Result<Vec<String>, HostError>;

    /// What of other people's stands where a carrier would: nothing is injected on top of it.
    fn in_the_way(&self, ns: &NetnsIdentity) -> Result<Vec<String>, HostError>;

    /// Namespaces whose rules somebody else changed since the last call, with what was seen.
    fn disturbed(&mut self) -> Result<Vec<(NetnsIdentity, String)>, HostError>;

    /// Sends canaries and counts those that arrive.
    fn canary(&self, canary: &Canary) -> Result<CanaryReport, HostError>;

    /// The same for several, in their order; they may fly at the same time.
    fn canaries(&self, canaries: &[Canary]) -> Vec<Result<CanaryReport, HostError>> {
        canaries.iter().map(|canary| self.canary(canary)).collect()
    }

    /// Both questions that come before a fault, where possible at the same time: what is in the way
    /// in that namespace, and what becomes of these canaries.
    fn survey(&self, ns: &NetnsIdentity, canaries: &[Canary]) -> Survey {
        Survey { in_the_way: self.in_the_way(ns), flown: self.canaries(canaries) }
    }
}
