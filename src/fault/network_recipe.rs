//! What every network fault shares: how its parameters name far ends, and its recipe. Not an entry
//! of the catalogue.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::FaultError;
use crate::host::network::{Canary, Survey, Took};
use crate::host::{Host, HostError};
use crate::model::binding::{Order, PeerHost};
use crate::model::experiment::Peers;
use crate::model::id::InjectionId;
use crate::model::identity::NetnsIdentity;
use crate::model::inventory::Target;
use crate::model::network::{Cidr, Direction, Effect, Impairment, PacketFilter, Protocol};

/// Far ends that canaries fly to and from; more would only take longer.
const HOSTS: usize = 3;
/// How long a canary may take before the fault is there.
const CLEAR_WITHIN: Duration = Duration::from_millis(50);
/// The port of a canary of a protocol whose every port is meant: `discard`.
const ANY_PORT: u16 = 9;

/// Enough to undo a network fault, and to see that it is undone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Undo {
    pub injection: InjectionId,
    /// The target's namespace, in which all of it is.
    pub netns: NetnsIdentity,
    pub impairment: Impairment,
    /// Where canaries fly.
    pub paths: Vec<Path>,
}

/// One way between the target and a far end, in the fault's own direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Path {
    /// The far end's name.
    pub peer: String,
    pub peer_netns: NetnsIdentity,
    pub peer_address: IpAddr,
    pub target_address: IpAddr,
    /// To the target, or from it.
    pub arriving: bool,
    /// A canary arrived here before the fault; where none does, a lost one proves nothing.
    pub clear: bool,
}

impl Path {
    /// A flight along this path of packets that the impairment is about.
    pub fn canary(&self, undo: &Undo, count: u32, patience: Duration) -> Canary {
        let filter = &undo.impairment.filter;
        let port = filter.ports.first().copied().unwrap_or(ANY_PORT);
        let near = (undo.netns.clone(), self.target_address);
        let far = (self.peer_netns.clone(), self.peer_address);
        let (from, to) = if self.arriving { (far, near) } else { (near, far) };
        Canary {
            from: from.0,
            from_address: from.1,
            to: to.0,
            to_address: to.1,
            port: filter.protocol.map(|protocol| (protocol, port)),
            count,
            spacing: Duration::from_micros(100),
            patience,
        }
    }

    /// `from r2 (10.66.0.3)`.
    pub fn words(&self) -> String {
        let way = if self.arriving { "from" } else { "to" };
        format!("{way} {} ({})", self.peer, self.peer_address)
    }
}

/// Which packets, as the parameters say it.
#[derive(Debug, Clone)]
pub struct Packets<'a> {
    pub direction: Direction,
    pub protocol: Option<Protocol>,
    pub ports: &'a [u16],
    /// Does the step name far ends? Then there must be some.
    pub peers: Peers,
}

impl<'a> Packets<'a> {
    /// What arrives at the target from these, or from everyone.
    pub fn arriving(
        from: Option<&[String]>,
        protocol: Option<Protocol>,
        ports: &'a [u16],
    ) -> Packets<'a> {
        Packets { direction: Direction::In, protocol, ports, peers: peers_of(from) }
    }

    /// ` from replicas and 10.0.0.0/8, tcp port 6379`, for a summary.
    pub fn in_words(&self) -> String {
        let mut words = match &self.peers {
            Peers::None => String::new(),
            Peers::Everyone => " from everyone".to_owned(),
            Peers::Some { targets, blocks } => {
                let blocks = blocks.iter().map(ToString::to_string);
                let names: Vec<String> = targets.iter().cloned().chain(blocks).collect();
                format!(" from {}", names.join(" and "))
            }
        };
        if let Some(protocol) = self.protocol {
            words.push_str(if protocol == Protocol::Tcp { ", tcp" } else { ", udp" });
        }
        if !self.ports.is_empty() {
            let ports: Vec<String> = self.ports.iter().map(ToString::to_string).collect();
            words += " port ";
            words += &ports.join(", ");
        }
        words
    }
}

/// Looks whether the fault can be put in force, and where canaries can fly. Changes nothing.
pub fn arm(
    host: &mut dyn Host,
    order: &Order,
    packets: &Packets<'_>,
    effect: Effect,
) -> Result<Undo, FaultError> {
    let netns = entered(order)?.clone();
    let filter = PacketFilter {
        peers: far_ends(order, &packets.peers)?,
        protocol: packets.protocol,
        ports: packets.ports.to_vec(),
    };
    let paths = paths(order, &netns, packets.direction, &filter);
    let injection = order.injection.clone();
    let impairment =
        Impairment { id: injection.clone(), direction: packets.direction, filter, effect };
    let mut undo = Undo { injection, netns, impairment, paths };
    let flights: Vec<Canary> =
        undo.paths.iter().map(|path| path.canary(&undo, 1, CLEAR_WITHIN)).collect();
    let Survey { in_the_way, flown } = host.survey(&undo.netns, &flights);
    let in_the_way = in_the_way?;
    if !in_the_way.is_empty() {
        let what = in_the_way.join("; ");
        return Err(FaultError::Foreign(format!("in the way in {}: {what}", undo.netns.path)));
    }
    for (path, flown) in undo.paths.iter_mut().zip(flown) {
        // A far end that cannot be entered is no obstacle to the fault, only to seeing it.
        path.clear = flown.is_ok_and(|report| !report.delays_ns.is_empty());
    }
    Ok(undo)
}

pub fn inject(host: &mut dyn Host, order: &Order, undo: &Undo) -> Result<Took, FaultError> {
    Ok(host.impair(&undo.netns, &undo.impairment, order.deadline.0)?)
}

/// Takes out what this injection put in. Where its process died, the kernel did so already.
pub fn revert(host: &mut dyn Host, _target: &Target, undo: &Undo) -> Result<(), FaultError> {
    match host.relieve(&undo.netns, &undo.injection) {
        Ok(_) => Ok(()),
        Err(HostError::Gone(what)) => Err(FaultError::Void(format!("{what} is gone"))),
        Err(other) => Err(other.into()),
    }
}

/// Far ends as written: blocks of addresses, and names of targets. None: everyone.
pub fn peers_of(from: Option<&[String]>) -> Peers {
    let Some(from) = from else { return Peers::Everyone };
    let (mut targets, mut blocks) = (Vec::new(), Vec::new());
    for text in from {
        match text.parse::<Cidr>() {
            Ok(block) => blocks.push(block),
            Err(_) => targets.push(text.clone()),
        }
    }
    Peers::Some { targets, blocks }
}

/// What is wrong with far ends, protocol and ports.
pub fn faults_of(
    from: Option<&[String]>,
    protocol: Option<Protocol>,
    ports: &[u16],
) -> Vec<String> {
    let mut faults = Vec::new();
    if from.is_some_and(<[String]>::is_empty) {
        faults.push("`from` is empty; leave it out to mean everyone".to_owned());
    }
    for text in from.unwrap_or_default() {
        if text.contains('/') && text.parse::<Cidr>().is_err() {
            faults.push(format!("`{text}` is not a block of addresses like 10.0.0.0/8"));
        }
    }
    if !ports.is_empty() && protocol.is_none() {
        faults.push("`ports` without `protocol`; add `protocol: tcp` or `udp`".to_owned());
    }
    if ports.contains(&0) {
        faults.push("there is no port 0".to_owned());
    }
    faults
}

/// The blocks to act on. An empty list would mean everyone, so it never comes of naming somebody.
fn far_ends(order: &Order, peers: &Peers) -> Result<Vec<Cidr>, FaultError> {
    let named = &order.peers.blocks;
    if !matches!(peers, Peers::Some { .. }) {
        return Ok(named.clone());
    }
    let host = &order.target.host;
    let own = [Cidr::host(host.ipv4), Cidr::host(host.ipv6)];
    let others: Vec<Cidr> = named.iter().filter(|block| !own.contains(block)).copied().collect();
    if others.is_empty() {
        let name = &order.target.name;
        return Err(FaultError::Foreign(format!(
            "no far end is left for {name}: none was found, or all are on its own host {}",
            host.name
        )));
    }
    Ok(others)
}

/// The namespace that the fault is put in force in.
fn entered(order: &Order) -> Result<&NetnsIdentity, FaultError> {
    order.target.netns.as_ref().ok_or_else(|| {
        FaultError::Foreign(format!(
            "{} has no network namespace of its own here",
            order.target.name
        ))
    })
}

/// Both families to the first far end, IPv4 to the others.
fn paths(
    order: &Order,
    netns: &NetnsIdentity,
    direction: Direction,
    filter: &PacketFilter,
) -> Vec<Path> {
    let target = &order.target;
    let elsewhere = |peer: &&PeerHost| peer.netns.cookie != netns.cookie;
    let mut paths = Vec::new();
    for (index, peer) in order.peers.hosts.iter().filter(elsewhere).take(HOSTS).enumerate() {
        let pairs = [(peer.host.ipv4, target.host.ipv4), (peer.host.ipv6, target.host.ipv6)];
        for (peer_address, target_address) in pairs.into_iter().take(if index == 0 { 2 } else { 1 })
        {
            if !filter.peers.is_empty() && !filter.peers.iter().any(|b| b.contains(peer_address)) {
                continue;
            }
            for arriving in [true, false] {
                let skipped = if arriving { Direction::Out } else { Direction::In };
                if direction != skipped {
                    paths.push(Path {
                        peer: peer.host.name.clone(),
                        peer_netns: peer.netns.clone(),
                        peer_address,
                        target_address,
                        arriving,
                        clear: false,
                    });
                }
            }
        }
    }
    paths
}
