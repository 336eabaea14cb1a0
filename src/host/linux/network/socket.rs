//! One netlink socket to the kernel's packet filter: opened in the namespace of the thread that
//! asks, close-on-exec, and never waiting for ever for an answer.
//!
//! The socket is ours and not a crate's, because its life is the life of the tables that it owns,
//! and because its descriptor has to be polled beside timers.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::mpsc::{SyncSender, sync_channel};

use netlink_bindings::traits::{NetlinkRequest, Protocol};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send,
    setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};

use crate::host::HostError;

/// An answer of the kernel comes within microseconds; one that does not is a failure.
const ANSWER_WITHIN_S: i64 = 5;
/// Larger than any datagram that the kernel makes for a dump.
const LONGEST_DATAGRAM: usize = 1 << 16;
/// A dump that somebody else's change cut in two is asked for again this often.
const DUMP_ATTEMPTS: u32 = 16;

/// So many wait to be closed at most: they are descriptors all the same.
const ASIDE_MOST: usize = 64;

pub(super) const HEADER: usize = 16;
const DUMP_INTERRUPTED: u16 = 0x10;

/// A socket of `NETLINK_NETFILTER`.
#[derive(Debug)]
pub(super) struct NetfilterSocket {
    fd: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
}

/// One message as it came.
#[derive(Debug)]
pub(super) struct Message {
    pub kind: u16,
    pub flags: u16,
    pub sequence: u32,
    /// What follows the netlink header.
    pub payload: Vec<u8>,
}

impl NetfilterSocket {
    /// Opens one in the network namespace of this thread.
    pub fn open() -> Result<NetfilterSocket, HostError> {
        let wrap = |e: nix::Error| HostError::io("open a netlink socket", e);
        let fd = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::NetlinkNetFilter,
        )
        .map_err(wrap)?;
        bind(fd.as_raw_fd(), &NetlinkAddr::new(0, 0)).map_err(wrap)?;
        setsockopt(&fd, sockopt::ReceiveTimeout, &TimeVal::seconds(ANSWER_WITHIN_S))
            .map_err(wrap)?;
        Ok(NetfilterSocket { fd, sequence: 1, buffer: vec![0; LONGEST_DATAGRAM] })
    }

    /// Takes `count` sequence numbers and returns the first.
    pub fn reserve(&mut self, count: u32) -> u32 {
        let first = self.sequence;
        self.sequence = self.sequence.wrapping_add(count).max(1);
        first
    }

    pub fn send(&self, bytes: &[u8]) -> io::Result<()> {
        let sent = send(self.fd.as_raw_fd(), bytes, MsgFlags::empty())?;
        if sent == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    /// Waits for the next datagram and takes it apart.
    pub fn receive(&mut self) -> io::Result<Vec<Message>> {
        let length = loop {
            match recv(self.fd.as_raw_fd(), &mut self.buffer, MsgFlags::empty()) {
                Err(nix::Error::EINTR) => {}
                Err(nix::Error::EAGAIN) => return Err(io::ErrorKind::TimedOut.into()),
                other => break other?,
            }
        };
        Ok(messages(&self.buffer[..length]))
    }

    /// One question and all its answers: of a dump every entry, else at most one.
    pub fn ask<R: NetlinkRequest>(&mut self, request: &R) -> io::Result<Vec<Vec<u8>>> {
        for _ in 0..DUMP_ATTEMPTS {
            if let Some(answers) = self.ask_once(request)? {
                return Ok(answers);
            }
        }
        Err(io::Error::other("the rules change faster than they can be read"))
    }

    /// None: somebody changed what was being dumped.
    fn ask_once<R: NetlinkRequest>(&mut self, request: &R) -> io::Result<Option<Vec<Vec<u8>>>> {
        let Protocol::Raw { request_type, .. } = request.protocol() else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let sequence = self.reserve(1);
        let flags = request.flags() | flag(libc::NLM_F_REQUEST) | flag(libc::NLM_F_ACK);
        let mut bytes = Vec::with_capacity(HEADER + request.payload().len());
        put_header(&mut bytes, request_type, flags, sequence);
        bytes.extend_from_slice(request.payload());
        close_header(&mut bytes, 0);
        self.send(&bytes)?;
        let mut answers = Vec::new();
        let mut whole = true;
        loop {
            for message in self.receive()? {
                if message.sequence != sequence {
                    continue;
                }
                whole &= message.flags & DUMP_INTERRUPTED == 0;
                match outcome(&message) {
                    None => answers.push(message.payload),
                    Some(Ok(())) => return Ok(whole.then_some(answers)),
                    Some(Err(error)) => return Err(error),
                }
            }
        }
    }

    /// Sets an integer option of level `SOL_NETLINK`.
    pub fn set_netlink_option(&self, option: libc::c_int) -> Result<(), HostError> {
        set_option(self.fd.as_fd(), (libc::SOL_NETLINK, option), &1_i32)
            .map_err(|e| HostError::io("set an option of a netlink socket", e))
    }
}

impl AsFd for NetfilterSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Closes what holds nothing any more on a thread kept for that: after a change of the rules,
/// whoever made it, it takes the kernel 10 to 20 ms.
pub(super) fn close_aside<T: Send + 'static>(sockets: T) {
    static CLOSER: OnceLock<Option<SyncSender<Box<dyn Send>>>> = OnceLock::new();
    let start = || {
        let (sender, inbox) = sync_channel::<Box<dyn Send>>(ASIDE_MOST);
        let close = move || inbox.iter().for_each(drop);
        let thread = std::thread::Builder::new().name("squall-close".to_owned()).spawn(close);
        thread.ok().map(|_| sender)
    };
    if let Some(closer) = CLOSER.get_or_init(start) {
        // Without a thread, or with too many before them, they are dropped, and so closed, here.
        let _ = closer.try_send(Box::new(sockets));
    }
}

/// Some: the message ends a conversation, well or badly.
pub(super) fn outcome(message: &Message) -> Option<io::Result<()>> {
    match i32::from(message.kind) {
        libc::NLMSG_DONE => Some(Ok(())),
        libc::NLMSG_ERROR => {
            let code = message.payload.first_chunk().map_or(0, |c| i32::from_ne_bytes(*c));
            Some(if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(-code)) })
        }
        _ => None,
    }
}

/// Begins a message; its length is filled in by [`close_header`].
pub(super) fn put_header(bytes: &mut Vec<u8>, kind: u16, flags: u16, sequence: u32) {
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&kind.to_ne_bytes());
    bytes.extend_from_slice(&flags.to_ne_bytes());
    bytes.extend_from_slice(&sequence.to_ne_bytes());
    bytes.extend_from_slice(&[0; 4]);
}

/// Writes the length of the message that began at `start`, and pads to the next.
pub(super) fn close_header(bytes: &mut Vec<u8>, start: usize) {
    let length = u32::try_from(bytes.len() - start).unwrap_or(u32::MAX);
    bytes[start..start + 4].copy_from_slice(&length.to_ne_bytes());
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// Adds an attribute and pads to the next.
pub(super) fn put_attribute(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
    bytes.extend_from_slice(&length.to_ne_bytes());
    bytes.extend_from_slice(&kind.to_ne_bytes());
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// Flags of a message are 16 bits wide; libc has them as `c_int`.
pub(super) fn flag(value: libc::c_int) -> u16 {
    u16::try_from(value).unwrap_or(0)
}

fn messages(datagram: &[u8]) -> Vec<Message> {
    let mut found = Vec::new();
    let mut rest = datagram;
    while let Some(header) = rest.first_chunk::<HEADER>() {
        let half = |at: usize| u16::from_ne_bytes([header[at], header[at + 1]]);
        let word = |at: usize| {
            u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let length = word(0) as usize;
        let Some(payload) = rest.get(HEADER..length) else { break };
        found.push(Message {
            kind: half(4),
            flags: half(6),
            sequence: word(8),
            payload: payload.to_vec(),
        });
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or(&[]);
    }
    found
}

/// `setsockopt` for options that no crate knows; `option` is the level and the name.
#[expect(unsafe_code, reason = "setsockopt has no safe form for these options")]
pub(super) fn set_option<T>(
    fd: BorrowedFd<'_>,
    option: (libc::c_int, libc::c_int),
    value: &T,
) -> io::Result<()> {
    let length = libc::socklen_t::try_from(size_of::<T>()).unwrap_or(0);
    // SAFETY: `value` is valid for reads of `length` bytes for the time of the call.
    let result = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            option.0,
            option.1,
            std::ptr::from_ref(value).cast(),
            length,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
