//! One impairment as rules and sets: everything is tagged with the injection, and every rule first
//! asks the injection's *gate*, a set whose only element dies in the kernel at the hard deadline.
//!
//! For injection 3 in family `ip`: set `i3` (the gate), `i3_peers`, `i3_ports`, and one rule, or
//! two where a port may be the source's or the destination's.

use std::ffi::{CStr, CString};
use std::time::Duration;

use netlink_bindings::nftables::{Request, SetElemFlags, SetFlags};

use super::batch::Batch;
use super::blocks::{Interval, intervals};
use super::expression::{End, Expressions, GATE_KEY};
use super::tables::{ETHERNET_IP, ETHERNET_IP6, FAULTS, IP, IP6, NETDEV, header, rule};
use crate::model::id::InjectionId;
use crate::model::network::{Cidr, Direction, Effect, Impairment, PacketFilter, Protocol};

/// Types of keys as the nft program names them when it lists: it reads nothing else from them.
const TYPE_INTEGER: u32 = 4;
const TYPE_IPV4: u32 = 7;
const TYPE_IPV6: u32 = 8;
const TYPE_SERVICE: u32 = 13;

/// What an impairment put into one family's table, so that it can be taken out again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Placed {
    /// Family and name.
    pub sets: Vec<(u8, CString)>,
    /// Family, and place of the rule in the batch that made it.
    pub rules: Vec<(u8, usize)>,
}

/// What a matched packet meets.
#[derive(Debug, Clone, Copy)]
pub(super) enum Action {
    Drop,
    /// One bit of the packet's mark: the engine's stage.
    Mark(u32),
}

/// Everything needed to write the rules of one impairment.
pub(super) struct Writing<'a> {
    pub table: &'a CStr,
    pub impairment: &'a Impairment,
    pub action: Action,
    pub deadline: Duration,
    /// Are there devices that packets can leave by?
    pub leaves: bool,
}

/// One way through one table, which becomes one rule or two.
struct Way {
    family: u8,
    ipv6: bool,
    end: End,
}

impl Writing<'_> {
    /// Adds sets, elements and rules to the batch.
    pub fn write(&self, batch: &mut Batch) -> Placed {
        let mut placed = Placed::default();
        let ways = self.ways();
        let mut gated = Vec::new();
        for way in &ways {
            if !gated.contains(&way.family) {
                gated.push(way.family);
                self.gate(batch, way.family, &mut placed);
                self.ports(batch, way.family, &mut placed);
            }
            let peers = self.peers(batch, way, &mut placed);
            for port_end in self.port_ends() {
                let expressions = self.expressions(way, peers.as_deref(), *port_end);
                let comment = comment(&self.impairment.id);
                let place = (way.family, FAULTS);
                let request = rule(self.table, place, &expressions, Some(&comment));
                let index = batch.push_echoed(&request, "add a rule");
                placed.rules.push((way.family, index));
            }
        }
        placed
    }

    /// The ways that the impairment's packets take. Delay and loss act on arrival only.
    fn ways(&self) -> Vec<Way> {
        let acts_on_arrival = self.impairment.direction != Direction::Out
            || !matches!(self.impairment.effect, Effect::Drop);
        let acts_on_leaving = self.impairment.direction != Direction::In
            && matches!(self.impairment.effect, Effect::Drop)
            && self.leaves;
        let mut ways = Vec::new();
        for ipv6 in [false, true].into_iter().filter(|v6| has_peers(&self.impairment.filter, *v6)) {
            if acts_on_arrival {
                let family = if ipv6 { IP6 } else { IP };
                ways.push(Way { family, ipv6, end: End::Source });
            }
            if acts_on_leaving {
                ways.push(Way { family: NETDEV, ipv6, end: End::Destination });
            }
        }
        ways
    }

    fn expressions(&self, way: &Way, peers: Option<&CStr>, port: Option<End>) -> Expressions {
        let filter = &self.impairment.filter;
        let number = self.impairment.id.number;
        let mut rule = Expressions::default();
        if way.family == NETDEV {
            rule = rule.ethernet(if way.ipv6 { ETHERNET_IP6 } else { ETHERNET_IP });
        }
        rule = rule.gate(&set_name(number, ""));
        if way.family != NETDEV && spares_loopback(filter) {
            rule = rule.not_loopback();
        }
        if let Some(peers) = peers {
            rule = rule.address(way.ipv6, way.end, peers);
        }
        if let Some(protocol) = filter.protocol {
            rule = rule.protocol(protocol_number(protocol));
        }
        if let Some(end) = port {
            rule = rule.port(end, &set_name(number, "_ports"));
        }
        match self.action {
            Action::Drop => rule.drop_packet(),
            Action::Mark(bit) => rule.mark(bit),
        }
    }

    fn gate(&self, batch: &mut Batch, family: u8, placed: &mut Placed) {
        let name = set_name(self.impairment.id.number, "");
        let kind = Kind { key_type: TYPE_INTEGER, key_len: 4, flags: SetFlags::Timeout as u32 };
        self.set(batch, family, &name, &kind);
        placed.sets.push((family, name.clone()));
        let millis = u64::try_from(self.deadline.as_millis()).unwrap_or(u64::MAX).max(1);
        let mut request = Request::new().set_create().op_newsetelem_do(&header(family));
        let list = request.encode().push_table(self.table).push_set(&name);
        let element = list.nested_elements().nested_elem();
        let element = element.nested_key().push_value(&GATE_KEY).end_nested();
        // The kernel reads this number as big-endian; the crate writes it as it is.
        drop(element.push_timeout(millis.to_be()));
        batch.push(&request, "add the deadline");
    }

    fn ports(&self, batch: &mut Batch, family: u8, placed: &mut Placed) {
        let ports = &self.impairment.filter.ports;
        if ports.is_empty() {
            return;
        }
        let name = set_name(self.impairment.id.number, "_ports");
        self.set(batch, family, &name, &Kind { key_type: TYPE_SERVICE, key_len: 2, flags: 0 });
        placed.sets.push((family, name.clone()));
        let keys = ports.iter().map(|port| (port.to_be_bytes().to_vec(), false));
        self.elements(batch, family, &name, keys.collect());
    }

    /// The name of the set of peers, made if it is not there; None: everyone.
    fn peers(&self, batch: &mut Batch, way: &Way, placed: &mut Placed) -> Option<CString> {
        let filter = &self.impairment.filter;
        if filter.peers.is_empty() {
            return None;
        }
        let name = set_name(
            self.impairment.id.number,
            match (way.family, way.ipv6) {
                (NETDEV, true) => "_peers6",
                (NETDEV, false) => "_peers4",
                _ => "_peers",
            },
        );
        let flags = SetFlags::Interval as u32;
        let kind = if way.ipv6 {
            Kind { key_type: TYPE_IPV6, key_len: 16, flags }
        } else {
            Kind { key_type: TYPE_IPV4, key_len: 4, flags }
        };
        self.set(batch, way.family, &name, &kind);
        placed.sets.push((way.family, name.clone()));
        let mut keys = Vec::new();
        for Interval { first, past } in intervals(&filter.peers, way.ipv6) {
            keys.push((first, false));
            keys.extend(past.map(|past| (past, true)));
        }
        self.elements(batch, way.family, &name, keys);
        Some(name)
    }

    fn set(&self, batch: &mut Batch, family: u8, name: &CStr, kind: &Kind) {
        let mut request = Request::new().set_create().set_excl().op_newset_do(&header(family));
        let set = request.encode().push_table(self.table).push_name(name).push_flags(kind.flags);
        // The id serves nobody here, but the kernel insists on one.
        drop(set.push_key_type(kind.key_type).push_key_len(kind.key_len).push_id(1));
        batch.push(&request, "add a set");
    }

    /// Adds keys to a set; the flag says that a key ends an interval.
    fn elements(&self, batch: &mut Batch, family: u8, name: &CStr, keys: Vec<(Vec<u8>, bool)>) {
        let mut request = Request::new().set_create().op_newsetelem_do(&header(family));
        let list = request.encode().push_table(self.table).push_set(name);
        let mut elements = list.nested_elements();
        for (key, ends) in keys {
            let mut element = elements.nested_elem();
            element = element.nested_key().push_value(&key).end_nested();
            if ends {
                let flags = SetElemFlags::IntervalEnd as u32;
                element = element.push_flags(&flags.to_be_bytes());
            }
            elements = element.end_nested();
        }
        drop(elements);
        batch.push(&request, "fill a set");
    }

    fn port_ends(&self) -> &'static [Option<End>] {
        if self.impairment.filter.ports.is_empty() {
            &[None]
        } else {
            &[Some(End::Source), Some(End::Destination)]
        }
    }
}

struct Kind {
    key_type: u32,
    key_len: u32,
    flags: u32,
}

/// The name of an injection's set: `i3`, `i3_peers`.
pub(super) fn set_name(number: u16, what: &str) -> CString {
    CString::new(format!("i{number}{what}")).unwrap_or_default()
}

/// The injection's number in the name of one of its sets.
pub(super) fn number_of_set(name: &str) -> Option<u16> {
    let body = name.strip_prefix('i')?;
    body.split('_').next()?.parse().ok()
}

/// The comment on an injection's rules.
pub(super) fn comment(id: &InjectionId) -> String {
    format!("squall {id}")
}

pub(super) fn protocol_number(protocol: Protocol) -> u8 {
    match protocol {
        Protocol::Tcp => 6,
        Protocol::Udp => 17,
    }
}

/// A family that no peer belongs to has no packets to match.
fn has_peers(filter: &PacketFilter, ipv6: bool) -> bool {
    filter.peers.is_empty() || filter.peers.iter().any(|peer| peer.address.is_ipv6() == ipv6)
}

/// A host is never cut off from itself, unless a peer is on its loopback by name.
fn spares_loopback(filter: &PacketFilter) -> bool {
    !filter.peers.iter().any(|Cidr { address, .. }| address.is_loopback())
}
