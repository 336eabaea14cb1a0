//! The tables of one carrier, before any impairment: owned by one socket, with every base chain
//! and the one queue rule. They are made at once and removed at once; in between only rules and
//! sets come and go, because adding or removing a base chain disturbs packets in a queue.
//!
//! ```text
//! table ip, ip6:  arriving  (prerouting, raw)  [neighbour discovery: accept]
//!                                              jump faults
//!                                              marked: queue
//!                 faults                       rules of injections
//! table netdev:   leaving   (egress)           neighbour discovery: accept
//!                                              jump faults
//!                 faults                       rules of injections
//! ```
//! Neighbour discovery passes as ARP does: a cut in one direction would else become one in both,
//! in IPv6 only, as soon as the neighbours forget each other.

use std::ffi::{CStr, CString};

use netlink_bindings::nftables::{Nfgenmsg, Request, TableFlags};
use netlink_bindings::traits::{NetlinkRequest, Pusher};
use serde::{Deserialize, Serialize};

use super::batch::Batch;
use super::expression::Expressions;

pub(super) const IP: u8 = 2;
pub(super) const IP6: u8 = 10;
pub(super) const NETDEV: u8 = 5;
pub(super) const ETHERNET_IP: u16 = 0x0800;
pub(super) const ETHERNET_IP6: u16 = 0x86dd;

pub(super) const ARRIVING: &CStr = c"arriving";
pub(super) const LEAVING: &CStr = c"leaving";
pub(super) const FAULTS: &CStr = c"faults";

/// The bits of a packet's mark that belong to impairments: one each.
pub(super) const MARK_BITS: u32 = 0xffff_0000;

/// Before connection tracking: there a delayed packet would clash with the next of its flow.
const PRIORITY_RAW: i32 = -300;
const HOOK_PREROUTING: u32 = 0;
const HOOK_EGRESS: u32 = 1;
const POLICY_ACCEPT: u32 = 1;

/// How packets get to the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum QueueStyle {
    /// The expression of `nf_tables`.
    Native,
    /// The target of iptables inside a rule of `nf_tables`.
    Target,
}

/// What a carrier of one namespace is made of.
#[derive(Debug)]
pub(super) struct Layout {
    pub table: CString,
    /// Devices that packets leave by; loopback is not among them.
    pub devices: Vec<CString>,
    /// None: this kernel has no queue, so only partitions can be had.
    pub queue: Option<(QueueStyle, u16)>,
}

impl Layout {
    pub fn families(&self) -> &'static [u8] {
        if self.devices.is_empty() { &[IP, IP6] } else { &[IP, IP6, NETDEV] }
    }

    /// Everything that is there before the first impairment.
    pub fn create(&self) -> Batch {
        let mut batch = Batch::new();
        for ipv6 in [false, true] {
            self.create_arriving(&mut batch, ipv6);
        }
        if !self.devices.is_empty() {
            self.create_leaving(&mut batch);
        }
        batch
    }

    /// Everything goes, with whatever is left in it.
    pub fn destroy(&self) -> Batch {
        let mut batch = Batch::new();
        for family in self.families() {
            let mut request = Request::new().op_deltable_do(&header(*family));
            request.encode().push_name(&self.table);
            batch.push(&request, "remove a table");
        }
        batch
    }

    fn create_arriving(&self, batch: &mut Batch, ipv6: bool) {
        let family = if ipv6 { IP6 } else { IP };
        create_table(batch, family, &self.table);
        let mut base = Request::new().set_create().op_newchain_do(&header(family));
        let chain = base.encode().push_table(&self.table).push_name(ARRIVING);
        let hook = chain.nested_hook().push_num(HOOK_PREROUTING).push_priority(PRIORITY_RAW);
        hook.end_nested().push_type(c"filter").push_policy(POLICY_ACCEPT);
        batch.push(&base, "add the chain for arriving packets");
        create_faults(batch, family, &self.table);
        if ipv6 {
            let spare = Expressions::default().neighbour_discovery().accept();
            self.append(batch, (family, ARRIVING), &spare);
        }
        self.append(batch, (family, ARRIVING), &Expressions::default().jump(FAULTS));
        if let Some((style, number)) = self.queue {
            let marked = Expressions::default().marked(MARK_BITS);
            let last = match style {
                QueueStyle::Native => marked.queue(number),
                QueueStyle::Target => marked.queue_target(number),
            };
            self.append(batch, (family, ARRIVING), &last);
        }
    }

    fn create_leaving(&self, batch: &mut Batch) {
        create_table(batch, NETDEV, &self.table);
        let mut base = Request::new().set_create().op_newchain_do(&header(NETDEV));
        let chain = base.encode().push_table(&self.table).push_name(LEAVING);
        let hook = chain.nested_hook().push_num(HOOK_EGRESS).push_priority(0);
        let mut devices = hook.nested_devs();
        for device in &self.devices {
            devices = devices.push_name(device);
        }
        devices.end_nested().end_nested().push_type(c"filter").push_policy(POLICY_ACCEPT);
        batch.push(&base, "add the chain for leaving packets");
        create_faults(batch, NETDEV, &self.table);
        let spare = Expressions::default().ethernet(ETHERNET_IP6).neighbour_discovery().accept();
        self.append(batch, (NETDEV, LEAVING), &spare);
        self.append(batch, (NETDEV, LEAVING), &Expressions::default().jump(FAULTS));
    }

    /// A rule of the carrier itself, at the end of one of its chains.
    fn append(&self, batch: &mut Batch, place: (u8, &CStr), expressions: &Expressions) {
        let rule = rule(&self.table, place, expressions, None);
        batch.push(&rule, "add a rule of the carrier");
    }
}

/// A message about things of that family.
pub(super) fn header(family: u8) -> Nfgenmsg {
    let mut header = Nfgenmsg::new();
    header.nfgen_family = family;
    header
}

/// A rule at the end of a chain; `place` is family and chain.
pub(super) fn rule(
    table: &CStr,
    place: (u8, &CStr),
    expressions: &Expressions,
    comment: Option<&str>,
) -> impl NetlinkRequest + use<> {
    let mut request = Request::new().set_create().set_append().op_newrule_do(&header(place.0));
    let attributes = request.encode().push_table(table).push_chain(place.1);
    let mut list = attributes.nested_expressions();
    list.as_vec_mut().extend_from_slice(expressions.bytes());
    let attributes = list.end_nested();
    match comment {
        Some(comment) => drop(attributes.push_userdata(&userdata(comment))),
        None => drop(attributes),
    }
    request
}

/// A comment as the nft program reads it: type 0, length, text with its zero.
fn userdata(comment: &str) -> Vec<u8> {
    let mut bytes = vec![0, u8::try_from(comment.len() + 1).unwrap_or(u8::MAX)];
    bytes.extend_from_slice(comment.as_bytes());
    bytes.push(0);
    bytes
}

fn create_table(batch: &mut Batch, family: u8, table: &CStr) {
    let mut request = Request::new().set_create().set_excl().op_newtable_do(&header(family));
    request.encode().push_name(table).push_flags(TableFlags::Owner as u32);
    batch.push(&request, "add a table that dies with its owner");
}

fn create_faults(batch: &mut Batch, family: u8, table: &CStr) {
    let mut request = Request::new().set_create().op_newchain_do(&header(family));
    request.encode().push_table(table).push_name(FAULTS);
    batch.push(&request, "add the chain of faults");
}
