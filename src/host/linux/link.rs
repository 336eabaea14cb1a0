//! The wires of a lab: one bridge, and one pair of virtual Ethernet devices for each host.
//!
//! All by netlink in this process. The bridge floods multicast and runs no spanning tree, and IPv6
//! addresses are used at once (no duplicate detection): the network is whole when `wire` returns.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::net::IpAddr;
use std::os::fd::AsRawFd;

use netlink_bindings::rt_addr::{self, Ifaddrmsg};
use netlink_bindings::rt_link::{self, Ifinfomsg};
use netlink_bindings::traits::{NetlinkRequest, Pusher};
use netlink_bindings::utils::{finalize_nested_header, push_header, push_nested_header};
use netlink_socket2::{NetlinkSocket, ReplyError};

use super::{namespace, netns};
use crate::host::HostError;
use crate::model::identity::NetnsIdentity;
use crate::model::inventory::Host;

const BRIDGE: &CStr = c"squall0";
const LOOPBACK: &CStr = c"lo";
/// What a host calls its only device.
const DEVICE: &CStr = c"eth0";

const UP: u32 = libc::IFF_UP as u32;

const VETH: &CStr = c"veth";
/// `IFLA_INFO_DATA`, and in it `VETH_INFO_PEER`: missing in the libc crate.
const INFO_DATA: u16 = 2;
const INFO_PEER: u16 = 1;

/// Where hosts stand: addresses and how long their prefixes are.
#[derive(Debug, Clone)]
pub struct Wiring {
    pub hosts: Vec<Host>,
    /// The bridge's own addresses.
    pub gateway: [IpAddr; 2],
    pub ipv4_prefix: u8,
    pub ipv6_prefix: u8,
}

/// One routing socket of the namespace in which it was opened.
struct Links {
    socket: NetlinkSocket,
}

/// Makes the network in our own namespace, and one namespace for each host, named
/// `/run/netns/HOST`.
pub fn wire(wiring: &Wiring) -> Result<Vec<(Host, NetnsIdentity)>, HostError> {
    let mut links = Links::here();
    let loopback = links.index(LOOPBACK)?;
    links.up(loopback)?;
    let bridge = links.make_bridge()?;
    for address in wiring.gateway {
        links.add_address(bridge, address, wiring)?;
    }
    let mut made = Vec::new();
    for (number, host) in wiring.hosts.iter().enumerate() {
        let path = format!("{}/{}", namespace::NETNS_FOLDER, host.name);
        let ns = netns::create(&path)?;
        links.plug_in(bridge, number, &path)?;
        netns::inside(&ns, || settle(host, wiring))?;
        made.push((host.clone(), ns));
    }
    Ok(made)
}

/// Inside a host's namespace: loopback and device come up, with addresses.
fn settle(host: &Host, wiring: &Wiring) -> Result<(), HostError> {
    let mut links = Links::here();
    let loopback = links.index(LOOPBACK)?;
    links.up(loopback)?;
    let device = links.index(DEVICE)?;
    links.up(device)?;
    links.add_address(device, host.ipv4, wiring)?;
    links.add_address(device, host.ipv6, wiring)
}

impl Links {
    fn here() -> Links {
        Links { socket: NetlinkSocket::new() }
    }

    fn make_bridge(&mut self) -> Result<u32, HostError> {
        let mut request =
            rt_link::Request::new().set_create().set_excl().op_newlink_do(&Ifinfomsg::new());
        let _ = request
            .encode()
            .push_ifname(BRIDGE)
            .nested_linkinfo()
            .push_kind(c"bridge")
            .nested_data_bridge()
            .push_stp_state(0)
            .push_mcast_snooping(0)
            .end_nested()
            .end_nested();
        self.tell(&request, "make the lab's bridge")?;
        let bridge = self.index(BRIDGE)?;
        self.up(bridge)?;
        Ok(bridge)
    }

    /// A pair of devices: one a port of the bridge, the other in the host's namespace. Both are
    /// born where they belong, in one request: moving a device later takes the kernel some 30 ms.
    fn plug_in(&mut self, bridge: u32, number: usize, path: &str) -> Result<(), HostError> {
        let what = || format!("plug {path} into the lab's bridge");
        let name = CString::new(format!("port{number}"))
            .map_err(|e| HostError::io(what(), std::io::Error::other(e)))?;
        let namespace = File::open(path).map_err(|e| HostError::io(format!("open {path}"), e))?;
        let mut pair =
            rt_link::Request::new().set_create().set_excl().op_newlink_do(&numbered(0, UP));
        let mut kind =
            pair.encode().push_ifname(&name).push_master(bridge).nested_linkinfo().push_kind(VETH);
        push_far_end(kind.as_vec_mut(), &namespace);
        let _ = kind.end_nested();
        self.tell(&pair, &what())
    }

    fn up(&mut self, index: u32) -> Result<(), HostError> {
        let request = rt_link::Request::new().op_setlink_do(&numbered(index, UP));
        self.tell(&request, "bring a device up")
    }

    fn add_address(&mut self, link: u32, to: IpAddr, in_: &Wiring) -> Result<(), HostError> {
        let (family, prefix) = match to {
            IpAddr::V4(_) => (libc::AF_INET, in_.ipv4_prefix),
            IpAddr::V6(_) => (libc::AF_INET6, in_.ipv6_prefix),
        };
        let header = Ifaddrmsg {
            ifa_family: family.to_ne_bytes()[0],
            ifa_prefixlen: prefix,
            ifa_flags: if to.is_ipv6() { rt_addr::IfaFlags::Nodad as u8 } else { 0 },
            ifa_index: link,
            ..Ifaddrmsg::default()
        };
        let mut request = rt_addr::Request::new().set_create().op_newaddr_do(&header);
        let _ = request.encode().push_local(to).push_address(to);
        self.tell(&request, &format!("add address {to}"))
    }

    fn index(&mut self, name: &CStr) -> Result<u32, HostError> {
        let what = || format!("find device {}", name.to_string_lossy());
        let mut request = rt_link::Request::new().op_getlink_do(&Ifinfomsg::new());
        let _ = request.encode().push_ifname(name);
        let mut reply = self.socket.request(&request).map_err(|e| HostError::io(what(), e))?;
        let (header, _) = reply.recv_one().map_err(|e| failed(what(), e))?;
        Ok(header.ifi_index.unsigned_abs())
    }

    fn tell(&mut self, request: &impl NetlinkRequest, what: &str) -> Result<(), HostError> {
        let mut reply = self.socket.request(request).map_err(|e| HostError::io(what, e))?;
        reply.recv_ack().map_err(|e| failed(what.to_owned(), e))
    }
}

/// A device by its number, with flags to set.
fn numbered(index: u32, flags: u32) -> Ifinfomsg {
    Ifinfomsg {
        ifi_index: i32::try_from(index).unwrap_or(0),
        ifi_flags: flags,
        ifi_change: flags,
        ..Ifinfomsg::default()
    }
}

/// The other end of a pair, as data of its kind: a header, and where it is and by what name. The
/// crate has no words for this kind.
fn push_far_end(into: &mut Vec<u8>, namespace: &File) {
    let data = push_nested_header(into, INFO_DATA);
    let peer = push_nested_header(into, INFO_PEER);
    // It cannot be up before it has its other end.
    into.extend_from_slice(numbered(0, 0).as_slice());
    let name = DEVICE.to_bytes_with_nul();
    push_header(into, libc::IFLA_IFNAME, u16::try_from(name.len()).unwrap_or(0));
    into.extend_from_slice(name);
    push_header(into, libc::IFLA_NET_NS_FD, 4);
    into.extend_from_slice(&namespace.as_raw_fd().to_ne_bytes());
    finalize_nested_header(into, peer);
    finalize_nested_header(into, data);
}

fn failed(what: String, error: ReplyError) -> HostError {
    HostError::io(what, std::io::Error::from(error))
}
