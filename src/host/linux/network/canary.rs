//! Flying canaries: for each flight one raw socket in the sender's namespace and one in the
//! receiver's; one thread for all of them sends each when it is due and takes in what arrives.
//!
//! Raw sockets get their copy before any protocol looks at a packet, so what no protocol would
//! take still arrives here. The receiver's socket filters in the kernel: a busy port's traffic
//! does not fill it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::thread::{Scope, ScopedJoinHandle};
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
use crate::model::identity::NetnsIdentity;

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
    let none = || Err(HostError::io("fly a canary", io::Error::other("it never began")));
    let canaries = std::slice::from_ref(canary);
    let landed = std::thread::scope(|scope| take_off(scope, canaries).land());
    landed.into_iter().next().unwrap_or_else(none)
}

/// Flies all of them at the same time on one thread: each namespace is entered once, and their
/// patience is waited out once.
pub(super) fn take_off<'s>(scope: &'s Scope<'s, '_>, canaries: &'s [Canary]) -> Flying<'s> {
    let all = || {
        let mut flights: Vec<Flight<'_>> = canaries.iter().map(Flight::new).collect();
        open(&mut flights);
        run(&mut flights);
        flights.into_iter().map(Flight::report).collect()
    };
    Flying { canaries, thread: scope.spawn(all) }
}

/// Canaries in the air.
pub(super) struct Flying<'s> {
    canaries: &'s [Canary],
    thread: ScopedJoinHandle<'s, Vec<Result<CanaryReport, HostError>>>,
}

impl Flying<'_> {
    /// What became of each, in the order given.
    pub fn land(self) -> Vec<Result<CanaryReport, HostError>> {
        let crashed = |_: &Canary| {
            Err(HostError::io("fly canaries", io::Error::other("their thread panicked")))
        };
        let landed = self.thread.join();
        landed.unwrap_or_else(|_| self.canaries.iter().map(crashed).collect())
    }
}

struct Flight<'a> {
    canary: &'a Canary,
    packet: Packet,
    to: SockaddrStorage,
    /// The network header comes with what is received: so for IPv4, not for IPv6.
    header_first: bool,
    receiver: Option<OwnedFd>,
    sender: Option<OwnedFd>,
    started_ns: u64,
    last_sent_ns: u64,
    /// How many were tried, how many of them were sent, how many arrived.
    tried: u32,
    sent: u32,
    arrived: u32,
    /// By number; None: not arrived.
    delays: Vec<Option<u64>>,
    failed: Option<HostError>,
    over: bool,
}

/// Opens every socket. The calling thread ends up in any of the namespaces.
fn open(flights: &mut [Flight<'_>]) {
    let mut spaces: Vec<&NetnsIdentity> = Vec::new();
    for ns in flights.iter().flat_map(|flight| [&flight.canary.to, &flight.canary.from]) {
        if !spaces.contains(&ns) {
            spaces.push(ns);
        }
    }
    for ns in spaces {
        let entered = netns::enter_thread(ns);
        for flight in flights.iter_mut() {
            let opened = flight.open_in(ns, &entered);
            flight.fail(opened);
        }
    }
}

/// Until all have landed or are lost.
fn run(flights: &mut [Flight<'_>]) {
    let started_ns = monotonic_ns();
    for flight in flights.iter_mut() {
        (flight.started_ns, flight.last_sent_ns) = (started_ns, started_ns);
    }
    loop {
        for flight in flights.iter_mut().filter(|flight| !flight.over) {
            let went = flight.go_on();
            flight.fail(went);
        }
        let flying = || flights.iter().filter(|flight| !flight.over);
        let Some(next) = flying().map(Flight::due_ns).min() else { return };
        wait(flying().filter_map(|flight| flight.receiver.as_ref()), next);
    }
}

impl<'a> Flight<'a> {
    fn new(canary: &'a Canary) -> Flight<'a> {
        let (token, failed) = match random() {
            Ok(token) => (token, None),
            Err(error) => (0, Some(error)),
        };
        let port = FIRST_PORT + u16::try_from(token % u64::from(PORTS)).unwrap_or(0);
        let ports = canary.port.map(|(protocol, to)| (protocol, port, to));
        Flight {
            canary,
            packet: Packet { token, ports },
            to: SocketAddr::new(canary.to_address, 0).into(),
            header_first: !canary.to_address.is_ipv6(),
            receiver: None,
            sender: None,
            started_ns: 0,
            last_sent_ns: 0,
            tried: 0,
            sent: 0,
            arrived: 0,
            delays: vec![None; canary.count as usize],
            over: failed.is_some(),
            failed,
        }
    }

    /// Its ends that are in that namespace, in which this thread is if it could be entered.
    fn open_in(
        &mut self,
        ns: &NetnsIdentity,
        entered: &Result<(), HostError>,
    ) -> Result<(), HostError> {
        let canary = self.canary;
        let (arrives, leaves) = (canary.to == *ns, canary.from == *ns);
        if let (true, Err(error)) = (arrives || leaves, entered) {
            return Err(error.again());
        }
        if arrives {
            let receiver = raw_socket(protocol_of(canary), canary.to_address)?;
            attach_filter(&receiver, &self.packet, canary.to_address.is_ipv6())?;
            self.receiver = Some(receiver);
        }
        if leaves {
            self.sender = Some(raw_socket(protocol_of(canary), canary.from_address)?);
        }
        Ok(())
    }

    /// The first failure counts, and ends the flight.
    fn fail(&mut self, result: Result<(), HostError>) {
        if let (Err(error), None) = (result, &self.failed) {
            self.failed = Some(error);
            self.over = true;
        }
    }

    /// When something is to be done next, whether or not anything arrives.
    fn due_ns(&self) -> u64 {
        if self.tried < self.canary.count {
            self.started_ns + nanos(self.canary.spacing) * u64::from(self.tried)
        } else {
            self.last_sent_ns + nanos(self.canary.patience)
        }
    }

    /// Takes in what arrived and sends what is due.
    fn go_on(&mut self) -> Result<(), HostError> {
        let wrap = |e: io::Error| HostError::io(format!("fly to {}", self.canary.to_address), e);
        let due = monotonic_ns() >= self.due_ns();
        self.arrived += self.take_in().map_err(wrap)?;
        let all_tried = self.tried == self.canary.count;
        if due && !all_tried {
            self.send().map_err(wrap)?;
        }
        let none_to_come = self.tried == self.canary.count && self.arrived >= self.sent;
        self.over = none_to_come || (due && all_tried);
        Ok(())
    }

    fn report(self) -> Result<CanaryReport, HostError> {
        let delays_ns = self.delays.into_iter().flatten().collect();
        self.failed.map_or(Ok(CanaryReport { sent: self.sent, delays_ns }), Err)
    }

    /// A packet that the sender's own side refuses was never sent. "No buffer" is how a raw IPv6
    /// socket alone hears that a chain for leaving packets dropped one: that one was sent.
    fn send(&mut self) -> io::Result<()> {
        let Some(sender) = &self.sender else { return Err(io::ErrorKind::NotConnected.into()) };
        let bytes = self.packet.encode(self.tried, monotonic_ns());
        self.tried += 1;
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
        self.last_sent_ns = monotonic_ns();
        Ok(())
    }

    /// How many arrived that had not been seen before.
    fn take_in(&mut self) -> io::Result<u32> {
        let Some(receiver) = &self.receiver else { return Err(io::ErrorKind::NotConnected.into()) };
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
    // More room where it is allowed; the usual is enough for spaced canaries, but not for all that
    // a delay has held back and lets go at once.
    if setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER).is_err() {
        let _usual = setsockopt(&socket, sockopt::RcvBuf, &RECEIVE_BUFFER);
    }
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

/// Sleeps until something arrives, at most until that time.
fn wait<'a>(receivers: impl Iterator<Item = &'a OwnedFd>, until_ns: u64) {
    let left = until_ns.saturating_sub(monotonic_ns());
    let seconds = i64::try_from(left / 1_000_000_000).unwrap_or(i64::MAX);
    let timeout = TimeSpec::new(seconds, i64::try_from(left % 1_000_000_000).unwrap_or(0));
    let mut polled: Vec<_> =
        receivers.map(|receiver| PollFd::new(receiver.as_fd(), PollFlags::POLLIN)).collect();
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
