//! Routes and forwarding of the network namespace that the calling thread is in.

use std::net::IpAddr;

use netlink_bindings::rt_route::{self, RtmType, Rtmsg};
use netlink_bindings::traits::NetlinkRequest;
use netlink_socket2::NetlinkSocket;

use crate::host::HostError;
use crate::model::network::Cidr;

/// By hand, as an administrator would: `RTPROT_STATIC`.
const STATIC: u8 = 4;

/// One way out of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// A block of length 0 is everything else.
    pub to: Cidr,
    /// On a network that we are on.
    pub via: IpAddr,
}

/// Adds them to the namespace that we are in.
pub fn add(routes: &[Route]) -> Result<(), HostError> {
    let mut socket = NetlinkSocket::new();
    for route in routes {
        let Route { to, via } = route;
        let what = || format!("add a route to {to} by {via}");
        let family = if to.address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
        let header = Rtmsg {
            rtm_family: family.to_ne_bytes()[0],
            rtm_dst_len: to.prefix,
            rtm_table: libc::RT_TABLE_MAIN,
            rtm_protocol: STATIC,
            rtm_scope: libc::RT_SCOPE_UNIVERSE,
            rtm_type: RtmType::Unicast as u8,
            ..Rtmsg::default()
        };
        let mut request = rt_route::Request::new().set_create().op_newroute_do(&header);
        let attributes = request.encode();
        let attributes = if to.prefix == 0 { attributes } else { attributes.push_dst(to.address) };
        let _ = attributes.push_gateway(*via);
        tell(&mut socket, &request).map_err(|e| HostError::io(what(), e))?;
    }
    Ok(())
}

/// From now on the namespace that we are in passes packets on.
pub fn forward() -> Result<(), HostError> {
    let path = "/proc/sys/net/ipv4/ip_forward";
    std::fs::write(path, "1").map_err(|e| HostError::io(format!("write {path}"), e))
}

fn tell(socket: &mut NetlinkSocket, request: &impl NetlinkRequest) -> std::io::Result<()> {
    let mut reply = socket.request(request)?;
    reply.recv_ack().map_err(std::io::Error::from)
}
