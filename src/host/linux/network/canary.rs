//! Flying canaries: one raw socket in the sender's namespace, one in the receiver's, one thread
//! that sends each when it is due and takes in what arrives meanwhile.
//!
//! Raw sockets get their copy before any protocol looks at a packet, so what no protocol would
//! take still arrives here. The receiver's socket filters in the kernel: a busy port's traffic
//! does not fill it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrStorage, bind, recv, sendto, setsockopt,
    sockopt,
};
use nix::sys::time::TimeSpec;

use super::canary_packet::{Packet, filter};
use super::rules::protocol_number;
use super::socket::set_option;
use crate::host::HostError;
use crate::host::linux::clock::monotonic_ns;
use crate::host::linux::netns;
use crate::host::network::{Canary, CanaryReport};

/// For use in experiments and tests, RFC 3692: nobody listens to it.
const EXPERIMENTAL: u8 = 253;
/// Source ports of canaries: above what programs get by themselves.
const FIRST_PORT: u16 = 61_000;
const PORTS: u16 = 4_000;
const RECEIVE_BUFFER: usize = 4 << 20;
const LONGEST: usize = 2048;

/// Sends canaries and waits for them. Errors: `Gone`, `Denied` (no `CAP_NET_RAW` there), `Io` when
/// an address is not one of that namespace's.
pub(super) fn fly(canary: &Canary) -> Result<CanaryReport, HostError> {
    let token = random()?;
    let port = FIRST_PORT + u16::try_from(token % u64::from(PORTS)).unwrap_or(0);
    let packet = Packet { token, ports: canary.port.map(|(protocol, to)| (protocol, port, to)) };
    let ipv6 = canary.to_address.is_ipv6();
    let open = |address| raw_socket(protocol_of(canary), address);
    let receiving = || {
        let receiver = open(canary.to_address)?;
        attach_filter(&receiver, &packet, ipv6).map(|()| receiver)
    };
    let sending = || open(canary.from_address);
    let (receiver, sender) = netns::inside_both([&canary.to, &canary.from], receiving, sending)?;
    let mut flight = Flight {
        packet,
        to: SocketAddr::new(canary.to_address, 0).into(),
        header_first: !ipv6,
        delays: vec![None; canary.count as usize],
        sent: 0,
    };
    flight.run(&sender, &receiver, canary)?;
    let delays_ns = flight.delays.into_iter().flatten().collect();
    Ok(CanaryReport { sent: flight.sent, delays_ns })
}

/// Flies all of them at the same time, each on a thread of its own: their patience is waited out
/// once. In the order given.
pub(super) fn fly_all(canaries: &[Canary]) -> Vec<Result<CanaryReport, HostError>> {
    let crashed = |_| Err(HostError::io("fly canaries", io::Error::other("a thread panicked")));
    std::thread::scope(|scope| {
        let flights: Vec<_> = canaries.iter().map(|one| scope.spawn(|| fly(one))).collect();
        flights.into_iter().map(|flight| flight.join().unwrap_or_else(crashed)).collect()
    })
}

struct Flight {
    packet: Packet,
    to: SockaddrStorage,
    /// The network header comes with what is received: so for IPv4, not for IPv6.
    header_first: bool,
    /// By number; None: not arrived.
    delays: Vec<Option<u64>>,
    sent: u32,
}

impl Flight {
    fn run(
        &mut self,
        sender: &OwnedFd,
        receiver: &OwnedFd,
        canary: &Canary,
    ) -> Result<(), HostError> {
        let wrap = |e: io::Error| HostError::io(format!("fly to {}", canary.to_address), e);
        let started = monotonic_ns();
        let mut number = 0;
        let mut arrived = 0;
        let mut last_sent = started;
        while number < canary.count || arrived < self.sent {
            let now = monotonic_ns();
            let due = if number < canary.count {
                started + nanos(canary.spacing) * u64::from(number)
            } else {
                last_sent + nanos(canary.patience)
            };
            if now >= due {
                if number == canary.count {
                    break;
                }
                self.send(sender, number).map_err(wrap)?;
                last_sent = monotonic_ns();
                number += 1;
            } else {
                wait(receiver, due - now);
            }
            arrived += self.take_in(receiver).map_err(wrap)?;
        }
        Ok(())
    }

    /// A packet that the sender's own side refuses was never sent. "No buffer" is how a raw IPv6
    /// socket alone hears that a chain for leaving packets dropped one: that one was sent.
    fn send(&mut self, sender: &OwnedFd, number: u32) -> io::Result<()> {
        let bytes = self.packet.encode(number, monotonic_ns());
        match sendto(sender.as_raw_fd(), &bytes, &self.to, MsgFlags::MSG_DONTWAIT) {
            Ok(_) | Err(nix::Error::ENOBUFS) => self.sent += 1,
            Err(
                nix::Error::EPERM
                | nix::Error::ENETUNREACH
                | nix::Error::EHOSTUNREACH
                | nix::Error::EAGAIN,
            ) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// How many arrived that had not been seen before.
    fn take_in(&mut self, receiver: &OwnedFd) -> io::Result<u32> {
        let mut new = 0;
        let mut buffer = [0; LONGEST];
        loop {
            let length = match recv(receiver.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(length) => length,
                Err(nix::Error::EAGAIN) => return Ok(new),
                Err(nix::Error::EINTR) => continue,
                Err(error) => return Err(error.into()),
            };
            let now = monotonic_ns();
            let Some((number, sent_ns)) = self.packet.decode(&buffer[..length], self.header_first)
            else {
                continue;
            };
            if let Some(slot @ None) = self.delays.get_mut(number as usize) {
                *slot = Some(now.saturating_sub(sent_ns));
                new += 1;
            }
        }
    }
}

fn protocol_of(canary: &Canary) -> u8 {
    canary.port.map_or(EXPERIMENTAL, |(protocol, _)| protocol_number(protocol))
}

/// A raw socket in this thread's namespace, bound to one of its addresses.
#[expect(unsafe_code, reason = "nix knows only raw sockets of the protocols that it names")]
fn raw_socket(protocol: u8, address: IpAddr) -> Result<OwnedFd, HostError> {
    let family = if address.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet };
    let kind = SockType::Raw as libc::c_int | SockFlag::SOCK_CLOEXEC.bits();
    // SAFETY: no pointer is passed; the result is checked before it becomes an owned descriptor.
    let fd = unsafe { libc::socket(family as libc::c_int, kind, libc::c_int::from(protocol)) };
    if fd < 0 {
        let error = io::Error::last_os_error();
        return Err(match error.raw_os_error() {
            Some(libc::EPERM) => HostError::Denied {
                what: "a raw socket for canaries".to_owned(),
                remedy: "CAP_NET_RAW is needed in the target's namespace".to_owned(),
            },
            _ => HostError::io("open a raw socket", error),
        });
    }
    // SAFETY: `fd` was just made and belongs to nobody else.
    let socket = unsafe { <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(fd) };
    bind(socket.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(address, 0)))
        .map_err(|e| HostError::io(format!("bind to {address}"), e))?;
    // More room where it is allowed; the usual is enough for spaced canaries.
    let _ = setsockopt(&socket, sockopt::RcvBuf, &RECEIVE_BUFFER);
    Ok(socket)
}

/// Lets only this flight's ports through to the socket.
fn attach_filter(socket: &OwnedFd, packet: &Packet, ipv6: bool) -> Result<(), HostError> {
    let Some(mut program) = filter(packet, ipv6) else { return Ok(()) };
    let attached = libc::sock_fprog {
        len: libc::c_ushort::try_from(program.len()).unwrap_or(0),
        filter: program.as_mut_ptr(),
    };
    set_option(socket.as_fd(), (libc::SOL_SOCKET, libc::SO_ATTACH_FILTER), &attached)
        .map_err(|e| HostError::io("filter what a raw socket gets", e))
}

/// Sleeps until something arrives, at most `nanos`.
fn wait(receiver: &OwnedFd, nanos: u64) {
    let seconds = i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX);
    let timeout = TimeSpec::new(seconds, i64::try_from(nanos % 1_000_000_000).unwrap_or(0));
    let mut polled = [PollFd::new(receiver.as_fd(), PollFlags::POLLIN)];
    // An interrupted wait is a short one.
    let _ = ppoll(&mut polled, Some(timeout), None);
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A number that no other flight has.
#[expect(unsafe_code, reason = "getrandom has no safe form in the crates at hand")]
fn random() -> Result<u64, HostError> {
    let mut bytes = [0_u8; 8];
    // SAFETY: `bytes` is valid for writes of its length.
    let filled = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    if filled == 8 {
        Ok(u64::from_ne_bytes(bytes))
    } else {
        Err(HostError::io("draw a random number", io::Error::last_os_error()))
    }
}
